// SPDX-License-Identifier: GPL-2.0-only
/*
 * PFN mappings of processes: from remap_pfn_range() to the last flush.
 *
 * Life of a mapping, and of its records, which are linked by address in
 * mm->context.pat_maps:
 *
 *	remap_pfn_range()	one record per run of frames of one kind
 *	fork			the parent's records, for the child's mm
 *	split of the VMA	no record lies on both sides
 *	mremap			records at the new address, too
 *	zap of a part		what it covers is cut out, after the TLB flush
 *	exit			all that are left go, after the TLB flush
 *
 * A record is linked before the first page table entry is set and dropped when
 * no CPU can use the last one, so munmap, the failure of an mmap half way, and
 * a driver's unmap_mapping_range() are all just zaps; nothing else unmaps.
 *
 * A zap runs with mmap_lock or without (unmap_mapping_range() has the file's
 * i_mmap_rwsem only), and a driver may be mapping other frames at the same
 * addresses meanwhile.  A clock tells them apart: every zap advances it when it
 * begins, every record keeps the time at which its entries were all set, and a
 * zap drops only what is older than itself.  What is younger, or still being
 * populated, may have lost entries to the zap or not.
 *
 * A zap cannot fail.  To cut a hole into the middle of a record takes a second
 * one, and there may be no memory for it.
 *
 * In both cases the record stays as it is, which holds more than is mapped but
 * never less, and is marked inexact.  A worker then compares it with the page
 * tables, which do not get new entries of recorded frames while it holds
 * mmap_lock for reading, and cuts out what is not mapped.
 *
 * Mappings that are inserted page by page at fault time are not recorded.
 * They take their type from pfnmap_lookup_prot().
 */

#define pr_fmt(fmt) "x86/PAT: " fmt

#include <linux/atomic.h>
#include <linux/hugetlb.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mmap_lock.h>
#include <linux/pfnmap.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include <asm/e820/types.h>
#include <asm/pat.h>
#include <asm/tlb.h>
#include <asm/tlbflush.h>

#include "pat_internal.h"

/* So many records are dropped before others get a chance at the lock. */
#define PAT_EXIT_BATCH	1024

/* So many mms may be busy before the worker comes back later, and how much. */
#define PAT_TRIM_TRIES	64
#define PAT_TRIM_DELAY	(HZ / 20)

static atomic_long_t zap_clock = ATOMIC_LONG_INIT(1);

/* Entries are still being set: younger than any zap. */
#define PAT_STAMP_POPULATING	ULONG_MAX

enum pat_run {
	PAT_RUN_UNTRACKED,
	PAT_RUN_RAM,
	PAT_RUN_OFFLINE,
	PAT_RUN_RESERVED,
};

/*
 * How does [pfn, pfn + nr) begin, and how long (*run) does it go on like that?
 * A range that lies only partly in the ISA range is taken apart at its ends.
 */
static enum pat_run pat_run_kind(unsigned long pfn, unsigned long nr,
				 unsigned long *run)
{
	static const unsigned long edges[] = {
		ISA_START_ADDRESS >> PAGE_SHIFT, ISA_END_ADDRESS >> PAGE_SHIFT,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(edges); i++)
		if (pfn < edges[i] && nr > edges[i] - pfn)
			nr = edges[i] - pfn;

	*run = nr;
	if (pat_untracked(pfn, nr))
		return PAT_RUN_UNTRACKED;

	switch (pat_ram_run(pfn, nr, run)) {
	case PAT_FRAMES_RAM:
		return PAT_RUN_RAM;
	case PAT_FRAMES_OFFLINE:
		return PAT_RUN_OFFLINE;
	default:
		*run = min(*run, PAT_MAP_MAX_PAGES);
		return PAT_RUN_RESERVED;
	}
}

/*
 * How many frames from @pfn on, RAM, have the type of @pfn, by @type_of?  In the
 * RCU read section in which they were found to be RAM.
 */
static unsigned long pat_ram_alike(unsigned long pfn, unsigned long nr,
				   enum page_cache_mode (*type_of)(unsigned long),
				   enum page_cache_mode *type)
{
	unsigned long i;

	*type = type_of(pfn);
	for (i = 1; i < nr && type_of(pfn + i) == *type; i++)
		;
	return i;
}

