// SPDX-License-Identifier: GPL-2.0-only
/*
 * System RAM: which frames it has, and the memory type of each.
 *
 * The type of a RAM frame is two bits of its page->flags, which only cpa and
 * its callers in this directory write:
 *
 *	PG_memtype_hi  PG_memtype_lo
 *	      0              0		WB, the default
 *	      0              1		WC
 *	      1              0		UC-
 *	      1              1		WT
 *
 * Strong UC is not to be had for RAM (the callers get UC-), nor is WP.
 *
 * Whether a frame is RAM at all is asked at each fault of a PFN mapping and by
 * KVM under its MMU lock, so the answer does not come from the resource tree,
 * with its lock and its length, but from a small sorted table.  It holds what
 * the resource tree calls busy System RAM from 1 MiB on; what lies below
 * counts as reserved, since the legacy users of /dev/mem map it as they like.
 *
 * Life of a range
 *
 *	absent --pat_ram_add--> offline --MEM_GOING_ONLINE--> RAM
 *	   ^                    |    ^                         |
 *	   +---pat_ram_remove---+    +---------MEM_OFFLINE-----+
 *
 * The struct pages of offline memory may not exist, or be poisoned: its frames
 * are in the direct map, so they are write-back and cannot be set otherwise.
 *
 * Readers walk the table under RCU.  Writers hold ram_table_mutex, build a new
 * table and replace the old one.
 *
 * Who lists what is not write-back needs not look at all memory: the pages of
 * each block of 128 MiB that have a type are counted, blocks that are far apart
 * in one count.
 */

#define pr_fmt(fmt) "x86/PAT: " fmt

#include <linux/atomic.h>
#include <linux/ioport.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/panic.h>
#include <linux/pfnmap.h>
#include <linux/sched.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include <asm/e820/types.h>
#include <asm/pat.h>

#include "pat_internal.h"

struct ram_range {
	unsigned long	start;		/* frames [start, end) */
	unsigned long	end;
	enum pat_frames	frames;		/* RAM or OFFLINE */
};

struct ram_table {
	struct rcu_head	rcu;
	unsigned long	end;		/* of the last range */
	unsigned int	nr;
	struct ram_range ranges[] __counted_by(nr);
};

static struct ram_table no_ram;		/* before pat_ram_init() */
static struct ram_table __rcu *ram_table = (struct ram_table __rcu *)&no_ram;
static struct ram_table *boot_table __ro_after_init;	/* not from kmalloc */

#define RAM_BLOCK_PAGES	(1UL << 15)
#define RAM_BLOCKS	1024

static atomic_long_t ram_typed[RAM_BLOCKS];

static atomic_long_t *ram_typed_near(unsigned long pfn)
{
	return &ram_typed[pfn / RAM_BLOCK_PAGES % RAM_BLOCKS];
}

