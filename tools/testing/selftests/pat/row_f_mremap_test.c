// SPDX-License-Identifier: GPL-2.0-only
/*
 * A part of a PFN mapping is moved by mremap().
 *
 *	mmap of pages 0 1		one record; VMA A
 *	mremap page 0 elsewhere		entry 0 moves to the new VMA B, and A is
 *					told to forget its record, so that the
 *					munmap of its page 0 releases nothing
 *	munmap of A's page 1, and of B	A has forgotten; B asks to release page 0,
 *					the record is [0, 2): nothing fits
 *
 * The move must take the record of the moved page along, and leave the rest
 * to the rest.
 *
 * Stock: right only if the whole mapping is moved.
 */
#include "row.h"

#define NR 3

FIXTURE(mremap) {
	struct row row;
};

FIXTURE_VARIANT(mremap) {
	unsigned int nr;		/* pages mapped */
	unsigned int first;		/* the ones moved: first of them */
	unsigned int moved;		/* how many */
	enum row_stock stock;
	unsigned int pages_from;
};

#define VARIANT(name, mapped_nr, first_page, moved_nr, stock_is, slice)	\
	FIXTURE_VARIANT_ADD(mremap, name) {				\
		.nr = mapped_nr,					\
		.first = first_page,					\
		.moved = moved_nr,					\
		.stock = stock_is,					\
		.pages_from = ROW_F_PAGES + (slice) * 2 * NR,		\
	}

VARIANT(whole, 2, 0, 2, ROW_STOCK_IS_RIGHT, 0);
VARIANT(head_of_two, 2, 0, 1, ROW_STOCK_HAS_BUG, 1);
VARIANT(tail_of_two, 2, 1, 1, ROW_STOCK_HAS_BUG, 2);
VARIANT(middle_of_three, 3, 1, 1, ROW_STOCK_HAS_BUG, 3);
VARIANT(first_two_of_three, 3, 0, 2, ROW_STOCK_HAS_BUG, 4);

FIXTURE_SETUP(mremap)
{
	row_open(_metadata, &self->row, variant->stock);
}

FIXTURE_TEARDOWN(mremap)
{
	row_close(&self->row);
}

/* An address at which @nr pages are free, with nothing beside them. */
static char *free_address(struct __test_metadata *_metadata, unsigned int nr)
{
	char *at = mmap(NULL, (nr + 2) * PAT_PAGE, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, at);
	ASSERT_EQ(0, munmap(at, (nr + 2) * PAT_PAGE));
	return at + PAT_PAGE;
}

TEST_F(mremap, moved_and_rest_stay_held)
{
	struct row *row = &self->row;
	unsigned int moved_end = variant->first + variant->moved;
	char *old = row_map(_metadata, row, variant->pages_from, variant->nr,
			    MAP_SHARED);
	char *new = free_address(_metadata, variant->moved);

	ASSERT_EQ(new, mremap(old + variant->first * PAT_PAGE,
			      variant->moved * PAT_PAGE, variant->moved * PAT_PAGE,
			      MREMAP_MAYMOVE | MREMAP_FIXED, new));

	for (unsigned int i = 0; i < variant->nr; i++) {
		uint64_t phys = row_phys(row, variant->pages_from + i);
		bool moved = i >= variant->first && i < moved_end;
		char *at = moved ? new + (i - variant->first) * PAT_PAGE :
				   old + i * PAT_PAGE;

		row_claim_entry(_metadata, row, at, phys, PAT_TEST_UC_MINUS);
		row_claim_held(_metadata, row, phys);
	}

	ASSERT_EQ(0, munmap(new, variant->moved * PAT_PAGE));
	for (unsigned int i = 0; i < variant->nr; i++) {
		uint64_t phys = row_phys(row, variant->pages_from + i);

		if (i >= variant->first && i < moved_end)
			row_claim_free(_metadata, row, phys);
		else
			row_claim_held(_metadata, row, phys);
	}

	ASSERT_EQ(0, munmap(old, variant->nr * PAT_PAGE));
	for (unsigned int i = 0; i < variant->nr; i++)
		row_claim_free(_metadata, row,
			       row_phys(row, variant->pages_from + i));
	row_verdict(_metadata, row);
}

/* The rest goes first, and what was moved is moved on and shrunk. */
TEST_F(mremap, rest_goes_first)
{
	struct row *row = &self->row;
	unsigned int pages_from = variant->pages_from + NR;
	uint64_t phys = row_phys(row, pages_from + variant->first);
	char *old = row_map(_metadata, row, pages_from, variant->nr,
			    MAP_SHARED);
	char *new = free_address(_metadata, variant->moved);
	char *there;

	ASSERT_EQ(new, mremap(old + variant->first * PAT_PAGE,
			      variant->moved * PAT_PAGE, variant->moved * PAT_PAGE,
			      MREMAP_MAYMOVE | MREMAP_FIXED, new));
	ASSERT_EQ(0, munmap(old, variant->nr * PAT_PAGE));
	for (unsigned int i = 0; i < variant->nr; i++) {
		if (i >= variant->first && i < variant->first + variant->moved)
			row_claim_held(_metadata, row,
				       row_phys(row, pages_from + i));
		else
			row_claim_free(_metadata, row,
				       row_phys(row, pages_from + i));
	}

	there = free_address(_metadata, variant->moved);
	ASSERT_EQ(there, mremap(new, variant->moved * PAT_PAGE, PAT_PAGE,
				MREMAP_MAYMOVE | MREMAP_FIXED, there));
	row_claim_entry(_metadata, row, there, phys, PAT_TEST_UC_MINUS);
	row_claim_held(_metadata, row, phys);
	for (unsigned int i = 1; i < variant->moved; i++)
		row_claim_free(_metadata, row, phys + i * PAT_PAGE);

	ASSERT_EQ(0, munmap(there, PAT_PAGE));
	row_claim_free(_metadata, row, phys);
	row_verdict(_metadata, row);
}

/* What mremap() refuses to do with a PFN mapping changes nothing. */
FIXTURE(mremap_refused) {
	struct row row;
};

FIXTURE_SETUP(mremap_refused)
{
	row_open(_metadata, &self->row, ROW_STOCK_IS_RIGHT);
}

FIXTURE_TEARDOWN(mremap_refused)
{
	row_close(&self->row);
}

TEST_F(mremap_refused, records_stay)
{
	struct row *row = &self->row;
	unsigned int pages_from = ROW_F_PAGES + 5 * 2 * NR;
	char *old = row_map(_metadata, row, pages_from, NR, MAP_SHARED);

	ASSERT_EQ(MAP_FAILED, mremap(old, NR * PAT_PAGE, (NR + 1) * PAT_PAGE,
				     MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(MAP_FAILED, mremap(old, NR * PAT_PAGE, NR * PAT_PAGE,
				     MREMAP_MAYMOVE | MREMAP_DONTUNMAP));
	EXPECT_EQ(EINVAL, errno);
	for (unsigned int i = 0; i < NR; i++)
		row_claim_held(_metadata, row, row_phys(row, pages_from + i));

	ASSERT_EQ(0, munmap(old, NR * PAT_PAGE));
	for (unsigned int i = 0; i < NR; i++)
		row_claim_free(_metadata, row, row_phys(row, pages_from + i));
	row_verdict(_metadata, row);
}

TEST_HARNESS_MAIN
