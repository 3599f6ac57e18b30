// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory types of physical memory: the front hall.
 *
 * An x86 CPU must never see one page frame through two mappings of different
 * memory types (write-back, write-combining, uncached, ...).  Who maps a frame
 * therefore asks here which type it may use, and holds that type against
 * others until its last translation is gone.
 *
 * Three sources of truth
 *
 *	question		answer			written by
 *	is this frame RAM?	a table of ranges	boot, memory hotplug
 *	type of a RAM frame	two bits of page->flags	cpa (set_memory_*() ...)
 *	type of any other	the records that cover	ioremap(), mappings of
 *	frame			it; UC- if none does	processes, reservations
 *
 * Rooms
 *
 *	pat/modes.c	what the PAT MSR holds; names of types
 *	pat/ram.c	the table of ranges, the two bits
 *	pat/reserved.c	the records: VMAs on a dummy inode
 *	pat/lookup.c	which type a frame has, without a lock
 *	pat/pfnmap.c	the hooks in mm, through a process mapping's life
 *	pageattr.c	changing the type of RAM in every mapping there is
 *	pat/fix.c	live page table entries of recorded RAM
 *	pat/freed.c	pages that are freed while they are not write-back
 *	pat/removed.c	memory that is removed while it is mapped
 *	pat/validate.c	the invariants
 *	pat/messages.c	what log and trace points say of conflicts
 *	pat/debug.c	what debugfs shows
 *	pat.c		here: from a byte range to the room that knows
 *
 * Two kinds of range are outside of all this.  The legacy ISA range (and the
 * GRU on UV) is not tracked: it is write-back in page tables and MTRRs decide.
 * Offline memory has no struct pages to ask, and is write-back.
 *
 * Locks, outermost first; the bits of RAM need none, its owner owns its type
 *
 *	mmap_lock
 *	  a file's i_mmap_rwsem		(zaps come in with this one only)
 *	    the dummy inode's i_mmap_rwsem	both links of every record
 *	      page table locks
 *	        transit_lock		which RAM is between two types
 *	      pat_tree_lock (raw)		one step in the frame tree
 *	low_mutex			in mmap_lock, none of the others in it
 *	ram_table_mutex			alone
 *	freed_lock (raw)		alone
 *
 * Nothing that may enter reclaim is allocated under an i_mmap_rwsem.  Look-ups
 * take no lock.  vmalloc's purge, which may run under any of its callers' locks,
 * only counts, and leaves the rest to a worker.
 */

#define pr_fmt(fmt) "x86/PAT: " fmt

#include <linux/cc_platform.h>
#include <linux/fs.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include <asm/e820/api.h>
#include <asm/mtrr.h>
#include <asm/pat.h>

#include "mm_internal.h"
#include "pat/pat_internal.h"

/* So many frames are looked at before others get their turn. */
#define PAT_DEVMEM_BATCH	1024UL

/* cpa does not give these two; UC- it is, as it always has been. */
static enum page_cache_mode pat_direct_map_type(enum page_cache_mode type)
{
	if (type == _PAGE_CACHE_MODE_UC || type == _PAGE_CACHE_MODE_WP)
		return _PAGE_CACHE_MODE_UC_MINUS;
	return type;
}

/*
 * Nothing is tracked: let the direct map follow a mapping of what it has, too.
 * Nobody sets it back then but who maps the same write-back.
 */
static int pat_sync_untracked(u64 start, u64 end, enum page_cache_mode type)
{
	u64 top = __pa(high_memory - 1) + 1;
	struct pat_cpa cpa = {
		.pfn = PHYS_PFN(start),
		.nr = PHYS_PFN(min(end, top) - 1) + 1 - PHYS_PFN(start),
		.addr = (unsigned long)__va(start & PAGE_MASK),
	};

	if (start >= top)
		return 0;
	if (!page_is_ram(cpa.pfn) &&
	    (start >= ISA_END_ADDRESS ||
	     x86_platform.is_untracked_pat_range(start, end)))
		return 0;
	return cpa_set_direct_map(&cpa, pat_direct_map_type(type)) ? -EINVAL : 0;
}

#ifdef CONFIG_X86_PAT

