// SPDX-License-Identifier: GPL-2.0-only
/*
 * A toy mm: calls the hooks of include/linux/pfnmap.h where, and in the order
 * in which, the real one does.
 *
 * A page table entry that is set counts as one hold of its frame.  One that a
 * zap has cleared becomes an extra hold of its page, until the zap has dropped
 * it from the records; compare.c tells which extras are left, and when there
 * must be none.
 */

#include "reference.h"

const struct toy_range toy_boot_ram[] = {
	{ 4, 12 },	/* below 1 MiB, does not count */
	{ 20, 64 },	/* from the toy 1 MiB (24) on */
	{ 72, 80 },
};
const unsigned int toy_boot_ram_nr = ARRAY_SIZE(toy_boot_ram);

u8 toy_kind[TOY_FRAMES];
struct toy_mm *toy_mms[TOY_MMS];
struct toy_zap toy_zaps[TOY_ZAPS];

/* Bags */

void toy_bag_put(struct toy_bag *bag, int frame, u8 type)
{
	SHIM_CHECK(bag->nr < TOY_EXTRAS);
	bag->frames[bag->nr] = frame;
	bag->types[bag->nr++] = type;
}

bool toy_bag_take(struct toy_bag *bag, int frame)
{
	int i;

	for (i = 0; i < bag->nr; i++)
		if (bag->frames[i] == frame) {
			bag->frames[i] = bag->frames[--bag->nr];
			bag->types[i] = bag->types[bag->nr];
			return true;
		}
	return false;
}

bool toy_bag_has(const struct toy_bag *bag, int frame)
{
	int i;

	for (i = 0; i < bag->nr; i++)
		if (bag->frames[i] == frame)
			return true;
	return false;
}

/* Page table entries, and what CPUs remember of them */

struct toy_pte toy_pte(const struct toy_mm *toy, int page)
{
	pte_t pte = toy->table[page];

	if (!pte_val(pte))
		return (struct toy_pte) { .frame = TOY_NONE };
	SHIM_CHECK(pte_present(pte) && pte_pfn(pte) < TOY_FRAMES);
	return (struct toy_pte) {
		.frame = pte_pfn(pte),
		.type = pgprot2cachemode(pte_pgprot(pte)),
		.special = pte_special(pte),
		.reachable = pte_val(pte) & _PAGE_PRESENT,
	};
}

static pte_t make_pte(struct toy_pte pte)
{
	pteval_t val = ((pteval_t)pte.frame << PAGE_SHIFT) |
		       cachemode2protval(pte.type);

	if (pte.special)
		val |= _PAGE_SPECIAL;
	if (pte.reachable)
		return __pte(val | _PAGE_PRESENT);
	return __pte((val ^ PTE_PFN_MASK) | _PAGE_PROTNONE);
}

static bool needs_record(struct toy_pte pte)
{
	return pte.frame != TOY_NONE && pte.special && ref_recorded(pte.frame);
}

/* A CPU may remember what it can reach at any time. */
static void load_tlb(struct toy_mm *toy, int page)
{
	struct toy_bag *cached = &toy->cached[page];
	struct toy_pte pte = toy_pte(toy, page);
	int i;

	if (pte.frame == TOY_NONE || !pte.special || !pte.reachable)
		return;
	for (i = 0; i < cached->nr; i++)
		if (cached->frames[i] == pte.frame &&
		    cached->types[i] == pte.type)
			return;
	toy_bag_put(cached, pte.frame, pte.type);
}

/* Of RAM nothing may be mapped beside a direct map of another type but UC-. */
static bool goes_with_direct_map(struct toy_pte pte)
{
	u8 direct = toy_direct[pte.frame];

	return toy_kind[pte.frame] != TOY_RAM || direct == pte.type ||
	       direct == _PAGE_CACHE_MODE_UC_MINUS ||
	       pte.type == _PAGE_CACHE_MODE_UC_MINUS;
}