/* The first range that ends above @pfn, or table->nr. */
static unsigned int ram_table_find(const struct ram_table *table,
				   unsigned long pfn)
{
	unsigned int low = 0, high = table->nr;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (table->ranges[mid].end > pfn)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/**
 * pat_ram_run - what kind of frames are these?
 * @pfn: first frame
 * @nr: how many, at least one
 * @run: receives how many, from @pfn on, are of the same kind; 1 to @nr
 *
 * Context: any; takes no lock.
 * Return: the kind of frame @pfn.
 */
enum pat_frames pat_ram_run(unsigned long pfn, unsigned long nr,
			    unsigned long *run)
{
	enum pat_frames frames = PAT_FRAMES_RESERVED;
	const struct ram_table *table;

	rcu_read_lock();
	table = rcu_dereference(ram_table);
	*run = nr;
	/* What is most asked for lies behind all RAM, or is RAM. */
	if (pfn < table->end) {
		const struct ram_range *range;

		range = &table->ranges[ram_table_find(table, pfn)];
		if (pfn >= range->start) {
			frames = range->frames;
			*run = min(nr, range->end - pfn);
		} else {
			*run = min(nr, range->start - pfn);
		}
		/* Neighbours of one kind are merged: see ram_table_put(). */
	}
	rcu_read_unlock();
	return frames;
}

/**
 * pat_ram_kind - what kind of frame is this?
 * @pfn: the frame
 *
 * Context: any; takes no lock.
 * Return: as pat_ram_run().
 */
enum pat_frames pat_ram_kind(unsigned long pfn)
{
	enum pat_frames frames = PAT_FRAMES_RESERVED;
	const struct ram_table *table;
	unsigned int i;

	rcu_read_lock();
	table = rcu_dereference(ram_table);
	if (pfn < table->end) {
		i = ram_table_find(table, pfn);
		if (pfn >= table->ranges[i].start)
			frames = table->ranges[i].frames;
	}
	rcu_read_unlock();
	return frames;
}

/**
 * pat_ram_type - the memory type of a RAM page
 * @pfn: a frame for which pat_ram_run() says PAT_FRAMES_RAM
 *
 * Context: any; takes no lock.  Who does not own the page asks in the same RCU
 * read section as pat_ram_run(): its struct page may go with its memory.
 * Return: WB, WC, UC- or WT.
 */
enum page_cache_mode pat_ram_type(unsigned long pfn)
{
	unsigned long flags = page_memtype_flags(pfn_to_page(pfn));

	if (likely(!flags))
		return _PAGE_CACHE_MODE_WB;
	switch (flags) {
	case 1UL << PG_memtype_lo:
		return _PAGE_CACHE_MODE_WC;
	case 1UL << PG_memtype_hi:
		return _PAGE_CACHE_MODE_UC_MINUS;
	default:
		return _PAGE_CACHE_MODE_WT;
	}
}

static unsigned long ram_type_flags(enum page_cache_mode type)
{
	switch (type) {
	case _PAGE_CACHE_MODE_WC:
		return 1UL << PG_memtype_lo;
	case _PAGE_CACHE_MODE_UC_MINUS:
		return 1UL << PG_memtype_hi;
	case _PAGE_CACHE_MODE_WT:
		return PAGE_FLAGS_MEMTYPE;
	default:
		WARN_ON_ONCE(type != _PAGE_CACHE_MODE_WB);
		return 0;
	}
}

bool pfnmap_ram_typed __read_mostly;

/* Before the first page has a type: who frees such a page sees this, too. */
static void ram_expect_types(void)
{
	if (!READ_ONCE(pfnmap_ram_typed))
		WRITE_ONCE(pfnmap_ram_typed, true);
}

/**
 * pat_ram_claim - write down another memory type for a write-back RAM page
 * @pfn: a frame for which pat_ram_run() says PAT_FRAMES_RAM
 * @type: WC, UC- or WT
 *
 * Context: any; atomic, and a full memory barrier if it succeeds.
 * Return: the type that the page had: WB, or there was nothing to claim.
 */
enum page_cache_mode pat_ram_claim(unsigned long pfn, enum page_cache_mode type)
{
	ram_expect_types();
	if (!claim_page_memtype_flags(pfn_to_page(pfn), ram_type_flags(type)))
		return pat_ram_type(pfn);
	atomic_long_inc(ram_typed_near(pfn));
	return _PAGE_CACHE_MODE_WB;
}

/**
 * pat_ram_set_type - write down the memory type of a RAM page
 * @pfn: a frame for which pat_ram_run() says PAT_FRAMES_RAM
 * @type: WB, WC, UC- or WT
 *
 * Context: any, on behalf of the page's owner; atomic for one page, says nothing of
 * the direct map.
 */
void pat_ram_set_type(unsigned long pfn, enum page_cache_mode type)
{
	struct page *page = pfn_to_page(pfn);
	bool had = page_memtype_flags(page);

	if (type != _PAGE_CACHE_MODE_WB)
		ram_expect_types();
	set_page_memtype_flags(page, ram_type_flags(type));
	if (had != (type != _PAGE_CACHE_MODE_WB))
		atomic_long_add(had ? -1 : 1, ram_typed_near(pfn));
}

/**
 * pat_ram_typed_count - how much RAM is not write-back?
 *
 * Context: any; takes no lock.
 * Return: the number of pages.
 */
unsigned long pat_ram_typed_count(void)
{
	unsigned long count = 0;
	int i;

	for (i = 0; i < RAM_BLOCKS; i++)
		count += atomic_long_read(&ram_typed[i]);
	return count;
}

/* How many frames of [@pfn, @end) have the type of the first?  No RAM counts as WB. */
static unsigned long ram_alike(unsigned long pfn, unsigned long end,
			       enum page_cache_mode *type)
{
	unsigned long nr = 1, run;

	*type = _PAGE_CACHE_MODE_WB;
	rcu_read_lock();
	if (pat_ram_run(pfn, end - pfn, &run) == PAT_FRAMES_RAM) {
		*type = pat_ram_type(pfn);
		while (nr < run && pat_ram_type(pfn + nr) == *type)
			nr++;
	} else {
		nr = run;
	}
	rcu_read_unlock();
	return nr;
}

static unsigned long ram_end(void)
{
	unsigned long end;

	rcu_read_lock();
	end = rcu_dereference(ram_table)->end;
	rcu_read_unlock();
	return end;
}

/**
 * pat_ram_typed_next - find RAM that is not write-back
 * @pfn: where to begin; receives the first such frame
 * @nr: receives how many follow one another, with
 * @type: their type
 *
 * What changes meanwhile is found or not.
 *
 * Context: may sleep.
 * Return: false if there is none at or after @pfn.
 */
bool pat_ram_typed_next(unsigned long *pfn, unsigned long *nr,
			enum page_cache_mode *type)
{
	unsigned long end = ram_end(), at, block_end, alike;
	enum page_cache_mode found;

	*nr = 0;
	for (at = *pfn; at < end; at += alike) {
		block_end = min(ALIGN_DOWN(at, RAM_BLOCK_PAGES) +
				RAM_BLOCK_PAGES, end);
		alike = block_end - at;
		found = _PAGE_CACHE_MODE_WB;
		if (atomic_long_read(ram_typed_near(at)))
			alike = ram_alike(at, block_end, &found);
		if (*nr && found != *type)
			break;
		if (*nr) {
			*nr += alike;
		} else if (found != _PAGE_CACHE_MODE_WB) {
			*pfn = at;
			*nr = alike;
			*type = found;
		}
		cond_resched();
	}
	return *nr;
}

/* Append [start, end) to @table, to the last range if it continues that. */
static void ram_table_put(struct ram_table *table, unsigned long start,
			  unsigned long end, enum pat_frames frames)
{
	struct ram_range *last = table->nr ? &table->ranges[table->nr - 1] : NULL;

	if (start >= end)
		return;
	table->end = end;
	if (last && last->end == start && last->frames == frames) {
		last->end = end;
		return;
	}
	table->nr++;
	table->ranges[table->nr - 1] = (struct ram_range) {
		.start = start, .end = end, .frames = frames,
	};
}

static int __init count_range(unsigned long pfn, unsigned long nr, void *arg)
{
	++*(unsigned int *)arg;
	return 0;
}

static int __init put_range(unsigned long pfn, unsigned long nr, void *arg)
{
	unsigned long isa_end = ISA_END_ADDRESS >> PAGE_SHIFT;

	ram_table_put(arg, max(pfn, isa_end), pfn + nr, PAT_FRAMES_RAM);
	return 0;
}

/**
 * pat_ram_init - learn from the resource tree which frames are RAM
 *
 * Context: boot CPU, once, after e820__reserve_resources().
 */
void __init pat_ram_init(void)
{
	unsigned int nr = 0;

	if (!pat_enabled())
		return;

	walk_system_ram_range(0, PHYS_PFN(PHYS_ADDR_MAX), &nr, count_range);
	boot_table = memblock_alloc(struct_size(boot_table, ranges, nr),
				    SMP_CACHE_BYTES);
	if (!boot_table)
		panic("x86/PAT: no memory for %u ranges of RAM\n", nr);
	walk_system_ram_range(0, PHYS_PFN(PHYS_ADDR_MAX), boot_table, put_range);
	rcu_assign_pointer(ram_table, boot_table);
}

#ifdef CONFIG_MEMORY_HOTPLUG
static DEFINE_MUTEX(ram_table_mutex);

/*
 * @table with [start, end) cut out and, unless @frames says reserved, put in
 * again as @frames.  @into has room for two ranges more.
 */
static void ram_table_edit(struct ram_table *into, const struct ram_table *table,
			   unsigned long start, unsigned long end,
			   enum pat_frames frames)
{
	unsigned int i = 0;

	for (; i < table->nr && table->ranges[i].start < start; i++)
		ram_table_put(into, table->ranges[i].start,
			      min(table->ranges[i].end, start),
			      table->ranges[i].frames);
	if (frames != PAT_FRAMES_RESERVED)
		ram_table_put(into, start, end, frames);
	for (i = i ? i - 1 : 0; i < table->nr; i++)
		ram_table_put(into, max(table->ranges[i].start, end),
			      table->ranges[i].end, table->ranges[i].frames);
}

/* Make the frames [start, end) of the table in use @frames. */
static int ram_table_change(unsigned long start, unsigned long end,
			    enum pat_frames frames, gfp_t gfp)
{
	struct ram_table *old, *new;

	if (!pat_enabled())
		return 0;

	mutex_lock(&ram_table_mutex);
	old = rcu_dereference_protected(ram_table,
					lockdep_is_held(&ram_table_mutex));
	new = kzalloc(struct_size(new, ranges, old->nr + 2), gfp);
	if (!new) {
		mutex_unlock(&ram_table_mutex);
		return -ENOMEM;
	}
	ram_table_edit(new, old, start, end, frames);
	rcu_assign_pointer(ram_table, new);
	pat_reserved_changed();
	mutex_unlock(&ram_table_mutex);
	if (old != boot_table && old != &no_ram)
		kfree_rcu(old, rcu);
	return 0;
}

/**
 * pat_ram_add - memory is being added
 * @start: physical address, multiple of the section size
 * @size: bytes
 *
 * Until its blocks go online its struct pages are not looked at.
 *
 * Context: memory hotplug lock held.
 * Return: 0 or -ENOMEM.
 */
int pat_ram_add(u64 start, u64 size)
{
	return ram_table_change(PHYS_PFN(start), PHYS_PFN(start + size),
				PAT_FRAMES_OFFLINE, GFP_KERNEL);
}

/**
 * pat_ram_remove - memory is gone, or was not added after all
 * @start: physical address, multiple of the section size
 * @size: bytes
 *
 * Context: memory hotplug lock held; may sleep.
 */
void pat_ram_remove(u64 start, u64 size)
{
	pat_removal_begin();
	ram_table_change(PHYS_PFN(start), PHYS_PFN(start + size),
			 PAT_FRAMES_RESERVED, GFP_KERNEL | __GFP_NOFAIL);
	pat_removal_end();
}

static int pat_ram_notify(struct notifier_block *nb, unsigned long action,
			  void *data)
{
	const struct memory_notify *range = data;
	unsigned long end = range->start_pfn + range->nr_pages;
	int err = 0;

	switch (action) {
	case MEM_GOING_ONLINE:
		err = ram_table_change(range->start_pfn, end, PAT_FRAMES_RAM,
				       GFP_KERNEL);
		break;
	case MEM_CANCEL_ONLINE:
	case MEM_OFFLINE:
		ram_table_change(range->start_pfn, end, PAT_FRAMES_OFFLINE,
				 GFP_KERNEL | __GFP_NOFAIL);
		/* Who found them to be RAM may be looking at struct pages. */
		synchronize_rcu();
		break;
	}
	return notifier_from_errno(err);
}

static int __init pat_ram_notify_init(void)
{
	return hotplug_memory_notifier(pat_ram_notify, DEFAULT_CALLBACK_PRI);
}
core_initcall(pat_ram_notify_init);
#endif /* CONFIG_MEMORY_HOTPLUG */
