/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the regression tests (row_*_test.c) have in common.
 *
 * Each of them retells one past bug of PFN mapping tracking, and makes the
 * claims that the bug broke. A broken claim is noted and the test goes on;
 * row_verdict() judges at the end:
 *
 *			claims hold	a claim is broken
 *	patched kernel	pass		fail
 *	stock, has bug	fail		xfail "stock: bug present"
 *	stock, no bug	pass		fail
 *	stock, varies	pass		xfail
 *
 * "Varies": whether the bug shows depends on what has run before, as with a
 * warning that is given once a boot. Else a test that cannot see its bug fails
 * on the stock kernel. Where PAT is off there are no records to claim anything
 * about; the mappings must still work.
 *
 * The frames mapped are those of a PCI BAR with plain memory behind it that no
 * driver uses. Each test has pages of its own in it, as what the stock kernel
 * leaks stays there until the reboot.
 */
#ifndef PAT_ROW_H
#define PAT_ROW_H

#include "pat_kselftest.h"

/* Where in the BAR the pages of each row's tests begin. */
enum row_pages {
	ROW_A_PAGES = 2048,
	ROW_B_PAGES = 2112,
	ROW_C_PAGES = 2176,
	ROW_D_PAGES = 2304,
	ROW_E_PAGES = 2368,
	ROW_F_PAGES = 2560,
	ROW_O_PAGES = 2688,
	ROW_R_PAGES = 3072,
	/* The tests of life.h, each with a multiple of 256 pages. */
	LIFE_UNMAP_PAGES = 4096,
	LIFE_MREMAP_PAGES = 4608,
	LIFE_FORK_PAGES = 5120,
	LIFE_EXIT_PAGES = 5376,
	LIFE_COW_PAGES = 5632,
	LIFE_MANY_PAGES = 5888,
	LIFE_DRIVER_PAGES = 6144,
	LIFE_REVOKE_PAGES = 6656,
	LIFE_REFUSE_PAGES = 6912,
	MEMCG_PAGES = 7168,
	HOSTILE_PAGES = 7424,		/* to the end: maps where it likes */
};

enum row_stock {
	ROW_STOCK_HAS_BUG,
	ROW_STOCK_IS_RIGHT,
	ROW_STOCK_VARIES,
};

struct row {
	enum row_stock stock;
	bool pat_is_on;
	int driver;
	int devmem;
	int kmsg;
	uint64_t bar;			/* physical address of the BAR */
	struct pat_list before;
	unsigned int broken;		/* claims that did not hold */
	char first[160];		/* the first of them */
};

/* Broken claims that are printed; more of them tell nothing new. */
#define ROW_SHOWN 4