static void set_pte(struct toy_mm *toy, int page, struct toy_pte pte)
{
	SHIM_CHECK(!pte_val(toy->table[page]));
	SHIM_CHECK(goes_with_direct_map(pte));
	toy->table[page] = make_pte(pte);
	toy->pgd.present = toy->p4d.present = true;
	toy->pud.pud = _PAGE_PRESENT;
	toy->pmd[page / TOY_TABLE].pmd = _PAGE_PRESENT;
	load_tlb(toy, page);
	if (!pte.special)
		ref_map_page(pte.frame);
	else if (ref_typed(pte.frame))
		ref_hold(pte.frame, pte.type);
	toy->recorded += needs_record(pte);
}

/* The entry is gone; the record is not yet, and the TLBs are not flushed. */
static void clear_pte(struct toy_mm *toy, int page)
{
	struct toy_pte pte = toy_pte(toy, page);

	if (pte.frame == TOY_NONE)
		return;
	toy->table[page] = __pte(0);
	if (toy->cow[page] != TOY_NONE) {
		/* Of what was copied only the record is left. */
		toy_bag_put(&toy->extra[page], toy->cow[page], 0);
		toy->cow[page] = TOY_NONE;
	}
	if (!pte.special)
		ref_unmap_page(pte.frame);
	if (!needs_record(pte))
		return;
	toy->recorded--;
	toy_bag_put(&toy->extra[page], pte.frame, pte.type);
}

static void flush_page(struct toy_mm *toy, int page)
{
	toy->cached[page].nr = 0;
	load_tlb(toy, page);
}

/* The page table locks, and the walk to what they protect */

static void lock_table(struct toy_mm *toy, int page)
{
	spin_lock(&toy->ptl[page / TOY_TABLE]);
}

static void unlock_table(struct toy_mm *toy, int page)
{
	spin_unlock(&toy->ptl[page / TOY_TABLE]);
}

static int table_end(int page, int end)
{
	return min(end, page - page % TOY_TABLE + TOY_TABLE);
}

pgd_t *pgd_offset(struct mm_struct *mm, unsigned long addr)
{
	struct toy_mm *toy = mm_to_toy(mm);

	SHIM_CHECK(addr >= TOY_ADDR(0) && addr < TOY_ADDR(TOY_PAGES));
	SHIM_CHECK(!toy->tables_gone);
	return &toy->pgd;
}

p4d_t *p4d_offset(pgd_t *pgd, unsigned long addr)
{
	SHIM_CHECK(pgd->present);
	return &container_of(pgd, struct toy_mm, pgd)->p4d;
}

pud_t *pud_offset(p4d_t *p4d, unsigned long addr)
{
	SHIM_CHECK(p4d->present);
	return &container_of(p4d, struct toy_mm, p4d)->pud;
}

pmd_t *pmd_offset_lockless(pud_t *pudp, pud_t pud, unsigned long addr)
{
	SHIM_CHECK(pud_present(pud));
	return &container_of(pudp, struct toy_mm,
			     pud)->pmd[TOY_PAGE(addr) / TOY_TABLE];
}

unsigned long pmd_addr_end(unsigned long addr, unsigned long end)
{
	unsigned long size = TOY_TABLE << PAGE_SHIFT;

	return min((addr + size) & ~(size - 1), end);
}

static pte_t before[TOY_TABLE];	/* of the table whose lock is held */

pte_t *pte_offset_map_lock(struct mm_struct *mm, pmd_t *pmd,
			   unsigned long addr, spinlock_t **ptl)
{
	struct toy_mm *toy = mm_to_toy(mm);
	int page = TOY_PAGE(addr);

	SHIM_CHECK(pmd == &toy->pmd[page / TOY_TABLE]);
	if (!pmd->pmd)
		return NULL;
	*ptl = &toy->ptl[page / TOY_TABLE];
	spin_lock(*ptl);
	memcpy(before, toy->table + page - page % TOY_TABLE, sizeof(before));
	return &toy->table[page];
}

void (*toy_between_tables)(void);

void pte_unmap_unlock(pte_t *pte, spinlock_t *ptl)
{
	struct toy_mm *toy;
	int i, page;

	for (i = 0; i < TOY_MMS; i++) {
		toy = toy_mms[i];
		if (!toy || ptl < toy->ptl || ptl >= toy->ptl + TOY_TABLES)
			continue;
		page = (ptl - toy->ptl) * TOY_TABLE;
		SHIM_CHECK(pte >= toy->table + page &&
			   pte < toy->table + page + TOY_TABLE);
		SHIM_CHECK(toy->notified ||
			   !memcmp(before, toy->table + page, sizeof(before)));
		for (; page < (ptl - toy->ptl + 1) * TOY_TABLE; page++)
			load_tlb(toy, page);
	}
	spin_unlock(ptl);
	if (toy_between_tables)
		toy_between_tables();
}

