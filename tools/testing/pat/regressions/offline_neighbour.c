// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of RAM is edited when memory goes online and offline.  At the edge of
 * the edited part it merged what is not of one kind: frames next to memory that
 * went offline were taken for offline, too, though they are reserved and recorded.
 *
 * Who faults in the middle is told what is true then, not what was before: the
 * CPU remembers what it was told last.
 */

#include "regression.h"

static void fault(unsigned long frame)
{
	struct vm_area_struct vma = {};
	pgprot_t prot = __pgprot(0);

	pfnmap_lookup_prot(&vma, &prot, __pfn_to_pfn_t(frame, PFN_DEV));
	SHIM_CHECK(pgprot2cachemode(prot) == ref_lookup(frame));
}

static void change(unsigned long action, enum toy_kind kind)
{
	struct memory_notify range = { .start_pfn = 136, .nr_pages = 8 };

	if (kind == TOY_RAM)
		memset(toy_kind + 136, kind, 8);
	SHIM_CHECK(shim_memory_notify(NULL, action, &range) == NOTIFY_OK);
	memset(toy_kind + 136, kind, 8);
	fault(140);
	compare_all();
}

static void offline_neighbour(void)
{
	/* Reserved frames on both sides, and RAM further on. */
	map_pages(0, 0, 4, 132, WC);
	map_pages(1, 0, 4, 144, WT);
	SHIM_CHECK(!pat_ram_add(PFN_PHYS(152), PFN_PHYS(8)));
	memset(toy_kind + 152, TOY_OFFLINE, 8);
	/* Nobody holds any of these. */
	fault(170);
	SHIM_CHECK(!pat_ram_add(PFN_PHYS(168), PFN_PHYS(8)));
	memset(toy_kind + 168, TOY_OFFLINE, 8);
	fault(170);
	SHIM_CHECK(!pat_ram_add(PFN_PHYS(136), PFN_PHYS(8)));
	memset(toy_kind + 136, TOY_OFFLINE, 8);
	fault(140);
	compare_all();

	change(MEM_GOING_ONLINE, TOY_RAM);
	change(MEM_OFFLINE, TOY_OFFLINE);
	change(MEM_GOING_ONLINE, TOY_RAM);
	change(MEM_CANCEL_ONLINE, TOY_OFFLINE);
	pat_ram_remove(PFN_PHYS(136), PFN_PHYS(8));
	memset(toy_kind + 136, TOY_RESERVED, 8);
	fault(140);
	compare_all();
}

REGRESSION(offline_neighbour)