/* Which code maps this?  A driver is best known by its mmap(). */
static const void *pat_mapper(const struct vm_area_struct *vma)
{
	if (vma->vm_file && vma->vm_file->f_op->mmap)
		return vma->vm_file->f_op->mmap;
	return NULL;
}

/* @what, a range or a page of RAM, has another type than who maps it wants. */
static noinline void pat_say_wish(const struct vm_area_struct *vma,
				  const char *what, unsigned long pfn,
				  unsigned long nr, enum page_cache_mode want,
				  enum page_cache_mode type)
{
	pr_warn_ratelimited("%s:%d map pfn RAM %s req %s for [mem %#010llx-%#010llx], got %s, by %ps\n",
			    current->comm, current->pid, what,
			    pat_mode_name(want), (u64)pfn << PAGE_SHIFT,
			    ((u64)(pfn + nr) << PAGE_SHIFT) - 1,
			    pat_mode_name(type), pat_mapper(vma));
}

/* RAM has the type it has; say so if that is not what was asked for. */
static void pat_check_ram_wish(const struct vm_area_struct *vma,
			       unsigned long pfn, unsigned long nr,
			       enum page_cache_mode want)
{
	enum page_cache_mode type = want;
	unsigned long i = 0, run;

	rcu_read_lock();
	if (pat_run_kind(pfn, nr, &run) == PAT_RUN_RAM) {
		i = pat_ram_alike(pfn, run, pat_ram_type, &type);
		if (type != want)
			i = 0;
		else if (i < run)
			type = pat_ram_type(pfn + i);
	}
	rcu_read_unlock();

	if (type != want)
		pat_say_wish(vma, "range", pfn + i, nr - i, want, type);
}

/* New, unlinked records for the frames of a mapping by @vma at @addr. */
static int pat_prepare_records(const struct vm_area_struct *vma,
			       unsigned long addr, unsigned long pfn,
			       unsigned long nr, enum page_cache_mode want,
			       struct pat_map **chain)
{
	struct pat_map **tail = chain;
	unsigned long run;

	*chain = NULL;
	for (; nr; nr -= run, pfn += run, addr += run << PAGE_SHIFT) {
		enum pat_run kind = pat_run_kind(pfn, nr, &run);
		struct pat_map *map;

		if (kind == PAT_RUN_UNTRACKED)
			continue;
		if (kind == PAT_RUN_RAM)
			pat_check_ram_wish(vma, pfn, run, want);

		map = pat_map_alloc(pfn, run, GFP_KERNEL_ACCOUNT);
		if (!map) {
			pat_map_free_chain(*chain);
			return -ENOMEM;
		}
		map->vma.vm_mm = vma->vm_mm;
		map->vma.vm_start = addr;
		map->vma.vm_end += addr;
		map->holder = PAT_HOLDER_USER;
		map->pid = current->pid;
		memcpy(map->comm, current->comm, sizeof(map->comm));
		map->ram = kind != PAT_RUN_RESERVED;
		/* What a look-up should find if the memory is taken away. */
		if (map->ram)
			map->vma.vm_page_prot = pat_pgprot(__pgprot(0),
							   _PAGE_CACHE_MODE_UC_MINUS);
		*tail = map;
		tail = &map->next;
	}
	return 0;
}

/* Link @map with a type that will do for @want. */
static int pat_link_user(struct pat_map *map, enum page_cache_mode want)
{
	unsigned long pfn = pat_map_pfn(map), nr = pat_map_pages(map);
	int err;

	map->stamp = PAT_STAMP_POPULATING;
	if (map->ram) {
		pat_record_link(map);
		return 0;
	}

	err = pat_record_admit(map, want, pat_effective_want(pfn, nr, want),
			       PAT_MATCH_SERVES);
	return err && err != PAT_ADMIT_STALE ? -EINVAL : err;
}

/* Link all of @chain, or none of it. */
static int pat_link_chain_user(struct pat_map *chain, enum page_cache_mode want)
{
	struct pat_map *map, *undo;
	int err = 0;

	pat_records_lock();
	for (map = chain; map; map = map->next) {
		err = pat_link_user(map, want);
		if (err)
			break;
	}
	for (undo = chain; err && undo != map; undo = undo->next)
		pat_record_unlink(undo);
	pat_records_unlock();
	return err;
}

