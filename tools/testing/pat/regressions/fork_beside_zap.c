// SPDX-License-Identifier: GPL-2.0-only
/*
 * No bug that was, but one that random operations rarely come to:
 *
 *	fork() counts the records, allocates as many
 *				a zap cuts one of them in two
 *	fork() copies, and has to count again
 */

#include "regression.h"

static void cut(void)
{
	shim_preempt = NULL;
	zap_pages(0, 1, 2);
}

static void fork_beside_zap(void)
{
	void (*preempt)(void) = shim_preempt;

	map_pages(0, 0, 4, 80, WC);
	compare_all();
	shim_preempt = cut;
	SHIM_CHECK(!toy_fork(0, 1, TOY_PAGES));
	SHIM_CHECK(!shim_preempt);
	shim_preempt = preempt;
	run_worker();
	compare_all();
}

REGRESSION(fork_beside_zap)
