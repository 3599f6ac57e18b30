// SPDX-License-Identifier: GPL-2.0-only
/*
 * No bug that was, but one that random operations rarely come to:
 *
 *	fork() copies the records
 *				a zap cuts the head of the parent's, which comes
 *				behind the child's thereby
 *						cpa: sets the bits, visits the
 *						child's tables
 *	fork() copies entries
 *						cpa: visits the parent's tables
 *				the zap comes to the child
 *
 * and cpa has to come to the child's tables again.
 */

#include "regression.h"

static void (*preempt)(void);
static int copied;

static void copy_one(void)
{
	/* After the first table was left: the child's. */
	if (!copied++)
		while (toy_in_transit())
			toy_go_on();
}

static void change(void)
{
	struct pat_cpa cpa = {
		.addr = (unsigned long)__va(PFN_PHYS(48)),
		.pfn = 48, .nr = 4, .caller = change,
	};
	void (*between)(void) = toy_between_tables;
	struct pat_map *head;

	shim_preempt = NULL;
	pat_records_lock();
	head = pat_record_first(&toy_mms[0]->mm, TOY_ADDR(0), TOY_ADDR(1));
	pat_records_unlock();
	if (head) {
		shim_preempt = change;
		return;
	}
	toy_between_tables = copy_one;
	SHIM_CHECK(!pat_cpa_change(&cpa, WC));
	toy_between_tables = between;
	memset(ref_ram_type + 48, WC, 4);
}

static void zap(void)
{
	/* One entry was copied: the child has a table. */
	if (toy_frame(toy_mms[1], 0) == TOY_NONE)
		return;
	shim_preempt = change;
	zap_pages(0, 0, 1);
	shim_preempt = NULL;
}

static void fork_beside_cpa(void)
{
	copied = 0;
	preempt = shim_preempt;
	map_pages(0, 0, 4, 48, WB);
	/* What is a copy, here the last page, does not change. */
	toy_cow(toy_mms[0], 3, 60);
	compare_all();
	shim_preempt = zap;
	SHIM_CHECK(!toy_fork(0, 1, TOY_PAGES));
	SHIM_CHECK(copied && !shim_preempt);
	shim_preempt = preempt;
	run_worker();
	compare_all();
}

REGRESSION(fork_beside_cpa)
