/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of real users of RAM type changes (user_*_test.c) share: the
 * AGP core, DRM's shmem helpers, TTM's pools, sound.
 *
 * These tests know nothing of what a driver does but its ioctls. They look at
 * the entries of their own mappings, at the direct map, and at the bits of all
 * pages of the machine: while the driver has its pages, these and no others are
 * not write-back, and when it has given them back, all is as it was.
 *
 * Nothing but the driver under test may change types meanwhile.
 */
#ifndef PAT_USERS_H
#define PAT_USERS_H

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "pat_kselftest.h"

/* --- a census of all pages ----------------------------------------------------- */

/* Bits of /proc/kpageflags; the kernel keeps the second half to itself. */
#define KPF_NOPAGE	20
#define KPF_ARCH_1	38
#define KPF_ARCH_2	41

/* What is known of each frame from 0 on. */
struct user_census {
	uint64_t nr;
	int8_t *direct;		/* type in the direct map, PAT_TEST_NOT_MAPPED */
	int8_t *bits;		/* type in the page's flags */
	uint64_t not_wb;	/* pages that have another type in either */
};

static inline void user_census_free(struct user_census *census)
{
	free(census->direct);
	free(census->bits);
	*census = (struct user_census){};
}

/* The types of /proc/kpageflags. A page with both bits is WT. */
static inline void user_read_bits(struct __test_metadata *_metadata,
				  struct user_census *census)
{
	static const int8_t types[] = {
		PAT_TEST_WB, PAT_TEST_WC, PAT_TEST_UC_MINUS, PAT_TEST_WT,
	};
	static uint64_t flags[8192];
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	ssize_t got;

	ASSERT_LE(0, fd) TH_LOG("/proc/kpageflags: %s", strerror(errno));
	while ((got = read(fd, flags, sizeof(flags))) > 0) {
		uint64_t nr = got / sizeof(flags[0]);
		int8_t *more = realloc(census->bits, census->nr + nr);

		ASSERT_NE(NULL, more);
		census->bits = more;
		for (uint64_t i = 0; i < nr; i++)
			more[census->nr + i] =
				types[(flags[i] >> KPF_ARCH_1 & 1) |
				      (flags[i] >> KPF_ARCH_2 & 1) << 1];
		census->nr += nr;
	}
	ASSERT_EQ(0, got) TH_LOG("/proc/kpageflags: %s", strerror(errno));
	close(fd);
	ASSERT_LT(0, census->nr);
}

static inline void user_read_direct(struct __test_metadata *_metadata,
				    int driver, struct user_census *census)
{
	struct pat_test_direct_run run = { .nr = census->nr };

	census->direct = malloc(census->nr);
	ASSERT_NE(NULL, census->direct);
	run.types = (uintptr_t)census->direct;
	ASSERT_EQ(0, ioctl(driver, PAT_TEST_DIRECT_MAP_RUN, &run));
}

/*
 * Looks at all pages. The bits and the direct map agree about each, if PAT is
 * on; without it there are no bits.
 */
static inline struct user_census user_census_now(struct __test_metadata *_metadata,
						 int driver)
{
	struct pat_test_info info = pat_get_info(_metadata, driver);
	struct user_census census = {};
	uint64_t differ = 0;

	user_read_bits(_metadata, &census);
	user_read_direct(_metadata, driver, &census);
	for (uint64_t pfn = 0; pfn < census.nr; pfn++) {
		int direct = census.direct[pfn], bits = census.bits[pfn];

		if (direct == PAT_TEST_NOT_MAPPED)
			direct = PAT_TEST_WB;
		if (direct != PAT_TEST_WB || bits != PAT_TEST_WB)
			census.not_wb++;
		if (bits == direct || (!info.pat_enabled && bits == PAT_TEST_WB))
			continue;
		if (!differ++) {
			TH_LOG("pfn 0x%" PRIx64 ": %s in its bits, %s in the direct map",
			       pfn, pat_type_word(bits), pat_type_word(direct));
		}
	}
	EXPECT_EQ(0, differ) TH_LOG("pages in all");
	return census;
}

/* --- a fixture ------------------------------------------------------------------ */

