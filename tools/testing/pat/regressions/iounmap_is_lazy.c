// SPDX-License-Identifier: GPL-2.0-only
/*
 * iounmap() clears the page table, and vmalloc flushes the TLBs much later.  An
 * ioremap() of the same frames with another type in between was an alias.  It has
 * to wait for a purge that began after the iounmap(): one that began before may
 * have passed the address already.
 *
 * The reference knows which translations may linger, and does not let a hold of
 * another type pass.
 */

#include "regression.h"

static struct vm_struct area = {
	.addr = (void *)0xffffc90000000000UL,
	.size = PAGE_SIZE,
	.phys_addr = PFN_PHYS(90),
};

static void reserve(enum page_cache_mode want)
{
	enum page_cache_mode got;

	SHIM_CHECK(!memtype_reserve_ioremap(&area, want, &got));
	SHIM_CHECK(got == want);
	ref_hold(90, want);
}

static void release(enum page_cache_mode type)
{
	ref_retire(90, 1, type);
	memtype_free_ioremap(&area);
	ref_drop(90);
}

static void iounmap_is_lazy(void)
{
	reserve(WC);
	release(WC);
	SHIM_CHECK(pat_reserved_type(90) == UCM);
	/* The same type need not wait, another has to. */
	reserve(WC);
	shim_purge_begin();
	release(WC);
	shim_purge_end();
	reserve(WT);
	release(WT);
	/* So does a process. */
	map_pages(0, 0, 1, 90, WC);
	compare_all();
}

REGRESSION(iounmap_is_lazy)
