/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _X86_MM_PAT_INTERNAL_H
#define _X86_MM_PAT_INTERNAL_H

/*
 * The only door between the rooms of the memory type tracking.  The model and
 * the locks are described in arch/x86/mm/pat.c.
 *
 * Inside, frames are [pfn, pfn + nr) and addresses [start, end), both page
 * aligned; byte ranges are turned into frames once, in pat.c.
 */

#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/pgtable.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/seqlock.h>
#include <linux/types.h>

#include <asm/e820/types.h>
#include <asm/x86_init.h>

struct cpuinfo_x86;

/* modes.c: PAT slots and the names of memory types */

extern bool pat_debug;

#define pat_dbg(fmt, ...) \
	do { if (pat_debug) pr_info(fmt, ##__VA_ARGS__); } while (0)

const char *pat_mode_name(enum page_cache_mode type);
enum page_cache_mode pat_modes_slot(u64 msr, unsigned int slot);
u64 pat_modes_choose(const struct cpuinfo_x86 *c, u64 firmware, bool may_write);

static inline pgprot_t pat_pgprot(pgprot_t prot, enum page_cache_mode type)
{
	return __pgprot((pgprot_val(prot) & ~_PAGE_CACHE_MASK) |
			cachemode2protval(type));
}

/* ram.c: which frames are System RAM, and the type of each */

enum pat_frames {
	PAT_FRAMES_RESERVED,	/* not RAM: the records know the type */
	PAT_FRAMES_RAM,		/* RAM: its page->flags know */
	PAT_FRAMES_OFFLINE,	/* RAM without usable struct pages: write-back */
};

enum pat_frames pat_ram_run(unsigned long pfn, unsigned long nr,
			    unsigned long *run);
enum pat_frames pat_ram_kind(unsigned long pfn);
enum page_cache_mode pat_ram_type(unsigned long pfn);
void pat_ram_set_type(unsigned long pfn, enum page_cache_mode type);
enum page_cache_mode pat_ram_claim(unsigned long pfn, enum page_cache_mode type);
unsigned long pat_ram_typed_count(void);
bool pat_ram_typed_next(unsigned long *pfn, unsigned long *nr,
			enum page_cache_mode *type);

/* set_memory.c: the direct map */

/**
 * struct pat_cpa - pages whose memory type is changed
 * @pages: the pages, or NULL for the frames from @pfn on
 * @addr: without @pages, the kernel address of the first one
 * @pfn: without @pages, the first frame
 * @nr: how many
 * @caller: who asked
 * @found: receives the type in the way, where one is
 * @transit: link while the change is under way
 */
struct pat_cpa {
	struct page		**pages;
	unsigned long		addr;
	unsigned long		pfn;
	unsigned long		nr;
	const void		*caller;
	enum page_cache_mode	found;
	struct list_head	transit;
};

int cpa_set_direct_map(const struct pat_cpa *cpa, enum page_cache_mode type);

/* ../pageattr.c: changing the type of RAM in every mapping there is */

#ifdef CONFIG_X86_PAT
int pat_cpa_change(struct pat_cpa *cpa, enum page_cache_mode type);
#else
static inline int pat_cpa_change(struct pat_cpa *cpa, enum page_cache_mode type)
{
	return cpa_set_direct_map(cpa, type);
}
#endif

int pat_cpa_begin(struct pat_cpa *cpa, enum page_cache_mode type);
void pat_cpa_end(struct pat_cpa *cpa, enum page_cache_mode type, bool failed);
enum page_cache_mode pat_cpa_map_type(unsigned long pfn);
bool pat_cpa_quiet(unsigned long *seen);
bool pat_cpa_still_quiet(unsigned long seen);
int pat_cpa_reserve(unsigned long pfn, unsigned long nr,
		    enum page_cache_mode want, enum page_cache_mode *found,
		    const void *caller);
void pat_cpa_unreserve(unsigned long pfn, unsigned long nr);

/* pfnmap.c: the hooks in mm, and */

bool pat_page_is_mapped(struct vm_area_struct *vma, unsigned long addr,
			unsigned long pfn);

/* fix.c: live entries of recorded RAM */

void pat_fix(unsigned long pfn, unsigned long nr, bool in_transit);
bool pat_fix_due(unsigned long pfn, unsigned long nr);

/* removed.c: memory that is removed while it is mapped */

void pat_removal_begin(void);
void pat_removal_end(void);
bool pat_removal_pending(void);

/* reserved.c: the records */

enum pat_holder {
	PAT_HOLDER_RANGE,	/* a reservation without an address */
	PAT_HOLDER_KERNEL,	/* an ioremap() at vma.vm_start of init_mm */
	PAT_HOLDER_USER,	/* a PFN mapping at vma.vm_start of vma.vm_mm */
};

/* How much of what it asked for does a caller insist on? */
enum pat_match {
	PAT_MATCH_EXACT,	/* the wanted type, or fail */
	PAT_MATCH_SERVES,	/* also another type that is in force, if it serves */
	PAT_MATCH_ANY,		/* whatever type is in force; caller decides */
};

/**
 * struct pat_map - the record of one mapping
 * @vma: frames @vma.vm_pgoff onwards, mapped at [@vma.vm_start, @vma.vm_end)
 *	of @vma.vm_mm with the memory type in @vma.vm_page_prot; linked by
 *	frame in the dummy inode's i_mmap through @vma.shared
 * @by_addr: link by address in its process's context.pat_maps
 * @by_addr_last: highest address in the subtree of @by_addr
 * @stamp: when it was made, on the clock that zaps advance; of a stale record,
 *	how many purges of vmalloc space had begun then
 * @since: when the mapping was made, in jiffies
 * @list: while linked, the inexact records: those that may cover pages which
 *	are not mapped any more; later the stale ones
 * @caller: kernel code that asked
 * @pid: process that asked, of a PFN mapping
 * @comm: its name
 * @holder: what kind of mapping it is
 * @ram: frames are RAM; the type is each page's own, not @vma's
 * @next: chains records that are not linked, inside one call, and those of one
 *	ioremap()
 */
struct pat_map {
	struct vm_area_struct	vma;
	struct rb_node		by_addr;
	unsigned long		by_addr_last;
	unsigned long		stamp;
	unsigned long		since;
	struct list_head	list;
	const void		*caller;
	pid_t			pid;
	char			comm[TASK_COMM_LEN];
	enum pat_holder		holder;
	bool			ram;
	struct pat_map		*next;
};

/* More pages do not fit the virtual range of one record (i386 with PAE). */
#define PAT_MAP_MAX_PAGES	(ULONG_MAX >> PAGE_SHIFT)

static inline unsigned long pat_map_pfn(const struct pat_map *map)
{
	return map->vma.vm_pgoff;
}

static inline unsigned long pat_map_pages(const struct pat_map *map)
{
	return (map->vma.vm_end - map->vma.vm_start) >> PAGE_SHIFT;
}

static inline enum page_cache_mode pat_map_type(const struct pat_map *map)
{
	return pgprot2cachemode(map->vma.vm_page_prot);
}

struct pat_map *pat_map_alloc(unsigned long pfn, unsigned long nr, gfp_t gfp);
void pat_map_free_chain(struct pat_map *chain);

void pat_records_lock(void);
void pat_records_unlock(void);
void pat_records_lock_shared(void);
void pat_records_unlock_shared(void);
bool pat_records_any(struct mm_struct *mm);
bool pat_records_of_ram(void);

/* pat_record_admit() when translations of another type may still be in use. */
#define PAT_ADMIT_STALE		(-EAGAIN)

int pat_record_admit(struct pat_map *map, enum page_cache_mode asked,
		     enum page_cache_mode want, enum pat_match match);
void pat_record_link(struct pat_map *map);
void pat_record_unlink(struct pat_map *map);
void pat_record_retire(struct pat_map *map);
struct pat_map *pat_map_recycle(unsigned long pfn, unsigned long nr);
void pat_record_move_ends(struct pat_map *map, unsigned long start,
			  unsigned long end);
void pat_record_split(struct pat_map *map, struct pat_map *upper,
		      unsigned long addr);
void pat_record_inherit(struct pat_map *map, const struct pat_map *from);
struct pat_map *pat_record_first(struct mm_struct *mm, unsigned long start,
				 unsigned long end);
struct pat_map *pat_record_next(struct pat_map *map, unsigned long start,
				unsigned long end);
struct pat_map *pat_record_first_of(unsigned long pfn, unsigned long nr);
struct pat_map *pat_record_next_of(struct pat_map *map, unsigned long pfn,
				   unsigned long nr);
void pat_record_mark_inexact(struct pat_map *map);
void pat_record_mark_exact(struct pat_map *map);
bool pat_record_is_exact(const struct pat_map *map);
struct pat_map *pat_record_inexact(void);
struct pat_map *pat_record_find(unsigned long pfn, unsigned long nr);
struct pat_map *pat_stale_next(struct pat_map *map);
unsigned long pat_stale_counted(enum page_cache_mode type);

enum page_cache_mode pat_reserved_type_or(unsigned long pfn,
					  enum page_cache_mode none);
void pat_reserved_changed(void);

/* What a record says, copied out of it. */
struct pat_record_info {
	unsigned long		pfn;
	unsigned long		pages;
	enum page_cache_mode	type;
	enum pat_holder		holder;
	bool			ram;
	unsigned long		start;
	unsigned long		end;
	unsigned long		since;
	unsigned long		mappings;	/* of its first frame; for debug.c */
	const void		*caller;
	pid_t			pid;
	char			comm[TASK_COMM_LEN];
};

void pat_record_describe(const struct pat_map *map, struct pat_record_info *info);
struct pat_record_info *pat_records_snapshot(bool ram, unsigned long *count);

/* the frame tree, for lookup.c alone */

extern struct inode pat_inode;
extern raw_spinlock_t pat_tree_lock;
extern seqcount_raw_spinlock_t pat_tree_seq;
extern unsigned long pat_generation;

/* lookup.c: the types of frames, without a lock */

enum page_cache_mode pat_lookup(unsigned long pfn);
enum page_cache_mode pat_lookup_near(unsigned long pfn);
enum page_cache_mode pat_reserved_type(unsigned long pfn);
bool pat_reserved_recent(unsigned long pfn, pgprot_t *prot);
enum page_cache_mode pat_reserved_near(unsigned long pfn);
bool pat_reserved_uniform(unsigned long pfn, unsigned long nr,
			  enum page_cache_mode *type);

/* messages.c: what people are told */

#define PAT_HOLDER_TEXT		128

void pat_holder_text(const struct pat_record_info *info, char *text, size_t size);
void pat_report_conflict(const struct pat_map *asker, enum page_cache_mode want,
			 const struct pat_map *held, int err);

/* validate.c: does every invariant hold? */

/**
 * struct pat_verdict - what a validator found
 * @records: how many records it looked at
 * @pages: how many pages of RAM it looked at
 * @broken: the invariant that does not hold, NULL if all do
 * @pfn: frame at which it does not
 */
struct pat_verdict {
	unsigned long	records;
	unsigned long	pages;
	const char	*broken;
	unsigned long	pfn;
};

void pat_validate(struct pat_verdict *verdict);
void pat_validate_ram(struct pat_verdict *verdict);

/* ../pat.c: dispatch */

/* Not tracked at all: the legacy ISA range, and the GRU on UV. */
static inline bool pat_untracked(unsigned long pfn, unsigned long nr)
{
	/* No other platform says anything else than is_ISA_range(). */
	if (!IS_ENABLED(CONFIG_X86_UV))
		return pfn >= ISA_START_ADDRESS >> PAGE_SHIFT &&
		       pfn + nr <= ISA_END_ADDRESS >> PAGE_SHIFT;
	return x86_platform.is_untracked_pat_range(PFN_PHYS(pfn),
						   PFN_PHYS(pfn + nr));
}

bool pat_range_to_frames(u64 start, u64 end, unsigned long *pfn,
			 unsigned long *nr);
int pat_reserve_serving(u64 start, u64 end, enum page_cache_mode *type,
			const void *caller);
int pat_sync_low(unsigned long pfn, unsigned long nr,
		 enum page_cache_mode type);

/* Frames below 1 MiB: the direct map has them, whatever they are. */
#define PAT_LOW_END	(ISA_END_ADDRESS >> PAGE_SHIFT)

void pat_low_released(enum page_cache_mode type);
enum page_cache_mode pat_effective_want(unsigned long pfn, unsigned long nr,
					enum page_cache_mode want);

#endif /* _X86_MM_PAT_INTERNAL_H */
