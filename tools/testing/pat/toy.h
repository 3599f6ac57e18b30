/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PAT_MODEL_TOY_H
#define _PAT_MODEL_TOY_H

/*
 * A toy machine around the code under test: 256 frames with a direct map, a few
 * processes of 48 pages each, page tables that are short arrays, and a TLB that
 * forgets nothing before it is flushed.
 */

#include <linux/pfnmap.h>

#include <asm/pat.h>

#include "../../../arch/x86/mm/pat/pat_internal.h"

#define TOY_MMS		4
#define TOY_PAGES	48
#define TOY_ZAPS	3	/* zaps in flight at a time */
#define TOY_EXTRAS	24	/* frames held for one page at a time */
#define TOY_TYPES	6
#define TOY_TABLE	4	/* pages that one page table maps */
#define TOY_TABLES	(TOY_PAGES / TOY_TABLE)
#define TOY_LOW		(ISA_END_ADDRESS >> PAGE_SHIFT)	/* the toy's 1 MiB */

#define TOY_BASE	0x400UL	/* page number of the first page */
#define TOY_ADDR(page)	((TOY_BASE + (page)) << PAGE_SHIFT)
#define TOY_PAGE(addr)	((int)(((addr) >> PAGE_SHIFT) - TOY_BASE))
#define TOY_NONE	(-1)

/* The platform */

enum toy_kind {
	TOY_RESERVED,
	TOY_RAM,
	TOY_OFFLINE,
	TOY_REMOVED,	/* reserved again, but may still be mapped as RAM */
};

struct toy_range { unsigned long start, end; };

extern const struct toy_range toy_boot_ram[];
extern const unsigned int toy_boot_ram_nr;
extern u8 toy_kind[TOY_FRAMES];

#define TOY_HOTPLUG_START	128UL	/* what may be added and removed */
#define TOY_HOTPLUG_END		192UL

static inline bool toy_isa(unsigned long frame)
{
	return frame >= 16 && frame < 24;
}

static inline bool toy_mtrr_uncached(unsigned long frame)
{
	return frame >= 96 && frame < 112;
}

/* A process */

/* What a page table entry says. */
struct toy_pte {
	short	frame;		/* TOY_NONE: not mapped */
	u8	type;
	bool	special;	/* a PFN mapping; else the page is counted */
	bool	reachable;	/* not PROT_NONE */
};

/* Frames, as a set with repetitions; in a TLB with their types. */
struct toy_bag {
	u8	nr;
	u8	frames[TOY_EXTRAS];
	u8	types[TOY_EXTRAS];
};

struct toy_vma {
	struct vm_area_struct	vma;
	struct toy_vma		*next;
	bool			locked;		/* no zap can begin */
};

struct toy_mm {
	struct mm_struct	mm;
	struct task_struct	task;
	struct toy_vma		*vmas;
	bool			away;		/* not yet, or no longer, running */
	int			ending;		/* zaps that wait for nobody now */
	int			recorded;	/* entries that need a record */
	pgd_t			pgd;
	p4d_t			p4d;
	pud_t			pud;
	pmd_t			pmd[TOY_TABLES];
	spinlock_t		ptl[TOY_TABLES];
	pte_t			table[TOY_PAGES];
	bool			tables_gone;
	int			notified;	/* by who changes its entries */
	short			cow[TOY_PAGES];	/* frame that a copy replaced */
	struct toy_bag		cached[TOY_PAGES];	/* the TLBs */
	struct toy_bag		extra[TOY_PAGES];	/* held and not mapped */
};

/* What a zap that has begun has done so far. */
struct toy_zap {
	struct toy_mm		*toy;
	struct toy_vma		*area;
	int			page, start, end;	/* cleared: [start, page) */
	bool			ending;
	unsigned long		stamp;
	u64			unflushed;
	struct mmu_gather	tlb;

	/* The VMA that the same unmap_mapping_range() comes to next. */
	struct toy_vma		*then;
	int			then_start, then_end;
};

extern struct toy_mm *toy_mms[TOY_MMS];
extern struct toy_zap toy_zaps[TOY_ZAPS];

static inline struct toy_mm *mm_to_toy(const struct mm_struct *mm)
{
	return container_of((struct mm_struct *)mm, struct toy_mm, mm);
}

static inline int toy_frame(const struct toy_mm *toy, int page)
{
	pte_t pte = toy->table[page];

	return pte_val(pte) ? (int)pte_pfn(pte) : TOY_NONE;
}

struct toy_pte toy_pte(const struct toy_mm *toy, int page);

bool toy_bag_take(struct toy_bag *bag, int frame);
void toy_bag_put(struct toy_bag *bag, int frame, u8 type);
bool toy_bag_has(const struct toy_bag *bag, int frame);

/* What mm does; each returns 0 or the error that the caller would see. */

struct toy_mm *toy_new(int slot);
struct toy_vma *toy_find(struct toy_mm *toy, int page);
bool toy_unmapped(struct toy_mm *toy, int start, int end);
struct toy_vma *toy_mmap(struct toy_mm *toy, int start, int end);
int toy_remap(struct toy_mm *toy, struct toy_vma *area, int page,
	      unsigned long frame, int nr, enum page_cache_mode type,
	      int fail_at);
int toy_munmap(struct toy_mm *toy, int start, int end);
int toy_fork(int from, int to, int fail_at);
int toy_mremap(struct toy_mm *toy, int page, int nr, int to, int fail_at);
void toy_exit_begin(int slot);	/* as far as with mmap_lock for reading */
void toy_exit_end(int slot);
void toy_exit(int slot);

bool toy_may_zap(const struct toy_mm *toy, const struct toy_vma *area,
		 int start, int end);
struct toy_zap *toy_zap_begin(struct toy_mm *toy, struct toy_vma *area,
			      int start, int end);
void toy_zap_step(struct toy_zap *zap, int pages);
void toy_zap_end(struct toy_zap *zap);
bool toy_zaps_any(void);

/* A page that is mapped through its struct page, and one that is copied. */
void toy_insert(struct toy_mm *toy, struct toy_vma *area, int page, int frame);
void toy_cow(struct toy_mm *toy, int page, int frame);
void toy_protect(struct toy_mm *toy, int start, int end, bool reachable);

/* All pages of a large folio, by one entry that no toy process has. */
void toy_map_folio(unsigned long frame, bool mapped);

/* Who copies or moves entries meanwhile goes on by one. */
bool toy_in_transit(void);
void toy_go_on(void);
extern void (*toy_between_tables)(void);

/* The direct map: of RAM, and of all below the toy's 1 MiB */

extern u8 toy_direct[TOY_FRAMES];
void toy_direct_collapse(unsigned long frame);
void toy_direct_reset(void);

/* Free pages as their owner does; they may not be write-back. */
void toy_free(unsigned long frame, unsigned int order);

void toy_observe(void);
void toy_reset(void);

#endif /* _PAT_MODEL_TOY_H */
