/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The interface of pat_bench.ko: what only a kernel can do, done often, and how
 * long it took.
 *
 * Frames are those of the BAR of a PCI device 1af4:1110 (QEMU's ivshmem-plain) of
 * 2 GiB. Times are of the TSC: where QEMU counts instructions, that is what it
 * shows.
 */
#ifndef _PAT_BENCH_IOCTL_H
#define _PAT_BENCH_IOCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PAT_BENCH_DEVICE	"/dev/pat_bench"

enum pat_bench_op {
	PAT_BENCH_NOTHING,		/* a call of a function that does nothing */
	PAT_BENCH_LOOKUP_RAM,		/* KVM's question, of nr pages in turn */
	PAT_BENCH_LOOKUP_HELD,		/* ... of nr frames that PAT_BENCH_HOLD holds */
	PAT_BENCH_IOREMAP,		/* ioremap_wc() and iounmap() of a page */
	PAT_BENCH_ARRAY,		/* set_pages_array_wc() and _wb() of nr pages */
	PAT_BENCH_ARRAY_MIXED,		/* ... which do not follow one another */
	PAT_BENCH_SET_MEMORY,		/* set_memory_wc() and _wb() of a page */
};

struct pat_bench_run {
	__u32 op;		/* in: enum pat_bench_op */
	__u32 nr;		/* in: how large */
	__u32 times;		/* in: how often */
	__u32 lane;		/* in: which of so many that do it at the same time, */
	__u32 lanes;		/*	each to frames of its own; 0 if alone */
	__s32 err;		/* out: what the kernel said, 0 or -errno */
	__u64 ticks;		/* out: all times together */
};
#define PAT_BENCH_RUN		_IOWR('P', 0x80, struct pat_bench_run)

/* Hold so many pages, each with an ioremap_wc() of its own; they do not touch. */
#define PAT_BENCH_HOLD		_IO('P', 0x81)

/* What an mmap() of the device does: one of these, for each open file. */
#define PAT_BENCH_REMAP		0	/* remap_pfn_range(), at once */
#define PAT_BENCH_FAULT		1	/* vmf_insert_pfn(), at each fault */
#define PAT_BENCH_MAPS		_IO('P', 0x82)

struct pat_bench_sizes {
	__u64 vma;		/* out: bytes of a struct vm_area_struct */
};
#define PAT_BENCH_SIZES		_IOR('P', 0x83, struct pat_bench_sizes)

#endif /* _PAT_BENCH_IOCTL_H */