/* Was memory of @chain removed before that was linked?  Then it must go again. */
static void pat_recheck_chain(const struct pat_map *chain)
{
	const struct pat_map *map;
	unsigned long at, run;

	for (map = chain; map; map = map->next) {
		for (at = 0; map->ram && at < pat_map_pages(map); at += run) {
			if (pat_ram_run(pat_map_pfn(map) + at,
					pat_map_pages(map) - at, &run) !=
			    PAT_FRAMES_RESERVED)
				continue;
			pat_removal_begin();
			pat_removal_end();
			return;
		}
	}
}

/* The direct map of the frames of @chain, which is linked, or unlink it. */
static int pat_sync_chain(struct pat_map *chain)
{
	struct pat_map *map;
	int err = 0;

	for (map = chain; map && !err; map = map->next)
		if (!map->ram)
			err = pat_sync_low(pat_map_pfn(map), pat_map_pages(map),
					   pat_map_type(map));
	if (!err)
		return 0;
	pat_records_lock();
	for (map = chain; map; map = map->next)
		pat_record_unlink(map);
	pat_records_unlock();
	return -EINVAL;
}

/* Does @map go on where @before ends, so that one record can say both? */
static bool pat_continues(const struct pat_map *before,
			  const struct pat_map *map,
			  const struct vm_area_struct *vma)
{
	return before->vma.vm_end == map->vma.vm_start &&
	       before->vma.vm_start >= vma->vm_start &&
	       pat_map_pfn(before) + pat_map_pages(before) == pat_map_pfn(map) &&
	       pat_map_pages(before) + pat_map_pages(map) <= PAT_MAP_MAX_PAGES &&
	       before->ram == map->ram && before->stamp == map->stamp &&
	       pat_record_is_exact(before) && pat_record_is_exact(map) &&
	       (map->ram || pat_map_type(before) == pat_map_type(map));
}

/*
 * A driver that maps page by page makes as many records as it has pages,
 * unless the one that ends where @map begins is extended over it.  @map is
 * linked meanwhile, so that look-ups find its frames all the time.
 * Return: @map if it is not linked any more, else NULL.
 */
static struct pat_map *pat_extend_neighbour(struct pat_map *map,
					    const struct vm_area_struct *vma)
{
	unsigned long start = map->vma.vm_start;
	struct pat_map *before;

	if (start == vma->vm_start)
		return NULL;
	before = pat_record_first(vma->vm_mm, start - PAGE_SIZE, start);
	while (before && !pat_continues(before, map, vma))
		before = pat_record_next(before, start - PAGE_SIZE, start);
	if (!before)
		return NULL;

	pat_record_move_ends(before, before->vma.vm_start, map->vma.vm_end);
	pat_record_unlink(map);
	map->next = NULL;
	return map;
}

/**
 * pfnmap_record - record what remap_pfn_range() is about to map
 * @vma: the VMA
 * @addr: first address, page aligned
 * @pfn: first frame
 * @size: bytes, a multiple of the page size
 * @prot: page protection, with the memory type wanted; receives the one that all
 *	entries must have, if that can be said now
 *
 * Reserved frames are held with the type wanted, or with the one that is in
 * force if that is as good; RAM is mapped with the type it has.  pfnmap_run()
 * tells which that is.  If the caller fails to set the page table entries, the
 * zap of what it did set drops the records.
 *
 * Context: mmap_lock held for writing; may sleep.
 * Return: 1, and @prot is for all; 0 if pfnmap_run() has to be asked, since types
 * differ or may change meanwhile; -EINVAL if the range wraps or reserved frames are held with a type
 * that does not serve; -ENOMEM.  On failure nothing is recorded.
 */
int pfnmap_record(struct vm_area_struct *vma, unsigned long addr,
		  unsigned long pfn, unsigned long size, pgprot_t *prot)
{
	enum page_cache_mode want = pgprot2cachemode(*prot);
	u64 start = PFN_PHYS(pfn);
	struct pat_map *chain;
	unsigned long nr;
	int err;

	if (!pat_range_to_frames(start, start + size, &pfn, &nr))
		return -EINVAL;
	if (!pat_enabled())
		return 1;

	err = pat_prepare_records(vma, addr, pfn, nr, want, &chain);
	if (err || !chain)
		return err;

	vm_flags_set(vma, VM_PAT);

	while ((err = pat_link_chain_user(chain, want)) == PAT_ADMIT_STALE)
		vm_unmap_aliases();
	if (!err) {
		pat_recheck_chain(chain);
		err = pat_sync_chain(chain);
	}
	if (err) {
		pat_map_free_chain(chain);
		return err;
	}
	/* It stays as it is until pfnmap_populated(): see PAT_STAMP_POPULATING. */
	if (chain->ram || pat_map_pages(chain) != nr)
		return 0;
	*prot = pat_pgprot(*prot, pat_map_type(chain));
	return 1;
}