void mmu_notifier_invalidate_range_start(struct mmu_notifier_range *range)
{
	SHIM_CHECK(range->start < range->end);
	mm_to_toy(range->mm)->notified++;
}

void mmu_notifier_invalidate_range_end(struct mmu_notifier_range *range)
{
	mm_to_toy(range->mm)->notified--;
}

static void flush_pages(struct toy_mm *toy, int start, int end)
{
	for (; start < end; start++)
		flush_page(toy, start);
}

void tlb_flush_mmu_tlbonly(struct mmu_gather *tlb)
{
	struct toy_mm *toy = mm_to_toy(tlb->mm);
	struct toy_zap *zap = tlb->zap;
	int page;

	for (page = 0; page < TOY_PAGES; page++)
		if (zap->unflushed & BIT(page))
			flush_page(toy, page);
	zap->unflushed = 0;
	if (shim_preempt)
		shim_preempt();
}

bool mm_tlb_flush_nested(const struct mm_struct *mm)
{
	return atomic_read(&mm->tlb_flush_pending) > 1;
}

void flush_tlb_range(struct vm_area_struct *vma, unsigned long start,
		     unsigned long end)
{
	flush_pages(mm_to_toy(vma->vm_mm), TOY_PAGE(start), TOY_PAGE(end));
}

void flush_tlb_mm(struct mm_struct *mm)
{
	flush_pages(mm_to_toy(mm), 0, TOY_PAGES);
}

void flush_tlb_mm_range(struct mm_struct *mm, unsigned long start,
			unsigned long end, unsigned int stride_shift,
			bool freed_tables)
{
	flush_pages(mm_to_toy(mm), TOY_PAGE(start), TOY_PAGE(end));
}

/* VMAs */

void mmgrab(struct mm_struct *mm)
{
	SHIM_CHECK(atomic_read(&mm->mm_count) > 0);
	atomic_inc(&mm->mm_count);
}

void mmdrop(struct mm_struct *mm)
{
	if (atomic_dec_and_test(&mm->mm_count))
		free(mm_to_toy(mm));
}

struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long addr)
{
	struct toy_vma *area;

	SHIM_CHECK(shim_rwsem_held(&mm->mmap_lock));
	area = toy_find(mm_to_toy(mm), TOY_PAGE(addr));
	return area ? &area->vma : NULL;
}

/* exit_mmap() of who lets an mm go last: here that is always its process. */
void mmput(struct mm_struct *mm)
{
	SHIM_CHECK(atomic_read(&mm->mm_users) > 1);
	atomic_dec(&mm->mm_users);
}

struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr)
{
	struct toy_vma *area, *found = NULL;

	SHIM_CHECK(shim_rwsem_held(&mm->mmap_lock));
	for (area = mm_to_toy(mm)->vmas; area; area = area->next)
		if (area->vma.vm_end > addr &&
		    (!found || area->vma.vm_start < found->vma.vm_start))
			found = area;
	return found ? &found->vma : NULL;
}

int follow_pfnmap_start(struct follow_pfnmap_args *args)
{
	struct toy_mm *toy = mm_to_toy(args->vma->vm_mm);
	int frame;

	SHIM_CHECK(shim_rwsem_held(&toy->mm.mmap_lock));
	SHIM_CHECK(args->address >= args->vma->vm_start &&
		   args->address < args->vma->vm_end);
	frame = toy_frame(toy, TOY_PAGE(args->address));
	if (frame == TOY_NONE)
		return -EINVAL;
	args->pfn = frame;
	return 0;
}

void follow_pfnmap_end(struct follow_pfnmap_args *args)
{
}

struct toy_vma *toy_find(struct toy_mm *toy, int page)
{
	struct toy_vma *area;

