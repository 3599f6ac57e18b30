// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/mem where the kernel is strict about it (CONFIG_STRICT_DEVMEM and
 * CONFIG_IO_STRICT_DEVMEM): nothing is loosened.
 *
 *			mmap		read		write
 *	RAM		EPERM		EPERM		EPERM
 *	RAM < 1 MiB	allowed		zeros		is not written
 *	claimed		EPERM		-		-
 *	  < 1 MiB	allowed		allowed		-
 *	not claimed	allowed		-		-
 *
 * With "iomem=relaxed" what a driver has claimed may be mapped as well, and
 * what is mapped stays mapped when it is claimed; but for pluggable RAM, which
 * is never to be had.
 *
 * The name's end tells that it is run only where the kernel does that.
 *
 * Stock: the same.
 */
#include "devmem.h"

#define NR DEVMEM_PAGES
#define LOW_END (1ULL << 20)

/* Strict is how such a kernel is if it is told nothing. */
static bool is_relaxed(void)
{
	return devmem_told_at_boot("iomem=relaxed");
}

/* --- RAM --------------------------------------------------------------------------- */

FIXTURE(strict) {
	struct devmem dm;
};

FIXTURE_SETUP(strict)
{
	devmem_open(_metadata, &self->dm, ROW_STOCK_IS_RIGHT);
}

FIXTURE_TEARDOWN(strict)
{
	devmem_close(&self->dm);
}

static void claim_ram_is_closed(struct __test_metadata *_metadata,
				struct devmem *dm, uint64_t pfn, unsigned int nr)
{
	char buffer[64] = "to be written nowhere";

	devmem_claim_refused(_metadata, dm, pfn, nr, EPERM, "RAM");
	ROW_CLAIM(&dm->row, pread(dm->plain, buffer, sizeof(buffer),
				  pfn * PAT_PAGE) == -1 && errno == EPERM,
		  "RAM can be read");
	ROW_CLAIM(&dm->row, pwrite(dm->plain, buffer, sizeof(buffer),
				   pfn * PAT_PAGE) == -1 && errno == EPERM,
		  "RAM can be written");
}

TEST_F(strict, ram)
{
	struct devmem *dm = &self->dm;
	struct devmem_block block = devmem_alloc(_metadata, dm);

	devmem_set_types(_metadata, dm, &block, devmem_mixed, DEVMEM_BY_ADDRESS);
	claim_ram_is_closed(_metadata, dm, block.pfns[0], NR);
	for (unsigned int i = 0; i < NR; i++)
		claim_ram_is_closed(_metadata, dm, block.pfns[i], 1);
	devmem_claim_direct(_metadata, dm, block.pfns, devmem_mixed, NR,
			    "refused");
	devmem_free(_metadata, dm, &block);
	/* The kernel's own, and what is partly RAM. */
	claim_ram_is_closed(_metadata, dm, LOW_END / PAT_PAGE, 1);
	devmem_claim_refused(_metadata, dm, LOW_END / PAT_PAGE - 2, 3, EPERM,
			     "partly RAM");
	devmem_verdict(_metadata, dm);
}

/* --- the first megabyte -------------------------------------------------------------- */

static bool low_ram_visit(unsigned int depth, uint64_t start, uint64_t end,
			  const char *name, void *data)
{
	struct pat_range *range = data;

	if (depth || strcmp(name, "System RAM") || end > LOW_END)
		return false;
	range->start = start;
	range->size = (end & ~(PAT_PAGE - 1)) - start;
	return true;
}

/* A page that is not all zeros, as far as a mapping of it shows. */
static uint64_t find_low_page(struct __test_metadata *_metadata,
			      const char *at, const struct pat_range *low)
{
	for (uint64_t offset = 0; offset < low->size; offset++)
		if (at[offset])
			return offset & ~(PAT_PAGE - 1);
	ASSERT_TRUE(false) TH_LOG("all of the RAM below 1 MiB is zero");
	return 0;
}

/* RAM there can be mapped, and be seen; to read() it is empty. */
TEST_F(strict, low_ram)
{
	struct devmem *dm = &self->dm;
	static char before[PAT_PAGE], after[PAT_PAGE];
	struct pat_range low;
	unsigned int others = 0;
	uint64_t page;
	char *at;

	ASSERT_TRUE(pat_iomem_find(low_ram_visit, &low));
	at = mmap(NULL, low.size, PROT_READ, MAP_SHARED, dm->plain, low.start);
	ASSERT_NE(MAP_FAILED, at) TH_LOG("mmap: %s", strerror(errno));
	page = find_low_page(_metadata, at, &low);
	row_claim_entry(_metadata, &dm->row, at + page, low.start + page,
			PAT_TEST_WB);

	memset(after, 0x55, sizeof(after));
	ASSERT_EQ(sizeof(after), pread(dm->plain, after, sizeof(after),
				       low.start + page))
		TH_LOG("read: %s", strerror(errno));
	for (unsigned int i = 0; i < sizeof(after); i++)
		others += after[i] != 0;
	ROW_CLAIM(&dm->row, !others, "%u bytes are shown", others);

	memcpy(before, at + page, sizeof(before));
	memset(after, 0x55, sizeof(after));
	ROW_CLAIM(&dm->row, pwrite(dm->plain, after, sizeof(after),
				   low.start + page) == sizeof(after),
		  "a write is not accepted");
	others = 0;
	for (unsigned int i = 0; i < sizeof(after); i++)
		others += at[page + i] == 0x55 && before[i] != 0x55;
	ROW_CLAIM(&dm->row, !others, "%u bytes are written", others);
	ASSERT_EQ(0, munmap(at, low.size));
	devmem_verdict(_metadata, dm);
}