/**
 * pfnmap_populated - the entries that pfnmap_record() announced are set
 * @vma: the VMA, as it was given there
 * @addr: first address, as it was given there
 * @size: bytes, as they were given there
 *
 * Also after a failure half way, before the zap of what was set: a zap that
 * began before this cannot know which of the entries it has seen.
 *
 * Context: mmap_lock held for writing; may sleep.
 */
void pfnmap_populated(struct vm_area_struct *vma, unsigned long addr,
		      unsigned long size)
{
	struct pat_map *map, *unused = NULL;
	unsigned long end = addr + size;

	if (!vma_has_pfnmap_records(vma))
		return;

	pat_records_lock();
	for (map = pat_record_first(vma->vm_mm, addr, end); map;
	     map = pat_record_next(map, addr, end))
		if (map->stamp == PAT_STAMP_POPULATING)
			map->stamp = atomic_long_read(&zap_clock);
	map = pat_record_first(vma->vm_mm, addr, addr + PAGE_SIZE);
	if (map && map->vma.vm_start == addr)
		unused = pat_extend_neighbour(map, vma);
	pat_records_unlock();
	pat_map_free_chain(unused);
}

/**
 * pfnmap_run - how far do these frames have one memory type, and which?
 * @pfn: first frame
 * @size: bytes, a multiple of the page size, not 0
 * @prot: receives the memory type of @pfn
 *
 * RAM may change its type at any time.  Whoever changes it looks, under the page
 * table lock, for entries that were set before.
 *
 * Context: lock of the page table held in which the entries are going to be set.
 * Return: bytes, from @pfn on, that have that type; at most @size.
 */
unsigned long pfnmap_run(unsigned long pfn, unsigned long size, pgprot_t *prot)
{
	enum page_cache_mode type = _PAGE_CACHE_MODE_WB;
	u64 start = PFN_PHYS(pfn);
	unsigned long nr;

	if (!pat_enabled() ||
	    !pat_range_to_frames(start, start + size, &pfn, &nr))
		return size;

	rcu_read_lock();
	switch (pat_run_kind(pfn, nr, &nr)) {
	case PAT_RUN_RAM:
		nr = pat_ram_alike(pfn, nr, pat_cpa_map_type, &type);
		break;
	case PAT_RUN_RESERVED:
		if (pat_reserved_uniform(pfn, nr, &type))
			break;
		/* Nobody recorded these as one. */
		nr = 1;
		type = pat_reserved_type(pfn);
		break;
	case PAT_RUN_OFFLINE:
	case PAT_RUN_UNTRACKED:
		break;
	}
	rcu_read_unlock();
	*prot = pat_pgprot(*prot, type);
	return nr << PAGE_SHIFT;
}

/*
 * One page is going to be inserted: has it another type than asked for?  Who
 * leaves vma->vm_page_prot as it was, write-back, asks for nothing.
 */
static enum page_cache_mode pat_lookup_wish(const struct vm_area_struct *vma,
					    unsigned long pfn,
					    enum page_cache_mode want)
{
	enum page_cache_mode type = pat_lookup_near(pfn);

	if (unlikely(type != want) && want != _PAGE_CACHE_MODE_WB &&
	    pat_ram_kind(pfn) == PAT_FRAMES_RAM)
		pat_say_wish(vma, "page", pfn, 1, want, type);
	return type;
}

/**
 * pfnmap_lookup_prot - the memory type for a frame that is not recorded
 * @vma: where it is going to be mapped
 * @prot: page protection, with the memory type wanted; receives the one that is
 *	in force for @pfn
 * @pfn: the frame that is about to be inserted
 *
 * Context: page fault; takes no lock.
 */
void pfnmap_lookup_prot(const struct vm_area_struct *vma, pgprot_t *prot,
			pfn_t pfn)
{
	unsigned long frame = pfn_t_to_pfn(pfn);

	if (!pat_reserved_recent(frame, prot) && pat_enabled())
		*prot = pat_pgprot(*prot, pat_lookup_wish(vma, frame,
							  pgprot2cachemode(*prot)));
}

