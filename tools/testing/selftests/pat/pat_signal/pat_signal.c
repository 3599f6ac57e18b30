// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kills a task at its nth allocation: what failing at the nth allocation is to
 * a call that returns, this is to one that is interrupted.
 *
 * A task that writes a number n to /dev/pat_signal gets SIGKILL when it enters
 * the allocator for the nth time from then on. 0, or closing the file, calls
 * it off. One task at a time.
 *
 * The probes run wherever memory is allocated, with interrupts off and perhaps
 * with the locks held that sending a signal takes, so that is left to an
 * irq_work: it runs as soon as interrupts are on again.
 *
 * The probes are there only while somebody has the file open: all allocations
 * of all tasks pay for them.
 *
 *	mutex	protects opened, and target but for reading it in the probes
 *	left	is the target's own
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/irq_work.h>
#include <linux/kprobes.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

static DEFINE_MUTEX(mutex);
static unsigned int opened;
static struct task_struct *target;
static unsigned int left;

static void kill_target(struct irq_work *work)
{
	send_sig(SIGKILL, target, 1);
}
static DEFINE_IRQ_WORK(killer, kill_target);

static int count_allocation(struct kprobe *probe, struct pt_regs *regs)
{
	if (current == READ_ONCE(target) && left && !--left)
		irq_work_queue(&killer);
	return 0;
}
NOKPROBE_SYMBOL(count_allocation);

#define PROBE(function) { .symbol_name = function, .pre_handler = count_allocation }

/* Where slab objects and pages come from, whichever way they are asked for. */
static struct kprobe probes[] = {
	PROBE("__alloc_pages_noprof"),
	PROBE("__kmalloc_cache_node_noprof"),
	PROBE("__kmalloc_cache_noprof"),
	PROBE("__kmalloc_node_noprof"),
	PROBE("__kmalloc_node_track_caller_noprof"),
	PROBE("__kmalloc_noprof"),
	PROBE("__kvmalloc_node_noprof"),
	PROBE("alloc_pages_bulk_noprof"),
	PROBE("kmem_cache_alloc_bulk_noprof"),
	PROBE("kmem_cache_alloc_lru_noprof"),
	PROBE("kmem_cache_alloc_node_noprof"),
	PROBE("kmem_cache_alloc_noprof"),
};

/* Caller holds the mutex. */
static void disarm(void)
{
	struct task_struct *task = target;

	lockdep_assert_held(&mutex);
	if (!task)
		return;
	WRITE_ONCE(target, NULL);
	put_task_struct(task);
}

/*
 * The target is disarmed by itself, in its write or its exit, or by somebody
 * whom it gave the file. Of what is queued for it nothing may be left.
 */
static void disarm_and_wait(void)
{
	irq_work_sync(&killer);
	disarm();
}

static ssize_t pat_signal_write(struct file *filp, const char __user *text,
				size_t size, loff_t *pos)
{
	unsigned int n;
	int err = kstrtouint_from_user(text, size, 0, &n);

	if (err)
		return err;

	mutex_lock(&mutex);
	if (target && target != current) {
		mutex_unlock(&mutex);
		return -EBUSY;
	}
	disarm_and_wait();
	if (n) {
		left = n;
		filp->private_data = current;
		WRITE_ONCE(target, get_task_struct(current));
	}
	mutex_unlock(&mutex);
	return size;
}

static void remove_probes(unsigned int nr)
{
	while (nr--)
		unregister_kprobe(&probes[nr]);
}

static int insert_probes(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		/* What an earlier use has left in it. */
		probes[i].addr = NULL;
		probes[i].flags = 0;
		err = register_kprobe(&probes[i]);
		if (err) {
			pr_err("no probe at %s: %d\n", probes[i].symbol_name, err);
			remove_probes(i);
			return err;
		}
	}
	return 0;
}

static int pat_signal_open(struct inode *inode, struct file *filp)
{
	int err = 0;

	filp->private_data = NULL;
	mutex_lock(&mutex);
	if (!opened)
		err = insert_probes();
	if (!err)
		opened++;
	mutex_unlock(&mutex);
	return err;
}

static int pat_signal_release(struct inode *inode, struct file *filp)
{
	mutex_lock(&mutex);
	if (filp->private_data && filp->private_data == target)
		disarm_and_wait();
	if (!--opened)
		remove_probes(ARRAY_SIZE(probes));
	mutex_unlock(&mutex);
	return 0;
}

static const struct file_operations pat_signal_fops = {
	.owner		= THIS_MODULE,
	.open		= pat_signal_open,
	.release	= pat_signal_release,
	.write		= pat_signal_write,
	.llseek		= noop_llseek,
};

static struct miscdevice pat_signal_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "pat_signal",
	.fops	= &pat_signal_fops,
	.mode	= 0600,
};

module_misc_device(pat_signal_device);

MODULE_DESCRIPTION("Kills a task at its nth allocation");
MODULE_LICENSE("GPL");
MODULE_INFO(test, "Y");
