// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can a process do that may do nothing, but has been handed an open PCI
 * resource file or a mapping of it?
 *
 *	not open or read more			EACCES
 *	not get another type than is in force	maps it with that
 *	not make records without bound		they end with max_map_count, and
 *						with its memory cgroup
 *	not keep a type after its end		the driver has it at once
 *	not confuse the kernel			by random calls with odd arguments
 *
 * Stock: right as long as whole mappings go.
 */
#include <grp.h>
#include <sys/resource.h>

#include "life.h"
#include "life_cgroup.h"

#define NR 64
#define NOBODY 65534
#define MAP_COUNT 2000
#define RANDOM_PROCESSES 4
#define RANDOM_CALLS 400
#define GROUP_LIMIT (2L << 20)

FIXTURE(hostile) {
	struct life life;
	struct life_area area;
	int uc;			/* resource file, as root opened it */
	int wc;
	uint64_t offset;
};

#define SLICE(n) (HOSTILE_PAGES + (n) * NR)

static void open_files(struct __test_metadata *_metadata, struct life *life,
		       unsigned int page, enum row_stock stock, int *uc, int *wc,
		       uint64_t *offset)
{
	life_open(_metadata, life, page, NR, stock);
	*uc = life_source_open(_metadata, life, LIFE_RESOURCE, 0, NR, offset);
	*wc = life_source_open(_metadata, life, LIFE_RESOURCE_WC, 0, NR, offset);
	ASSERT_LE(0, *uc);
	ASSERT_LE(0, *wc);
}

FIXTURE_SETUP(hostile)
{
}

FIXTURE_TEARDOWN(hostile)
{
	close(self->wc);
	close(self->uc);
	life_close(&self->life);
}

/* What the children need to know; set before they are born. */
static struct {
	int uc;
	int wc;
	uint64_t offset;
} handed;

static void hand_over(int uc, int wc, uint64_t offset)
{
	handed.uc = uc;
	handed.wc = wc;
	handed.offset = offset;
}

/* Gives up everything but what is open and mapped. */
static bool order_become_nobody(struct life *life, struct life_area *area,
				int unused)
{
	close(life->row.devmem);
	close(life->row.driver);
	close(life->row.kmsg);
	return !setgroups(0, NULL) && !setgid(NOBODY) && !setuid(NOBODY) &&
	       /* setuid() clears it. */
	       !prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void fork_nobody(struct __test_metadata *_metadata, struct life *life,
			struct life_area *area, struct life_child *child)
{
	ASSERT_TRUE(life_child_fork(life, area, child));
	ASSERT_TRUE(life_child_do(child, order_become_nobody, 0));
}

/* --- not more than was handed over ---------------------------------------------- */

static bool order_is_refused(struct life *life, struct life_area *area, int unused)
{
	static const char *const files[] = {
		"/dev/mem", PAT_TEST_DEVICE, PAT_LIST_FILE,
		"/sys/kernel/debug/x86/pat_validate",
	};

	for (unsigned int i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (open(files[i], O_RDONLY) >= 0 ||
		    (errno != EACCES && errno != ENOENT && errno != EPERM))
			return false;
	return true;
}

TEST_F(hostile, opens_nothing)
{
	struct life_child child;

	open_files(_metadata, &self->life, SLICE(0), ROW_STOCK_IS_RIGHT, &self->uc,
		   &self->wc, &self->offset);
	fork_nobody(_metadata, &self->life, NULL, &child);
	EXPECT_TRUE(life_child_do(&child, order_is_refused, 0));
	EXPECT_TRUE(life_child_end(&child, 0));
	life_verdict(_metadata, &self->life);
}

/* --- the type in force, and no longer than the mapping ------------------------------ */

static char *childs_mapping;

static bool order_map(struct life *life, struct life_area *area, int wants_wc)
{
	childs_mapping = mmap(NULL, NR * PAT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			      wants_wc ? handed.wc : handed.uc, handed.offset);
	if (childs_mapping == MAP_FAILED)
		return false;
	*(volatile char *)childs_mapping = 1;
	return true;
}

static bool order_unmap(struct life *life, struct life_area *area, int unused)
{
	return !munmap(childs_mapping, NR * PAT_PAGE);
}

TEST_F(hostile, gets_the_type_in_force)
{
	struct life *life = &self->life;
	struct life_child child;

	open_files(_metadata, life, SLICE(0), ROW_STOCK_IS_RIGHT, &self->uc,
		   &self->wc, &self->offset);
	hand_over(self->uc, self->wc, self->offset);
	fork_nobody(_metadata, life, NULL, &child);

	for (int driver_is_wc = 0; driver_is_wc < 2; driver_is_wc++) {
		int type = driver_is_wc ? PAT_TEST_WC : PAT_TEST_UC_MINUS;
		struct pat_test_map map = {
			.api = driver_is_wc ? PAT_TEST_IOREMAP_WC : PAT_TEST_IOREMAP,
			.phys = life_phys(life, 0),
			.size = NR * PAT_PAGE,
		};

		ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_MAP, &map));
		ASSERT_EQ(0, map.err);
		life_count(life, type, 1);
		for (int wants_wc = 0; wants_wc < 2; wants_wc++) {
			EXPECT_TRUE(life_child_do(&child, order_map, wants_wc));
			life_count(life, type, 1);
			life_claim(_metadata, life, NULL, "mapped beside a driver");
			EXPECT_TRUE(life_child_do(&child, order_unmap, 0));
			life_count(life, type, -1);
		}
		ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_UNMAP, map.handle));
		life_count(life, type, -1);
	}
	EXPECT_TRUE(life_child_end(&child, 0));
	life_verdict(_metadata, life);
}