void __pfnmap_mmap(struct vm_area_struct *vma)
{
	/* Without PAT, what is inserted later has the type asked for. */
	if (pat_enabled() || vma->vm_flags & VM_PFNMAP)
		vma->vm_page_prot = pat_pgprot(vma->vm_page_prot,
					       _PAGE_CACHE_MODE_WB);
}

pte_t __pfnmap_page_pte(const struct vm_area_struct *vma,
			const struct page *page, pte_t pte)
{
	pgprot_t prot = pte_pgprot(pte);

	/*
	 * The mapping is counted: who changes the type sees that, or this sees
	 * the type.
	 */
	smp_mb__after_atomic();
	pfnmap_lookup_prot(vma, &prot, page_to_pfn_t((struct page *)page));
	return __pte((pte_val(pte) & ~(pteval_t)_PAGE_CACHE_MASK) |
		     (pgprot_val(prot) & _PAGE_CACHE_MASK));
}

/**
 * pfnmap_lookup_huge - the same for a huge page
 * @prot: receives the memory type, as an entry above the last level has it
 * @pfn: first of the frames that are about to be inserted
 * @order: their number is 1 << @order
 *
 * Frames that do not have one type cannot be mapped by one entry.
 *
 * Context: page fault; takes no lock.
 * Return: false if they have not: @prot is of no use, map smaller pages.
 */
bool pfnmap_lookup_huge(pgprot_t *prot, pfn_t pfn, unsigned int order)
{
	unsigned long first = pfn_t_to_pfn(pfn), nr = 1UL << order, run;
	enum page_cache_mode type = _PAGE_CACHE_MODE_WB;
	bool uniform = true;

	if (pat_enabled()) {
		rcu_read_lock();
		switch (pat_run_kind(first, nr, &run)) {
		case PAT_RUN_RAM:
			uniform = pat_ram_alike(first, run, pat_ram_type,
						&type) == nr;
			break;
		case PAT_RUN_RESERVED:
			uniform = run == nr &&
				  pat_reserved_uniform(first, nr, &type);
			break;
		case PAT_RUN_OFFLINE:
		case PAT_RUN_UNTRACKED:
			uniform = run == nr;
			break;
		}
		rcu_read_unlock();
		*prot = pat_pgprot(*prot, type);
	}
	/* Bit 7 is PAT in an entry of the last level, and "huge" above. */
	*prot = pgprot_4k_2_large(*prot);
	return uniform;
}

/**
 * pfnmap_reserve - hold a memory type for a range that gets struct pages
 * @pfn: first frame
 * @size: bytes, a multiple of the page size
 * @prot: the memory type wanted; receives the one in force, which is as good
 *
 * Context: may sleep.
 * Return: as memtype_reserve_io().
 */
int pfnmap_reserve(unsigned long pfn, unsigned long size, pgprot_t *prot)
{
	enum page_cache_mode type = pgprot2cachemode(*prot);
	u64 start = PFN_PHYS(pfn);
	int err;

	err = pat_reserve_serving(start, start + size, &type,
				  __builtin_return_address(0));
	if (!err)
		*prot = pat_pgprot(*prot, type);
	return err;
}

/**
 * pfnmap_release - undo pfnmap_reserve()
 * @pfn: first frame, as it was given there
 * @size: bytes, as they were given there
 *
 * Context: may sleep.
 */
void pfnmap_release(unsigned long pfn, unsigned long size)
{
	memtype_free(PFN_PHYS(pfn), PFN_PHYS(pfn) + size);
}

int __pfnmap_split(struct vm_area_struct *vma, unsigned long addr)
{
	struct pat_map *upper = NULL, *map;

	for (;;) {
		pat_records_lock();
		map = pat_record_first(vma->vm_mm, addr - 1, addr + 1);
		while (map && (map->vma.vm_start >= addr ||
			       map->vma.vm_end <= addr))
			map = pat_record_next(map, addr - 1, addr + 1);
		if (!map)
			break;
		if (upper) {
			pat_record_split(map, upper, addr);
			upper = NULL;
		}
		pat_records_unlock();

		upper = pat_map_alloc(0, 1, GFP_KERNEL_ACCOUNT);
		if (!upper)
			return -ENOMEM;
	}
	pat_records_unlock();
	pat_map_free_chain(upper);
	return 0;
}

