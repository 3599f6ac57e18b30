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

void toy_bag_put(struct toy_bag *bag, int frame)
{
	SHIM_CHECK(bag->nr < TOY_EXTRAS);
	bag->frames[bag->nr++] = frame;
}

bool toy_bag_take(struct toy_bag *bag, int frame)
{
	int i;

	for (i = 0; i < bag->nr; i++)
		if (bag->frames[i] == frame) {
			bag->frames[i] = bag->frames[--bag->nr];
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

static void set_pte(struct toy_mm *toy, int page, int frame, u8 type)
{
	struct toy_pte *pte = &toy->pte[page];

	SHIM_CHECK(pte->frame == TOY_NONE);
	pte->frame = frame;
	pte->type = type;
	if (!toy_bag_has(&toy->cached[page], frame))
		toy_bag_put(&toy->cached[page], frame);
	if (ref_typed(frame))
		ref_hold(frame, type);
	toy->recorded += ref_recorded(frame);
}

/* The entry is gone; the record is not yet, and the TLBs are not flushed. */
static void clear_pte(struct toy_mm *toy, int page)
{
	int frame = toy->pte[page].frame;

	if (frame == TOY_NONE)
		return;
	toy->pte[page].frame = TOY_NONE;
	if (!ref_recorded(frame))
		return;
	toy->recorded--;
	toy_bag_put(&toy->extra[page], frame);
}

static void flush_page(struct toy_mm *toy, int page)
{
	int frame = toy->pte[page].frame;

	toy->cached[page].nr = 0;
	if (frame != TOY_NONE)
		toy_bag_put(&toy->cached[page], frame);
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

int follow_pfnmap_start(struct follow_pfnmap_args *args)
{
	struct toy_mm *toy = mm_to_toy(args->vma->vm_mm);
	int frame;

	SHIM_CHECK(shim_rwsem_held(&toy->mm.mmap_lock));
	SHIM_CHECK(args->address >= args->vma->vm_start &&
		   args->address < args->vma->vm_end);
	frame = toy->pte[TOY_PAGE(args->address)].frame;
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
		toy->pte[page].frame = TOY_NONE;
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
	struct transit	*outer;
} *in_transit;

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
		if (zap->toy->pte[zap->page].frame == TOY_NONE)
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
	unsigned long run;
	int err, done, i;

	err = pfnmap_record(&area->vma, TOY_ADDR(page), frame,
			    (unsigned long)nr << PAGE_SHIFT, prot);
	if (err)
		return err;
	for (done = 0; done < nr && !err; done += run) {
		run = pfnmap_run(frame + done,
				 (unsigned long)(nr - done) << PAGE_SHIFT,
				 &prot) >> PAGE_SHIFT;
		SHIM_CHECK(run > 0 && run <= nr - done);
		for (i = done; i < done + run; i++) {
			if (i == fail_at) {
				err = -ENOMEM;
				break;
			}
			set_pte(toy, page + i, frame + i,
				pgprot2cachemode(prot));
			if (shim_preempt)
				shim_preempt();
		}
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

int toy_fork(int from, int to, int fail_at)
{
	struct toy_mm *parent = toy_mms[from], *child = toy_new(to);
	struct toy_vma *area, *copy;
	struct transit transit;
	int page, err = 0;

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
		};
		transit_begin(&transit);
		unlock_area(area);
		err = pfnmap_copy(&copy->vma, &area->vma);
		for (page = TOY_PAGE(area->vma.vm_start);
		     !err && page < TOY_PAGE(area->vma.vm_end); page++) {
			struct toy_pte pte = parent->pte[page];

			if (page == fail_at)
				err = -ENOMEM;
			else if (pte.frame != TOY_NONE)
				set_pte(child, page, pte.frame, pte.type);
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

static void move_pages(struct toy_mm *toy, int from, int to, int nr)
{
	int i;

	for (i = 0; i < nr; i++) {
		struct toy_pte pte = toy->pte[from + i];

		if (pte.frame != TOY_NONE) {
			clear_pte(toy, from + i);
			set_pte(toy, to + i, pte.frame, pte.type);
		}
		flush_page(toy, from + i);
		if (shim_preempt)
			shim_preempt();
	}
}

/* MREMAP_FIXED of a part of one VMA to where nothing is. */
int toy_mremap(struct toy_mm *toy, int page, int nr, int to, int fail_at)
{
	struct toy_vma *area = toy_find(toy, page);
	struct toy_vma *new = toy_mmap(toy, to, to + nr);
	struct transit there = {
		.from = toy, .to = toy, .area = new,
		.shift = to - page, .start = to, .end = to + nr,
	};
	void (*preempt)(void) = shim_preempt;
	int moved = 0, err;

	lock_area(area);
	new->vma.vm_flags = area->vma.vm_flags;
	transit_begin(&there);
	unlock_area(area);
	err = pfnmap_move(&new->vma, TOY_ADDR(to), &area->vma, TOY_ADDR(page),
			  (unsigned long)nr << PAGE_SHIFT);
	if (!err)
		moved = fail_at < nr ? fail_at : nr;
	move_pages(toy, page, to, moved);
	transit_end(&there);
	if (moved < nr) {
		/* And back again, with the file's i_mmap_rwsem held. */
		lock_area(area);
		lock_area(new);
		shim_preempt = NULL;
		move_pages(toy, to, page, moved);
		shim_preempt = preempt;
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
	int i;

	turn = (turn + 1) % TOY_PAGES;
	for (i = 0; i < TOY_MMS; i++) {
		toy = toy_mms[i];
		if (!toy || !toy->recorded)
			continue;
		SHIM_CHECK(pat_records_any(&toy->mm));
		if (toy->pte[turn].frame != TOY_NONE &&
		    ref_typed(toy->pte[turn].frame))
			SHIM_CHECK(pat_reserved_type(toy->pte[turn].frame) ==
				   toy->pte[turn].type);
	}
}

/* As the machine is after boot. */
void toy_reset(void)
{
	unsigned long frame;
	unsigned int i;

	turn = 0;
	for (frame = TOY_HOTPLUG_START; frame < TOY_HOTPLUG_END; frame++)
		toy_kind[frame] = TOY_RESERVED;
	for (i = 0; i < toy_boot_ram_nr; i++)
		for (frame = max(toy_boot_ram[i].start, 24UL);
		     frame < toy_boot_ram[i].end; frame++)
			toy_kind[frame] = TOY_RAM;
}