/**
 * pat_effective_want - what a request means where MTRRs have a say
 * @pfn: first reserved frame
 * @nr: number of frames
 * @want: the type asked for
 *
 * A request for write-back means "cached where the MTRRs allow it", and what
 * the CPU makes of any other combination, by its table of effective types, is
 * what the mapping says.  A type that the CPU has no slot for is replaced by
 * the one that it will give.
 *
 * Context: any.
 * Return: the type to record.
 */
enum page_cache_mode pat_effective_want(unsigned long pfn, unsigned long nr,
					enum page_cache_mode want)
{
	u8 uniform;

	if (want == _PAGE_CACHE_MODE_WB &&
	    mtrr_type_lookup(PFN_PHYS(pfn), PFN_PHYS(pfn + nr),
			     &uniform) != MTRR_TYPE_WRBACK)
		return _PAGE_CACHE_MODE_UC_MINUS;
	return pgprot2cachemode(pat_pgprot(__pgprot(0), want));
}

/**
 * pat_range_to_frames - the door: from bytes to whole frames
 * @start: first byte
 * @end: end of the range
 * @pfn: receives the first frame
 * @nr: receives the number of frames
 *
 * Bits above the physical address mean nothing, here as in a page table entry:
 * a "decoy" address, which set_mce_nospec() uses to change poisoned pages, has
 * such.
 *
 * Return: false for a range that is empty or wraps.
 */
bool pat_range_to_frames(u64 start, u64 end, unsigned long *pfn,
			 unsigned long *nr)
{
	u64 last = end - 1;

	if (IS_ENABLED(CONFIG_X86_64)) {
		start &= __PHYSICAL_MASK;
		last &= __PHYSICAL_MASK;
	}
	if (start > last)
		return false;
	*pfn = PHYS_PFN(start);
	*nr = PHYS_PFN(last) - *pfn + 1;
	return true;
}

static DEFINE_MUTEX(low_mutex);

/* Set the direct map of low frames, which somebody holds with @type or nobody. */
static int pat_set_low(unsigned long pfn, unsigned long nr,
		       enum page_cache_mode type)
{
	struct pat_cpa cpa = {
		.pfn = pfn,
		.nr = nr,
		.addr = (unsigned long)__va(PFN_PHYS(pfn)),
	};

	return cpa_set_direct_map(&cpa, pat_direct_map_type(type));
}

/* Low frames may have been let go: those that were are write-back again. */
static void pat_restore_low(struct work_struct *work)
{
	enum page_cache_mode type, other;
	unsigned long pfn, end;

	mutex_lock(&low_mutex);
	for (pfn = 0; pfn < PAT_LOW_END; pfn = end) {
		type = pat_reserved_type_or(pfn, _PAGE_CACHE_MODE_WB);
		for (end = pfn + 1; end < PAT_LOW_END; end++) {
			other = pat_reserved_type_or(end, _PAGE_CACHE_MODE_WB);
			if (other != type)
				break;
		}
		pat_set_low(pfn, end - pfn, type);
	}
	mutex_unlock(&low_mutex);
}

static DECLARE_WORK(pat_low_work, pat_restore_low);

/**
 * pat_low_released - a record of reserved frames below PAT_LOW_END goes
 * @type: its type
 *
 * Context: any.
 */
void pat_low_released(enum page_cache_mode type)
{
	if (type != _PAGE_CACHE_MODE_WB)
		queue_work(system_unbound_wq, &pat_low_work);
}

/**
 * pat_sync_low - let the direct map follow a mapping of reserved frames
 * @pfn: first frame
 * @nr: number of frames, all reserved, recorded with @type
 * @type: the type
 *
 * The direct map has nothing but RAM, and all below 1 MiB, whatever that is: so
 * only this can be a second mapping of reserved frames.  (It is made of small
 * pages: cpa needs no memory there.)
 *
 * Context: may sleep.
 * Return: 0, or what cpa says, and a line in the log.
 */
int pat_sync_low(unsigned long pfn, unsigned long nr, enum page_cache_mode type)
{
	int err;

	if (pfn >= PAT_LOW_END)
		return 0;
	nr = min(nr, PAT_LOW_END - pfn);
	mutex_lock(&low_mutex);
	err = pat_set_low(pfn, nr, type);
	mutex_unlock(&low_mutex);
	if (err)
		pr_info("%s:%d the direct map of [mem %#010llx-%#010llx] cannot become %s\n",
			current->comm, current->pid, (u64)pfn << PAGE_SHIFT,
			((u64)(pfn + nr) << PAGE_SHIFT) - 1, pat_mode_name(type));
	return err;
}