TEST_F(hostile, keeps_no_type_after_its_end)
{
	struct life *life = &self->life;

	open_files(_metadata, life, SLICE(0), ROW_STOCK_IS_RIGHT, &self->uc,
		   &self->wc, &self->offset);
	hand_over(self->uc, self->wc, self->offset);
	for (int i = 0; i < 10; i++) {
		struct life_child child;

		fork_nobody(_metadata, life, NULL, &child);
		EXPECT_TRUE(life_child_do(&child, order_map, i % 2));
		life_count(life, i % 2 ? PAT_TEST_WC : PAT_TEST_UC_MINUS, 1);
		life_claim(_metadata, life, NULL, "mapped");
		/* Stopped, it is killed all the same. */
		kill(child.pid, SIGSTOP);
		EXPECT_TRUE(life_child_end(&child, SIGKILL));
		life_count(life, PAT_TEST_UC_MINUS, -1);
		life_claim(_metadata, life, NULL, "killed");
	}
	life_verdict(_metadata, life);
}

/* --- as many records as possible ------------------------------------------------------ */

/* Told by a child; shared. */
static unsigned int *told;

static void share_told(struct __test_metadata *_metadata)
{
	told = mmap(NULL, PAT_PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, told);
}

/* Page 0 of what was handed over, until no more mapping is allowed. */
static bool order_map_to_the_limit(struct life *life, struct life_area *area,
				   int unused)
{
	for (*told = 0; *told < 2 * MAP_COUNT; ++*told)
		if (mmap(NULL, PAT_PAGE, PROT_READ, MAP_SHARED, handed.uc,
			 handed.offset) == MAP_FAILED)
			return errno == ENOMEM;
	return false;
}

static void set_map_count(struct __test_metadata *_metadata, const char *value)
{
	ASSERT_TRUE(cgroup_write("/proc/sys/vm", "max_map_count", value));
}

TEST_F(hostile, maps_to_the_limit)
{
	struct life *life = &self->life;
	struct life_child child;
	char before[32], value[32];

	open_files(_metadata, life, SLICE(0), ROW_STOCK_IS_RIGHT, &self->uc,
		   &self->wc, &self->offset);
	hand_over(self->uc, self->wc, self->offset);
	share_told(_metadata);
	fork_nobody(_metadata, life, NULL, &child);
	ASSERT_TRUE(pat_read_line("/proc/sys/vm", "max_map_count", 0, before,
				  sizeof(before)));
	snprintf(value, sizeof(value), "%u", MAP_COUNT);
	set_map_count(_metadata, value);
	EXPECT_TRUE(life_child_do(&child, order_map_to_the_limit, 0));
	set_map_count(_metadata, before);

	EXPECT_LT(MAP_COUNT - 100, *told);
	EXPECT_GE(MAP_COUNT, *told);
	life->frames[0].type = PAT_TEST_UC_MINUS;
	life->frames[0].count = *told;
	life_claim(_metadata, life, NULL, "as many as are allowed");
	EXPECT_TRUE(life_child_end(&child, SIGKILL));
	life->frames[0].count = 0;
	life_verdict(_metadata, life);
}

