/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The interface of pat_delay.ko: hold a task where it calls a kernel function,
 * so that a test can look at what is between two steps of the kernel.
 *
 * The task that is to be held arms the delay for itself and makes its system
 * call. When it comes to the function, it stays there, in its own context and
 * with interrupts as the caller has them, until another task releases it or
 * PAT_DELAY_LIMIT_MS have passed.
 *
 *	IDLE --arm--> ARMED --hit--> HELD --release--> PASSED
 *			|	      +----limit-----> EXPIRED
 *			+--release--> IDLE
 *
 * The device can be opened once at a time, and has one delay.
 */
#ifndef _PAT_DELAY_IOCTL_H
#define _PAT_DELAY_IOCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PAT_DELAY_DEVICE	"/dev/pat_delay"

#define PAT_DELAY_LIMIT_MS	10000

enum pat_delay_state {
	PAT_DELAY_IDLE,
	PAT_DELAY_ARMED,
	PAT_DELAY_HELD,
	PAT_DELAY_PASSED,
	PAT_DELAY_EXPIRED,
};

/* range_arg: every call counts, whatever its arguments are. */
#define PAT_DELAY_ANY_RANGE	0xffffffffU

/*
 * Of the caller's calls of the function, those count that are given a range
 * [start, end) which has addr in it: start is argument number range_arg, end
 * the one after, the first argument has number 0. EBUSY while a task is held,
 * ENOENT or EINVAL if there is no such function or it cannot be probed.
 */
struct pat_delay_arm {
	char symbol[48];	/* in: name of the function */
	__u32 nth;		/* in: which call is held, from 1; 0: none, count */
	__u32 range_arg;	/* in: 0 to 4, or PAT_DELAY_ANY_RANGE */
	__u64 addr;		/* in */
};
#define PAT_DELAY_ARM		_IOW('P', 0x60, struct pat_delay_arm)

struct pat_delay_status {
	__u32 state;		/* out: enum pat_delay_state */
	__u32 hits;		/* out: calls that counted since the delay was armed */
};
#define PAT_DELAY_STATUS	_IOR('P', 0x61, struct pat_delay_status)

/* Lets the held task go on; no task will be held any more. */
#define PAT_DELAY_RELEASE	_IO('P', 0x62)

/* Reads kernel memory where that need not be mapped. */
struct pat_delay_read {
	__u64 addr;		/* in */
	__u64 value;		/* out, if !err */
	__s32 err;		/* out: 0, -EFAULT, -ERANGE */
	__u32 pad;
};
#define PAT_DELAY_READ		_IOWR('P', 0x63, struct pat_delay_read)

#endif /* _PAT_DELAY_IOCTL_H */
