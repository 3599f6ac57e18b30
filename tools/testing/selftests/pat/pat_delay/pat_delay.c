// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hold a task where it calls a kernel function: see pat_delay_ioctl.h.
 *
 * A kprobe's handler runs as an exception with interrupts off. Who waits there
 * keeps every other CPU from flushing TLBs, which is just what the tests want to
 * see happen. So the handler sends the task off to a trampoline, which keeps
 * the function's arguments, waits in the context that the function was called
 * in, and then calls the function once more: the probe is hit again, and this
 * time lets it pass.
 *
 * The task that armed the delay is the only one that the handler looks at, and
 * arming and hitting are steps of that one task. Others only read the state,
 * and release. The mutex is for them and for the probe; the handler takes
 * nothing.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nmi.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "pat_delay_ioctl.h"

/* What an x86 function gets in registers, less one for the range's end. */
#define MAX_RANGE_ARG	4

static struct {
	struct mutex mutex;
	bool opened;
	bool probed;			/* kp is registered */
	struct kprobe kp;
	struct pat_delay_arm arm;	/* .symbol is kp's, too */
	struct task_struct *task;	/* who armed; only compared */
	unsigned int hits;
	atomic_t state;			/* enum pat_delay_state */
	bool passing;			/* about to hit the probe once more */
} delay = {
	.mutex	= __MUTEX_INITIALIZER(delay.mutex),
	.state	= ATOMIC_INIT(PAT_DELAY_IDLE),
};

/* Where the trampoline calls the function again: at the probe. */
unsigned long pat_delay_target;

asmlinkage void pat_delay_wait(void);
extern char pat_delay_trampoline[];

/*
 * Entered in place of the function, with its arguments and its return address.
 * What the ABI lets the function destroy, pat_delay_wait() may destroy as well,
 * but for the arguments.
 */
asm(
"	.pushsection .text, \"ax\", @progbits\n"
"	.type pat_delay_trampoline, @function\n"
"	.globl pat_delay_trampoline\n"
"pat_delay_trampoline:\n"
"	push %rbp\n"
"	mov %rsp, %rbp\n"
"	push %rdi\n"
"	push %rsi\n"
"	push %rdx\n"
"	push %rcx\n"
"	push %r8\n"
"	push %r9\n"
"	push %rax\n"
"	push %r10\n"
"	call pat_delay_wait\n"
"	pop %r10\n"
"	pop %rax\n"
"	pop %r9\n"
"	pop %r8\n"
"	pop %rcx\n"
"	pop %rdx\n"
"	pop %rsi\n"
"	pop %rdi\n"
"	pop %rbp\n"
"	jmp *pat_delay_target(%rip)\n"
"	.size pat_delay_trampoline, .-pat_delay_trampoline\n"
"	.popsection\n");

asmlinkage void pat_delay_wait(void)
{
	u64 limit = ktime_get_ns() + PAT_DELAY_LIMIT_MS * NSEC_PER_MSEC;

	atomic_set_release(&delay.state, PAT_DELAY_HELD);
	while (atomic_read_acquire(&delay.state) == PAT_DELAY_HELD) {
		if (ktime_get_ns() > limit)
			atomic_cmpxchg(&delay.state, PAT_DELAY_HELD,
				       PAT_DELAY_EXPIRED);
		cpu_relax();
		touch_softlockup_watchdog();
	}
}
NOKPROBE_SYMBOL(pat_delay_wait);

static bool hit_counts(struct pt_regs *regs)
{
	unsigned int arg = delay.arm.range_arg;

	return arg == PAT_DELAY_ANY_RANGE ||
	       (regs_get_kernel_argument(regs, arg) <= delay.arm.addr &&
		regs_get_kernel_argument(regs, arg + 1) > delay.arm.addr);
}
NOKPROBE_SYMBOL(hit_counts);

static int hit(struct kprobe *kp, struct pt_regs *regs)
{
	if (READ_ONCE(delay.task) != current)
		return 0;
	if (delay.passing) {
		delay.passing = false;
		return 0;
	}
	if (!hit_counts(regs))
		return 0;
	WRITE_ONCE(delay.hits, delay.hits + 1);
	if (delay.hits != delay.arm.nth ||
	    atomic_read(&delay.state) != PAT_DELAY_ARMED)
		return 0;

	delay.passing = true;
	regs->ip = (unsigned long)pat_delay_trampoline;
	return 1;
}
NOKPROBE_SYMBOL(hit);

