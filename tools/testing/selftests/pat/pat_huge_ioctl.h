/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The interface of pat_huge.ko: a driver that maps frames with huge entries, as
 * they are touched.
 *
 * Its mmap() takes what PAT_HUGE_FRAMES said last through the same open file:
 * offset 0 of the file is frame pfn. A fault puts in the largest entry that was
 * asked for and that the VMA, and the alignment of address and frame, have room
 * for. If the kernel then wants smaller ones, it gets smaller ones.
 */
#ifndef _PAT_HUGE_IOCTL_H
#define _PAT_HUGE_IOCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Which entries to try; 4K ones come by themselves. */
#define PAT_HUGE_2M	1
#define PAT_HUGE_1G	2

struct pat_huge_frames {
	__u64 pfn;		/* in */
	__u32 sizes;		/* in: PAT_HUGE_2M, PAT_HUGE_1G */
	__s32 type;		/* in: enum pat_test_type of the VMA's protection */
};
#define PAT_HUGE_FRAMES		_IOW('P', 0x70, struct pat_huge_frames)

#endif /* _PAT_HUGE_IOCTL_H */
