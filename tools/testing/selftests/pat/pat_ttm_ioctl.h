/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The interface of pat_ttm.ko: buffers of pages from TTM's pools.
 *
 * A buffer is what ttm_pool_alloc() fills for a driver that wants its system
 * memory in this type; none of the drivers for QEMU's devices wants another
 * than write-back. When it is freed, or the file is closed, its pages go back
 * to the pool. There they keep their type, until TTM's shrinker frees them.
 *
 * mmap() maps a buffer: the offset is its handle, in pages. The entries are
 * put in by faults, with vmf_insert_pfn_prot(), as TTM does it.
 */
#ifndef _PAT_TTM_IOCTL_H
#define _PAT_TTM_IOCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PAT_TTM_MAX_HANDLES	16
#define PAT_TTM_MAX_PAGES	4096

/* The numbers of enum ttm_caching. */
enum pat_ttm_caching {
	PAT_TTM_UNCACHED	= 0,
	PAT_TTM_WRITE_COMBINED	= 1,
	PAT_TTM_CACHED		= 2,
};

struct pat_ttm_alloc {
	__u64 pfns;		/* in: user pointer to nr __u64, filled in */
	__u32 nr;		/* in: pages */
	__u32 caching;		/* in: enum pat_ttm_caching */
	__u32 handle;		/* out: never 0 */
	__u32 pad;
};
#define PAT_TTM_ALLOC		_IOWR('P', 0x90, struct pat_ttm_alloc)

/* ttm_pool_free(). The argument is the handle; EBUSY while it is mapped. */
#define PAT_TTM_FREE		_IO('P', 0x91)

#endif /* _PAT_TTM_IOCTL_H */