static unsigned long pat_count_records(struct mm_struct *mm,
				       unsigned long start, unsigned long end)
{
	unsigned long count = 0;
	struct pat_map *map;

	for (map = pat_record_first(mm, start, end); map;
	     map = pat_record_next(map, start, end))
		count++;
	return count;
}

/*
 * Record for @to, shifted by @shift, what is recorded for [start, end) of
 * @from, in one section: there is no moment at which a part is copied.
 */
static int pat_copy_records(struct mm_struct *to, unsigned long shift,
			    struct mm_struct *from, unsigned long start,
			    unsigned long end)
{
	struct pat_map *chain = NULL, *map, *copy, *new = NULL;
	unsigned long have = 0, need = 1;

	/* Mostly it is one record. */
	for (;;) {
		for (; have < need; have++) {
			copy = pat_map_alloc(0, 1, GFP_KERNEL_ACCOUNT);
			if (!copy) {
				pat_map_free_chain(chain);
				return -ENOMEM;
			}
			copy->next = chain;
			chain = copy;
		}
		pat_records_lock();
		need = pat_count_records(from, start, end);
		if (need <= have)
			break;
		pat_records_unlock();
	}

	/* The copies come in only when all are read: @to may be @from. */
	for (map = pat_record_first(from, start, end); map;
	     map = pat_record_next(map, start, end)) {
		unsigned long low = max(map->vma.vm_start, start);
		unsigned long high = min(map->vma.vm_end, end);

		copy = chain;
		chain = copy->next;
		pat_record_inherit(copy, map);
		copy->vma.vm_mm = to;
		copy->vma.vm_start = low + shift;
		copy->vma.vm_end = high + shift;
		copy->vma.vm_pgoff = pat_map_pfn(map) +
				((low - map->vma.vm_start) >> PAGE_SHIFT);
		copy->stamp = atomic_long_read(&zap_clock);
		copy->next = new;
		new = copy;
	}
	for (; new; new = copy) {
		copy = new->next;
		pat_record_link(new);
	}
	pat_records_unlock();

	pat_map_free_chain(chain);
	return 0;
}

int __pfnmap_copy(struct vm_area_struct *dst, struct vm_area_struct *src)
{
	return pat_copy_records(dst->vm_mm, 0, src->vm_mm, src->vm_start,
				src->vm_end);
}

int __pfnmap_move(struct vm_area_struct *new_vma, unsigned long new_addr,
		  struct vm_area_struct *vma, unsigned long addr,
		  unsigned long size)
{
	return pat_copy_records(new_vma->vm_mm, new_addr - addr, vma->vm_mm,
				addr, addr + size);
}

unsigned long __pfnmap_zap_begin(void)
{
	return atomic_long_inc_return(&zap_clock);
}

static void pat_trim(struct work_struct *work);
static DECLARE_DELAYED_WORK(pat_trim_work, pat_trim);

/* @map may cover more than what is mapped: have that looked at. */
static void pat_trim_later(struct pat_map *map)
{
	pat_record_mark_inexact(map);
	queue_delayed_work(system_unbound_wq, &pat_trim_work, 1);
}

void __pfnmap_moved(struct mm_struct *mm, unsigned long addr,
		    unsigned long size)
{
	unsigned long end = addr + size;
	struct pat_map *map;

	pat_records_lock();
	for (map = pat_record_first(mm, addr, end); map;
	     map = pat_record_next(map, addr, end))
		pat_trim_later(map);
	pat_records_unlock();
}

/*
 * Drop [start, end), which touches @map, from it.  @upper is a spare record
 * that becomes the upper part when a hole is cut; without one the record stays,
 * inexact.  Return: what is not linked now, and not needed: @map, @upper or NULL.
 */
static struct pat_map *pat_drop_part(struct pat_map *map, unsigned long start,
				     unsigned long end, struct pat_map *upper)
{
	bool head = start <= map->vma.vm_start;
	bool tail = end >= map->vma.vm_end;

	if (head && tail) {
		pat_record_unlink(map);
		map->next = upper;
		return map;
	}
	if (head) {
		pat_record_move_ends(map, end, map->vma.vm_end);
	} else if (tail) {
		pat_record_move_ends(map, map->vma.vm_start, start);
	} else if (upper) {
		pat_record_split(map, upper, end);
		pat_record_move_ends(map, map->vma.vm_start, start);
		return NULL;
	} else {
		pat_trim_later(map);
	}
	return upper;
}

