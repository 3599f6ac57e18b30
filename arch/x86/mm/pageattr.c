// SPDX-License-Identifier: GPL-2.0-only
/*
 * What change_page_attr (cpa) asks before, and says after, it changes the
 * memory type of RAM.
 *
 * The bits in page->flags are the claim: who finds a page write-back and sets
 * them owns its type until they are write-back again.
 */

#define pr_fmt(fmt) "x86/PAT: " fmt

#include <linux/mm.h>

#include <asm/pat.h>

#include "pat/pat_internal.h"

/**
 * pat_cpa_claim - claim RAM pages for a memory type
 * @pfn: first frame
 * @nr: number of frames, all RAM
 * @want: the type; strong UC becomes UC-
 * @found: receives the type given, or on failure the one in the way
 *
 * All pages must be write-back; they are all claimed or none is.
 *
 * Context: any; the caller owns the pages, so that no two claims of one page
 * run at a time.
 * Return: 0, -EBUSY if a page has another type than write-back already, -EINVAL
 * for a type that RAM cannot have.
 */
int pat_cpa_claim(unsigned long pfn, unsigned long nr,
		  enum page_cache_mode want, enum page_cache_mode *found)
{
	unsigned long i;

	if (want == _PAGE_CACHE_MODE_WP) {
		*found = _PAGE_CACHE_MODE_UC_MINUS;
		return -EINVAL;
	}
	if (WARN_ON_ONCE(want == _PAGE_CACHE_MODE_UC))
		want = _PAGE_CACHE_MODE_UC_MINUS;

	for (i = 0; i < nr; i++) {
		*found = pat_ram_type(pfn + i);
		if (*found != _PAGE_CACHE_MODE_WB) {
			pr_info_ratelimited("RAM page %#llx is %s, cannot become %s\n",
					    (u64)(pfn + i) << PAGE_SHIFT,
					    pat_mode_name(*found),
					    pat_mode_name(want));
			return -EBUSY;
		}
	}

	for (i = 0; i < nr; i++)
		pat_ram_set_type(pfn + i, want);
	*found = want;
	return 0;
}

/**
 * pat_cpa_release - RAM pages are write-back again
 * @pfn: first frame
 * @nr: number of frames, all RAM
 *
 * Context: any; after the direct map has been changed.
 */
void pat_cpa_release(unsigned long pfn, unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++)
		pat_ram_set_type(pfn + i, _PAGE_CACHE_MODE_WB);
}
