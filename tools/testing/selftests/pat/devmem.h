/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of /dev/mem and RAM (devmem_*_test.c) have in common.
 *
 * The pages are the test driver's, which gives each of them its type; /dev/mem
 * is somebody else who looks on. The claims are row.h's, and so is the verdict.
 *
 * With PAT, what is mapped has the page's type whatever is asked for, and each
 * page that differs from that is told of in the log. Without PAT the kernel
 * knows no page's type: a mapping has the type asked for.
 */
#ifndef PAT_DEVMEM_H
#define PAT_DEVMEM_H

#include <regex.h>

#include "row.h"

#define DEVMEM_PAGES 8

/* A block of the driver's pages, one after the other. */
struct devmem_block {
	uint32_t handle;
	uint64_t pfns[DEVMEM_PAGES];
};

struct devmem {
	struct row row;		/* its devmem is with O_SYNC: UC- is asked for */
	int plain;		/* /dev/mem without: WB is asked for */
};

/* What the log says if a page has another type than is asked for. */
#define DEVMEM_OTHER_TYPE "x86/PAT: .*map pfn RAM (range|page) req"

/* Is this among the kernel's parameters? */
static inline bool devmem_told_at_boot(const char *what)
{
	char text[4096] = "";

	pat_read_line("/proc", "cmdline", 0, text, sizeof(text));
	return strstr(text, what);
}

static inline void devmem_open(struct __test_metadata *_metadata,
			       struct devmem *dm, enum row_stock stock)
{
	row_open(_metadata, &dm->row, stock);
	dm->plain = open("/dev/mem", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, dm->plain);
	pat_expect_message(DEVMEM_OTHER_TYPE);
}

static inline void devmem_close(struct devmem *dm)
{
	pat_expect_done();
	close(dm->plain);
	row_close(&dm->row);
}

/* --- pages ----------------------------------------------------------------- */

static inline struct devmem_block
devmem_alloc(struct __test_metadata *_metadata, struct devmem *dm)
{
	struct devmem_block block;
	struct pat_test_alloc alloc = {
		.nr = DEVMEM_PAGES,
		.order = 3,
		.pfns = (uintptr_t)block.pfns,
	};

	ASSERT_EQ(0, ioctl(dm->row.driver, PAT_TEST_ALLOC, &alloc));
	block.handle = alloc.handle;
	return block;
}

static inline void devmem_free(struct __test_metadata *_metadata,
			       struct devmem *dm, struct devmem_block *block)
{
	ASSERT_EQ(0, ioctl(dm->row.driver, PAT_TEST_FREE, block->handle))
		TH_LOG("free: %s", strerror(errno));
}

enum devmem_api {
	DEVMEM_BY_ADDRESS,	/* set_memory_*() */
	DEVMEM_BY_ARRAY,	/* set_pages_array_*() */
	DEVMEM_NR_APIS,
};

static inline void devmem_set(struct __test_metadata *_metadata,
			      struct devmem *dm, struct devmem_block *block,
			      unsigned int first, unsigned int nr, int type,
			      enum devmem_api api)
{
	static const unsigned int apis[][DEVMEM_NR_APIS] = {
		[PAT_TEST_WB] = {
			PAT_TEST_SET_MEMORY_WB, PAT_TEST_SET_PAGES_ARRAY_WB },
		[PAT_TEST_WC] = {
			PAT_TEST_SET_MEMORY_WC, PAT_TEST_SET_PAGES_ARRAY_WC },
		[PAT_TEST_UC_MINUS] = {
			PAT_TEST_SET_MEMORY_UC, PAT_TEST_SET_PAGES_ARRAY_UC },
	};
	struct pat_test_set set = {
		.handle = block->handle,
		.api = apis[type][api],
		.first = first,
		.count = nr,
	};

	ASSERT_EQ(0, ioctl(dm->row.driver, PAT_TEST_SET_TYPE, &set));
	ASSERT_EQ(0, set.err)
		TH_LOG("%u pages from %u cannot become %s", nr, first,
		       pat_type_word(type));
}