struct user {
	int driver;		/* pat_test */
	bool pat;		/* is PAT on? */
	struct pat_list list;
	struct user_census census;
};

/* What a driver's wish comes to: without PAT there are fewer types. */
static inline int user_type(const struct user *user, int type)
{
	return user->pat ? type : pat_type_without_pat(type);
}

static inline void user_begin(struct __test_metadata *_metadata,
			      struct user *user)
{
	user->driver = pat_open_driver(_metadata);
	user->pat = pat_get_info(_metadata, user->driver).pat_enabled;
	user->list = pat_list_now(_metadata, user->pat);
	user->census = user_census_now(_metadata, user->driver);
}

/* @more pages than when the test began are not write-back. */
static inline void user_expect_more(struct __test_metadata *_metadata,
				    struct user *user, uint64_t more)
{
	struct user_census now = user_census_now(_metadata, user->driver);

	EXPECT_EQ(user->census.not_wb + more, now.not_wb)
		TH_LOG("wanted %" PRIu64 " pages more that are not write-back, than %"
		       PRIu64, more, user->census.not_wb);
	user_census_free(&now);
}

/* Every page has the type that it had when the test began. */
static inline void user_expect_as_before(struct __test_metadata *_metadata,
					 struct user *user)
{
	struct user_census now = user_census_now(_metadata, user->driver);
	uint64_t changed = 0;

	ASSERT_EQ(user->census.nr, now.nr);
	for (uint64_t pfn = 0; pfn < now.nr; pfn++) {
		if (now.direct[pfn] == user->census.direct[pfn] &&
		    now.bits[pfn] == user->census.bits[pfn])
			continue;
		if (!changed++) {
			TH_LOG("pfn 0x%" PRIx64 " was %s, and is %s with bits %s",
			       pfn, pat_type_word(user->census.direct[pfn]),
			       pat_type_word(now.direct[pfn]),
			       pat_type_word(now.bits[pfn]));
		}
	}
	EXPECT_EQ(0, changed) TH_LOG("pages in all");
	user_census_free(&now);
}

static inline void user_expect_valid(struct __test_metadata *_metadata,
				     const struct user *user)
{
	char text[256] = "cannot be read";

	if (!user->pat || pat_on_stock())
		return;
	pat_read_line("/sys/kernel/debug/x86", "pat_validate", 0, text,
		      sizeof(text));
	EXPECT_EQ(0, strncmp(text, "ok:", 3)) TH_LOG("pat_validate: %s", text);
}

static inline void user_end(struct __test_metadata *_metadata,
			    struct user *user)
{
	user_expect_as_before(_metadata, user);
	user_expect_valid(_metadata, user);
	pat_expect_list(_metadata, user->pat, &user->list);
	user_census_free(&user->census);
	pat_list_free(&user->list);
	close(user->driver);
}

/* --- single pages and entries ---------------------------------------------------- */

/* The frames have this type in the direct map, and where it is looked up. */
static inline void user_expect_pages(struct __test_metadata *_metadata,
				     struct user *user, const uint64_t *pfns,
				     unsigned int nr, int type)
{
	type = user_type(user, type);
	for (unsigned int i = 0; i < nr; i++) {
		struct pat_test_direct direct = { .pfn = pfns[i] };
		struct pat_test_lookup lookup = { .pfn = pfns[i] };

		ASSERT_EQ(0, ioctl(user->driver, PAT_TEST_DIRECT_MAP, &direct));
		ASSERT_EQ(type, direct.got)
			TH_LOG("page %u, pfn 0x%" PRIx64 ": wanted %s, is %s", i,
			       pfns[i], pat_type_word(type),
			       pat_type_word(direct.got));
		if (!user->pat)
			continue;
		ASSERT_EQ(0, ioctl(user->driver, PAT_TEST_LOOKUP, &lookup));
		ASSERT_EQ(type != PAT_TEST_WB, lookup.immune)
			TH_LOG("page %u: the look-up says otherwise", i);
	}
}

/*
 * The caller's entries from @at on have this type. Their frames are put into
 * @pfns. Nothing is touched.
 */