	for (area = toy->vmas; area; area = area->next)
		if (area->vma.vm_start <= TOY_ADDR(page) &&
		    area->vma.vm_end > TOY_ADDR(page))
			return area;
	return NULL;
}

/* Is there no VMA in [start, end)? */
bool toy_unmapped(struct toy_mm *toy, int start, int end)
{
	for (; start < end; start++)
		if (toy_find(toy, start))
			return false;
	return true;
}

struct toy_vma *toy_mmap(struct toy_mm *toy, int start, int end)
{
	struct toy_vma *area = calloc(1, sizeof(*area));

	area->vma.vm_start = TOY_ADDR(start);
	area->vma.vm_end = TOY_ADDR(end);
	area->vma.vm_mm = &toy->mm;
	area->vma.vm_flags = VM_PFNMAP;
	area->next = toy->vmas;
	toy->vmas = area;
	return area;
}

static void free_area(struct toy_mm *toy, struct toy_vma *area)
{
	struct toy_vma **link = &toy->vmas;

	while (*link != area)
		link = &(*link)->next;
	*link = area->next;
	free(area);
}

struct toy_mm *toy_new(int slot)
{
	struct toy_mm *toy = calloc(1, sizeof(*toy));
	int page;

	for (page = 0; page < TOY_PAGES; page++)
		toy->cow[page] = TOY_NONE;
	toy->task.pid = 100 + slot;
	snprintf(toy->task.comm, sizeof(toy->task.comm), "toy%d", slot);
	toy->mm.owner = &toy->task;
	toy->mm.context.pat_maps = RB_ROOT_CACHED;
	toy->mm.mmap_lock.mmap = true;
	atomic_set(&toy->mm.mm_users, 1);
	atomic_set(&toy->mm.mm_count, 1);
	toy_mms[slot] = toy;
	return toy;
}

/* Zaps */

bool toy_zaps_any(void)
{
	int i;

	for (i = 0; i < TOY_ZAPS; i++)
		if (toy_zaps[i].toy)
			return true;
	return false;
}

static void zap_start(struct toy_zap *zap, struct toy_mm *toy,
		      struct toy_vma *area, int start, int end)
{
	*zap = (struct toy_zap) {
		.toy = toy, .area = area,
		.page = start, .start = start, .end = end,
		.tlb = { .mm = &toy->mm, .zap = zap },
	};
	atomic_inc(&toy->mm.tlb_flush_pending);
	zap->stamp = pfnmap_zap_begin(&area->vma);
}

/*
 * A zap finds all VMAs of the file, and the one from which entries are copied or
 * moved before the one where they go to: dup_mmap() links the child's behind the
 * parent's, and mremap() holds the file's i_mmap_rwsem where the order is another.
 * So what it has taken from the latter does not come again.
 */
static struct transit {
	struct toy_mm	*from, *to;
	struct toy_vma	*area;
	int		shift, start, end;	/* where they go to */
	int		next, stop;		/* how far they are, and get */
	void		(*step)(struct transit *t);
	struct transit	*outer;
} *in_transit;

static void transit_step(struct transit *t)
{
	t->step(t);
	t->next++;
}

bool toy_in_transit(void)
{
	return in_transit && in_transit->next < in_transit->stop;
}

void toy_go_on(void)
{
	transit_step(in_transit);
}

/* To the place where entries go a zap comes from where they were only. */
bool toy_may_zap(const struct toy_mm *toy, const struct toy_vma *area,
		 int start, int end)
{
	const struct transit *t;

	if (area->locked)
		return false;
	for (t = in_transit; t; t = t->outer)
		if (t->to == toy && start < t->end && end > t->start)
			return false;
	return true;
}

/* It comes to the pages that are on their way at their new place, too. */
static void zap_follows(struct toy_zap *zap)
{
	const struct transit *t;
	int start, end;

	for (t = in_transit; t && t->from != zap->toy; t = t->outer)
		;
	if (!t)
		return;
	start = max(zap->start + t->shift, t->start);
	end = min(zap->end + t->shift, t->end);
	if (start < end) {
		zap->then = t->area;
		zap->then_start = start;
		zap->then_end = end;
	}
}

static void transit_begin(struct transit *t)
{
	t->outer = in_transit;
	in_transit = t;
}

