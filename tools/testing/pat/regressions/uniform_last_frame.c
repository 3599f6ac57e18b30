// SPDX-License-Identifier: GPL-2.0-only
/*
 * A huge page was said to have one memory type, where its last frame alone had
 * another, or none, and a record ended just before that.
 */

#include "regression.h"

static void check(unsigned long frame, unsigned int order, bool uniform)
{
	pgprot_t prot = __pgprot(0);

	SHIM_CHECK(pfnmap_lookup_huge(&prot, __pfn_to_pfn_t(frame, PFN_DEV),
				      order) == uniform);
}

static void uniform_last_frame(void)
{
	map_pages(0, 0, 7, 80, WC);
	check(80, 3, false);
	check(80, 2, true);
	check(86, 1, false);
	map_pages(0, 20, 21, 87, WT);
	check(80, 3, false);
	map_pages(1, 0, 1, 88, WC);
	check(88, 0, true);
}

REGRESSION(uniform_last_frame)