static inline void user_expect_entries(struct __test_metadata *_metadata,
				       struct user *user, const char *at,
				       unsigned int nr, int type, uint64_t *pfns)
{
	type = user_type(user, type);
	for (unsigned int i = 0; i < nr; i++) {
		struct pat_test_pte pte = {
			.addr = (uintptr_t)at + i * PAT_PAGE,
		};

		ASSERT_EQ(0, ioctl(user->driver, PAT_TEST_READ_PTE, &pte));
		ASSERT_EQ(type, pte.got)
			TH_LOG("entry %u: wanted %s, is %s", i,
			       pat_type_word(type), pat_type_word(pte.got));
		if (pfns)
			pfns[i] = pte.pfn;
	}
}

/* Writes to each page, so that a driver that waits for faults maps it. */
static inline void user_touch(char *at, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		*(volatile char *)(at + i * PAT_PAGE) = i;
}

/* What user_touch() has written is there, through whatever mapping. */
static inline bool user_sees(const char *at, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		if (*(const volatile char *)(at + i * PAT_PAGE) != (char)i)
			return false;
	return true;
}

/*
 * Maps one page of RAM through /dev/mem. NULL on stock with PAT, which refuses
 * to.
 */
static inline char *user_map_devmem(struct __test_metadata *_metadata,
				    struct user *user, uint64_t pfn)
{
	int fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	bool refused = pat_on_stock() && user->pat;
	char *at;

	ASSERT_LE(0, fd) TH_LOG("/dev/mem: %s", strerror(errno));
	pat_expect_message("x86/PAT: .*map pfn RAM range req write-back");
	/* Of a page that is not write-back, which is what /dev/mem asks for. */
	pat_expect_message("x86/PAT: .*map pfn RAM (range|page) req");
	at = mmap(NULL, PAT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		  pfn * PAT_PAGE);
	pat_expect_done();
	pat_expect_done();
	close(fd);
	if (refused) {
		EXPECT_EQ(MAP_FAILED, at);
		return NULL;
	}
	ASSERT_NE(MAP_FAILED, at)
		TH_LOG("/dev/mem at pfn 0x%" PRIx64 ": %s", pfn, strerror(errno));
	return at;
}

/*
 * A mapping of user_map_devmem() has the type that its frame has. Without PAT
 * nobody looks for such mappings, and they stay as they are.
 */
static inline void user_expect_devmem(struct __test_metadata *_metadata,
				      struct user *user, const char *at,
				      uint64_t pfn, int type)
{
	uint64_t got = 0;

	if (!at)
		return;
	user_expect_entries(_metadata, user, at, 1,
			    user->pat ? type : PAT_TEST_WB, &got);
	EXPECT_EQ(pfn, got);
}

static inline void user_unmap_devmem(char *at)
{
	if (at)
		munmap(at, PAT_PAGE);
}

/*
 * Runs @work in a child that then waits for SIGKILL. Returns once the child is
 * dead and all that it had is gone.
 */
#define USER_KILL_AFTER(work)							\
	do {									\
		int pipes_[2], status_ = 0;					\
		char done_ = 0;							\
		pid_t child_;							\
										\
		ASSERT_EQ(0, pipe(pipes_));					\
		child_ = fork();						\
		if (!child_) {							\
			done_ = (work) ? 'y' : 'n';				\
			if (write(pipes_[1], &done_, 1) == 1)			\
				pause();					\
			_exit(1);						\
		}								\
		ASSERT_LT(0, child_);						\
		close(pipes_[1]);						\
		EXPECT_EQ(1, read(pipes_[0], &done_, 1));			\
		close(pipes_[0]);						\
		EXPECT_EQ('y', done_) TH_LOG("the child could not do its work");\
		kill(child_, SIGKILL);						\
		ASSERT_EQ(child_, waitpid(child_, &status_, 0));		\
		EXPECT_TRUE(WIFSIGNALED(status_));				\
	} while (0)

/* A fixture whose teardown compares all pages with what they were. */
#define USER_FIXTURE(name)							\
	FIXTURE(name)								\
	{									\
		struct user user;						\
	};									\
										\
	FIXTURE_SETUP(name)							\
	{									\
		user_begin(_metadata, &self->user);				\
	}									\
										\
	FIXTURE_TEARDOWN(name)							\
	{									\
		user_end(_metadata, &self->user);				\
	}

#endif /* PAT_USERS_H */