static void transit_end(struct transit *t)
{
	SHIM_CHECK(in_transit == t);
	in_transit = t->outer;
}

/* A zap that goes on beside others; NULL if there are too many. */
struct toy_zap *toy_zap_begin(struct toy_mm *toy, struct toy_vma *area,
			      int start, int end)
{
	int i;

	for (i = 0; i < TOY_ZAPS; i++)
		if (!toy_zaps[i].toy) {
			zap_start(&toy_zaps[i], toy, area, start, end);
			zap_follows(&toy_zaps[i]);
			return &toy_zaps[i];
		}
	return NULL;
}

void toy_zap_step(struct toy_zap *zap, int pages)
{
	for (; zap->page < zap->end && pages; zap->page++, pages--) {
		if (toy_frame(zap->toy, zap->page) == TOY_NONE)
			continue;
		clear_pte(zap->toy, zap->page);
		zap->unflushed |= BIT(zap->page);
	}
}

/*
 * Whatever this zap cleared is out of the records now, unless other zaps or
 * the worker have yet to do their part.
 */
static void zap_dropped(struct toy_mm *toy, int start, int end)
{
	int i;

	if (toy_zaps_any() || shim_work_pending()) {
		compare_mm(toy);
		return;
	}
	for (; start < end; start++) {
		for (i = 0; i < toy->extra[start].nr; i++)
			if (ref_typed(toy->extra[start].frames[i]))
				ref_drop(toy->extra[start].frames[i]);
		toy->extra[start].nr = 0;
	}
}

static void zap_finish(struct toy_zap *zap)
{
	struct toy_mm *toy = zap->toy;

	tlb_flush_mmu_tlbonly(&zap->tlb);
	atomic_dec(&toy->mm.tlb_flush_pending);
	toy->ending--;
	zap->toy = NULL;
}

static void zap_range(struct toy_mm *toy, struct toy_vma *area, int start,
		      int end);

void toy_zap_end(struct toy_zap *zap)
{
	struct toy_mm *toy = zap->toy;
	struct toy_vma *then = zap->then;
	struct toy_mm *toy_then = then ? mm_to_toy(then->vma.vm_mm) : toy;

	zap->ending = true;
	toy->ending++;
	toy_then->ending++;
	toy_zap_step(zap, TOY_PAGES);
	pfnmap_zap_end(&zap->tlb, &zap->area->vma, TOY_ADDR(zap->start),
		       TOY_ADDR(zap->end), zap->stamp);
	compare_cached(toy, zap->start, zap->end);
	if (then)
		zap_range(toy_then, then, zap->then_start, zap->then_end);
	toy_then->ending--;
	zap_finish(zap);
	zap_dropped(toy, zap->start, zap->end);
}

/* All of a zap at once. */
static void zap_range(struct toy_mm *toy, struct toy_vma *area, int start,
		      int end)
{
	struct toy_zap zap;

	zap_start(&zap, toy, area, start, end);
	toy_zap_end(&zap);
}

void zap_vma_ptes(struct vm_area_struct *vma, unsigned long addr,
		  unsigned long size)
{
	SHIM_CHECK(addr >= vma->vm_start && addr + size <= vma->vm_end && size);
	if (vma->vm_flags & VM_PFNMAP)
		zap_range(mm_to_toy(vma->vm_mm),
			  container_of(vma, struct toy_vma, vma),
			  TOY_PAGE(addr), TOY_PAGE(addr + size));
}

/* i_mmap_lock_write(): waits for the zaps of this VMA, and lets none begin. */
static void lock_area(struct toy_vma *area)
{
	int i;

	area->locked = true;
	for (i = 0; i < TOY_ZAPS; i++)
		if (toy_zaps[i].toy && (toy_zaps[i].area == area ||
					toy_zaps[i].then == area))
			toy_zap_end(&toy_zaps[i]);
}

static void unlock_area(struct toy_vma *area)
{
	area->locked = false;
}

/* System calls */

