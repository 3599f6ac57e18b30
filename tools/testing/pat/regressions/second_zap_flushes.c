// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two zaps of one page without mmap_lock:
 *
 *	zap A clears the entry
 *				zap B finds it empty, flushes nothing
 *				zap B drops the record
 *	(another mapping of the frame with another type)
 *	zap A flushes
 *
 * Zap B has to flush for A.
 */

#include "regression.h"

static void second_zap_flushes(void)
{
	struct toy_zap *a, *b;

	map_pages(0, 0, 4, 80, WC);
	a = toy_zap_begin(toy_mms[0], toy_find(toy_mms[0], 0), 0, 4);
	toy_zap_step(a, 4);
	b = toy_zap_begin(toy_mms[0], toy_find(toy_mms[0], 0), 1, 2);
	toy_zap_end(b);
	compare_all();
	map_pages(1, 0, 1, 81, WT);
	compare_all();
	toy_zap_end(a);
}

REGRESSION(second_zap_flushes)