/* Whose record is it?  That of a reservation, if not of an ioremap(), @area. */
static void pat_name_holder(struct pat_map *map, const struct vm_struct *area,
			    const void *caller)
{
	map->holder = PAT_HOLDER_RANGE;
	map->caller = caller;
	if (area) {
		map->holder = PAT_HOLDER_KERNEL;
		map->vma.vm_mm = &init_mm;
		map->vma.vm_end += (unsigned long)area->addr;
		map->vma.vm_start = (unsigned long)area->addr;
	}
}

/* Link all of @chain, with one type, or none of it.  Records locked. */
static int pat_link_chain(struct pat_map *chain, enum page_cache_mode asked,
			  enum page_cache_mode want, enum pat_match match,
			  enum page_cache_mode *granted)
{
	struct pat_map *map, *undo;
	int err = 0;

	for (map = chain; map; map = map->next) {
		err = pat_record_admit(map, asked, want, match);
		if (err)
			break;
		want = pat_map_type(map);
		match = PAT_MATCH_EXACT;
	}
	for (undo = chain; err && undo != map; undo = undo->next)
		pat_record_unlink(undo);
	if (!err)
		*granted = want;
	return err;
}

/*
 * Record [pfn, pfn + nr) as one record, or as many as its length needs where
 * an unsigned long is short; all or none.
 */
static int pat_reserve_frames(unsigned long pfn, unsigned long nr,
			      enum page_cache_mode asked, enum pat_match match,
			      struct vm_struct *area, const void *caller,
			      enum page_cache_mode *granted)
{
	enum page_cache_mode want = pat_effective_want(pfn, nr, asked);
	struct pat_map *chain = NULL, *map;
	unsigned long left, part;
	int err = 0;

	pat_records_lock();
	for (left = nr; left; left -= part) {
		part = min(left, PAT_MAP_MAX_PAGES);
		map = pat_map_recycle(pfn + nr - left, part);
		if (!map) {
			pat_records_unlock();
			map = pat_map_alloc(pfn + nr - left, part, GFP_KERNEL);
			pat_records_lock();
		}
		if (!map) {
			err = -ENOMEM;
			break;
		}
		pat_name_holder(map, area, caller);
		map->next = chain;
		chain = map;
	}
	while (!err) {
		err = pat_link_chain(chain, asked, want, match, granted);
		if (err != PAT_ADMIT_STALE)
			break;
		pat_records_unlock();
		vm_unmap_aliases();
		pat_records_lock();
		err = 0;
	}
	pat_records_unlock();
	if (err)
		pat_map_free_chain(chain);
	else if (area)
		area->memtype = chain;
	return err;
}

/*
 * Undo pat_reserve_frames() without an area.  Return: how many frames, at the
 * end, have no record.
 */
static unsigned long pat_free_frames(unsigned long pfn, unsigned long nr)
{
	struct pat_map *chain = NULL, *map;
	unsigned long left, part;

	pat_records_lock();
	for (left = nr; left; left -= part) {
		part = min(left, PAT_MAP_MAX_PAGES);
		map = pat_record_find(pfn + nr - left, part);
		if (!map)
			break;
		pat_record_unlink(map);
		map->next = chain;
		chain = map;
	}
	pat_records_unlock();
	pat_map_free_chain(chain);
	return left;
}

/* The same with one: its frames are held until its last translation is gone. */
static void pat_free_area(struct vm_struct *area)
{
	struct pat_map *map, *next;

	pat_records_lock();
	for (map = area->memtype; map; map = next) {
		next = map->next;
		pat_record_retire(map);
	}
	pat_records_unlock();
	area->memtype = NULL;
}

static int pat_reserve(u64 start, u64 end, enum page_cache_mode want,
		       enum pat_match match, enum page_cache_mode *granted,
		       struct vm_struct *area, const void *caller)
{
	enum page_cache_mode type = want;
	unsigned long pfn, nr, run;
	int err = 0;

	if (!pat_range_to_frames(start, end, &pfn, &nr)) {
		pr_warn("%ps: no such range [mem %#010llx-%#010llx], wanted %s\n",
			caller, start, end - 1, pat_mode_name(want));
		return -EINVAL;
	}