/* One type each. A page goes from one type to another by way of write-back. */
static inline void devmem_set_types(struct __test_metadata *_metadata,
				    struct devmem *dm,
				    struct devmem_block *block,
				    const int *types, enum devmem_api api)
{
	devmem_set(_metadata, dm, block, 0, DEVMEM_PAGES, PAT_TEST_WB, api);
	for (unsigned int i = 0; i < DEVMEM_PAGES; i++)
		if (types[i] != PAT_TEST_WB)
			devmem_set(_metadata, dm, block, i, 1, types[i], api);
}

static const int devmem_all_wb[DEVMEM_PAGES];	/* that is 0 */

static const int devmem_mixed[DEVMEM_PAGES] = {
	PAT_TEST_WB, PAT_TEST_WC, PAT_TEST_UC_MINUS, PAT_TEST_WB,
	PAT_TEST_WC, PAT_TEST_WC, PAT_TEST_UC_MINUS, PAT_TEST_UC_MINUS,
};

/* Another type for each page. */
static const int devmem_mixed_otherwise[DEVMEM_PAGES] = {
	PAT_TEST_WC, PAT_TEST_UC_MINUS, PAT_TEST_WB, PAT_TEST_UC_MINUS,
	PAT_TEST_UC_MINUS, PAT_TEST_WB, PAT_TEST_WB, PAT_TEST_WC,
};

/* --- mappings ---------------------------------------------------------------- */

/* Maps frames that are to be had: NULL, and a broken claim, if they are not. */
static inline char *devmem_map(struct __test_metadata *_metadata,
			       struct devmem *dm, bool sync, uint64_t pfn,
			       unsigned int nr, int prot, int flags)
{
	char *at = mmap(NULL, nr * PAT_PAGE, prot, flags,
			sync ? dm->row.devmem : dm->plain, pfn * PAT_PAGE);

	ROW_CLAIM(&dm->row, at != MAP_FAILED, "mmap of RAM: %s", strerror(errno));
	return at == MAP_FAILED ? NULL : at;
}

/* What a mapping of a page of @type is. */
static inline int devmem_type(const struct devmem *dm, bool sync, int type)
{
	if (dm->row.pat_is_on)
		return type;
	return sync ? PAT_TEST_UC_MINUS : PAT_TEST_WB;
}

struct devmem_wrong {
	unsigned int nr;	/* so many entries are not what they should be */
	unsigned int page;	/* the first of them */
	int got;
	int wanted;
};

/* Of the calling process; claims nothing, so that any process can ask. */
static inline struct devmem_wrong
devmem_compare(const struct devmem *dm, bool sync, const char *at,
	       const uint64_t *pfns, const int *types, unsigned int nr)
{
	struct devmem_wrong wrong = {};

	for (unsigned int i = 0; i < nr; i++) {
		struct pat_test_pte pte = { .addr = (uintptr_t)at + i * PAT_PAGE };
		int want = devmem_type(dm, sync, types[i]);

		if (ioctl(dm->row.driver, PAT_TEST_READ_PTE, &pte))
			pte.got = PAT_TEST_NOT_MAPPED;
		else if (pte.got >= 0 && pte.pfn != pfns[i])
			pte.got = PAT_TEST_WRONG_FRAME;
		if (pte.got == want)
			continue;
		if (!wrong.nr++) {
			wrong.page = i;
			wrong.got = pte.got;
			wrong.wanted = want;
		}
	}
	return wrong;
}

#define DEVMEM_CLAIM_RIGHT(dm, wrong, when)				\
	ROW_CLAIM(&(dm)->row, !(wrong).nr,				\
		  "%s: %u entries are wrong, page %u is %s, wanted %s",	\
		  when, (wrong).nr, (wrong).page,			\
		  pat_type_word((wrong).got), pat_type_word((wrong).wanted))

/* Claims that frames are mapped at @at, each with its page's type. */
static inline void devmem_claim(struct __test_metadata *_metadata,
				struct devmem *dm, bool sync, const char *at,
				const uint64_t *pfns, const int *types,
				unsigned int nr, const char *when)
{
	struct devmem_wrong wrong = devmem_compare(dm, sync, at, pfns, types, nr);

	DEVMEM_CLAIM_RIGHT(dm, wrong, when);
}

