// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changing the memory type of RAM: cpa looks before it leaps.
 *
 * The kernel maps all RAM, so its type is changed in the direct map, by who owns
 * the pages.  Others may map them, too:
 *
 *	recorded PFN mappings	are fixed: their entries follow
 *	a page's own mappings	(anonymous, page cache, vm_insert_page()) are
 *				not: mm counts on them, so the call fails
 *	all others		(vmap(), vmf_insert_pfn() ...) are of the owner,
 *				who takes them away before
 *
 * Steps of a change, from or to write-back
 *
 *	begin	the range is in transit
 *		to another type: bits of page->flags are set: the claim
 *		mapped through struct page?  then fail
 *		recorded entries become UC-, and are flushed
 *	middle	the direct map is changed, and flushed with the caches
 *	end	from another type: the bits are cleared
 *		not in transit any more
 *		recorded entries get the type of the bits
 *
 * Between a write-back and a write-combining mapping there is always UC- at one
 * side, which CPUs keep coherent; caches are flushed when the last write-back
 * mapping is gone.  The direct map itself goes from one to the other in one step.
 * What the Intel SDM (volume 3, "Programming the PAT") warns of are writes: those
 * by write-combining need not look into the caches.  Nobody writes here: the pages
 * are their owner's, who waits for the change.  What a CPU reads by itself through
 * an old translation is clean, and gone with the flush of the caches, which comes
 * after that of the TLBs, as the SDM wants it.
 *
 * Who maps a page at the same time cannot be missed: it looks after it has
 * announced itself, and so does cpa.  A PFN mapping has its record linked and
 * reads, under the page table lock that cpa takes to fix the entry, first the
 * bits and then whether they are in transit.  Whatever goes by struct page
 * counts the mapping before it reads the bits; cpa reads the count after it has
 * set them.  (Of these only those that map the page when the change begins are
 * cared for: the owner, which alone can insert its pages, must not do that while
 * it changes them.)
 *
 * If the middle fails, all is set back; that takes no memory, since no entry is
 * touched that was not split already.
 */

#define pr_fmt(fmt) "x86/PAT: " fmt

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/rmap.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include <asm/pat.h>

#include "pat/pat_internal.h"
#include "pat/trace.h"

static LIST_HEAD(transits);
static DEFINE_SPINLOCK(transit_lock);
static atomic_long_t transits_begun = ATOMIC_LONG_INIT(0);

/* Frames of a struct pat_cpa that follow one another and are of one kind. */
struct cpa_run {
	unsigned long	at;	/* index of the first */
	unsigned long	pfn;
	unsigned long	nr;
	bool		ram;
};

/* The frames after @run, which begins as {}; false if that was all. */
static bool cpa_run_next(const struct pat_cpa *cpa, struct cpa_run *run)
{
	unsigned long same;

	run->at += run->nr;
	/* The kernel has no mapping of high memory, and no type. */
	while (cpa->pages && run->at < cpa->nr &&
	       PageHighMem(cpa->pages[run->at]))
		run->at++;
	if (run->at >= cpa->nr)
		return false;

	if (!cpa->pages) {
		run->pfn = cpa->pfn + run->at;
		run->nr = cpa->nr - run->at;
	} else {
		run->pfn = page_to_pfn(cpa->pages[run->at]);
		for (run->nr = 1; run->at + run->nr < cpa->nr; run->nr++)
			if (page_to_pfn(cpa->pages[run->at + run->nr]) !=
			    run->pfn + run->nr)
				break;
	}
	run->ram = pat_ram_run(run->pfn, run->nr, &same) == PAT_FRAMES_RAM;
	/* Pages of an array may be released in another order. */
	run->nr = cpa->pages && !run->ram ? 1 : same;
	return true;
}

static void cpa_transit_begin(struct pat_cpa *cpa)
{
	spin_lock(&transit_lock);
	list_add(&cpa->transit, &transits);
	atomic_long_inc(&transits_begun);
	spin_unlock(&transit_lock);
}