int toy_remap(struct toy_mm *toy, struct toy_vma *area, int page,
	      unsigned long frame, int nr, enum page_cache_mode type,
	      int fail_at)
{
	pgprot_t prot = pat_pgprot(__pgprot(0), type);
	int err, done, end, run, i;
	bool typed;

	err = pfnmap_record(&area->vma, TOY_ADDR(page), frame,
			    (unsigned long)nr << PAGE_SHIFT, &prot);
	if (err < 0)
		return err;
	typed = err;
	err = 0;
	for (done = 0; done < nr && !err; done = end) {
		end = table_end(page + done, page + nr) - page;
		lock_table(toy, page + done);
		for (i = run = done; i < end; i++) {
			if (i == fail_at) {
				err = -ENOMEM;
				break;
			}
			if (typed)
				run = end;
			else if (i == run)
				run += pfnmap_run(frame + i,
						  (unsigned long)(end - i) << PAGE_SHIFT,
						  &prot) >> PAGE_SHIFT;
			SHIM_CHECK(run > i && run <= end);
			set_pte(toy, page + i, (struct toy_pte) {
				.frame = frame + i, .special = true,
				.reachable = true,
				.type = pgprot2cachemode(prot),
			});
		}
		unlock_table(toy, page + done);
		if (shim_preempt)
			shim_preempt();
	}
	pfnmap_populated(&area->vma, TOY_ADDR(page),
			 (unsigned long)nr << PAGE_SHIFT);
	if (err)
		zap_range(toy, area, page, page + nr);
	return err;
}

/* Let a VMA begin at @page, if one lies on both sides of it. */
static int split(struct toy_mm *toy, int page)
{
	struct toy_vma *area = toy_find(toy, page), *upper;
	int err;

	if (!area || area->vma.vm_start == TOY_ADDR(page))
		return 0;
	err = pfnmap_split(&area->vma, TOY_ADDR(page));
	if (err)
		return err;
	lock_area(area);
	upper = toy_mmap(toy, page, TOY_PAGE(area->vma.vm_end));
	upper->vma.vm_flags = area->vma.vm_flags;
	area->vma.vm_end = TOY_ADDR(page);
	unlock_area(area);
	return 0;
}

int toy_munmap(struct toy_mm *toy, int start, int end)
{
	struct toy_vma *area;
	int page, err;

	err = split(toy, start);
	if (!err)
		err = split(toy, end);
	if (err)
		return err;
	for (page = start; page < end; page = TOY_PAGE(area->vma.vm_end)) {
		area = toy_find(toy, page);
		if (!area) {
			for (page++; page < end && !toy_find(toy, page); page++)
				;
			area = toy_find(toy, page);
			if (page >= end || !area)
				break;
		}
		zap_range(toy, area, page, TOY_PAGE(area->vma.vm_end));
	}
	for (page = start; page < end; page++) {
		area = toy_find(toy, page);
		if (!area)
			continue;
		lock_area(area);
		free_area(toy, area);
	}
	return 0;
}

/* Both page tables are locked, or it might be seen, and fixed, in neither. */
static void copy_page(struct transit *t)
{
	struct toy_pte pte = toy_pte(t->from, t->next);

	if (pte.frame == TOY_NONE)
		return;
	set_pte(t->to, t->next, pte);
	t->to->cow[t->next] = t->from->cow[t->next];
}

int toy_fork(int from, int to, int fail_at)
{
	struct toy_mm *parent = toy_mms[from], *child = toy_new(to);
	struct toy_vma *area, *copy;
	struct transit transit;
	int err = 0;

	child->away = true;
	down_write(&child->mm.mmap_lock);
	for (area = parent->vmas; area && !err; area = area->next) {
		lock_area(area);
		copy = toy_mmap(child, TOY_PAGE(area->vma.vm_start),
				TOY_PAGE(area->vma.vm_end));
		copy->vma.vm_flags = area->vma.vm_flags;
		transit = (struct transit) {
			.from = parent, .to = child, .area = copy,
			.start = TOY_PAGE(area->vma.vm_start),
			.end = TOY_PAGE(area->vma.vm_end),
			.step = copy_page,
		};
		transit.next = transit.stop = transit.start;
		transit_begin(&transit);
		unlock_area(area);
		err = pfnmap_copy(&copy->vma, &area->vma);
		if (!err)
			transit.stop = transit.end;
		if (!err && fail_at >= transit.start && fail_at < transit.end) {
			transit.stop = fail_at;
			err = -ENOMEM;
		}
		while (transit.next < transit.stop) {
			transit_step(&transit);
			if (shim_preempt)
				shim_preempt();
		}
		transit_end(&transit);
	}
	up_write(&child->mm.mmap_lock);
	if (err)
		toy_exit(to);
	else
		child->away = false;
	return err;
}