	if (!pat_enabled()) {
		/* Page tables as without PAT: whatever was asked for. */
		err = pat_sync_untracked(start, end, want);
	} else if (pat_untracked(pfn, nr)) {
		type = _PAGE_CACHE_MODE_WB;
	} else {
		enum pat_frames frames = pat_ram_run(pfn, nr, &run);

		if (run < nr) {
			pr_info_ratelimited("%ps: [mem %#010llx-%#010llx] is partly RAM, wanted %s\n",
					    caller, start, end - 1,
					    pat_mode_name(want));
			err = -EINVAL;
		} else if (frames == PAT_FRAMES_RAM) {
			err = pat_cpa_reserve(pfn, nr, want, &type, caller);
		} else if (frames == PAT_FRAMES_OFFLINE) {
			err = want == _PAGE_CACHE_MODE_WB ? 0 : -EINVAL;
		} else {
			err = pat_reserve_frames(pfn, nr, want, match, area,
						 caller, &type);
			if (!err && pat_sync_low(pfn, nr, type)) {
				if (area)
					pat_free_area(area);
				else
					pat_free_frames(pfn, nr);
				err = -EINVAL;
			}
		}
		pat_dbg("reserve [mem %#010llx-%#010llx] %s: %d, %s\n",
			start, end - 1, pat_mode_name(want), err,
			pat_mode_name(type));
	}

	if (granted)
		*granted = type;
	return err;
}

static int pat_free(u64 start, u64 end, const void *caller)
{
	unsigned long pfn, nr, run;

	if (!pat_enabled())
		return 0;
	if (!pat_range_to_frames(start, end, &pfn, &nr))
		return -EINVAL;
	if (pat_untracked(pfn, nr))
		return 0;

	switch (pat_ram_run(pfn, nr, &run)) {
	case PAT_FRAMES_RAM:
		if (run < nr)
			return -EINVAL;
		pat_cpa_unreserve(pfn, nr);
		return 0;
	case PAT_FRAMES_OFFLINE:
		return run < nr ? -EINVAL : 0;
	default:
		break;
	}

	if (pat_free_frames(pfn, nr)) {
		pr_info_ratelimited("%s:%d freeing invalid memtype [mem %#010llx-%#010llx] in %ps\n",
				    current->comm, current->pid, start, end - 1,
				    caller);
		return -EINVAL;
	}
	pat_dbg("free [mem %#010llx-%#010llx]\n", start, end - 1);
	return 0;
}

/**
 * pat_range_is_reserved - is there no RAM in a range, for certain?
 * @start: first byte
 * @end: end of the range
 *
 * A quick answer to what the resource tree knows as well, from 1 MiB on: what is
 * below counts as reserved here, and some of it is RAM all the same.
 *
 * Context: any; takes no lock.
 * Return: true if no frame of the range is RAM; false if one is, or if nobody
 * knows, as without PAT.
 */
bool pat_range_is_reserved(u64 start, u64 end)
{
	unsigned long pfn, nr, run;

	return pat_enabled() && pat_range_to_frames(start, end, &pfn, &nr) &&
	       pfn >= PAT_LOW_END &&
	       pat_ram_run(pfn, nr, &run) == PAT_FRAMES_RESERVED && run == nr;
}

#else /* !CONFIG_X86_PAT */

static int pat_reserve(u64 start, u64 end, enum page_cache_mode want,
		       enum pat_match match, enum page_cache_mode *granted,
		       struct vm_struct *area, const void *caller)
{
	if (end <= start)
		return -EINVAL;
	if (granted)
		*granted = want;
	return pat_sync_untracked(start, end, want);
}

static int pat_free(u64 start, u64 end, const void *caller)
{
	return 0;
}

static void pat_free_area(struct vm_struct *area) { }

/* Nothing is known: see pat/lookup.c. */
bool pat_pfn_immune_to_uc_mtrr(unsigned long pfn)
{
	return false;
}
EXPORT_SYMBOL_GPL(pat_pfn_immune_to_uc_mtrr);

#endif /* CONFIG_X86_PAT */

/**
 * memtype_reserve - hold a memory type for a physical range
 * @start: first byte
 * @end: end of the range
 * @want: the type
 * @granted: NULL to insist on @want; else receives the type that is in force
 *	for the range, @want if none was, and it is the caller's to say whether
 *	that will do: see is_new_memtype_allowed()
 *
 * RAM is claimed page by page for its owner (cpa calls this before it changes
 * the direct map) and must be write-back before.  Any other range is recorded;
 * the same range may be reserved many times, each with its memtype_free().
 *
 * Context: may sleep.
 * Return: 0; -EBUSY if the range, or a part of it, is held with another type;
 * -EINVAL for no range at all, for one that is partly RAM, and for a type that
 * RAM cannot have; -ENOMEM.
 */