static void cpa_transit_end(struct pat_cpa *cpa)
{
	spin_lock(&transit_lock);
	list_del(&cpa->transit);
	spin_unlock(&transit_lock);
}

/**
 * pat_cpa_quiet - is no page between two types?
 * @seen: receives what pat_cpa_still_quiet() wants
 *
 * Context: any; takes no lock.
 * Return: true if none is.
 */
bool pat_cpa_quiet(unsigned long *seen)
{
	*seen = atomic_long_read(&transits_begun);
	smp_mb();
	return list_empty_careful(&transits);
}

/**
 * pat_cpa_still_quiet - has no page been between two types since?
 * @seen: by pat_cpa_quiet()
 *
 * Context: any; takes no lock.
 * Return: true if none has.
 */
bool pat_cpa_still_quiet(unsigned long seen)
{
	smp_mb();
	return atomic_long_read(&transits_begun) == seen;
}

static bool cpa_covers(const struct pat_cpa *cpa, unsigned long pfn)
{
	unsigned long i;

	if (!cpa->pages)
		return pfn - cpa->pfn < cpa->nr;
	for (i = 0; i < cpa->nr; i++)
		if (page_to_pfn(cpa->pages[i]) == pfn)
			return true;
	return false;
}

/**
 * pat_cpa_map_type - the type with which a recorded mapping may map RAM now
 * @pfn: a RAM frame
 *
 * Context: page table lock held, of a table in which an entry for @pfn is going
 * to be set; its record is linked.
 * Return: the memory type.
 */
enum page_cache_mode pat_cpa_map_type(unsigned long pfn)
{
	enum page_cache_mode type = pat_ram_type(pfn);
	struct pat_cpa *cpa;

	if (type == _PAGE_CACHE_MODE_WB)
		return type;
	smp_rmb();	/* the bits, then whether they are in transit */
	if (list_empty_careful(&transits))
		return type;

	spin_lock(&transit_lock);
	list_for_each_entry(cpa, &transits, transit) {
		if (cpa_covers(cpa, pfn)) {
			type = _PAGE_CACHE_MODE_UC_MINUS;
			break;
		}
	}
	spin_unlock(&transit_lock);
	return type;
}

/* Is this very page mapped by a process, and counted? */
static bool page_is_mapped(const struct page *page)
{
	const struct folio *folio = page_folio(page);

	if (!folio_test_large(folio))
		return folio_mapped(folio);
	return folio_entire_mapcount(folio) ||
	       atomic_read(&page->_mapcount) >= 0;
}

struct page_mapper {
	pid_t		pid;
	char		comm[TASK_COMM_LEN];
};

static bool page_mapper_is(struct folio *folio, struct vm_area_struct *vma,
			   unsigned long addr, void *arg)
{
#ifdef CONFIG_MEMCG
	DEFINE_FOLIO_VMA_WALK(walk, folio, vma, addr, 0);
	struct page_mapper *mapper = arg;
	struct task_struct *task;

	if (!page_vma_mapped_walk(&walk))
		return true;
	page_vma_mapped_walk_done(&walk);
	rcu_read_lock();
	task = rcu_dereference(vma->vm_mm->owner);
	if (task) {
		mapper->pid = task->pid;
		get_task_comm(mapper->comm, task);
	}
	rcu_read_unlock();
	return !task;
#else
	return true;
#endif
}

