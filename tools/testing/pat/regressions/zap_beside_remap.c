// SPDX-License-Identifier: GPL-2.0-only
/*
 * A zap without mmap_lock begins, the driver maps the page again, and only then
 * the zap comes to it and clears the new entry:
 *
 *	zap begins
 *				remap_pfn_range() records
 *				and sets the entry
 *	zap clears the entry
 *	zap ends: the record is younger, stays
 *
 * so the frame was held until its mapping went.  Or the zap clears the entry
 * before, and the record has to stay.
 */

#include "regression.h"

static void beside(int slot, bool clears_first)
{
	struct toy_zap *zap;

	map_pages(slot, 0, 4, 80, WC);
	zap_pages(slot, 1, 3);
	zap = toy_zap_begin(toy_mms[slot], toy_find(toy_mms[slot], 0), 0, 4);
	if (clears_first)
		toy_zap_step(zap, 4);
	map_pages(slot, 1, 3, 90, WT);
	toy_zap_end(zap);
	compare_all();
	run_worker();
	compare_all();
	SHIM_CHECK((pat_reserved_type(90) == WT) == clears_first);
	toy_exit(slot);
}

static void zap_beside_remap(void)
{
	beside(0, true);
	beside(0, false);
}

REGRESSION(zap_beside_remap)
