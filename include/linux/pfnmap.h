/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINUX_PFNMAP_H
#define _LINUX_PFNMAP_H

/*
 * Hooks for an architecture that records PFN mappings.
 *
 * Where two mappings of one page frame must not differ in memory type, the
 * architecture keeps a record of each range that remap_pfn_range() maps, from
 * before its first page table entry is set until no CPU can use the last one.
 * VM_PAT marks the VMAs that have, or had, such a record: it is set before
 * the first record, inherited by fork, split and mremap, and never cleared.
 * A VMA without it costs one test of its flags.
 */

#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/pfn_t.h>

struct mmu_gather;

#ifdef CONFIG_ARCH_HAS_PFNMAP_RECORDS

int pfnmap_record(struct vm_area_struct *vma, unsigned long addr,
		  unsigned long pfn, unsigned long size, pgprot_t *prot);
unsigned long pfnmap_run(unsigned long pfn, unsigned long size, pgprot_t *prot);
void pfnmap_populated(struct vm_area_struct *vma, unsigned long addr,
		      unsigned long size);
void pfnmap_lookup_prot(const struct vm_area_struct *vma, pgprot_t *prot,
			pfn_t pfn);
pte_t __pfnmap_page_pte(const struct vm_area_struct *vma,
			const struct page *page, pte_t pte);
bool pfnmap_lookup_huge(pgprot_t *prot, pfn_t pfn, unsigned int order);
int pfnmap_reserve(unsigned long pfn, unsigned long size, pgprot_t *prot);
void pfnmap_release(unsigned long pfn, unsigned long size);

int __pfnmap_split(struct vm_area_struct *vma, unsigned long addr);
int __pfnmap_copy(struct vm_area_struct *dst, struct vm_area_struct *src);
int __pfnmap_move(struct vm_area_struct *new_vma, unsigned long new_addr,
		  struct vm_area_struct *vma, unsigned long addr,
		  unsigned long size);
void __pfnmap_moved(struct mm_struct *mm, unsigned long addr,
		    unsigned long size);
unsigned long __pfnmap_zap_begin(void);
void __pfnmap_zap_end(struct mmu_gather *tlb, struct vm_area_struct *vma,
		      unsigned long start, unsigned long end,
		      unsigned long stamp);
void pfnmap_exit(struct mmu_gather *tlb);
void __pfnmap_mmap(struct vm_area_struct *vma);
void pfnmap_purge_begin(void);
void pfnmap_purge_end(void);
bool __pfnmap_block_is_typed(const struct page *page, unsigned int order);
void pfnmap_keep_freed(struct page *page, unsigned int order);

/* Has any RAM page ever been anything but write-back? */
extern bool pfnmap_ram_typed;

static inline bool vma_has_pfnmap_records(const struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_PAT;
}

/*
 * May @page, about to be mapped by @pte, be anything but plain write-back?  Asked
 * for each page of a file that is mapped, so in one test of its flags where the
 * last zone's number is a bit that no other zone's has.
 */
static inline bool pfnmap_page_is_typed(const struct page *page, pte_t pte)
{
	unsigned long flags = PAGE_FLAGS_MEMTYPE;

#ifdef CONFIG_ZONE_DEVICE
	if (is_power_of_2(ZONE_DEVICE))
		flags |= (unsigned long)ZONE_DEVICE << ZONES_PGSHIFT;
	else if (is_zone_device_page(page))
		return true;
#endif
	return READ_ONCE(page->flags) & flags ||
	       pgprot_val(pte_pgprot(pte)) & _PAGE_CACHE_MASK;
}

/* Has @vma a memory type that is not for what it copies? */
static inline bool vma_copies_typed(const struct vm_area_struct *vma)
{
	return pgprot_val(vma->vm_page_prot) & _PAGE_CACHE_MASK &&
	       is_cow_mapping(vma->vm_flags);
}

/**
 * pfnmap_block_is_typed - is any page of a block anything but write-back?
 * @page: its first page, about to be freed
 * @order: it has 1 << @order pages
 *
 * Nobody looks at pages, of which the boot frees a lot, before one has a type.
 *
 * Context: any.
 * Return: true if it must not be freed, but given to pfnmap_keep_freed().
 */
