// SPDX-License-Identifier: GPL-2.0-only
/*
 * The invariants, each a line here: of the records, and of RAM, where all that is
 * known of a page's memory type agrees.
 *
 * cpa changes one of these after the other, so what is found while it does means
 * nothing, and is looked at again.
 */

#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/ioport.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>

#include <asm/pat.h>

#include "pat_internal.h"

/* Is @map of the mm that its holder should have, and linked there by address? */
static bool pat_record_is_at_home(struct pat_map *map)
{
	struct mm_struct *mm = map->vma.vm_mm;
	struct rb_node *rb;

	if (map->holder == PAT_HOLDER_RANGE)
		return !mm;
	if (map->holder == PAT_HOLDER_KERNEL)
		return mm == &init_mm;
	if (!mm || mm == &init_mm)
		return false;
	for (rb = &map->by_addr; rb_parent(rb); rb = rb_parent(rb))
		;
	return mm->context.pat_maps.rb_root.rb_node == rb;
}

static unsigned long pat_record_last_below(const struct pat_map *map)
{
	const struct vm_area_struct *vma = &map->vma;
	unsigned long last = pat_map_pfn(map) + pat_map_pages(map) - 1;
	const struct rb_node *child;

	child = vma->shared.rb.rb_left;
	if (child)
		last = max(last, rb_entry(child, struct vm_area_struct,
					  shared.rb)->shared.rb_subtree_last);
	child = vma->shared.rb.rb_right;
	if (child)
		last = max(last, rb_entry(child, struct vm_area_struct,
					  shared.rb)->shared.rb_subtree_last);
	return last;
}

/* What is wrong with one record by itself, NULL if nothing is. */
static const char *pat_record_broken(struct pat_map *map)
{
	const struct vm_area_struct *vma = &map->vma;
	unsigned long pfn = pat_map_pfn(map), nr = pat_map_pages(map);
	enum pat_frames frames;
	unsigned long run;

	if (vma->vm_end <= vma->vm_start ||
	    !PAGE_ALIGNED(vma->vm_start | vma->vm_end))
		return "a record covers whole pages, at least one";
	if (vma->shared.rb_subtree_last != pat_record_last_below(map))
		return "the frame tree knows how far each subtree reaches";
	if (!pat_record_is_at_home(map))
		return "a record is of its holder's mm, and linked there";
	if (!pat_record_is_exact(map) && map->holder != PAT_HOLDER_USER)
		return "only a process mapping's record can be inexact";
	/* Memory can go offline, and away, and come back, while it is mapped. */
	for (; nr; nr -= run, pfn += run) {
		frames = pat_ram_run(pfn, nr, &run);
		if (map->ram != (frames != PAT_FRAMES_RESERVED) &&
		    !(map->ram && pat_removal_pending()))
			return "a record's frames are all RAM or all reserved, as it says";
	}
	return NULL;
}

/**
 * pat_validate - check every invariant of the records
 * @verdict: receives the result
 *
 * Context: may sleep; takes the records' lock for reading throughout.
 */
void pat_validate(struct pat_verdict *verdict)
{
	unsigned long reach[_PAGE_CACHE_MODE_NUM] = {};
	unsigned long previous = 0, stamp = 0;
	unsigned long stale[_PAGE_CACHE_MODE_NUM] = {};
	struct pat_map *map;
	int type;

	memset(verdict, 0, sizeof(*verdict));
	pat_records_lock_shared();
	for (map = pat_record_first_of(0, ULONG_MAX); map;
	     map = pat_record_next_of(map, 0, ULONG_MAX)) {
		unsigned long pfn = pat_map_pfn(map);

		verdict->records++;
		verdict->pfn = pfn;
		verdict->broken = pat_record_broken(map);
		if (!verdict->broken && pfn < previous)
			verdict->broken = "the frame tree is ordered";
		/* reach[]: end of the frames seen so far with each type */
		for (type = 0; !verdict->broken && !map->ram &&
			       type < _PAGE_CACHE_MODE_NUM; type++)
			if (type != pat_map_type(map) && reach[type] > pfn)
				verdict->broken =
					"records of one frame agree on its type";
		if (verdict->broken)
			goto out;
		previous = pfn;
		if (!map->ram)
			reach[pat_map_type(map)] =
				max(reach[pat_map_type(map)],
				    pfn + pat_map_pages(map));
	}

	for (map = pat_stale_next(NULL); map; map = pat_stale_next(map)) {
		verdict->pfn = pat_map_pfn(map);
		if (map->holder != PAT_HOLDER_KERNEL)
			verdict->broken =
				"only an ioremap() leaves a stale record";
		else if ((long)(map->stamp - stamp) < 0)
			verdict->broken = "stale records are sorted by age";
		if (verdict->broken)
			goto out;
		stamp = map->stamp;
		stale[pat_map_type(map)]++;
	}
	for (type = 0; type < _PAGE_CACHE_MODE_NUM; type++)
		if (stale[type] != pat_stale_counted(type))
			verdict->broken = "stale records are counted";
out:
	pat_records_unlock_shared();
}

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
