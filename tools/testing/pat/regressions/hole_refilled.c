// SPDX-License-Identifier: GPL-2.0-only
/*
 * A zap in the middle of a record finds no memory for the second record, and
 * leaves the hole for the worker.  Before that runs, the driver maps something at
 * the same address: other frames, or the same again.  The worker then cut the hole
 * out of whatever was recorded there, and the new mapping was without a record.
 */

#include "regression.h"

static void refill(int slot, unsigned long frame)
{
	map_pages(slot, 0, 5, 80, WC);
	zap_without_memory(slot, 2, 3);
	map_pages(slot, 2, 3, frame, WC);
	run_worker();
	compare_all();
	SHIM_CHECK(pat_reserved_type(frame) == WC);
}

static void hole_refilled(void)
{
	refill(0, 90);
	refill(1, 82);
	/* Only a part of the hole. */
	map_pages(2, 0, 8, 80, WC);
	zap_without_memory(2, 2, 6);
	map_pages(2, 3, 4, 83, WC);
	map_pages(2, 4, 5, 100, WC);
	run_worker();
	compare_all();
}

REGRESSION(hole_refilled)