int memtype_reserve(u64 start, u64 end, enum page_cache_mode want,
		    enum page_cache_mode *granted)
{
	return pat_reserve(start, end, want,
			   granted ? PAT_MATCH_ANY : PAT_MATCH_EXACT, granted,
			   NULL, __builtin_return_address(0));
}

/**
 * memtype_free - undo one memtype_reserve()
 * @start: first byte, as it was given there
 * @end: end of the range, as it was given there
 *
 * Context: may sleep.
 * Return: 0, or -EINVAL for a range that is not reserved.
 */
int memtype_free(u64 start, u64 end)
{
	return pat_free(start, end, __builtin_return_address(0));
}

static u64 pat_area_end(const struct vm_struct *area)
{
	return area->phys_addr + get_vm_area_size(area);
}

/**
 * memtype_reserve_ioremap - hold a memory type for what ioremap() maps
 * @area: where it is going to be mapped, with the physical address of what is,
 *	and who asked; all page aligned
 * @want: the type
 * @granted: receives the type that is in force, which serves as well
 *
 * To be called before the first translation exists.
 *
 * Context: may sleep.
 * Return: as memtype_reserve_io().
 */
int memtype_reserve_ioremap(struct vm_struct *area, enum page_cache_mode want,
			    enum page_cache_mode *granted)
{
	return pat_reserve(area->phys_addr, pat_area_end(area), want,
			   PAT_MATCH_SERVES, granted, area, area->caller);
}

/**
 * memtype_free_ioremap - undo memtype_reserve_ioremap()
 * @area: the same
 *
 * To be called when the area is unmapped, and vmalloc is going to flush it:
 * nobody gets what it mapped with another type before that is done.
 *
 * Context: may sleep.
 */
void memtype_free_ioremap(struct vm_struct *area)
{
	if (area->memtype)
		pat_free_area(area);
	else
		pat_free(area->phys_addr, pat_area_end(area), area->caller);
}

/**
 * pat_reserve_serving - memtype_reserve_io() for a caller with a name
 * @start: first byte
 * @end: end of the range
 * @type: as there
 * @caller: who asks
 *
 * Context: may sleep.
 * Return: as memtype_reserve_io().
 */
int pat_reserve_serving(u64 start, u64 end, enum page_cache_mode *type,
			const void *caller)
{
	enum page_cache_mode granted;
	int err;

	err = pat_reserve(start, end, *type, PAT_MATCH_SERVES, &granted, NULL,
			  caller);
	if (!err)
		*type = granted;
	return err;
}

/**
 * memtype_reserve_io - hold a memory type for a range of a device
 * @start: first byte
 * @end: end of the range
 * @type: the type wanted; receives the one that is in force, which is as good
 *
 * For ranges that get mapped later, piece by piece.
 *
 * Context: may sleep.
 * Return: 0; -EBUSY if the type in force does not serve for @type, or as
 * memtype_reserve().  On failure @type is as it was.
 */
int memtype_reserve_io(resource_size_t start, resource_size_t end,
		       enum page_cache_mode *type)
{
	int err = pat_reserve_serving(start, end, type,
				      __builtin_return_address(0));

	WARN_ON_ONCE(!err && iomem_map_sanity_check(start, end - start));
	return err;
}

/**
 * memtype_free_io - undo memtype_reserve_io()
 * @start: first byte, as it was given there
 * @end: end of the range, as it was given there
 *
 * Context: may sleep.
 */
void memtype_free_io(resource_size_t start, resource_size_t end)
{
	pat_free(start, end, __builtin_return_address(0));
}

#ifdef CONFIG_X86_PAT
/**
 * arch_io_reserve_memtype_wc - hold write-combining for a device's range
 * @start: first byte
 * @size: bytes
 *
 * Context: may sleep.
 * Return: 0 if mappings of the range may ask for write-combining; else as
 * memtype_reserve_io().
 */
int arch_io_reserve_memtype_wc(resource_size_t start, resource_size_t size)
{
	enum page_cache_mode type = _PAGE_CACHE_MODE_WC;

	return memtype_reserve_io(start, start + size, &type);
}
EXPORT_SYMBOL(arch_io_reserve_memtype_wc);

