/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The interface of pat_agp.ko: an AGP bridge without hardware.
 *
 * The bridge comes into being when the device is opened, and goes when it is
 * closed, with all memory that was allocated through it. There is one at a time
 * (EBUSY). Everything is done by the AGP core, with its generic operations, as
 * for the bridges of real chipsets; the translation table is in memory, and
 * nobody reads it but PAT_AGP_ENTRY.
 */
#ifndef _PAT_AGP_IOCTL_H
#define _PAT_AGP_IOCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PAT_AGP_MAX_HANDLES	16
#define PAT_AGP_MAX_PAGES	4096	/* the aperture: 16 MiB */

struct pat_agp_info {
	__u64 table_pfn;	/* out: first frame of the translation table */
	__u64 scratch_pfn;	/* out: the frame that unbound entries lead to */
	__u32 table_pages;	/* out */
	__u32 used_pages;	/* out: what the core counts as allocated */
};
#define PAT_AGP_INFO		_IOR('P', 0x80, struct pat_agp_info)

/* agp_allocate_memory() of AGP_NORMAL_MEMORY. */
struct pat_agp_alloc {
	__u64 pfns;		/* in: user pointer to nr __u64, filled in */
	__u32 nr;		/* in: pages */
	__u32 handle;		/* out: never 0 */
};
#define PAT_AGP_ALLOC		_IOWR('P', 0x81, struct pat_agp_alloc)

/* agp_free_memory(), which unbinds what is bound. The argument is the handle. */
#define PAT_AGP_FREE		_IO('P', 0x82)

/* agp_bind_memory(); its error is ioctl()'s. */
struct pat_agp_bind {
	__u32 handle;		/* in */
	__u32 start;		/* in: entry of the translation table */
};
#define PAT_AGP_BIND		_IOW('P', 0x83, struct pat_agp_bind)

/* agp_unbind_memory(). The argument is the handle. */
#define PAT_AGP_UNBIND		_IO('P', 0x84)

/* Where an entry of the translation table leads. */
struct pat_agp_entry {
	__u64 pfn;		/* out */
	__u32 nr;		/* in */
	__u32 pad;
};
#define PAT_AGP_ENTRY		_IOWR('P', 0x85, struct pat_agp_entry)

#endif /* _PAT_AGP_IOCTL_H */