static inline bool pfnmap_block_is_typed(const struct page *page,
					 unsigned int order)
{
	return unlikely(READ_ONCE(pfnmap_ram_typed)) &&
	       (page_memtype_flags(page) ||
		(order && __pfnmap_block_is_typed(page, order)));
}

#else

static inline int pfnmap_record(struct vm_area_struct *vma, unsigned long addr,
				unsigned long pfn, unsigned long size,
				pgprot_t *prot)
{
	return 1;
}

static inline unsigned long pfnmap_run(unsigned long pfn, unsigned long size,
				       pgprot_t *prot)
{
	return size;
}

static inline void pfnmap_populated(struct vm_area_struct *vma,
				    unsigned long addr, unsigned long size) { }
static inline void pfnmap_lookup_prot(const struct vm_area_struct *vma,
				      pgprot_t *prot, pfn_t pfn) { }

static inline pte_t __pfnmap_page_pte(const struct vm_area_struct *vma,
				      const struct page *page, pte_t pte)
{
	return pte;
}

static inline bool pfnmap_page_is_typed(const struct page *page, pte_t pte)
{
	return false;
}

static inline bool pfnmap_lookup_huge(pgprot_t *prot, pfn_t pfn,
				      unsigned int order)
{
	return true;
}

static inline int pfnmap_reserve(unsigned long pfn, unsigned long size,
				 pgprot_t *prot)
{
	return 0;
}

static inline void pfnmap_release(unsigned long pfn, unsigned long size) { }

static inline int __pfnmap_split(struct vm_area_struct *vma, unsigned long addr)
{
	return 0;
}

static inline int __pfnmap_copy(struct vm_area_struct *dst,
				struct vm_area_struct *src)
{
	return 0;
}

static inline int __pfnmap_move(struct vm_area_struct *new_vma,
				unsigned long new_addr,
				struct vm_area_struct *vma, unsigned long addr,
				unsigned long size)
{
	return 0;
}

static inline void __pfnmap_moved(struct mm_struct *mm, unsigned long addr,
				  unsigned long size) { }

static inline unsigned long __pfnmap_zap_begin(void)
{
	return 0;
}

static inline void __pfnmap_zap_end(struct mmu_gather *tlb,
				    struct vm_area_struct *vma,
				    unsigned long start, unsigned long end,
				    unsigned long stamp) { }
static inline void pfnmap_exit(struct mmu_gather *tlb) { }
static inline void __pfnmap_mmap(struct vm_area_struct *vma) { }

static inline bool vma_copies_typed(const struct vm_area_struct *vma)
{
	return false;
}

static inline void pfnmap_purge_begin(void) { }
static inline void pfnmap_purge_end(void) { }
static inline void pfnmap_keep_freed(struct page *page, unsigned int order) { }

static inline bool pfnmap_block_is_typed(const struct page *page,
					 unsigned int order)
{
	return false;
}

static inline bool vma_has_pfnmap_records(const struct vm_area_struct *vma)
{
	return false;
}

#endif /* CONFIG_ARCH_HAS_PFNMAP_RECORDS */

/**
 * pfnmap_mmap - a driver has set up a mapping
 * @vma: the VMA
 *
 * What a private mapping copies is other memory than the driver's, and has no
 * memory type, whatever the driver has asked for.
 *
 * Context: mmap_lock held for writing.
 */
static inline void pfnmap_mmap(struct vm_area_struct *vma)
{
	if (unlikely(vma_copies_typed(vma)))
		__pfnmap_mmap(vma);
}

/**
 * pfnmap_page_pte - the entry for a page that is mapped through its struct page
 * @vma: where it is going to be mapped
 * @page: the page; this mapping of it is counted already
 * @pte: the entry without regard to the page's memory type
 *
 * Context: page table lock held.
 * Return: @pte with the memory type of @page.
 */
static inline pte_t pfnmap_page_pte(const struct vm_area_struct *vma,
				    const struct page *page, pte_t pte)
{
	return unlikely(pfnmap_page_is_typed(page, pte)) ?
		__pfnmap_page_pte(vma, page, pte) : pte;
}

