// SPDX-License-Identifier: GPL-2.0-only
/*
 * No bug that was, but one that random operations rarely come to: a driver maps
 * page by page, and a zap, which began before, takes the last of them while it is
 * being mapped.  Its record may cover too much, and must not become a part of the
 * one before, of which that is not known.
 */

#include "regression.h"

static struct toy_zap *zap;

static void end_zap(void)
{
	if (!zap || toy_frame(toy_mms[0], 1) == TOY_NONE)
		return;
	shim_preempt = NULL;
	toy_zap_end(zap);
	zap = NULL;
}

static void inexact_does_not_grow(void)
{
	void (*preempt)(void) = shim_preempt;

	toy_mmap(toy_new(0), 0, 4);
	map_pages(0, 3, 4, 90, WC);
	zap = toy_zap_begin(toy_mms[0], toy_find(toy_mms[0], 1), 1, 2);
	map_pages(0, 0, 1, 80, WC);
	shim_preempt = end_zap;
	map_pages(0, 1, 2, 81, WC);
	shim_preempt = preempt;
	SHIM_CHECK(!zap);
	run_worker();
	compare_all();
	toy_exit(0);
}

REGRESSION(inexact_does_not_grow)
