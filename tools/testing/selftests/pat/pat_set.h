/* SPDX-License-Identifier: GPL-2.0-only */
/* What the test drivers call to change the type of pages. */
#ifndef PAT_SET_H
#define PAT_SET_H

#include <linux/mm.h>

#include <asm/set_memory.h>

#include "pat_test_ioctl.h"

/* @api: enum pat_test_set_api; all but the arrays take pages that follow one another. */
static inline int pat_set_call(u32 api, struct page **pages, u32 count)
{
	unsigned long addr = (unsigned long)page_address(pages[0]);

	switch (api) {
	case PAT_TEST_SET_MEMORY_UC:
		return set_memory_uc(addr, count);
	case PAT_TEST_SET_MEMORY_WC:
		return set_memory_wc(addr, count);
	case PAT_TEST_SET_MEMORY_WB:
		return set_memory_wb(addr, count);
	case PAT_TEST_SET_PAGES_UC:
		return set_pages_uc(pages[0], count);
	case PAT_TEST_SET_PAGES_WB:
		return set_pages_wb(pages[0], count);
	case PAT_TEST_SET_PAGES_ARRAY_UC:
		return set_pages_array_uc(pages, count);
	case PAT_TEST_SET_PAGES_ARRAY_WC:
		return set_pages_array_wc(pages, count);
	case PAT_TEST_SET_PAGES_ARRAY_WB:
		return set_pages_array_wb(pages, count);
	}
	return -EINVAL;
}

#endif /* PAT_SET_H */