/**
 * pfnmap_split - split the record that straddles a VMA's future boundary
 * @vma: the VMA that is about to be split
 * @addr: page aligned address inside @vma at which the upper half begins
 *
 * Called before @vma changes.  What is split stays split if the caller fails
 * later; both halves together say what the whole said.
 *
 * Context: mmap_lock held for writing; may sleep.
 * Return: 0 or -ENOMEM, and then nothing has changed.
 */
static inline int pfnmap_split(struct vm_area_struct *vma, unsigned long addr)
{
	return unlikely(vma_has_pfnmap_records(vma)) ?
		__pfnmap_split(vma, addr) : 0;
}

/**
 * pfnmap_copy - give fork's child the records of its parent's VMA
 * @dst: the child's VMA, already linked wherever a zap may find it
 * @src: the parent's
 *
 * Called before page table entries are copied.  A fork that fails later needs
 * no undo: pfnmap_exit() drains the child.
 *
 * Context: both mmap_locks held for writing; may sleep.
 * Return: 0 or -ENOMEM, and then nothing has changed.
 */
static inline int pfnmap_copy(struct vm_area_struct *dst,
			      struct vm_area_struct *src)
{
	return unlikely(vma_has_pfnmap_records(src)) ?
		__pfnmap_copy(dst, src) : 0;
}

/**
 * pfnmap_move - record at a new address what mremap() is about to move there
 * @new_vma: where to
 * @new_addr: page aligned address in @new_vma
 * @vma: where from
 * @addr: page aligned address in @vma
 * @size: bytes that move, a multiple of the page size
 *
 * Called before the first page table entry moves.  The munmap of the old
 * range, or after a failure of the new one, drops what is no longer true.
 *
 * Context: mmap_lock held for writing; may sleep.
 * Return: 0 or -ENOMEM, and then nothing has changed.
 */
static inline int pfnmap_move(struct vm_area_struct *new_vma,
			      unsigned long new_addr,
			      struct vm_area_struct *vma, unsigned long addr,
			      unsigned long size)
{
	return unlikely(vma_has_pfnmap_records(vma)) ?
		__pfnmap_move(new_vma, new_addr, vma, addr, size) : 0;
}

/**
 * pfnmap_moved - the entries have moved, but the old VMA could not be unmapped
 * @new_vma: where to
 * @addr: first address of the old range
 * @size: its bytes
 *
 * The records of the old range, which has no entries any more, go.
 *
 * Context: mmap_lock held for writing; may sleep.
 */
static inline void pfnmap_moved(struct vm_area_struct *new_vma,
				unsigned long addr, unsigned long size)
{
	if (unlikely(vma_has_pfnmap_records(new_vma)))
		__pfnmap_moved(new_vma->vm_mm, addr, size);
}

/**
 * pfnmap_zap_begin - a zap of a part of a VMA begins
 * @vma: the VMA
 *
 * Context: any that may zap.
 * Return: a stamp for pfnmap_zap_end(): records made from now on are not its.
 */
static inline unsigned long pfnmap_zap_begin(struct vm_area_struct *vma)
{
	return unlikely(vma_has_pfnmap_records(vma)) ? __pfnmap_zap_begin() : 0;
}

/**
 * pfnmap_zap_end - the page table entries of a part of a VMA are gone
 * @tlb: the zap's mmu_gather
 * @vma: the VMA
 * @start: first address zapped
 * @end: end of the zapped range [@start, @end), page aligned
 * @stamp: what pfnmap_zap_begin() returned
 *
 * Flushes what is not flushed yet, then drops the range from the records; where
 * it cannot tell or cut at once, records stay that are made exact later.
 * Cannot fail.  Leaves it to pfnmap_exit() when the whole mm goes.
 *
 * Context: as the zap: with mmap_lock, or only the file's i_mmap_rwsem; may
 * sleep, does not enter reclaim.
 */
static inline void pfnmap_zap_end(struct mmu_gather *tlb,
				  struct vm_area_struct *vma,
				  unsigned long start, unsigned long end,
				  unsigned long stamp)
{
	if (unlikely(vma_has_pfnmap_records(vma)))
		__pfnmap_zap_end(tlb, vma, start, end, stamp);
}

#endif /* _LINUX_PFNMAP_H */
