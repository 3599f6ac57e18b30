// SPDX-License-Identifier: GPL-2.0-only
/*
 * No bug that was, but one that random operations rarely come to: of memory that a
 * process has mapped the middle is removed, and there is no memory to cut the
 * record in two.  The worker must neither wait for that nor forget it, and leave
 * the neighbours mapped.
 */

#include "regression.h"

static void removed_without_memory(void)
{
	unsigned long failures = shim_failures;
	int i;

	SHIM_CHECK(!pat_ram_add(PFN_PHYS(136), PFN_PHYS(24)));
	memset(toy_kind + 136, TOY_OFFLINE, 24);
	/* The last page of the first section, and the first of the third. */
	map_pages(0, 0, 10, 143, WB);
	compare_all();

	memset(toy_kind + 144, TOY_REMOVED, 8);
	pat_ram_remove(PFN_PHYS(144), PFN_PHYS(8));
	shim_fail_at = 1;
	shim_fail_length = 100;
	shim_run_work();
	shim_fail_at = 0;
	SHIM_CHECK(shim_failures > failures);
	SHIM_CHECK(pat_removal_pending());

	run_worker();
	SHIM_CHECK(!pat_removal_pending());
	for (i = 0; i < 10; i++)
		SHIM_CHECK(toy_frame(toy_mms[0], i) ==
			   (i == 0 || i == 9 ? 143 + i : TOY_NONE));
	memset(toy_kind + 144, TOY_RESERVED, 8);
	for (i = 0; i < 10; i++)
		toy_mms[0]->extra[i].nr = 0;
	compare_all();
	SHIM_CHECK(atomic_read(&toy_mms[0]->mm.mm_users) == 1);
	toy_exit(0);
}

REGRESSION(removed_without_memory)
