// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that is removed while processes have it mapped.
 *
 * A mapping of RAM through /dev/mem pins nothing, so the memory below it may go
 * offline, and away.  What comes to these addresses next, perhaps a device, has
 * types of its own: so the mappings go, too.  Memory hotplug must not wait for
 * an mmap_lock; a worker unmaps, soon after.
 */

#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/pfnmap.h>
#include <linux/sched/mm.h>
#include <linux/workqueue.h>

#include <asm/pat.h>

#include "pat_internal.h"

/* A process that is exiting drops its mappings itself: so long until it has. */
#define REMOVED_RETRY	(HZ / 50)

static void removed_unmap(struct work_struct *work);
static DECLARE_DELAYED_WORK(removed_work, removed_unmap);
static atomic_t removals = ATOMIC_INIT(0);

/* Pages [start, end) of a mapping whose frames are not RAM any more. */
struct removed_part {
	struct mm_struct	*mm;	/* a reference to its address space */
	unsigned long		start;
	unsigned long		end;
	unsigned long		pfn;	/* of the first */
};

/* The first part of the record @map that is not RAM. */
static bool removed_part_of(const struct pat_map *map, struct removed_part *part)
{
	unsigned long pfn = pat_map_pfn(map), nr = pat_map_pages(map), run;
	unsigned long addr = map->vma.vm_start;

	for (; nr; nr -= run, pfn += run, addr += run << PAGE_SHIFT) {
		if (pat_ram_run(pfn, nr, &run) != PAT_FRAMES_RESERVED)
			continue;
		*part = (struct removed_part) {
			.mm = map->vma.vm_mm,
			.start = addr,
			.end = addr + (run << PAGE_SHIFT),
			.pfn = pfn,
		};
		return true;
	}
	return false;
}

/*
 * Any mapping of what is not RAM any more, with a reference to its mm.  @exiting
 * is set if there are mappings of mms that nobody uses any more.
 */
static bool removed_next(struct removed_part *part, bool *exiting)
{
	struct pat_map *map;
	bool found = false;

	pat_records_lock_shared();
	for (map = pat_record_first_of(0, ULONG_MAX); map && !found;
	     map = pat_record_next_of(map, 0, ULONG_MAX)) {
		if (!map->ram || !removed_part_of(map, part))
			continue;
		found = mmget_not_zero(part->mm);
		*exiting |= !found;
	}
	pat_records_unlock_shared();
	return found;
}

/* Not what a private mapping has copied: that is other memory. */
static void removed_unmap_part(const struct removed_part *part)
{
	struct vm_area_struct *vma = NULL;
	unsigned long addr;

	mmap_read_lock(part->mm);
	for (addr = part->start; addr < part->end; addr += PAGE_SIZE) {
		if (!vma || addr >= vma->vm_end)
			vma = vma_lookup(part->mm, addr);
		/* This drops the page's record, as every zap does. */
		if (pat_page_is_mapped(vma, addr, part->pfn +
				       ((addr - part->start) >> PAGE_SHIFT)))
			zap_vma_ptes(vma, addr, PAGE_SIZE);
		cond_resched();
	}
	mmap_read_unlock(part->mm);
	/* What is left of it, by comparing it with the page tables. */
	__pfnmap_moved(part->mm, part->start, part->end - part->start);
}

static void removed_unmap(struct work_struct *work)
{
	struct removed_part part, last = {};
	int seen = atomic_read(&removals);
	bool again = false;

	while (!again && removed_next(&part, &again)) {
		/* A record that stays is being trimmed. */
		again = !memcmp(&part, &last, sizeof(part));
		last = part;
		removed_unmap_part(&part);
		mmput(part.mm);
		cond_resched();
	}
	if (again)
		queue_delayed_work(system_unbound_wq, &removed_work,
				   REMOVED_RETRY);
	else
		atomic_sub(seen, &removals);
}

/**
 * pat_removal_begin - frames are going to be no RAM any more
 *
 * Context: before the table of RAM is changed; pat_removal_end() after that.
 */
void pat_removal_begin(void)
{
	atomic_inc(&removals);
}

/**
 * pat_removal_end - frames are not RAM any more: unmap them, soon
 *
 * Context: any.
 */
void pat_removal_end(void)
{
	queue_delayed_work(system_unbound_wq, &removed_work, 0);
}

/**
 * pat_removal_pending - may there be mappings still of what was RAM?
 *
 * Context: any; takes no lock.
 * Return: true from pat_removal_begin() until all of them are gone.
 */
bool pat_removal_pending(void)
{
	return atomic_read(&removals);
}