/* A record to be filled in, charged to who has the mapping. */
static struct pat_map *pat_spare(struct mm_struct *mm, gfp_t gfp)
{
	struct mem_cgroup *memcg = get_mem_cgroup_from_mm(mm);
	struct mem_cgroup *old = set_active_memcg(memcg);
	struct pat_map *spare = pat_map_alloc(0, 1, gfp);

	set_active_memcg(old);
	mem_cgroup_put(memcg);
	return spare;
}

/* The frame less the page: the same for all pages of a record. */
static unsigned long pat_map_shift(const struct pat_map *map)
{
	return pat_map_pfn(map) - (map->vma.vm_start >> PAGE_SHIFT);
}

/* What the worker needs to know of a record when it has let go of the lock. */
struct pat_trim_range {
	struct mm_struct	*mm;	/* referenced, mmap_lock held for reading */
	unsigned long		start;
	unsigned long		end;
	unsigned long		shift;	/* see pat_map_shift() */
};

/*
 * The next inexact record whose mm is not busy, marked exact: a zap from now on
 * marks it anew.  *busy counts the mms that are.
 */
static bool pat_trim_next(struct pat_trim_range *range, unsigned int *busy)
{
	struct pat_map *map;

	pat_records_lock();
	while (*busy < PAT_TRIM_TRIES && (map = pat_record_inexact())) {
		struct mm_struct *mm = map->vma.vm_mm;

		/* Only a try: who holds it may wait for the records. */
		if (!mmap_read_trylock(mm)) {
			pat_record_mark_inexact(map);	/* goes to the end */
			++*busy;
			continue;
		}
		/* exit_mmap() drops the record before the mm can go. */
		mmgrab(mm);
		*range = (struct pat_trim_range) {
			.mm = mm,
			.start = map->vma.vm_start,
			.end = map->vma.vm_end,
			.shift = pat_map_shift(map),
		};
		pat_record_mark_exact(map);
		pat_records_unlock();
		return true;
	}
	pat_records_unlock();
	return false;
}

/* A record of [start, end) with the frames of @range, but not @except. */
static struct pat_map *pat_trim_find(const struct pat_trim_range *range,
				     unsigned long start, unsigned long end,
				     const struct pat_map *except)
{
	struct pat_map *map;

	map = pat_record_first(range->mm, start, end);
	while (map && (map == except || pat_map_shift(map) != range->shift))
		map = pat_record_next(map, start, end);
	return map;
}