/* Claims what the direct map says of frames: the type the owner has given them. */
static inline void devmem_claim_direct(struct __test_metadata *_metadata,
				       struct devmem *dm, const uint64_t *pfns,
				       const int *types, unsigned int nr,
				       const char *when)
{
	for (unsigned int i = 0; i < nr; i++) {
		struct pat_test_direct direct = { .pfn = pfns[i] };
		int want = row_type(&dm->row, types[i]);

		ASSERT_EQ(0, ioctl(dm->row.driver, PAT_TEST_DIRECT_MAP, &direct));
		ROW_CLAIM(&dm->row, direct.got == want,
			  "%s: page %u of the direct map is %s, wanted %s", when,
			  i, pat_type_word(direct.got), pat_type_word(want));
	}
}

/* How many records there are, those of RAM included, which no list shows. */
static inline unsigned long devmem_records(struct __test_metadata *_metadata,
					   struct devmem *dm)
{
	unsigned long records = 0;
	char line[160];

	if (pat_on_stock() || !dm->row.pat_is_on)
		return 0;
	ASSERT_TRUE(pat_read_line("/sys/kernel/debug/x86", "pat_validate", 0,
				  line, sizeof(line)));
	ASSERT_EQ(1, sscanf(line, "ok: %lu records", &records)) TH_LOG("%s", line);
	return records;
}

/*
 * Claims that frames cannot be mapped, and that nothing comes of the attempt.
 * Without PAT the kernel does not ask what it is that is mapped.
 */
static inline void devmem_claim_refused(struct __test_metadata *_metadata,
					struct devmem *dm, uint64_t pfn,
					unsigned int nr, int err,
					const char *what)
{
	unsigned long records = devmem_records(_metadata, dm);

	for (unsigned int sync = 0; sync < 2; sync++) {
		char *at = mmap(NULL, nr * PAT_PAGE, PROT_READ, MAP_SHARED,
				sync ? dm->row.devmem : dm->plain,
				pfn * PAT_PAGE);

		int got = at == MAP_FAILED ? errno : 0;

		ROW_CLAIM(&dm->row, got == (dm->row.pat_is_on ? err : 0),
			  "%s: mmap: %s", what, strerror(got));
		if (at != MAP_FAILED)
			munmap(at, nr * PAT_PAGE);
	}
	ROW_CLAIM(&dm->row, devmem_records(_metadata, dm) == records,
		  "%s: a refused mmap has left a record", what);
	row_claim_list_as_before(_metadata, &dm->row);
}

/* --- the log ------------------------------------------------------------------- */

/*
 * Reads on in the log: how many lines match? What else the kernel complains of
 * is a broken claim.
 */
static inline unsigned int devmem_read_log(struct __test_metadata *_metadata,
					   struct devmem *dm, const char *ere)
{
	unsigned int found = 0;
	regex_t wanted, known;
	char message[1024];
	ssize_t got;

	ASSERT_EQ(0, regcomp(&known, DEVMEM_OTHER_TYPE, REG_EXTENDED | REG_NOSUB));
	ASSERT_EQ(0, regcomp(&wanted, ere, REG_EXTENDED | REG_NOSUB));
	while ((got = read(dm->row.kmsg, message, sizeof(message) - 1)) > 0) {
		char *text;

		message[got] = '\0';
		text = strchr(message, ';');
		if (!text || strstr(text, "pat-selftest:"))
			continue;
		text[strcspn(text, "\n")] = '\0';
		found += !regexec(&wanted, text + 1, 0, NULL, 0);
		if (!regexec(&known, text + 1, 0, NULL, 0))
			continue;
		ROW_CLAIM(&dm->row, !strstr(text, "x86/PAT:") &&
				    !strstr(text, "WARNING:"),
			  "the kernel said: %s", text + 1);
	}
	regfree(&wanted);
	regfree(&known);
	return found;
}

static inline void devmem_verdict(struct __test_metadata *_metadata,
				  struct devmem *dm)
{
	row_claim_valid(_metadata, &dm->row, "at the end");
	devmem_read_log(_metadata, dm, DEVMEM_OTHER_TYPE);
	row_verdict(_metadata, &dm->row);
}

#endif