#define ROW_CLAIM(row, holds, fmt, ...)					\
	do {								\
		if (holds)						\
			break;						\
		if (!(row)->broken)					\
			snprintf((row)->first, sizeof((row)->first),	\
				 fmt, ##__VA_ARGS__);			\
		if ((row)->broken++ < ROW_SHOWN)			\
			TH_LOG("broken claim: " fmt, ##__VA_ARGS__);	\
	} while (0)

/* What a mapping of this type is: without PAT there are fewer types. */
static inline int row_type(const struct row *row, int type)
{
	return row->pat_is_on ? type : pat_type_without_pat(type);
}

static inline uint64_t row_phys(const struct row *row, unsigned int page)
{
	return row->bar + page * PAT_PAGE;
}

/* What the stock kernel says when it loses track. */
#define ROW_STOCK_MESSAGES \
	"freeing invalid memtype|map pfn expected mapping type|get_pat_info|untrack_pfn"

/* May skip the test: _metadata->exit_code tells then. */
static inline void row_open(struct __test_metadata *_metadata, struct row *row,
			    enum row_stock stock)
{
	row->stock = stock;
	row->broken = 0;
	row->driver = pat_open_driver(_metadata);
	row->pat_is_on = pat_get_info(_metadata, row->driver).pat_enabled;
	if (!row->pat_is_on && pat_on_stock())
		SKIP(return, "PAT is off: not every bug of stock shows");
	row->devmem = open("/dev/mem", O_RDWR | O_SYNC);
	ASSERT_LE(0, row->devmem);
	row->bar = pat_bar(_metadata)->start;
	row->kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	ASSERT_LE(0, row->kmsg);
	ASSERT_LE(0, lseek(row->kmsg, 0, SEEK_END));
	if (pat_on_stock() && stock != ROW_STOCK_IS_RIGHT)
		pat_expect_message(ROW_STOCK_MESSAGES);
	row->before = pat_list_now(_metadata, row->pat_is_on);
}

static inline void row_close(struct row *row)
{
	if (pat_on_stock() && row->stock != ROW_STOCK_IS_RIGHT)
		pat_expect_done();
	pat_list_free(&row->before);
	close(row->kmsg);
	close(row->devmem);
	close(row->driver);
}

/* Maps frames of the BAR through /dev/mem, UC-. */
static inline char *row_map(struct __test_metadata *_metadata, struct row *row,
			    unsigned int page, unsigned int nr, int flags)
{
	char *at = mmap(NULL, nr * PAT_PAGE, PROT_READ | PROT_WRITE, flags,
			row->devmem, row_phys(row, page));

	ASSERT_NE(MAP_FAILED, at) TH_LOG("mmap: %s", strerror(errno));
	return at;
}

/*
 * Has the test driver map frames of the BAR with remap_pfn_range(), UC-, at the
 * same offset in its file.
 */
static inline char *row_driver_map(struct __test_metadata *_metadata,
				   struct row *row, unsigned int page,
				   unsigned int nr)
{
	struct pat_test_chunk chunk = {
		.pfn = row_phys(row, page) / PAT_PAGE,
		.size = nr * PAT_PAGE,
		.type = PAT_TEST_UC_MINUS,
		.method = PAT_TEST_REMAP_PFN_RANGE,
	};
	struct pat_test_program program = {
		.chunks = (uintptr_t)&chunk,
		.nr = 1,
	};
	char *at;

	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_PROGRAM, &program));
	at = mmap(NULL, nr * PAT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		  row->driver, page * PAT_PAGE);
	ASSERT_NE(MAP_FAILED, at) TH_LOG("mmap: %s", strerror(errno));
	return at;
}

/*
 * The type that ioremap_wc() of a frame ends up with: WC if nobody holds the
 * frame, the type of the holder otherwise.
 */
static inline int row_wc_gets(struct __test_metadata *_metadata,
			      struct row *row, uint64_t phys)
{
	struct pat_test_map map = {
		.api = PAT_TEST_IOREMAP_WC,
		.phys = phys,
		.size = PAT_PAGE,
	};

	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_MAP, &map));
	if (map.err)
		return PAT_TEST_NOT_MAPPED;
	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_UNMAP, map.handle));
	return map.got;
}

/* Claims that exactly @count records, all of @type, cover a frame. */
static inline void row_claim_records(struct __test_metadata *_metadata,
				     struct row *row, uint64_t phys,
				     unsigned int count, int type)
{
	struct pat_list now;

	if (!row->pat_is_on)
		return;
	ASSERT_TRUE(pat_list_read(&now));
	ROW_CLAIM(row, pat_list_count(&now, phys, type) == count &&
		       pat_list_count_all(&now, phys) == count,
		  "page 0x%llx: wanted %u records %s, has %u of %u",
		  (unsigned long long)(phys - row->bar) / PAT_PAGE, count,
		  pat_type_word(type), pat_list_count(&now, phys, type),
		  pat_list_count_all(&now, phys));
	pat_list_free(&now);
}

/* Claims that nobody holds a frame: no record, and it can become WC. */
static inline void row_claim_free(struct __test_metadata *_metadata,
				  struct row *row, uint64_t phys)
{
	int got;

	row_claim_records(_metadata, row, phys, 0, PAT_TEST_UC_MINUS);
	got = row_wc_gets(_metadata, row, phys);
	ROW_CLAIM(row, got == row_type(row, PAT_TEST_WC),
		  "page 0x%llx: free, but ioremap_wc gets it %s",
		  (unsigned long long)(phys - row->bar) / PAT_PAGE,
		  pat_type_word(got));
}

/* Claims that one UC- mapping holds a frame, and keeps others from making it WC. */
static inline void row_claim_held(struct __test_metadata *_metadata,
				  struct row *row, uint64_t phys)
{
	int got;

