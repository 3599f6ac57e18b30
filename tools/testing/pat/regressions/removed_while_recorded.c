// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory is removed between the moment at which remap_pfn_range() finds that it
 * is memory and the one at which the record is linked: who unmaps what was
 * removed came too early.
 */

#include "regression.h"

static void (*preempt)(void);

static void removal(void)
{
	shim_preempt = NULL;
	memset(toy_kind + 136, TOY_REMOVED, 8);
	pat_ram_remove(PFN_PHYS(136), PFN_PHYS(8));
	run_worker();
}

static void removed_while_recorded(void)
{
	SHIM_CHECK(!pat_ram_add(PFN_PHYS(136), PFN_PHYS(8)));
	memset(toy_kind + 136, TOY_OFFLINE, 8);
	preempt = shim_preempt;
	shim_preempt = removal;
	map_pages(0, 0, 4, 138, WB);
	SHIM_CHECK(!shim_preempt);
	shim_preempt = preempt;
	run_worker();
	SHIM_CHECK(toy_frame(toy_mms[0], 0) == TOY_NONE);
	SHIM_CHECK(!pat_removal_pending());
	memset(toy_kind + 136, TOY_RESERVED, 8);
	compare_all();
}

REGRESSION(removed_while_recorded)