/* Say who maps @page; mm knows, unless a driver inserted it. */
static void cpa_complain_mapped(const struct pat_cpa *cpa, struct page *page,
				enum page_cache_mode type)
{
	struct page_mapper mapper = {};
	struct folio *folio = page_folio(page);
	struct rmap_walk_control walk = {
		.arg = &mapper,
		.rmap_one = page_mapper_is,
		.try_lock = true,
	};

	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);

	trace_pat_fix_refused(page_to_pfn(page), type, cpa->caller);
	if (!__ratelimit(&limit))
		return;
	if (folio_mapping(folio) || folio_test_anon(folio)) {
		if (folio_trylock(folio)) {
			rmap_walk(folio, &walk);
			folio_unlock(folio);
		}
		if (!mapper.pid)
			strscpy(mapper.comm, "a process");
	} else {
		strscpy(mapper.comm, "its driver");
	}
	pr_info("RAM page %#llx cannot become %s: %s:%d maps it, %ps asked\n",
		(u64)page_to_pfn(page) << PAGE_SHIFT, pat_mode_name(type),
		mapper.comm, mapper.pid, cpa->caller);
}

/* Claim one RAM page for @type, if it is write-back and may change. */
static int cpa_claim_page(struct pat_cpa *cpa, unsigned long pfn,
			  enum page_cache_mode type)
{
	struct page *page = pfn_to_page(pfn);

	cpa->found = pat_ram_claim(pfn, type);
	if (cpa->found != _PAGE_CACHE_MODE_WB) {
		pr_info_ratelimited("RAM page %#llx is %s, cannot become %s, %ps asked\n",
				    (u64)pfn << PAGE_SHIFT,
				    pat_mode_name(cpa->found),
				    pat_mode_name(type), cpa->caller);
		return -EBUSY;
	}
	/* The claim was a full barrier: pairs with __pfnmap_page_pte(). */
	if (!page_is_mapped(page))
		return 0;
	pat_ram_set_type(pfn, _PAGE_CACHE_MODE_WB);
	cpa_complain_mapped(cpa, page, type);
	return -EBUSY;
}

static void cpa_release_ram(unsigned long pfn, unsigned long nr)
{
	while (nr--)
		pat_ram_set_type(pfn++, _PAGE_CACHE_MODE_WB);
}

/* Frames that are not RAM are reserved; the type of RAM is in its bits. */
static int cpa_claim_run(struct pat_cpa *cpa, const struct cpa_run *run,
			 enum page_cache_mode type)
{
	u64 start = PFN_PHYS(run->pfn);
	unsigned long i;
	int err = 0;

	if (!run->ram)
		return memtype_reserve(start, start + PFN_PHYS(run->nr), type,
				       NULL);
	for (i = 0; i < run->nr && !err; i++)
		err = cpa_claim_page(cpa, run->pfn + i, type);
	/* The last one has not been claimed. */
	if (err)
		cpa_release_ram(run->pfn, i - 1);
	else
		trace_pat_ram_type(run->pfn, run->nr, _PAGE_CACHE_MODE_WB, type);
	return err;
}

static void cpa_release_run(const struct cpa_run *run)
{
	u64 start = PFN_PHYS(run->pfn);

	if (run->ram) {
		trace_pat_ram_type(run->pfn, run->nr, pat_ram_type(run->pfn),
				   _PAGE_CACHE_MODE_WB);
		cpa_release_ram(run->pfn, run->nr);
	} else {
		memtype_free(start, start + PFN_PHYS(run->nr));
	}
}

/* Make the bits of all pages below index @end write-back. */
static void cpa_release(const struct pat_cpa *cpa, unsigned long end)
{
	struct cpa_run run = {};

	while (cpa_run_next(cpa, &run) && run.at < end)
		cpa_release_run(&run);
}

/* Claim all pages for @type, or none. */
static int cpa_claim(struct pat_cpa *cpa, enum page_cache_mode type)
{
	struct cpa_run run = {};
	int err;

	while (cpa_run_next(cpa, &run)) {
		err = cpa_claim_run(cpa, &run, type);
		if (err) {
			cpa_release(cpa, run.at);
			return err;
		}
	}
	return 0;
}

