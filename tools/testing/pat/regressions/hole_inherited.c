// SPDX-License-Identifier: GPL-2.0-only
/*
 * A zap in the middle of a record finds no memory for the second record, and
 * leaves the whole for the worker.  Before that runs
 *
 *	fork() copies the record,
 *	mremap() copies it, or
 *	the driver maps on where it ends, and the record is extended,
 *
 * and the copy, or the new part, was taken for exact: it held the zapped frames
 * until its mapping went.
 */

#include "regression.h"

static void hole_in(int slot)
{
	map_pages(slot, 0, 5, 80, WC);
	zap_without_memory(slot, 2, 3);
	SHIM_CHECK(shim_work_pending());
}

static void hole_inherited(void)
{
	hole_in(0);
	SHIM_CHECK(!toy_fork(0, 1, TOY_PAGES));
	run_worker();
	compare_all();

	hole_in(2);
	SHIM_CHECK(!toy_mremap(toy_mms[2], 0, 5, 20, 5));
	run_worker();
	compare_all();

	/* A VMA of eight pages, of which five are mapped. */
	toy_new(3);
	toy_mmap(toy_mms[3], 0, 8);
	hole_in(3);
	map_pages(3, 5, 8, 85, WC);
	run_worker();
	compare_all();
}

REGRESSION(hole_inherited)
