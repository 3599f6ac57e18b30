// SPDX-License-Identifier: GPL-2.0-only
/*
 * A huge PFN mapping is built with the encoding of a 4 KiB entry.
 *
 * The PAT bit is bit 7 of a 4 KiB entry. In a huge one that bit says that it is
 * huge, and the PAT bit is bit 12:
 *
 *	reservation	WT, slot 7 of the MSR: PAT PCD PWT
 *	fault, vmf_insert_pfn_pmd	bit 7 is set anyway, bit 12 is not
 *					slot 3: UC
 *
 * Types whose slots need no PAT bit (WC, UC-) come out right. And whatever the
 * encoding, a huge entry has one type: where its frames do not agree on one,
 * smaller entries must be made.
 *
 * Stock: WT becomes UC; the first frame's type is used for all.
 */
#include "huge.h"

FIXTURE(huge_pmd) {
	struct huge huge;
};

FIXTURE_VARIANT(huge_pmd) {
	int type;
	enum row_stock stock;
};

FIXTURE_VARIANT_ADD(huge_pmd, write_combining) {
	.type = PAT_TEST_WC,
	.stock = ROW_STOCK_IS_RIGHT,
};

FIXTURE_VARIANT_ADD(huge_pmd, write_through) {
	.type = PAT_TEST_WT,
	.stock = ROW_STOCK_HAS_BUG,
};

FIXTURE_VARIANT_ADD(huge_pmd, uncached_minus) {
	.type = PAT_TEST_UC_MINUS,
	.stock = ROW_STOCK_IS_RIGHT,
};

FIXTURE_SETUP(huge_pmd)
{
	huge_open(_metadata, &self->huge, variant->stock);
}

FIXTURE_TEARDOWN(huge_pmd)
{
	huge_close(&self->huge);
}

static char *map_2m(struct __test_metadata *_metadata, struct huge *huge)
{
	return huge_map(_metadata, huge, huge->phys, HUGE_2M, PAT_HUGE_2M,
			HUGE_2M);
}

TEST_F(huge_pmd, entry_has_the_type_in_force)
{
	struct huge *huge = &self->huge;
	uint32_t held = huge_hold(_metadata, huge, huge->phys, HUGE_2M,
				  variant->type);
	uint64_t last = HUGE_2M - PAT_PAGE;
	char *at = map_2m(_metadata, huge);

	huge_claim_entry(_metadata, huge, at + last, huge->phys + last,
			 variant->type, HUGE_LEVEL_2M);
	huge_claim_child_entry(_metadata, huge, at, huge->phys, variant->type,
			       HUGE_LEVEL_2M);

	ASSERT_EQ(0, munmap(at, HUGE_2M));
	huge_let_go(_metadata, huge, held);
	row_verdict(_metadata, &huge->row);
}

/* What is left of a huge entry is mapped again, page by page, in the same way. */
TEST_F(huge_pmd, part_is_unmapped)
{
	struct huge *huge = &self->huge;
	uint32_t held = huge_hold(_metadata, huge, huge->phys, HUGE_2M,
				  variant->type);
	const uint64_t page = 77 * PAT_PAGE;
	char *at = map_2m(_metadata, huge);
	struct pat_test_pte pte = { .addr = (uintptr_t)at + page };

	huge_claim_entry(_metadata, huge, at, huge->phys, variant->type,
			 HUGE_LEVEL_2M);
	ASSERT_EQ(0, munmap(at + page, PAT_PAGE));
	ASSERT_EQ(0, ioctl(huge->row.driver, PAT_TEST_READ_PTE, &pte));
	ROW_CLAIM(&huge->row, pte.got == PAT_TEST_NOT_MAPPED,
		  "unmapped, and mapped %s", pat_type_word(pte.got));

	huge_claim_entry(_metadata, huge, at + page - PAT_PAGE,
			 huge->phys + page - PAT_PAGE, variant->type,
			 HUGE_LEVEL_4K);
	huge_claim_entry(_metadata, huge, at + page + PAT_PAGE,
			 huge->phys + page + PAT_PAGE, variant->type,
			 HUGE_LEVEL_4K);
	huge_claim_child_entry(_metadata, huge, at, huge->phys, variant->type,
			       HUGE_LEVEL_4K);

	ASSERT_EQ(0, munmap(at, page));
	ASSERT_EQ(0, munmap(at + page + PAT_PAGE, HUGE_2M - page - PAT_PAGE));
	huge_let_go(_metadata, huge, held);
	row_verdict(_metadata, &huge->row);
}

