// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page has two records of one frame: one that a zap has yet to cut, and one of
 * the remap_pfn_range() that came before the zap's end.  The worker, which came
 * along for another page of the first record, kept one of the two, and that was
 * the older.
 *
 *	zap begins, clears the entry
 *				remap_pfn_range(), the same frame again
 *				worker: drops the younger record
 *	zap ends, drops the older one
 *
 * and the page was mapped without a record.
 */

#include "regression.h"

static void twin_and_zap(void)
{
	struct toy_zap *zap;

	map_pages(0, 0, 4, 80, WC);
	zap_without_memory(0, 1, 2);
	zap = toy_zap_begin(toy_mms[0], toy_find(toy_mms[0], 3), 3, 4);
	toy_zap_step(zap, 1);
	map_pages(0, 3, 4, 83, WC);
	run_worker();
	compare_all();
	toy_zap_end(zap);
	compare_all();
	run_worker();
	compare_all();
	SHIM_CHECK(pat_reserved_type(83) == WC);
}

REGRESSION(twin_and_zap)