static void move_one(struct toy_mm *toy, int from, int to)
{
	struct toy_pte pte = toy_pte(toy, from);
	int cow = toy->cow[from];

	if (pte.frame != TOY_NONE) {
		clear_pte(toy, from);
		set_pte(toy, to, pte);
		toy->cow[to] = cow;
	}
	flush_page(toy, from);
}

static void move_page(struct transit *t)
{
	move_one(t->to, t->next - t->shift, t->next);
}

/* MREMAP_FIXED of a part of one VMA to where nothing is. */
int toy_mremap(struct toy_mm *toy, int page, int nr, int to, int fail_at)
{
	struct toy_vma *area = toy_find(toy, page);
	struct toy_vma *new = toy_mmap(toy, to, to + nr);
	struct transit there = {
		.from = toy, .to = toy, .area = new,
		.shift = to - page, .start = to, .end = to + nr,
		.next = to, .stop = to, .step = move_page,
	};
	int moved = 0, err, i;

	lock_area(area);
	new->vma.vm_flags = area->vma.vm_flags;
	transit_begin(&there);
	unlock_area(area);
	err = pfnmap_move(&new->vma, TOY_ADDR(to), &area->vma, TOY_ADDR(page),
			  (unsigned long)nr << PAGE_SHIFT);
	if (!err)
		moved = fail_at < nr ? fail_at : nr;
	there.stop = to + moved;
	while (there.next < there.stop) {
		transit_step(&there);
		if (shim_preempt)
			shim_preempt();
	}
	transit_end(&there);
	if (moved < nr) {
		/* And back again, with the file's i_mmap_rwsem held. */
		lock_area(area);
		lock_area(new);
		for (i = 0; i < moved; i++)
			move_one(toy, to + i, page + i);
		unlock_area(new);
		unlock_area(area);
		toy_munmap(toy, to, to + nr);
		return -ENOMEM;
	}
	if (toy_munmap(toy, page, page + nr))
		pfnmap_moved(&new->vma, TOY_ADDR(page),
			     (unsigned long)nr << PAGE_SHIFT);
	return 0;
}

/* vm_insert_page(): the page's own mapping, which is counted. */
void toy_insert(struct toy_mm *toy, struct toy_vma *area, int page, int frame)
{
	struct toy_pte pte = { .frame = frame, .reachable = true };
	pte_t entry;

	lock_table(toy, page);
	atomic_inc(&pfn_to_page(frame)->_mapcount);
	entry = pfnmap_page_pte(&area->vma, pfn_to_page(frame), make_pte(pte));
	atomic_dec(&pfn_to_page(frame)->_mapcount);
	pte.type = pgprot2cachemode(pte_pgprot(entry));
	SHIM_CHECK(pte.type == ref_ram_type[frame]);
	SHIM_CHECK(pte_same(entry, make_pte(pte)));
	set_pte(toy, page, pte);
	unlock_table(toy, page);
}

void toy_map_folio(unsigned long frame, bool mapped)
{
	struct folio *folio = page_folio(pfn_to_page(frame));
	int i;

	folio->page.entire += mapped ? 1 : -1;
	for (i = 0; i < 1 << folio->page.order; i++)
		ref_mapped[frame + i] += mapped ? 1 : -1;
}

/* A process writes to a private mapping, and gets a page of its own. */
void toy_cow(struct toy_mm *toy, int page, int frame)
{
	int old = toy_frame(toy, page);

	SHIM_CHECK(toy->cow[page] == TOY_NONE && toy_pte(toy, page).special);
	lock_table(toy, page);
	clear_pte(toy, page);
	SHIM_CHECK(!ref_recorded(old) || toy_bag_take(&toy->extra[page], old));
	flush_page(toy, page);
	set_pte(toy, page, (struct toy_pte) {
		.frame = frame, .reachable = true,
	});
	toy->cow[page] = ref_recorded(old) ? old : TOY_NONE;
	unlock_table(toy, page);
}

