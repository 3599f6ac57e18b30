// SPDX-License-Identifier: GPL-2.0-only
/*
 * Below 1 MiB the direct map follows what is mapped.  Who maps more of it as
 * write-combining, and finds no memory to split a large page of the direct map,
 * fails; but what another one holds was UC- there already, on the way.  (There is
 * no such way any more.)
 */

#include "regression.h"

static void low_half_way(void)
{
	struct vm_struct mapped = {
		.addr = (void *)0xffffc90000000000UL,
		.size = 6 << PAGE_SHIFT,
		.phys_addr = PFN_PHYS(4),
	};
	enum page_cache_mode got;
	struct toy_vma *area;

	/* On a real machine these are small. */
	toy_direct_collapse(4);
	toy_direct_collapse(8);
	map_pages(0, 0, 2, 4, WC);
	compare_all();

	toy_new(1);
	down_write(&toy_mms[1]->mm.mmap_lock);
	area = toy_mmap(toy_mms[1], 0, 6);
	shim_fail_at = 2;	/* the record, then the split */
	shim_fail_length = 100;
	SHIM_CHECK(toy_remap(toy_mms[1], area, 0, 4, 6, WC, TOY_PAGES) ==
		   -EINVAL);
	shim_fail_at = 0;
	up_write(&toy_mms[1]->mm.mmap_lock);
	compare_all();
	run_worker();
	compare_all();

	shim_fail_at = 2;
	shim_fail_length = 100;
	SHIM_CHECK(memtype_reserve(PFN_PHYS(4), PFN_PHYS(10), WC, NULL) ==
		   -EINVAL);
	shim_fail_at = 0;
	compare_all();
	run_worker();
	compare_all();

	shim_fail_at = 2;
	shim_fail_length = 100;
	SHIM_CHECK(memtype_reserve_ioremap(&mapped, WC, &got) == -EINVAL);
	SHIM_CHECK(!mapped.memtype);
	shim_fail_at = 0;
	compare_all();
	run_worker();
	compare_all();
}

REGRESSION(low_half_way)