	row_claim_records(_metadata, row, phys, 1, PAT_TEST_UC_MINUS);
	got = row_wc_gets(_metadata, row, phys);
	ROW_CLAIM(row, got == PAT_TEST_UC_MINUS,
		  "page 0x%llx: mapped uncached-minus, ioremap_wc gets it %s",
		  (unsigned long long)(phys - row->bar) / PAT_PAGE,
		  pat_type_word(got));
}

/* Claims that the calling process has @phys mapped at @addr with @type. */
static inline void row_claim_entry(struct __test_metadata *_metadata,
				   struct row *row, const char *addr,
				   uint64_t phys, int type)
{
	struct pat_test_pte pte = { .addr = (uintptr_t)addr };

	type = row_type(row, type);
	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_READ_PTE, &pte));
	ROW_CLAIM(row, pte.got == type && pte.pfn == phys / PAT_PAGE,
		  "page 0x%llx: entry has pfn 0x%llx %s, wanted %s",
		  (unsigned long long)(phys - row->bar) / PAT_PAGE,
		  (unsigned long long)pte.pfn, pat_type_word(pte.got),
		  pat_type_word(type));
}

/* Claims that no frame is held more, or less, than when the test began. */
static inline void row_claim_list_as_before(struct __test_metadata *_metadata,
					    struct row *row)
{
	struct pat_list now = pat_list_now(_metadata, row->pat_is_on);
	uint64_t where = 0;

	ROW_CLAIM(row, pat_list_same(&row->before, &now, &where),
		  "the list has changed from 0x%llx on",
		  (unsigned long long)where);
	pat_list_free(&now);
}

/* Claims that the kernel's own validator finds every invariant to hold. */
static inline void row_claim_valid(struct __test_metadata *_metadata,
				   struct row *row, const char *when)
{
	char line[160] = "cannot be read";

	if (pat_on_stock() || !row->pat_is_on)
		return;
	pat_read_line("/sys/kernel/debug/x86", "pat_validate", 0, line,
		      sizeof(line));
	line[strcspn(line, "\n")] = '\0';
	ROW_CLAIM(row, !strncmp(line, "ok:", 3), "%s: %s", when, line);
}

/*
 * Claims that the kernel has complained about nothing since this was called
 * last, but for lines with @allowed in them, if that is not NULL. Returns how
 * many such lines there were, and copies the last of them to @line.
 */
static inline unsigned int
row_claim_only(struct __test_metadata *_metadata, struct row *row,
	       const char *allowed, char *line, size_t size)
{
	unsigned int nr = 0;
	char message[1024];
	ssize_t got;

	while ((got = read(row->kmsg, message, sizeof(message) - 1)) > 0) {
		char *text;

		message[got] = '\0';
		text = strchr(message, ';');
		if (!text || strstr(text, "pat-selftest:"))
			continue;
		text[strcspn(text, "\n")] = '\0';
		if (allowed && strstr(text, allowed)) {
			if (line)
				snprintf(line, size, "%s", text + 1);
			nr++;
			continue;
		}
		ROW_CLAIM(row, !strstr(text, "x86/PAT:") &&
			       !strstr(text, "WARNING:"),
			  "the kernel said: %s", text + 1);
	}
	return nr;
}

/* Claims that the kernel has complained about nothing since the test began. */
static inline void row_claim_silence(struct __test_metadata *_metadata,
				     struct row *row)
{
	row_claim_only(_metadata, row, NULL, NULL, 0);
}

static inline void row_verdict(struct __test_metadata *_metadata,
			       struct row *row)
{
	bool bug_wanted = pat_on_stock() && row->stock == ROW_STOCK_HAS_BUG;
	bool bug_excused = pat_on_stock() && row->stock != ROW_STOCK_IS_RIGHT;

	row_claim_list_as_before(_metadata, row);
	row_claim_silence(_metadata, row);
	if (row->broken && bug_excused) {
		_metadata->exit_code = KSFT_XFAIL;
		snprintf(_metadata->results->reason,
			 sizeof(_metadata->results->reason),
			 "stock: bug present: %s", row->first);
		return;
	}
	EXPECT_FALSE(bug_wanted)
		TH_LOG("the stock kernel is said to have this bug");
	EXPECT_EQ(0u, row->broken) TH_LOG("broken claims in all");
}

#endif
