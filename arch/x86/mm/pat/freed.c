// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that are freed while they are not write-back.
 *
 * Their owner forgot to set them back.  The next one would write through a
 * direct map that is slow, or incoherent with what mm maps elsewhere: so they
 * do not return to the allocator like that.  Who frees may be anywhere, in an
 * interrupt, too, and cpa sleeps.  The block is kept here, a worker makes it
 * write-back, in every mapping there is, and frees it again.
 */

#define pr_fmt(fmt) "x86/PAT: " fmt

#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/pfnmap.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <asm/pat.h>

#include "pat_internal.h"
#include "trace.h"

/* cpa needs memory to split a large page: so long until it is tried again. */
#define FREED_RETRY	HZ

static LIST_HEAD(freed);		/* of page->lru; the order is in page->private */
static DEFINE_RAW_SPINLOCK(freed_lock);

static void freed_repair(struct work_struct *work);
static DECLARE_DELAYED_WORK(freed_work, freed_repair);

/* Who frees may hold the lock of a workqueue, or of a run queue. */
static void freed_kick(struct irq_work *work)
{
	queue_delayed_work(system_unbound_wq, &freed_work, 0);
}

static DEFINE_IRQ_WORK(freed_irq_work, freed_kick);

static void freed_complain(struct page *page, unsigned int order)
{
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL, 3);
	unsigned long i;

	if (!__ratelimit(&limit))
		return;
	for (i = 0; i < (1UL << order) - 1; i++)
		if (page_memtype_flags(page + i))
			break;
	pr_warn("RAM page %#llx freed while %s, by %s:%d\n",
		(u64)page_to_pfn(page + i) << PAGE_SHIFT,
		pat_mode_name(pat_ram_type(page_to_pfn(page + i))),
		current->comm, current->pid);
	dump_stack();
}

bool __pfnmap_block_is_typed(const struct page *page, unsigned int order)
{
	unsigned long i;

	for (i = 0; i < 1UL << order; i++)
		if (page_memtype_flags(page + i))
			return true;
	return false;
}

/**
 * pfnmap_keep_freed - take a block that is freed with a memory type
 * @page: its first page; nobody refers to it, and it is no compound page (any
 *	more)
 * @order: it has 1 << @order pages
 *
 * Context: any but NMI; not under a zone's lock.
 */
void pfnmap_keep_freed(struct page *page, unsigned int order)
{
	unsigned long flags;

	trace_pat_freed(page_to_pfn(page), order);
	freed_complain(page, order);
	set_page_private(page, order);
	raw_spin_lock_irqsave(&freed_lock, flags);
	list_add_tail(&page->lru, &freed);
	raw_spin_unlock_irqrestore(&freed_lock, flags);
	irq_work_queue(&freed_irq_work);
}

/* Make a block write-back.  Return: false if it cannot be done. */
static bool freed_make_wb(struct page *page, unsigned int order)
{
	pat_cpa_unreserve(page_to_pfn(page), 1UL << order);
	return !__pfnmap_block_is_typed(page, order);
}

static void freed_repair(struct work_struct *work)
{
	LIST_HEAD(todo);
	struct page *page, *next;

	raw_spin_lock_irq(&freed_lock);
	list_splice_init(&freed, &todo);
	raw_spin_unlock_irq(&freed_lock);

	list_for_each_entry_safe(page, next, &todo, lru) {
		unsigned int order = page_private(page);

		if (!freed_make_wb(page, order))
			continue;
		list_del(&page->lru);
		set_page_private(page, 0);
		init_page_count(page);
		__free_pages(page, order);
		cond_resched();
	}
	if (list_empty(&todo))
		return;

	raw_spin_lock_irq(&freed_lock);
	list_splice(&todo, &freed);
	raw_spin_unlock_irq(&freed_lock);
	queue_delayed_work(system_unbound_wq, &freed_work, FREED_RETRY);
}