/* Pieces as small as can be, moved about, in several generations. */
static bool order_shred(struct life *life, struct life_area *area, int unused)
{
	for (unsigned int i = 0; i < area->nr; i += 2)
		if (mprotect(area->at + i * PAT_PAGE, PAT_PAGE, PROT_READ))
			return false;
	for (unsigned int i = 1; i < area->nr; i += 4)
		if (munmap(area->at + i * PAT_PAGE, PAT_PAGE))
			return false;
	/* Into the holes. */
	for (unsigned int i = 0; i + 1 < area->nr; i += 4)
		if (mremap(area->at + i * PAT_PAGE, PAT_PAGE, PAT_PAGE,
			   MREMAP_MAYMOVE | MREMAP_FIXED,
			   area->at + (i + 1) * PAT_PAGE) == MAP_FAILED)
			return false;
	return true;
}

/* The model of the above. */
static void shred(struct life *life, struct life_area *area)
{
	for (unsigned int i = 0; i + 1 < NR; i += 4) {
		life_forget(life, area, i + 1, 1);
		area->frame[i + 1] = area->frame[i];
		area->frame[i] = LIFE_NONE;
	}
}

#define GENERATIONS 6

TEST_F(hostile, shreds_what_it_inherits)
{
	struct life_child children[GENERATIONS];
	struct life_area areas[GENERATIONS];
	struct life *life = &self->life;

	open_files(_metadata, life, SLICE(1), ROW_STOCK_HAS_BUG, &self->uc,
		   &self->wc, &self->offset);
	life_area_open(_metadata, &self->area, NR);
	life_map(_metadata, life, &self->area, 0, LIFE_RESOURCE, 0, NR);
	for (unsigned int i = 0; i < GENERATIONS; i++) {
		fork_nobody(_metadata, life, &self->area, &children[i]);
		areas[i] = self->area;
		life_fork_counts(life, &areas[i], 1);
	}
	life_munmap(_metadata, life, &self->area, 0, NR);
	life_claim(_metadata, life, &self->area, "only nobodies have it");
	for (unsigned int i = 0; i < GENERATIONS; i++) {
		EXPECT_TRUE(life_child_do(&children[i], order_shred, 0));
		shred(life, &areas[i]);
		life_claim(_metadata, life, &self->area, "shredded");
	}
	for (unsigned int i = 0; i < GENERATIONS; i++) {
		EXPECT_TRUE(life_child_end(&children[i], i % 2 ? SIGKILL : 0));
		life_forget(life, &areas[i], 0, NR);
		life_claim(_metadata, life, &self->area, "one less");
	}
	life_verdict(_metadata, life);
}

/* In a small memory cgroup the records, too, are what it is killed for. */
static struct cgroup group;

static bool order_enter_group(struct life *life, struct life_area *area, int unused)
{
	return cgroup_enter(&group);
}

static bool order_map_for_ever(struct life *life, struct life_area *area, int unused)
{
	while (mmap(NULL, PAT_PAGE, PROT_READ, MAP_SHARED, handed.uc,
		    handed.offset + *told % NR * PAT_PAGE) != MAP_FAILED)
		++*told;
	return true;
}

TEST_F(hostile, is_killed_in_a_small_group)
{
	struct life *life = &self->life;
	struct life_child child;

	/* Killed within remap_pfn_range(), stock may lose track: row D. */
	open_files(_metadata, life, SLICE(0), ROW_STOCK_VARIES, &self->uc,
		   &self->wc, &self->offset);
	hand_over(self->uc, self->wc, self->offset);
	share_told(_metadata);
	cgroup_open(_metadata, &group, "hostile");
	cgroup_limit(_metadata, &group, GROUP_LIMIT);
	ASSERT_TRUE(life_child_fork(life, NULL, &child));
	ASSERT_TRUE(life_child_do(&child, order_enter_group, 0));
	ASSERT_TRUE(life_child_do(&child, order_become_nobody, 0));

	pat_expect_message("Call Trace");
	EXPECT_FALSE(life_child_do(&child, order_map_for_ever, 0));
	EXPECT_TRUE(life_child_end(&child, SIGKILL));
	pat_expect_done();
	TH_LOG("killed with %u mappings", *told);
	EXPECT_LE(1, cgroup_read(&group, "memory.events", "oom_kill"));
	cgroup_close(_metadata, &group);
	life_verdict(_metadata, life);
}

/* --- random calls ------------------------------------------------------------------------ */