/* Before pages become write-back: may they? */
static int cpa_check_unmapped(const struct pat_cpa *cpa)
{
	struct cpa_run run = {};
	unsigned long i;

	while (cpa_run_next(cpa, &run)) {
		for (i = 0; run.ram && i < run.nr; i++) {
			struct page *page = pfn_to_page(run.pfn + i);

			if (!page_memtype_flags(page) || !page_is_mapped(page))
				continue;
			cpa_complain_mapped(cpa, page, _PAGE_CACHE_MODE_WB);
			return -EBUSY;
		}
	}
	return 0;
}

/* Let the recorded mappings of the pages follow. */
static void cpa_fix(const struct pat_cpa *cpa, bool in_transit)
{
	struct cpa_run run = {};

	/* What was written before, then who maps: pairs with pat_record_link(). */
	smp_mb();
	if (!pat_records_of_ram())
		return;
	while (cpa_run_next(cpa, &run))
		if (run.ram)
			pat_fix(run.pfn, run.nr, in_transit);
}

static int cpa_check(const struct pat_cpa *cpa)
{
	u64 start = PFN_PHYS(cpa->pfn);
	unsigned long pfn, nr, run;

	if (cpa->pages)
		return 0;
	if (!pat_range_to_frames(start, start + PFN_PHYS(cpa->nr), &pfn, &nr)) {
		pr_warn("%ps: no pages to change at %#llx\n", cpa->caller, start);
		return -EINVAL;
	}
	pat_ram_run(cpa->pfn, cpa->nr, &run);
	if (run < cpa->nr) {
		pr_info_ratelimited("%ps: [mem %#010llx-%#010llx] is partly RAM\n",
				    cpa->caller, start,
				    start + PFN_PHYS(cpa->nr) - 1);
		return -EINVAL;
	}
	return 0;
}

/**
 * pat_cpa_begin - the first step of a change: see above
 * @cpa: which pages
 * @type: the type that they are going to have
 *
 * Not static, since tests stop here.
 *
 * Context: as pat_cpa_change().
 * Return: as pat_cpa_change(); on failure nothing has changed, and there is no
 * last step.
 */
noinline int pat_cpa_begin(struct pat_cpa *cpa, enum page_cache_mode type)
{
	int err = cpa_check(cpa);

	if (err)
		return err;

	cpa_transit_begin(cpa);
	if (type == _PAGE_CACHE_MODE_WB)
		err = cpa_check_unmapped(cpa);
	else
		err = cpa_claim(cpa, type);
	if (!err) {
		cpa_fix(cpa, true);
		return 0;
	}
	cpa_transit_end(cpa);
	cpa_fix(cpa, false);
	return err;
}

/**
 * pat_cpa_end - the last step of a change
 * @cpa: as given to pat_cpa_begin()
 * @type: as given to pat_cpa_begin()
 * @failed: the direct map has the types that were there before
 *
 * Context: as pat_cpa_change().
 */
noinline void pat_cpa_end(struct pat_cpa *cpa, enum page_cache_mode type,
			  bool failed)
{
	if (failed != (type == _PAGE_CACHE_MODE_WB))
		cpa_release(cpa, cpa->nr);
	cpa_transit_end(cpa);
	cpa_fix(cpa, false);
}

/* How many pages from @at on, at most @nr, had the type of that one, and which? */
static unsigned long cpa_alike(const struct pat_cpa *cpa, unsigned long at,
			       enum page_cache_mode *type)
{
	unsigned long i;

	for (i = at; i < cpa->nr; i++) {
		unsigned long pfn = cpa->pages ? page_to_pfn(cpa->pages[i]) :
						 cpa->pfn + i;
		enum page_cache_mode other = pat_lookup(pfn);

		if (i == at)
			*type = other;
		else if (other != *type)
			break;
	}
	return i - at;
}

/*
 * The direct map could not be changed to @type: what was changed, undo.  Beyond
 * the page at which it failed all is as it was, and must not be touched: a large
 * page there would have to be split, for which there is no memory.
 */