/* [start, end) of the range is not mapped: no record may say that it is. */
static void pat_trim_part(const struct pat_trim_range *range,
			  unsigned long start, unsigned long end)
{
	struct pat_map *spare, *map;

	/* Who cleared the entries may not have flushed yet. */
	flush_tlb_mm_range(range->mm, start, end, PAGE_SHIFT, false);
	do {
		spare = pat_spare(range->mm, GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
		pat_records_lock();
		map = pat_trim_find(range, start, end, NULL);
		if (map)
			spare = pat_drop_part(map, start, end, spare);
		pat_records_unlock();
		pat_map_free_chain(spare);
	} while (map);
}

/*
 * A page that was zapped and mapped again, by the same frame, before the first
 * record could be cut has two: one is enough.
 */
static void pat_trim_twins(const struct pat_trim_range *range)
{
	struct pat_map *spare, *map, *twin;

	do {
		spare = pat_spare(range->mm, GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
		twin = NULL;
		pat_records_lock();
		for (map = pat_record_first(range->mm, range->start, range->end);
		     map && !twin;
		     map = pat_record_next(map, range->start, range->end)) {
			if (pat_map_shift(map) != range->shift)
				continue;
			twin = pat_trim_find(range, map->vma.vm_start,
					     map->vma.vm_end, map);
			if (!twin)
				continue;
			/* A zap that has begun must not drop what is left. */
			map->stamp = max(map->stamp, twin->stamp);
			spare = pat_drop_part(twin, map->vma.vm_start,
					      map->vma.vm_end, spare);
		}
		pat_records_unlock();
		pat_map_free_chain(spare);
	} while (twin);
}

/**
 * pat_page_is_mapped - does an address map a frame?
 * @vma: where @addr is, NULL if nothing is there
 * @addr: the address
 * @pfn: the frame
 *
 * Context: mmap_lock held; may sleep.
 * Return: true if the page table entry at @addr is of @pfn.
 */
bool pat_page_is_mapped(struct vm_area_struct *vma, unsigned long addr,
			unsigned long pfn)
{
	struct follow_pfnmap_args args = { .vma = vma, .address = addr };
	bool same;

	if (!vma || follow_pfnmap_start(&args))
		return false;
	same = args.pfn == pfn;
	follow_pfnmap_end(&args);
	return same;
}

/* Make the records of the range exact. */
static void pat_trim_range(const struct pat_trim_range *range)
{
	unsigned long addr, gone = range->end;
	struct vm_area_struct *vma = NULL;

	pat_trim_twins(range);
	for (addr = range->start; addr < range->end; addr += PAGE_SIZE) {
		if (!vma || addr >= vma->vm_end)
			vma = vma_lookup(range->mm, addr);
		if (!pat_page_is_mapped(vma, addr, (addr >> PAGE_SHIFT) +
						   range->shift)) {
			gone = min(gone, addr);
		} else if (gone < addr) {
			pat_trim_part(range, gone, addr);
			gone = range->end;
		}
		cond_resched();
	}
	if (gone < range->end)
		pat_trim_part(range, gone, range->end);
}

static void pat_trim(struct work_struct *work)
{
	struct pat_trim_range range;
	unsigned int busy = 0;

	while (pat_trim_next(&range, &busy)) {
		pat_trim_range(&range);
		mmap_read_unlock(range.mm);
		mmdrop(range.mm);
	}
	if (busy)
		queue_delayed_work(system_unbound_wq, &pat_trim_work,
				   PAT_TRIM_DELAY);
}

/*
 * A spare for pat_drop_part(), if it is going to need one.  Who is at the limit
 * of its memory cgroup must not keep frames that a driver takes away: then it
 * is not charged.  There are never more of these than pages mapped.
 */
static struct pat_map *pat_spare_for(const struct pat_map *map,
				     unsigned long start, unsigned long end)
{
	struct pat_map *spare;

	if (start <= map->vma.vm_start || end >= map->vma.vm_end)
		return NULL;
	spare = pat_spare(map->vma.vm_mm,
			  GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN);
	return spare ?: pat_map_alloc(0, 1, GFP_NOWAIT | __GFP_NOWARN);
}

void __pfnmap_zap_end(struct mmu_gather *tlb, struct vm_area_struct *vma,
		      unsigned long start, unsigned long end,
		      unsigned long stamp)
{
	struct pat_map *map, *next, *gone = NULL;

	if (!pat_enabled() || tlb->fullmm)
		return;

	/*
	 * unmap_page_range() has flushed what it cleared, as always for a PFN
	 * mapping; nothing is left here unless that changes.
	 */
	tlb_flush_mmu_tlbonly(tlb);
	/*
	 * Another zap of this mm may have cleared entries that this one then
	 * found empty, and not have flushed them yet.
	 */
	if (mm_tlb_flush_nested(vma->vm_mm))
		flush_tlb_range(vma, start, end);

	pat_records_lock();
	for (map = pat_record_first(vma->vm_mm, start, end); map; map = next) {
		next = pat_record_next(map, start, end);
		if (map->stamp >= stamp) {
			pat_trim_later(map);
			continue;
		}
		map = pat_drop_part(map, start, end,
				    pat_spare_for(map, start, end));
		if (map) {
			map->next = gone;
			gone = map;
		}
	}
	pat_records_unlock();
	pat_map_free_chain(gone);
}

/**
 * pfnmap_exit - the last user of an mm is gone, and so are its mappings
 * @tlb: the mmu_gather of exit_mmap()
 *
 * Drops all records of the mm, also those that a fork which failed left in it.
 *
 * Context: after the last page table entry was cleared, before page tables
 * are freed; may sleep.
 */
void pfnmap_exit(struct mmu_gather *tlb)
{
	struct pat_map *map, *gone;
	int batch;

	if (likely(!pat_records_any(tlb->mm)))
		return;

	tlb_flush_mmu_tlbonly(tlb);
	if (mm_tlb_flush_nested(tlb->mm))
		flush_tlb_mm(tlb->mm);
	do {
		gone = NULL;
		batch = PAT_EXIT_BATCH;
		pat_records_lock();
		while (batch-- &&
		       (map = pat_record_first(tlb->mm, 0, ULONG_MAX))) {
			pat_record_unlink(map);
			map->next = gone;
			gone = map;
		}
		pat_records_unlock();
		pat_map_free_chain(gone);
		cond_resched();
	} while (gone);
}
