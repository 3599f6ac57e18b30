// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mapping is unmapped in pieces.
 *
 *	mmap of pages 0 1 2 3		one record, [0, 4)
 *	munmap page 0			splits the VMA; asks to release [0, 1)
 *					no record is that range, nor ends with it:
 *					"freeing invalid memtype", nothing released
 *	munmap pages 1 2 3		asks to release [1, 4): shrinks the record
 *					to [0, 1), for good
 *
 * Keeping all of the range until its last piece goes does not leak, but is too
 * much: a driver cannot give the freed head another type. Each munmap must
 * release its own frames, in whatever order the pieces go.
 *
 * Stock: right only if the pieces go from the tail to the head.
 */
#include "row.h"

#define NR 4
#define TAIL_TO_HEAD 23		/* the last of the NR! orders */

FIXTURE(partial_unmap) {
	struct row row;
};

FIXTURE_VARIANT(partial_unmap) {
	unsigned int orders_from;
	unsigned int orders_to;
	enum row_stock stock;
	unsigned int pages_from;
};

/*
 * Orders count as in a dictionary of the four page numbers: 0123 is 0, 3210
 * is 23.
 */
FIXTURE_VARIANT_ADD(partial_unmap, tail_to_head) {
	.orders_from = TAIL_TO_HEAD,
	.orders_to = TAIL_TO_HEAD + 1,
	.stock = ROW_STOCK_IS_RIGHT,
	.pages_from = ROW_E_PAGES + TAIL_TO_HEAD * NR,
};

FIXTURE_VARIANT_ADD(partial_unmap, head_first) {
	.orders_from = 0,
	.orders_to = 6,
	.stock = ROW_STOCK_HAS_BUG,
	.pages_from = ROW_E_PAGES,
};

FIXTURE_VARIANT_ADD(partial_unmap, middle_first) {
	.orders_from = 6,
	.orders_to = 18,
	.stock = ROW_STOCK_HAS_BUG,
	.pages_from = ROW_E_PAGES + 6 * NR,
};

FIXTURE_VARIANT_ADD(partial_unmap, tail_first) {
	.orders_from = 18,
	.orders_to = TAIL_TO_HEAD,
	.stock = ROW_STOCK_HAS_BUG,
	.pages_from = ROW_E_PAGES + 18 * NR,
};

FIXTURE_SETUP(partial_unmap)
{
	row_open(_metadata, &self->row, variant->stock);
}

FIXTURE_TEARDOWN(partial_unmap)
{
	row_close(&self->row);
}

/* The numbers 0 .. NR-1 in their @order-th order. */
static void order_pages(unsigned int order, unsigned int *pages)
{
	unsigned int left[NR], ways = 1;

	for (unsigned int i = 0; i < NR; i++)
		left[i] = i;
	for (unsigned int i = 2; i < NR; i++)
		ways *= i;
	for (unsigned int i = 0; i < NR; i++) {
		unsigned int pick = order / ways;

		pages[i] = left[pick];
		memmove(&left[pick], &left[pick + 1],
			(NR - pick - 1) * sizeof(left[0]));
		order %= ways;
		if (i + 1 < NR - 1)
			ways /= NR - 1 - i;
	}
}

TEST_F(partial_unmap, each_piece_is_free_at_once)
{
	struct row *row = &self->row;

	for (unsigned int order = variant->orders_from;
	     order < variant->orders_to; order++) {
		unsigned int first = variant->pages_from +
				     (order - variant->orders_from) * NR;
		char *at = row_map(_metadata, row, first, NR, MAP_SHARED);
		bool mapped[NR] = { true, true, true, true };
		unsigned int pages[NR];

		order_pages(order, pages);
		for (unsigned int i = 0; i < NR; i++) {
			ASSERT_EQ(0, munmap(at + pages[i] * PAT_PAGE, PAT_PAGE));
			mapped[pages[i]] = false;
			for (unsigned int page = 0; page < NR; page++) {
				uint64_t phys = row_phys(row, first + page);

				if (mapped[page])
					row_claim_held(_metadata, row, phys);
				else
					row_claim_free(_metadata, row, phys);
			}
		}
	}
	row_verdict(_metadata, row);
}

TEST_HARNESS_MAIN