static void cpa_undo_direct_map(const struct pat_cpa *cpa,
				enum page_cache_mode type)
{
	unsigned long at, nr;

	for (at = 0; at < cpa->nr; at += nr) {
		enum page_cache_mode before = _PAGE_CACHE_MODE_WB;
		struct pat_cpa part = *cpa;

		nr = cpa->nr;
		if (type == _PAGE_CACHE_MODE_WB)
			nr = cpa_alike(cpa, at, &before);
		part.nr = nr;
		if (cpa->pages)
			part.pages += at;
		else
			part.addr += at << PAGE_SHIFT;
		WARN_ON_ONCE(cpa_set_direct_map(&part, before));
	}
}

/**
 * pat_cpa_change - change the memory type of pages in every mapping there is
 * @cpa: which pages; they belong to the caller, and stay allocated
 * @type: WC, UC- or WT for pages that are write-back, or WB for any
 *
 * Context: may sleep; may be called from reclaim.  No two calls for one page at
 * a time.
 * Return: 0; -EBUSY if a page is mapped into a process through its struct page,
 * or is not write-back, though it has to be; -EINVAL for a range that is empty
 * or partly RAM; what cpa says.  On failure nothing has changed.
 */
int pat_cpa_change(struct pat_cpa *cpa, enum page_cache_mode type)
{
	int err;

	if (!pat_enabled())
		return cpa_set_direct_map(cpa, type);

	err = pat_cpa_begin(cpa, type);
	if (err)
		return err;
	err = cpa_set_direct_map(cpa, type);
	if (err)
		cpa_undo_direct_map(cpa, type);
	pat_cpa_end(cpa, type, err);
	return err;
}

/**
 * pat_cpa_reserve - hold a memory type for RAM that gets another mapping
 * @pfn: first frame
 * @nr: number of frames, all RAM
 * @want: the type; strong UC becomes UC-
 * @found: receives the type given, or on failure the one in the way
 * @caller: who asked
 *
 * Context: as pat_cpa_change().
 * Return: as pat_cpa_change(), or -EINVAL for a type that RAM cannot have.
 */
int pat_cpa_reserve(unsigned long pfn, unsigned long nr,
		    enum page_cache_mode want, enum page_cache_mode *found,
		    const void *caller)
{
	struct pat_cpa cpa = {
		.addr = (unsigned long)__va(PFN_PHYS(pfn)),
		.pfn = pfn,
		.nr = nr,
		.caller = caller,
	};
	unsigned long i;
	int err = 0;

	*found = _PAGE_CACHE_MODE_UC_MINUS;
	if (want == _PAGE_CACHE_MODE_WP)
		return -EINVAL;
	if (WARN_ON_ONCE(want == _PAGE_CACHE_MODE_UC))
		want = _PAGE_CACHE_MODE_UC_MINUS;

	if (want != _PAGE_CACHE_MODE_WB) {
		err = pat_cpa_change(&cpa, want);
		*found = err ? cpa.found : want;
		return err;
	}
	for (i = 0; i < nr && !err; i++) {
		*found = pat_ram_type(pfn + i);
		if (*found != want)
			err = -EBUSY;
	}
	return err;
}

/**
 * pat_cpa_unreserve - undo pat_cpa_reserve()
 * @pfn: first frame, as it was given there
 * @nr: number of frames, as it was given there
 *
 * Context: as pat_cpa_change().
 */
void pat_cpa_unreserve(unsigned long pfn, unsigned long nr)
{
	struct pat_cpa cpa = {
		.addr = (unsigned long)__va(PFN_PHYS(pfn)),
		.pfn = pfn,
		.nr = nr,
		.caller = __builtin_return_address(0),
	};
	unsigned long i;

	for (i = 0; i < nr; i++) {
		if (pat_ram_type(pfn + i) != _PAGE_CACHE_MODE_WB) {
			pat_cpa_change(&cpa, _PAGE_CACHE_MODE_WB);
			break;
		}
	}
}
