// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of which some are a part of a large write-combining page of the direct map
 * become write-back, and there is no memory to split that.  The undo made all of
 * them UC- on the way to write-combining, which takes the same memory: it stopped
 * there, and what was write-back already stayed UC-.
 */

#include "regression.h"

static int change(unsigned long frame, unsigned long nr,
		  enum page_cache_mode type)
{
	struct pat_cpa cpa = {
		.addr = (unsigned long)__va(PFN_PHYS(frame)),
		.pfn = frame, .nr = nr, .caller = change,
	};

	return pat_cpa_change(&cpa, type);
}

static void undo_splits_again(void)
{
	map_pages(0, 0, 8, 48, WB);
	/* One large page in pieces, the other one whole. */
	SHIM_CHECK(!change(48, 2, WC) && !change(50, 6, WC));
	memset(ref_ram_type + 48, WC, 8);
	compare_all();

	shim_fail_at = 1;
	shim_fail_length = 100;
	SHIM_CHECK(change(50, 3, WB) == -ENOMEM);
	shim_fail_at = 0;
	compare_all();
	SHIM_CHECK(!change(48, 8, WB));
	memset(ref_ram_type + 48, WB, 8);
	compare_all();
}

REGRESSION(undo_splits_again)