/**
 * arch_io_free_memtype_wc - undo arch_io_reserve_memtype_wc()
 * @start: first byte, as it was given there
 * @size: bytes, as they were given there
 *
 * Context: may sleep.
 */
void arch_io_free_memtype_wc(resource_size_t start, resource_size_t size)
{
	memtype_free_io(start, start + size);
}
EXPORT_SYMBOL(arch_io_free_memtype_wc);
#endif

/**
 * phys_mem_access_prot - protection for a mapping of /dev/mem
 * @file: the open /dev/mem
 * @pfn: first frame
 * @size: bytes
 * @vma_prot: what the mapping would have otherwise
 *
 * Return: @vma_prot, decrypted where the range is not encrypted.
 */
pgprot_t phys_mem_access_prot(struct file *file, unsigned long pfn,
			      unsigned long size, pgprot_t vma_prot)
{
	if (phys_mem_access_encrypted(pfn << PAGE_SHIFT, size))
		return vma_prot;
	return pgprot_decrypted(vma_prot);
}

/**
 * phys_mem_access_run - how far does phys_mem_access_prot() say the same?
 * @pfn: first frame
 * @size: bytes, at least one
 *
 * Return: bytes, from @pfn on, that are all encrypted or all not; at most @size.
 */
unsigned long phys_mem_access_run(unsigned long pfn, unsigned long size)
{
	unsigned long run = PAGE_SIZE;
	bool encrypted;

	if (!cc_platform_has(CC_ATTR_MEM_ENCRYPT))
		return size;
	encrypted = phys_mem_access_encrypted(pfn << PAGE_SHIFT, PAGE_SIZE);
	while (run < size &&
	       phys_mem_access_encrypted((pfn << PAGE_SHIFT) + run,
					 PAGE_SIZE) == encrypted) {
		run += PAGE_SIZE;
		cond_resched();
	}
	return min(run, size);
}

#ifdef CONFIG_X86_PAT
/*
 * Can /dev/mem map @nr RAM pages?  Not what is broken, and not what somebody
 * took out of the direct map: that keeps it from everybody.
 */
static bool pat_devmem_ram_allowed(unsigned long pfn, unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++) {
		struct page *page = pfn_to_page(pfn + i);

		if (PageHWPoison(page) ||
		    (!PageHighMem(page) && !kernel_page_present(page)))
			return false;
	}
	return true;
}

/* May /dev/mem map these frames?  Where STRICT_DEVMEM asks, mem.c did. */
static bool pat_devmem_allowed(unsigned long pfn, unsigned long nr)
{
	bool allowed = true;
	unsigned long run;

	if (IS_ENABLED(CONFIG_STRICT_DEVMEM) || !pat_enabled())
		return true;
	if (resource_is_exclusive(&iomem_resource, PFN_PHYS(pfn),
				  PFN_PHYS(nr)))
		return false;

	for (; nr && allowed; nr -= run, pfn += run) {
		rcu_read_lock();	/* memory may go offline */
		switch (pat_ram_run(pfn, min(nr, PAT_DEVMEM_BATCH), &run)) {
		case PAT_FRAMES_RAM:
			allowed = pat_devmem_ram_allowed(pfn, run);
			break;
		case PAT_FRAMES_OFFLINE:
			allowed = false;
			break;
		default:
			break;
		}
		rcu_read_unlock();
		cond_resched();
	}
	return allowed;
}
#else
static bool pat_devmem_allowed(unsigned long pfn, unsigned long nr)
{
	return true;
}
#endif

/**
 * phys_mem_access_prot_allowed - may /dev/mem map this, and how?
 * @file: the open /dev/mem; O_SYNC asks for uncached
 * @pfn: first frame
 * @size: bytes
 * @vma_prot: receives the memory type to ask for
 *
 * Return: 1 or 0.
 */
int phys_mem_access_prot_allowed(struct file *file, unsigned long pfn,
				 unsigned long size, pgprot_t *vma_prot)
{
	enum page_cache_mode type = file->f_flags & O_DSYNC ?
		_PAGE_CACHE_MODE_UC_MINUS : _PAGE_CACHE_MODE_WB;

	if (!pat_devmem_allowed(pfn, DIV_ROUND_UP(size, PAGE_SIZE)))
		return 0;

	*vma_prot = pat_pgprot(*vma_prot, type);
	return 1;
}
