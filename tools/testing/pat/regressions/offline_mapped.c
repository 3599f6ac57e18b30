// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory goes offline while a process has it mapped, a driver of a virtual machine
 * say.  Its record then covered RAM and offline memory, or was made of both page
 * by page, and the validator said that something was wrong.
 */

#include "regression.h"

static void offline_mapped(void)
{
	struct memory_notify range = { .start_pfn = 136, .nr_pages = 8 };
	int i;

	SHIM_CHECK(!pat_ram_add(PFN_PHYS(136), PFN_PHYS(16)));
	memset(toy_kind + 136, TOY_RAM, 8);
	memset(toy_kind + 144, TOY_OFFLINE, 8);
	SHIM_CHECK(shim_memory_notify(NULL, MEM_GOING_ONLINE, &range) ==
		   NOTIFY_OK);
	map_pages(0, 0, 6, 138, WB);
	toy_mmap(toy_mms[0], 20, 26);
	for (i = 0; i < 6; i++)
		map_pages(0, 20 + i, 21 + i, 141 + i, WB);
	compare_all();

	SHIM_CHECK(shim_memory_notify(NULL, MEM_OFFLINE, &range) == NOTIFY_OK);
	memset(toy_kind + 136, TOY_OFFLINE, 8);
	compare_all();
	toy_exit(0);
}

REGRESSION(offline_mapped)