/* The BIOS is busy, but below 1 MiB that keeps nobody out. */
TEST_F(strict, low_rom)
{
	struct devmem *dm = &self->dm;
	const uint64_t phys = 0xf0000;
	static char bytes[16 * PAT_PAGE];
	unsigned int shown = 0;
	char *at;

	ASSERT_EQ(sizeof(bytes), pread(dm->plain, bytes, sizeof(bytes), phys))
		TH_LOG("read: %s", strerror(errno));
	for (unsigned int i = 0; i < sizeof(bytes); i++)
		shown += bytes[i] != 0;
	ROW_CLAIM(&dm->row, shown, "the BIOS reads as zeros");
	at = mmap(NULL, sizeof(bytes), PROT_READ, MAP_SHARED, dm->plain, phys);
	ASSERT_NE(MAP_FAILED, at) TH_LOG("mmap: %s", strerror(errno));
	ROW_CLAIM(&dm->row, !memcmp(at, bytes, sizeof(bytes)),
		  "what is read is not what is mapped");
	ASSERT_EQ(0, munmap(at, sizeof(bytes)));
	devmem_verdict(_metadata, dm);
}

/* --- what a driver claims ------------------------------------------------------------- */

FIXTURE(claimed) {
	struct devmem dm;
};

FIXTURE_VARIANT(claimed) {
	unsigned int how;
	bool first;		/* before anybody maps it */
};

#define CLAIMED(name, with_how, is_first)				\
	FIXTURE_VARIANT_ADD(claimed, name) {				\
		.how = with_how,					\
		.first = is_first,					\
	}

CLAIMED(range_then_map, 0, true);
CLAIMED(exclusive_range_then_map, PAT_TEST_CLAIM_EXCLUSIVE, true);
CLAIMED(ram_then_map, PAT_TEST_CLAIM_EXCLUSIVE_RAM, true);
CLAIMED(map_then_range, 0, false);
CLAIMED(map_then_exclusive_range, PAT_TEST_CLAIM_EXCLUSIVE, false);
CLAIMED(map_then_ram, PAT_TEST_CLAIM_EXCLUSIVE_RAM, false);

FIXTURE_SETUP(claimed)
{
	devmem_open(_metadata, &self->dm, ROW_STOCK_IS_RIGHT);
}

FIXTURE_TEARDOWN(claimed)
{
	devmem_close(&self->dm);
}

TEST_F(claimed, bar)
{
	struct devmem *dm = &self->dm;
	struct pat_test_claim claim = {
		.phys = row_phys(&dm->row, 1056),
		.size = 2 * PAT_PAGE,
		.how = variant->how,
	};
	uint64_t pfn = claim.phys / PAT_PAGE;
	bool closed = variant->how == PAT_TEST_CLAIM_EXCLUSIVE_RAM || !is_relaxed();
	char *at = NULL;

	if (!variant->first) {
		at = devmem_map(_metadata, dm, true, pfn, 4, PROT_READ, MAP_SHARED);
		ASSERT_NE(NULL, at);
	}
	ASSERT_EQ(0, ioctl(dm->row.driver, PAT_TEST_CLAIM, &claim));
	ASSERT_EQ(0, claim.err);

	if (at) {
		/* The claim takes it away from who has mapped it; the rest stays. */
		for (unsigned int i = 0; i < 4; i++) {
			struct pat_test_pte pte = { .addr = (uintptr_t)at + i * PAT_PAGE };

			ASSERT_EQ(0, ioctl(dm->row.driver, PAT_TEST_READ_PTE, &pte));
			ROW_CLAIM(&dm->row, (pte.got == PAT_TEST_NOT_MAPPED) ==
					    (closed && i < 2),
				  "page %u is %s", i, pat_type_word(pte.got));
		}
		ASSERT_EQ(0, munmap(at, 4 * PAT_PAGE));
	}

	if (closed) {
		devmem_claim_refused(_metadata, dm, pfn, 1, EPERM, "claimed");
		devmem_claim_refused(_metadata, dm, pfn + 1, 2, EPERM,
				     "claimed in part");
	} else {
		at = devmem_map(_metadata, dm, true, pfn, 4, PROT_READ, MAP_SHARED);
		ASSERT_NE(NULL, at);
		row_claim_entry(_metadata, &dm->row, at, claim.phys,
				PAT_TEST_UC_MINUS);
		ASSERT_EQ(0, munmap(at, 4 * PAT_PAGE));
	}
	ASSERT_EQ(0, ioctl(dm->row.driver, PAT_TEST_UNCLAIM, claim.handle));

	at = devmem_map(_metadata, dm, true, pfn, 4, PROT_READ, MAP_SHARED);
	if (at) {
		ASSERT_EQ(0, munmap(at, 4 * PAT_PAGE));
	}
	row_claim_free(_metadata, &dm->row, claim.phys);
	devmem_verdict(_metadata, dm);
}

TEST_HARNESS_MAIN