/* A probe with this is not optimized to a jump, which could not be diverted. */
static void after_hit(struct kprobe *kp, struct pt_regs *regs,
		      unsigned long flags)
{
}
NOKPROBE_SYMBOL(after_hit);

/* Caller holds the mutex. */
static void probe_remove(void)
{
	if (delay.probed)
		unregister_kprobe(&delay.kp);
	delay.probed = false;
}

/* Caller holds the mutex. */
static int probe_place(void)
{
	int err;

	delay.kp = (struct kprobe) {
		.symbol_name = delay.arm.symbol,
		.pre_handler = hit,
		.post_handler = after_hit,
	};
	err = register_kprobe(&delay.kp);
	if (err)
		return err;
	delay.probed = true;
	pat_delay_target = (unsigned long)delay.kp.addr;
	return 0;
}

static long ioctl_arm(void __user *arg)
{
	struct pat_delay_arm arm;
	long err = 0;

	if (copy_from_user(&arm, arg, sizeof(arm)))
		return -EFAULT;
	if (strnlen(arm.symbol, sizeof(arm.symbol)) == sizeof(arm.symbol) ||
	    (arm.range_arg > MAX_RANGE_ARG &&
	     arm.range_arg != PAT_DELAY_ANY_RANGE))
		return -EINVAL;

	mutex_lock(&delay.mutex);
	if (atomic_read(&delay.state) == PAT_DELAY_HELD) {
		err = -EBUSY;
		goto out;
	}
	/* From here on no probe is hit: the fields are ours. */
	WRITE_ONCE(delay.task, NULL);
	probe_remove();
	delay.arm = arm;
	delay.hits = 0;
	delay.passing = false;
	atomic_set(&delay.state, PAT_DELAY_IDLE);
	err = probe_place();
	if (!err) {
		atomic_set(&delay.state, PAT_DELAY_ARMED);
		WRITE_ONCE(delay.task, current);
	}
out:
	mutex_unlock(&delay.mutex);
	return err;
}

static long ioctl_status(void __user *arg)
{
	struct pat_delay_status status = {
		.state = atomic_read_acquire(&delay.state),
		.hits = READ_ONCE(delay.hits),
	};

	return copy_to_user(arg, &status, sizeof(status)) ? -EFAULT : 0;
}

static void release(void)
{
	if (atomic_cmpxchg(&delay.state, PAT_DELAY_ARMED, PAT_DELAY_IDLE) !=
	    PAT_DELAY_ARMED)
		atomic_cmpxchg(&delay.state, PAT_DELAY_HELD, PAT_DELAY_PASSED);
}

static long ioctl_read(void __user *arg)
{
	struct pat_delay_read req;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	req.err = copy_from_kernel_nofault(&req.value,
					   (void *)(unsigned long)req.addr,
					   sizeof(req.value));
	return copy_to_user(arg, &req, sizeof(req)) ? -EFAULT : 0;
}

static int pat_delay_open(struct inode *inode, struct file *filp)
{
	int err = 0;

	mutex_lock(&delay.mutex);
	if (delay.opened)
		err = -EBUSY;
	delay.opened = true;
	mutex_unlock(&delay.mutex);
	return err;
}

static int pat_delay_release(struct inode *inode, struct file *filp)
{
	release();
	mutex_lock(&delay.mutex);
	WRITE_ONCE(delay.task, NULL);
	probe_remove();
	atomic_set(&delay.state, PAT_DELAY_IDLE);
	delay.opened = false;
	mutex_unlock(&delay.mutex);
	return 0;
}

static long pat_delay_ioctl(struct file *filp, unsigned int cmd,
			    unsigned long arg)
{
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case PAT_DELAY_ARM:
		return ioctl_arm(user);
	case PAT_DELAY_STATUS:
		return ioctl_status(user);
	case PAT_DELAY_RELEASE:
		release();
		return 0;
	case PAT_DELAY_READ:
		return ioctl_read(user);
	}
	return -ENOTTY;
}

static const struct file_operations pat_delay_fops = {
	.owner		= THIS_MODULE,
	.open		= pat_delay_open,
	.release	= pat_delay_release,
	.unlocked_ioctl	= pat_delay_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice pat_delay_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "pat_delay",
	.fops	= &pat_delay_fops,
	.mode	= 0600,
};

/*
 * A task that was let go may be in the trampoline still, and nothing says when
 * it has left. So there is no way out.
 */
builtin_misc_device(pat_delay_device);

MODULE_DESCRIPTION("Holds a task where it calls a kernel function");
MODULE_LICENSE("GPL");
MODULE_INFO(test, "Y");
