// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap_pfn_range() runs out of memory half way.
 *
 *	the range is recorded		for the whole VMA
 *	some entries are set		then a page table cannot be had
 *	the entries are zapped		which undoes the record, by what the first
 *					entry says; there is a warning if it was
 *					not set yet
 *	the record is undone		once more
 *
 * Here every allocation of an mmap() of physical memory fails in turn. A failed
 * one leaves no record and no complaint, and its frames are free.
 *
 * Stock: warns.
 *
 * Needs fault injection.
 */
#include "pat_fault.h"
#include "row.h"

#define NR 4
#define MANY_ALLOCATIONS 100000

FIXTURE(remap_fault) {
	struct row row;
	struct fault fault;
	char *at;
};

FIXTURE_SETUP(remap_fault)
{
	row_open(_metadata, &self->row, ROW_STOCK_HAS_BUG);
	if (_metadata->exit_code)
		return;
	self->at = fault_address(NR / 2);
	ASSERT_NE(NULL, self->at);
	ASSERT_TRUE(fault_setup(&self->fault))
		TH_LOG("fault injection: %s", strerror(errno));
}

FIXTURE_TEARDOWN(remap_fault)
{
	fault_teardown(&self->fault);
	row_close(&self->row);
}

/* Maps with each allocation failing in turn; how often the mmap() failed. */
static unsigned int map_again_and_again(struct __test_metadata *_metadata,
					struct row *row, struct fault *fault,
					char *want)
{
	unsigned int failed = 0;

	for (unsigned int n = 1; n < MANY_ALLOCATIONS; n++) {
		bool happened;
		char *at;

		ASSERT_TRUE(fault_arm(fault, n));
		at = mmap(want, NR * PAT_PAGE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_FIXED_NOREPLACE, row->devmem,
			  row_phys(row, ROW_D_PAGES));
		happened = fault_happened(fault);
		if (at == MAP_FAILED) {
			EXPECT_TRUE(happened) TH_LOG("mmap: %s", strerror(errno));
			failed++;
		} else {
			ASSERT_EQ(want, at);
			for (unsigned int i = 0; i < NR; i++)
				row_claim_records(_metadata, row,
						  row_phys(row, ROW_D_PAGES + i),
						  1, PAT_TEST_UC_MINUS);
			ASSERT_EQ(0, munmap(at, NR * PAT_PAGE));
		}
		for (unsigned int i = 0; i < NR; i++)
			row_claim_free(_metadata, row,
				       row_phys(row, ROW_D_PAGES + i));
		if (row->broken)
			TH_LOG("with allocation %u failing", n);
		if (!happened || row->broken)
			break;
	}
	TH_LOG("%u mmaps failed", failed);
	return failed;
}

/* All of the mmap(): the VMA, its place in the tree, and what is below. */
TEST_F(remap_fault, any_allocation)
{
	unsigned int failed = map_again_and_again(_metadata, &self->row,
						  &self->fault, self->at);

	ROW_CLAIM(&self->row, failed >= 3, "only %u mmaps failed", failed);
	row_verdict(_metadata, &self->row);
}

/* Only the record and the page tables: the two last, and those above. */
TEST_F(remap_fault, records_and_page_tables)
{
	unsigned int failed;

	ASSERT_TRUE(fault_only_below("remap_pfn_range"));
	failed = map_again_and_again(_metadata, &self->row, &self->fault,
				     self->at);
	ROW_CLAIM(&self->row, failed >= 3, "only %u mmaps failed", failed);
	row_verdict(_metadata, &self->row);
}

TEST_HARNESS_MAIN
