// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving live page table entries of recorded RAM another memory type.
 *
 * The records say where a frame may be mapped: see pat/pfnmap.c.  They leave
 * i_mmap before page tables go, so who holds the records' lock can walk the
 * tables of any mm that has one, without its mmap_lock.
 *
 * Fork and mremap() take entries from one place to another.  Both places have a
 * record before that, and it is done under both page table locks, so what was
 * not fixed yet can only come to a place that was passed already.  Walking until
 * nothing is left to change finds it; twice, since mremap() may move an entry
 * back, if it fails, and out of sight of one walk.
 */

#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/pgtable.h>

#include <asm/pat.h>
#include <asm/tlbflush.h>

#include "pat_internal.h"
#include "trace.h"

/* So many walks that find nothing to change are enough: see above. */
#define FIX_QUIET_WALKS	2

enum fix {
	FIX_TRANSIT,	/* pages are in transit: what is not write-back is UC- */
	FIX_REST,	/* each page has the type of its bits */
	FIX_CHECK,	/* the same, but nothing is changed */
};

static enum page_cache_mode fix_type(unsigned long pfn, enum fix fix)
{
	enum page_cache_mode type = pat_ram_type(pfn);

	if (fix == FIX_TRANSIT && type != _PAGE_CACHE_MODE_WB)
		return _PAGE_CACHE_MODE_UC_MINUS;
	return type;
}

/*
 * Set the type of one entry, if it maps @pfn and is no private copy.  It is
 * never absent meanwhile, since drivers' fault handlers may not know what to do
 * then, and the CPU may set its dirty bit.  Return: had it another type?
 */
static bool fix_entry(pte_t *ptep, unsigned long pfn, enum fix fix)
{
	enum page_cache_mode type = fix_type(pfn, fix);
	pte_t old = ptep_get(ptep), new;

	do {
		if (!pte_present(old) || !pte_special(old) ||
		    pte_pfn(old) != pfn)
			return false;
		new = __pte((pte_val(old) & ~(pteval_t)_PAGE_CACHE_MASK) |
			    cachemode2protval(type));
		if (pte_same(old, new))
			return false;
		if (fix == FIX_CHECK)
			return true;
		/* With PAE, too, all that changes is in the lower half. */
	} while (!try_cmpxchg((long *)ptep, (long *)&old, *(long *)&new));
	return true;
}

static pmd_t *find_pmd(struct mm_struct *mm, unsigned long addr)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;
	pud_t *pudp, pud;

	if (!pgd_present(*pgd))
		return NULL;
	p4d = p4d_offset(pgd, addr);
	if (!p4d_present(*p4d))
		return NULL;
	pudp = pud_offset(p4d, addr);
	pud = READ_ONCE(*pudp);		/* mremap() may move it away */
	if (!pud_present(pud) || pud_leaf(pud))
		return NULL;
	return pmd_offset_lockless(pudp, pud, addr);
}

/* The part of [addr, end) of @mm, mapping @pfn onwards, that one table has. */
static bool fix_table(struct mm_struct *mm, unsigned long addr,
		      unsigned long end, unsigned long pfn, enum fix fix)
{
	pmd_t *pmd = find_pmd(mm, addr);
	pte_t *start, *pte;
	bool changed = false;
	spinlock_t *ptl;

	if (!pmd)
		return false;
	start = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!start)
		return false;
	for (pte = start; addr < end; pte++, addr += PAGE_SIZE, pfn++)
		changed |= fix_entry(pte, pfn, fix);
	pte_unmap_unlock(start, ptl);
	return changed;
}

/* The frames [pfn, pfn + nr) of the record @map. */
static bool fix_record(struct pat_map *map, unsigned long pfn, unsigned long nr,
		       enum fix fix)
{
	unsigned long first = max(pfn, pat_map_pfn(map));
	unsigned long last = min(pfn + nr, pat_map_pfn(map) + pat_map_pages(map));
	unsigned long start = map->vma.vm_start +
			      ((first - pat_map_pfn(map)) << PAGE_SHIFT);
	unsigned long end = start + ((last - first) << PAGE_SHIFT);
	struct mm_struct *mm = map->vma.vm_mm;
	struct mmu_notifier_range range;
	unsigned long addr, next;
	bool changed = false;

	if (fix != FIX_CHECK) {
		mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, mm, start,
					end);
		mmu_notifier_invalidate_range_start(&range);
	}
	for (addr = start; addr < end; addr = next) {
		next = pmd_addr_end(addr, end);
		changed |= fix_table(mm, addr, next, first, fix);
		first += (next - addr) >> PAGE_SHIFT;
	}
	if (fix != FIX_CHECK) {
		/* Also if nothing changed here: mremap() may bring what did. */
		flush_tlb_mm_range(mm, start, end, PAGE_SHIFT, false);
		mmu_notifier_invalidate_range_end(&range);
		if (changed)
			trace_pat_fix(map, last - ((end - start) >> PAGE_SHIFT),
				      (end - start) >> PAGE_SHIFT,
				      fix == FIX_TRANSIT);
	}
	return changed;
}

/* All records of [pfn, pfn + nr).  Return: had entries another type? */
static bool fix_records(unsigned long pfn, unsigned long nr, enum fix fix)
{
	struct pat_map *map;
	bool changed = false;

	for (map = pat_record_first_of(pfn, nr); map;
	     map = pat_record_next_of(map, pfn, nr)) {
		if (map->ram)
			changed |= fix_record(map, pfn, nr, fix);
		cond_resched();
	}
	return changed;
}

/**
 * pat_fix - give the live entries of recorded RAM the type that it has
 * @pfn: first frame
 * @nr: number of frames, all RAM
 * @in_transit: UC- instead, for what is not write-back
 *
 * No CPU uses entries with another type after that.
 *
 * Context: may sleep; takes the records' lock.
 */
void pat_fix(unsigned long pfn, unsigned long nr, bool in_transit)
{
	int quiet = 0;

	pat_records_lock_shared();
	while (quiet < FIX_QUIET_WALKS) {
		if (fix_records(pfn, nr, in_transit ? FIX_TRANSIT : FIX_REST))
			quiet = 0;
		else
			quiet++;
	}
	pat_records_unlock_shared();
}

/**
 * pat_fix_due - would pat_fix() have anything to change?
 * @pfn: first frame
 * @nr: number of frames, all RAM
 *
 * Context: as pat_fix().
 * Return: true if an entry has another type than its page, which is right only
 * while that is in transit.
 */
bool pat_fix_due(unsigned long pfn, unsigned long nr)
{
	bool due;

	pat_records_lock_shared();
	due = fix_records(pfn, nr, FIX_CHECK);
	pat_records_unlock_shared();
	return due;
}
