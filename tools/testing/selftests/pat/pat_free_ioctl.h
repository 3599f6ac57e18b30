/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The interface of pat_free.ko: a driver that breaks the rule. It frees pages
 * without setting them back to write-back, in every way in which a page comes
 * to the page allocator.
 *
 * The answer of the API under test is in `err`; ioctl() itself returns -1 with
 * EINVAL, EFAULT, ENOENT (no such handle) or ENOMEM for a bad request.
 *
 * Handles belong to the open file. What it has left when it is closed is set
 * back to write-back and freed, as a driver should.
 *
 * Offsets for mmap(): see PAT_FREE_OFFSET.
 */
#ifndef _PAT_FREE_IOCTL_H
#define _PAT_FREE_IOCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PAT_FREE_MAX_PAGES	4096	/* of one handle */
#define PAT_FREE_MAX_HANDLES	4096	/* of one open file */

/* --- pages ---------------------------------------------------------------- */

enum pat_free_kind {
	PAT_FREE_SINGLES,	/* pages of order 0 */
	PAT_FREE_BLOCK,		/* 1 << order pages, not compound */
	PAT_FREE_COMPOUND,	/* 1 << order pages, __GFP_COMP */
	PAT_FREE_EXACT,		/* alloc_pages_exact() */
	PAT_FREE_CONTIG,	/* alloc_contig_range() of the frames from pfn on */
	PAT_FREE_VMALLOC,	/* vmalloc() */
	PAT_FREE_KMALLOC,	/* kmalloc() of so many pages, more than slabs have */
	PAT_FREE_SLAB,		/* the only object of a cache, of so many pages */
	PAT_FREE_NR_KINDS,
};

/* Charged to the caller's memory cgroup: the first three kinds only. */
#define PAT_FREE_ACCOUNTED	1

struct pat_free_alloc {
	__u32 kind;		/* in: enum pat_free_kind */
	__u32 nr;		/* in: pages; a power of two for what has an order */
	__u32 flags;		/* in: 0 or PAT_FREE_ACCOUNTED */
	__u32 handle;		/* out, if !err: never 0 */
	__u64 pfn;		/* in: PAT_FREE_CONTIG only */
	__u64 pfns;		/* in: user pointer to nr __u64, filled in if !err */
	__s32 err;		/* out */
	__u32 pad;
};
#define PAT_FREE_ALLOC		_IOWR('P', 0x90, struct pat_free_alloc)

/* As PAT_TEST_SET_TYPE, whose enum pat_test_set_api this takes. */
struct pat_free_set {
	__u32 handle;		/* in */
	__u32 api;		/* in: enum pat_test_set_api */
	__u32 first;		/* in */
	__u32 count;		/* in: at least 1 */
	__s32 err;		/* out */
	__u32 pad;
};
#define PAT_FREE_SET_TYPE	_IOWR('P', 0x91, struct pat_free_set)

/* --- freeing ---------------------------------------------------------------- */

/*
 * Ways, and the kinds that they are for. EINVAL for others, and for contexts
 * in which the API must not be called.
 */
enum pat_free_way {
	PAT_FREE_BY_PAGE,	/* singles, contig: __free_page() of each */
	PAT_FREE_BY_RELEASE,	/* singles, compound: release_pages() */
	PAT_FREE_BY_BATCH,	/* singles, compound: folio_batch_release() */
	PAT_FREE_BY_LIST,	/* singles: put_pages_list() */
	PAT_FREE_BY_ORDER,	/* block, compound: __free_pages() */
	PAT_FREE_BY_PIECES,	/* block: __free_pages() while somebody has the head */
	PAT_FREE_BY_SPLIT,	/* block: split_page(), __free_page() of each */
	PAT_FREE_BY_PUT,	/* singles, compound: folio_put() */
	PAT_FREE_BY_FRAGMENT,	/* compound: page_frag_free() */
	PAT_FREE_BY_EXACT,	/* exact: free_pages_exact() */
	PAT_FREE_BY_CONTIG,	/* contig: free_contig_range() */
	PAT_FREE_BY_VFREE,	/* vmalloc: vfree() */
	PAT_FREE_BY_KFREE,	/* kmalloc: kfree() */
	PAT_FREE_BY_CACHE,	/* slab: kmem_cache_free(), and kmem_cache_destroy() */
	PAT_FREE_NR_WAYS,
};

