// SPDX-License-Identifier: GPL-2.0-only
/*
 * No bug that was, but one that random operations rarely come to: a page is freed
 * while write-combining, as a part of a large page of the direct map, and there
 * is no memory to split that.  It has to be kept until there is.
 */

#include "regression.h"

static void freed_without_memory(void)
{
	struct pat_cpa cpa = {
		.addr = (unsigned long)__va(PFN_PHYS(48)),
		.pfn = 48, .nr = 8, .caller = freed_without_memory,
	};
	unsigned long failures = shim_failures;
	int i;

	map_pages(0, 0, 8, 48, WB);
	SHIM_CHECK(!pat_cpa_change(&cpa, WC));
	memset(ref_ram_type + 48, WC, 8);
	compare_all();

	toy_free(50, 1);
	for (i = 0; i < 3; i++) {
		shim_fail_at = 1;
		shim_fail_length = 100;
		shim_run_work();
		shim_fail_at = 0;
		SHIM_CHECK(ref_kept[50] && ref_kept[51]);
		compare_all();
	}
	SHIM_CHECK(shim_failures > failures);
	run_worker();
	SHIM_CHECK(!ref_kept[50] && !ref_kept[51]);
	compare_all();
	toy_exit(0);
}

REGRESSION(freed_without_memory)