/* mprotect(), with PROT_NONE or not. */
void toy_protect(struct toy_mm *toy, int start, int end, bool reachable)
{
	struct toy_pte pte;

	for (; start < end; start++) {
		pte = toy_pte(toy, start);
		if (pte.frame == TOY_NONE)
			continue;
		lock_table(toy, start);
		pte.reachable = reachable;
		toy->table[start] = make_pte(pte);
		flush_page(toy, start);
		unlock_table(toy, start);
	}
}

void toy_exit_begin(int slot)
{
	struct toy_mm *toy = toy_mms[slot];
	struct toy_zap zap = { .toy = toy, .end = TOY_PAGES };
	struct toy_vma *area;
	int page, i;

	zap.tlb = (struct mmu_gather) {
		.mm = &toy->mm, .fullmm = true, .zap = &zap,
	};
	toy->away = true;
	atomic_set(&toy->mm.mm_users, 0);
	down_read(&toy->mm.mmap_lock);
	atomic_inc(&toy->mm.tlb_flush_pending);
	for (area = toy->vmas; area; area = area->next) {
		unsigned long stamp = pfnmap_zap_begin(&area->vma);

		zap.end = TOY_PAGE(area->vma.vm_end);
		zap.page = TOY_PAGE(area->vma.vm_start);
		toy_zap_step(&zap, TOY_PAGES);
		pfnmap_zap_end(&zap.tlb, &area->vma, area->vma.vm_start,
			       area->vma.vm_end, stamp);
	}
	/* Not if there is no VMA, as exit_mmap() does after a failed fork. */
	if (toy->vmas)
		pfnmap_exit(&zap.tlb);
	toy->tables_gone = true;
	compare_cached(toy, 0, TOY_PAGES);
	for (page = 0; page < TOY_PAGES; page++) {
		for (i = 0; i < toy->extra[page].nr; i++)
			if (ref_typed(toy->extra[page].frames[i]))
				ref_drop(toy->extra[page].frames[i]);
		toy->extra[page].nr = 0;
	}
	atomic_dec(&toy->mm.tlb_flush_pending);
	up_read(&toy->mm.mmap_lock);
}

void toy_exit_end(int slot)
{
	struct toy_mm *toy = toy_mms[slot];

	down_write(&toy->mm.mmap_lock);
	while (toy->vmas) {
		lock_area(toy->vmas);
		free_area(toy, toy->vmas);
	}
	up_write(&toy->mm.mmap_lock);
	/* No record outlives its mm. */
	SHIM_CHECK(!toy->mm.context.pat_maps.rb_root.rb_node);
	toy_mms[slot] = NULL;
	mmdrop(&toy->mm);
}

void toy_exit(int slot)
{
	toy_exit_begin(slot);
	toy_exit_end(slot);
}

static int turn;	/* the page whose type is looked up next */

/*
 * Called when the records' lock may be held, and at each change of the frame
 * tree: what is mapped is there, whoever looks, and with its type.
 */
void toy_observe(void)
{
	struct toy_mm *toy;
	struct toy_pte pte;
	int i;

	turn = (turn + 1) % TOY_PAGES;
	for (i = 0; i < TOY_MMS; i++) {
		toy = toy_mms[i];
		if (!toy || !toy->recorded)
			continue;
		SHIM_CHECK(pat_records_any(&toy->mm));
		pte = toy_pte(toy, turn);
		if (pte.frame != TOY_NONE && ref_typed(pte.frame))
			SHIM_CHECK(pat_reserved_type(pte.frame) == pte.type);
	}
}

/* As the machine is after boot. */
void toy_reset(void)
{
	unsigned long frame;
	unsigned int i;

	turn = 0;
	toy_direct_reset();
	for (frame = TOY_HOTPLUG_START; frame < TOY_HOTPLUG_END; frame++)
		toy_kind[frame] = TOY_RESERVED;
	for (i = 0; i < toy_boot_ram_nr; i++)
		for (frame = max(toy_boot_ram[i].start, 24UL);
		     frame < toy_boot_ram[i].end; frame++)
			toy_kind[frame] = TOY_RAM;
}