enum pat_free_context {
	PAT_FREE_IN_PROCESS,
	PAT_FREE_IRQS_OFF,	/* interrupts disabled */
	PAT_FREE_LOCKED,	/* a spinlock held */
	PAT_FREE_IN_SOFTIRQ,	/* a timer */
	PAT_FREE_IN_HARDIRQ,	/* an irq_work */
	PAT_FREE_NR_CONTEXTS,
};

/* Frees all pages of a handle as they are; the handle is gone. */
struct pat_free_free {
	__u32 handle;		/* in */
	__u32 way;		/* in: enum pat_free_way */
	__u32 context;		/* in: enum pat_free_context */
	__u32 pad;
};
#define PAT_FREE_FREE		_IOW('P', 0x92, struct pat_free_free)

/* --- frames, whoever has them ------------------------------------------------- */

struct pat_free_page {
	__u64 pfn;		/* in */
	__u32 bits;		/* out: PG_arch_1 is 1, PG_arch_2 is 2 */
	__u32 refs;		/* out: page_ref_count() */
	__u32 is_free;		/* out: in the page allocator, but not on a CPU's list */
	__u32 is_wb;		/* out: the direct map has it write-back */
};
#define PAT_FREE_PAGE		_IOWR('P', 0x93, struct pat_free_page)

/*
 * Looks for pages that were freed, after the lists of all CPUs have been given
 * back to the page allocator. A page is one of these at that moment:
 *
 *	free	in the page allocator
 *	used	somebody's: a process's, a slab's, a page table's
 *	missing	neither
 */
struct pat_free_look {
	__u64 pfns;		/* in: user pointer to nr __u64 */
	__u32 nr;		/* in */
	__u32 is_free;		/* out: number of pages */
	__u32 is_used;		/* out: number of pages */
	__u32 is_missing;	/* out: number of pages */
	__u64 missing_pfn;	/* out: the first of them */
	__u32 odd;		/* out: not write-back, by bits or direct map, and not missing */
	__u32 pad;
	__u64 odd_pfn;		/* out: the first of them */
};
#define PAT_FREE_LOOK		_IOWR('P', 0x94, struct pat_free_look)

/* Allocates blocks of pages, whichever come, looks at them, and frees them. */
struct pat_free_probe {
	__u32 nr;		/* in: blocks */
	__u32 order;		/* in */
	__u32 drain;		/* in: the lists of CPUs are given back before */
	__u32 got;		/* out: blocks that there were */
	__u32 odd;		/* out: pages that were not write-back, by bits or direct map */
	__u32 pad;
	__u64 odd_pfn;		/* out: the first of them */
};
#define PAT_FREE_PROBE		_IOWR('P', 0x95, struct pat_free_probe)

/*
 * Makes a frame write-back where it is not, for kernels that do not do that
 * themselves.
 */
struct pat_free_repair {
	__u64 pfn;		/* in */
	__s32 err;		/* out */
	__u32 repaired;		/* out: it was not write-back */
};
#define PAT_FREE_REPAIR		_IOWR('P', 0x96, struct pat_free_repair)

/* --- mmap() ------------------------------------------------------------------- */

enum pat_free_map {
	PAT_FREE_REMAP,		/* remap_pfn_range(): no reference to the pages */
	PAT_FREE_INSERT,	/* vm_insert_page(): a reference to each; singles only */
};

/*
 * The offset that maps the pages of a handle from the first on; the VMA must not
 * have more. The driver asks for the type that it set last for the handle.
 */
#define PAT_FREE_OFFSET(handle, map) \
	((__u64)((map) << 16 | (handle)) << 12)

#endif /* _PAT_FREE_IOCTL_H */
