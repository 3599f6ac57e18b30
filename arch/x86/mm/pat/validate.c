// SPDX-License-Identifier: GPL-2.0-only
/*
 * The invariants of RAM, as pat_validate() has those of the records: all that is
 * known of a page's memory type agrees.  Each is a line here.
 *
 * cpa changes one after the other, so what is found while it does means nothing,
 * and is looked at again.
 */

#include <linux/delay.h>
#include <linux/ioport.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>

#include <asm/pat.h>

#include "pat_internal.h"

/* So many frames are looked at in one go, so often, and with such pauses. */
#define CHUNK		4096UL
#define TRIES		1000
#define PAUSE_MS	1

/* The protection of an entry, as one of the last level has it. */
static pgprot_t direct_map_prot(pte_t *pte, unsigned int level)
{
	switch (level) {
	case PG_LEVEL_4K:
		return pte_pgprot(*pte);
	case PG_LEVEL_2M:
		return pgprot_large_2_4k(pmd_pgprot(*(pmd_t *)pte));
	default:
		return pgprot_large_2_4k(pud_pgprot(*(pud_t *)pte));
	}
}

/* Check [pfn, pfn + nr), RAM that stays online.  Return: the frame, if broken. */
static unsigned long check_direct_map(unsigned long pfn, unsigned long nr,
				      const char **broken)
{
	unsigned long end = pfn + nr, stop;
	enum page_cache_mode type;
	unsigned int level;
	pte_t *pte;

	while (pfn < end) {
		if (PageHighMem(pfn_to_page(pfn)))
			break;
		pte = lookup_address((unsigned long)__va(PFN_PHYS(pfn)), &level);
		stop = min(end, ALIGN(pfn + 1, page_level_size(level) >> PAGE_SHIFT));
		if (!pte || !(pte_flags(*pte) & _PAGE_PRESENT)) {
			pfn = stop;	/* poisoned, or somebody's secret */
			continue;
		}
		type = pgprot2cachemode(direct_map_prot(pte, level));
		for (; pfn < stop; pfn++) {
			if (pat_ram_type(pfn) == type)
				continue;
			*broken = "a RAM page's bits say what the direct map does";
			return pfn;
		}
	}
	return end;
}

static unsigned long check_chunk(unsigned long pfn, unsigned long nr,
				 const char **broken)
{
	unsigned long at, seen;
	int tries = TRIES;
	bool quiet;

	do {
		*broken = NULL;
		quiet = pat_cpa_quiet(&seen);
		at = check_direct_map(pfn, nr, broken);
		if (!*broken && pat_fix_due(pfn, nr)) {
			*broken = "live entries of recorded RAM have the pages' types";
			at = pfn;
		}
		if (!*broken || (quiet && pat_cpa_still_quiet(seen)))
			return at;
		msleep(PAUSE_MS);
	} while (--tries);
	*broken = NULL;		/* cannot be told */
	return at;
}

static int check_range(unsigned long pfn, unsigned long nr, void *arg)
{
	struct pat_verdict *verdict = arg;
	unsigned long part, run;

	for (; nr; pfn += run, nr -= run) {
		part = min(nr, CHUNK);
		if (pat_ram_run(pfn, part, &run) != PAT_FRAMES_RAM)
			continue;
		verdict->pfn = check_chunk(pfn, run, &verdict->broken);
		if (verdict->broken)
			return 1;
		verdict->pages += run;
		cond_resched();
	}
	return 0;
}

/**
 * pat_validate_ram - check every invariant of RAM
 * @verdict: receives the result
 *
 * Context: may sleep; keeps memory from going offline.
 */
void pat_validate_ram(struct pat_verdict *verdict)
{
	memset(verdict, 0, sizeof(*verdict));
	get_online_mems();
	walk_system_ram_range(0, PHYS_PFN(PHYS_ADDR_MAX), verdict, check_range);
	put_online_mems();
}