/* The mapping ends, and begins again when the frames have another type. */
TEST_F(huge_pmd, another_type_later)
{
	struct huge *huge = &self->huge;
	uint32_t held = huge_hold(_metadata, huge, huge->phys, HUGE_2M,
				  variant->type);
	int later = variant->type == PAT_TEST_WC ? PAT_TEST_UC_MINUS :
						   PAT_TEST_WC;
	char *at = map_2m(_metadata, huge);

	huge_claim_entry(_metadata, huge, at, huge->phys, variant->type,
			 HUGE_LEVEL_2M);
	ASSERT_EQ(0, munmap(at, HUGE_2M));
	huge_let_go(_metadata, huge, held);

	held = huge_hold(_metadata, huge, huge->phys, HUGE_2M, later);
	at = map_2m(_metadata, huge);
	huge_claim_entry(_metadata, huge, at, huge->phys, later, HUGE_LEVEL_2M);
	ASSERT_EQ(0, munmap(at, HUGE_2M));
	huge_let_go(_metadata, huge, held);
	row_verdict(_metadata, &huge->row);
}

/* --- frames that disagree ----------------------------------------------------- */

FIXTURE(disagree) {
	struct huge huge;
};

FIXTURE_VARIANT(disagree) {
	unsigned int page;	/* the one that has another type */
};

FIXTURE_VARIANT_ADD(disagree, first) { .page = 0 };
FIXTURE_VARIANT_ADD(disagree, middle) { .page = 200 };
FIXTURE_VARIANT_ADD(disagree, last) { .page = 511 };

FIXTURE_SETUP(disagree)
{
	huge_open(_metadata, &self->huge, ROW_STOCK_HAS_BUG);
}

FIXTURE_TEARDOWN(disagree)
{
	huge_close(&self->huge);
}

/* One page is @odd, the others are @others. */
static void claim_each_its_own(struct __test_metadata *_metadata,
			       struct huge *huge, uint64_t phys,
			       unsigned int page, int odd, int others)
{
	char *at = huge_map(_metadata, huge, phys, HUGE_2M, PAT_HUGE_2M,
			    HUGE_2M);
	const unsigned int pages[] = { 0, 199, 200, 201, 511 };

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		huge_claim_entry(_metadata, huge, at + pages[i] * PAT_PAGE,
				 phys + pages[i] * PAT_PAGE,
				 pages[i] == page ? odd : others,
				 HUGE_LEVEL_4K);
	ASSERT_EQ(0, munmap(at, HUGE_2M));
}

TEST_F(disagree, reserved_frames)
{
	struct huge *huge = &self->huge;
	uint32_t held = huge_hold(_metadata, huge,
				  huge->phys + variant->page * PAT_PAGE,
				  PAT_PAGE, PAT_TEST_WC);

	claim_each_its_own(_metadata, huge, huge->phys, variant->page,
			   PAT_TEST_WC, PAT_TEST_UC_MINUS);
	huge_let_go(_metadata, huge, held);
	row_verdict(_metadata, &huge->row);
}

/* The same with pages of RAM, one of which its owner has made uncached. */
TEST_F(disagree, ram_pages)
{
	struct huge *huge = &self->huge;
	static uint64_t pfns[HUGE_2M / PAT_PAGE];
	struct pat_test_alloc alloc = {
		.nr = HUGE_2M / PAT_PAGE,
		.order = 9,
		.pfns = (uintptr_t)pfns,
	};
	struct pat_test_set set = {
		.api = PAT_TEST_SET_PAGES_UC,
		.first = variant->page,
		.count = 1,
	};

	ASSERT_EQ(0, ioctl(huge->row.driver, PAT_TEST_ALLOC, &alloc));
	set.handle = alloc.handle;
	ASSERT_EQ(0, ioctl(huge->row.driver, PAT_TEST_SET_TYPE, &set));
	ASSERT_EQ(0, set.err);

	claim_each_its_own(_metadata, huge, pfns[0] * PAT_PAGE, variant->page,
			   PAT_TEST_UC_MINUS, PAT_TEST_WB);
	ASSERT_EQ(0, ioctl(huge->row.driver, PAT_TEST_FREE, alloc.handle));
	row_verdict(_metadata, &huge->row);
}

TEST_HARNESS_MAIN
