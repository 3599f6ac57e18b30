// SPDX-License-Identifier: GPL-2.0-only
/*
 * A zap of a part of a VMA releases the record of all of it.
 *
 * A driver takes one page of its mapping away from user space again:
 *
 *	mmap of pages 0 1 2		one record, UC-
 *	driver zaps page 1		entry 1 is cleared
 *	ioremap_wc of frame 0		nobody seems to hold it: granted
 *
 * and frame 0 is mapped UC- by the process and WC by the kernel. The zap must
 * release the frames whose entries went, those only, and at once.
 *
 * Stock: the two pages that are still mapped can become WC.
 */
#include "row.h"

#define NR 3

FIXTURE(partial_zap) {
	struct row row;
};

FIXTURE_VARIANT(partial_zap) {
	unsigned int method;
	unsigned int page;
	unsigned int pages_from;
};

#define VARIANT(name, zap_method, zapped_page, slice)		\
	FIXTURE_VARIANT_ADD(partial_zap, name) {			\
		.method = zap_method,				\
		.page = zapped_page,				\
		.pages_from = ROW_C_PAGES + (slice) * NR,	\
	}

VARIANT(zap_vma_ptes_head, PAT_TEST_ZAP_VMA_PTES, 0, 0);
VARIANT(zap_vma_ptes_middle, PAT_TEST_ZAP_VMA_PTES, 1, 1);
VARIANT(zap_vma_ptes_tail, PAT_TEST_ZAP_VMA_PTES, 2, 2);
VARIANT(unmap_mapping_range_head, PAT_TEST_UNMAP_MAPPING_RANGE, 0, 3);
VARIANT(unmap_mapping_range_middle, PAT_TEST_UNMAP_MAPPING_RANGE, 1, 4);
VARIANT(unmap_mapping_range_tail, PAT_TEST_UNMAP_MAPPING_RANGE, 2, 5);

FIXTURE_SETUP(partial_zap)
{
	row_open(_metadata, &self->row, ROW_STOCK_HAS_BUG);
}

FIXTURE_TEARDOWN(partial_zap)
{
	row_close(&self->row);
}

TEST_F(partial_zap, zapped_page_is_free_and_others_held)
{
	struct row *row = &self->row;
	char *at = row_driver_map(_metadata, row, variant->pages_from, NR);
	struct pat_test_zap zap = {
		.method = variant->method,
		.start = variant->page * PAT_PAGE,
		.size = PAT_PAGE,
	};

	if (variant->method == PAT_TEST_ZAP_VMA_PTES)
		zap.start += (uintptr_t)at;
	else
		zap.start += variant->pages_from * PAT_PAGE;
	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_ZAP, &zap));

	for (unsigned int i = 0; i < NR; i++) {
		uint64_t phys = row_phys(row, variant->pages_from + i);

		if (i == variant->page) {
			struct pat_test_pte pte = {
				.addr = (uintptr_t)at + i * PAT_PAGE,
			};

			ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_READ_PTE, &pte));
			EXPECT_EQ(PAT_TEST_NOT_MAPPED, pte.got);
			row_claim_free(_metadata, row, phys);
		} else {
			row_claim_entry(_metadata, row, at + i * PAT_PAGE, phys,
					PAT_TEST_UC_MINUS);
			row_claim_held(_metadata, row, phys);
		}
	}

	ASSERT_EQ(0, munmap(at, NR * PAT_PAGE));
	for (unsigned int i = 0; i < NR; i++)
		row_claim_free(_metadata, row,
			       row_phys(row, variant->pages_from + i));
	row_verdict(_metadata, row);
}

/* The driver gives the page's frame another type while the process lives on. */
TEST_F(partial_zap, zapped_page_takes_another_type)
{
	struct row *row = &self->row;
	char *at = row_driver_map(_metadata, row, variant->pages_from, NR);
	struct pat_test_zap zap = {
		.method = PAT_TEST_ZAP_VMA_PTES,
		.start = (uintptr_t)at + variant->page * PAT_PAGE,
		.size = PAT_PAGE,
	};
	struct pat_test_map map = {
		.api = PAT_TEST_IOREMAP_WC,
		.phys = row_phys(row, variant->pages_from + variant->page),
		.size = PAT_PAGE,
	};

	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_ZAP, &zap));
	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_MAP, &map));
	ASSERT_EQ(0, map.err);
	ROW_CLAIM(row, map.got == row_type(row, PAT_TEST_WC),
		  "the zapped page is %s",
		  pat_type_word(map.got));
	for (unsigned int i = 0; i < NR; i++)
		row_claim_records(_metadata, row,
				  row_phys(row, variant->pages_from + i), 1,
				  i == variant->page ? PAT_TEST_WC :
						       PAT_TEST_UC_MINUS);

	/* The rest of the VMA goes, the driver's WC mapping stays. */
	ASSERT_EQ(0, munmap(at, NR * PAT_PAGE));
	for (unsigned int i = 0; i < NR; i++)
		row_claim_records(_metadata, row,
				  row_phys(row, variant->pages_from + i),
				  i == variant->page, PAT_TEST_WC);
	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_UNMAP, map.handle));
	row_verdict(_metadata, row);
}

TEST_HARNESS_MAIN