/* Sizes and addresses that are right, odd or absurd. */
static size_t odd_size(uint32_t *random)
{
	switch (life_random(random, 12)) {
	case 0:
		return 0;
	case 1:
		return 1 + life_random(random, 3 * PAT_PAGE);
	case 2:
		return SIZE_MAX - life_random(random, 3 * PAT_PAGE);
	case 3:
		return 1UL << (12 + life_random(random, 52));
	default:
		return (1 + life_random(random, 12)) * PAT_PAGE;
	}
}

#define PLAYGROUND (4 * NR)

static char *odd_address(uint32_t *random, char *ground)
{
	char *page = ground + life_random(random, PLAYGROUND) * PAT_PAGE;

	switch (life_random(random, 16)) {
	case 0:
		return page + life_random(random, PAT_PAGE);
	case 1:
		return (char *)(UINTPTR_MAX - life_random(random, 1 << 20));
	default:
		return page;
	}
}

/*
 * A size that reaches beyond the playground would hit the process itself, and
 * what it shares with the test. One with which the end wraps hits nothing.
 */
static size_t fitting(char *at, char *ground, size_t size)
{
	size_t room = ground + PLAYGROUND * PAT_PAGE - at;
	bool wraps = (uintptr_t)at + size < (uintptr_t)at;

	if (at < ground || at >= ground + PLAYGROUND * PAT_PAGE || wraps)
		return size;
	return size > room ? room : size;
}

static void random_call(uint32_t *random, char *ground)
{
	static const int advices[] = {
		MADV_DONTNEED, MADV_DONTFORK, MADV_DOFORK, MADV_DONTDUMP,
		MADV_COLD, MADV_FREE, MADV_REMOVE, MADV_MERGEABLE, MADV_HUGEPAGE,
		MADV_WILLNEED, MADV_SEQUENTIAL,
	};
	char *at = odd_address(random, ground), *to = odd_address(random, ground);
	size_t size = fitting(at, ground, odd_size(random));
	size_t new_size = fitting(to, ground, odd_size(random));
	int fd = life_random(random, 2) ? handed.uc : handed.wc;
	pid_t pid;

	switch (life_random(random, 16)) {
	case 0 ... 4:
		mmap(at, size, PROT_READ | PROT_WRITE,
		     (life_random(random, 4) ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED,
		     fd, handed.offset + life_random(random, NR) * PAT_PAGE);
		break;
	case 5 ... 7:
		munmap(at, size);
		break;
	case 8 ... 10:
		mremap(at, size, new_size, MREMAP_MAYMOVE | MREMAP_FIXED |
		       (life_random(random, 8) ? 0 : MREMAP_DONTUNMAP), to);
		break;
	case 11:
		mprotect(at, size, life_random(random, 2) ? PROT_READ : PROT_NONE);
		break;
	case 12:
		mlock(at, size);
		break;
	case 13:
		pid = fork();
		if (!pid)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
		break;
	default:
		madvise(at, size, advices[life_random(random, sizeof(advices) /
						      sizeof(advices[0]))]);
	}
}

static bool order_call_at_random(struct life *life, struct life_area *area,
				 int seed)
{
	char *ground = mmap(NULL, PLAYGROUND * PAT_PAGE, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t random = seed;

	if (ground == MAP_FAILED)
		return false;
	for (unsigned int i = 0; i < RANDOM_CALLS; i++)
		random_call(&random, ground);
	return true;
}

/* What exactly is held meanwhile nobody can say; afterwards it is nothing. */
TEST_F(hostile, calls_at_random)
{
	struct life *life = &self->life;
	uint32_t random = life_seed(_metadata);

	open_files(_metadata, life, SLICE(2), ROW_STOCK_HAS_BUG, &self->uc,
		   &self->wc, &self->offset);
	hand_over(self->uc, self->wc, self->offset);
	pat_expect_message(PAT_CONFLICT_MESSAGE "|" ROW_STOCK_MESSAGES);
	for (unsigned int i = 0; i < RANDOM_PROCESSES; i++) {
		uint32_t seed = random + i * 0x9e3779b9;
		struct life_child child;

		fork_nobody(_metadata, life, NULL, &child);
		EXPECT_TRUE(life_child_do(&child, order_call_at_random, seed ?: 1));
		row_claim_valid(_metadata, &life->row, "random calls");
		EXPECT_TRUE(life_child_end(&child, i % 2 ? SIGKILL : 0));
		life_claim(_metadata, life, NULL, "its end");
	}
	/* Requests that conflict are refused with a message. */
	ASSERT_LE(0, lseek(life->row.kmsg, 0, SEEK_END));
	life_verdict(_metadata, life);
	pat_expect_done();
}

TEST_HARNESS_MAIN
