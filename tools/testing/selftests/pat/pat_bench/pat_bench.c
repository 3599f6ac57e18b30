// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a benchmark needs a driver for: see pat_bench_ioctl.h.
 *
 * Nothing in here knows which kernel it runs on: all of it is what drivers call,
 * and the same for each.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/io.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/random.h>
#include <linux/rwsem.h>
#include <linux/set_memory.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <asm/memtype.h>
#include <asm/tsc.h>

#include "pat_bench_ioctl.h"

/* Of the BAR: processes map the first pages, the others are held. */
#define HELD_FROM	(SZ_256M >> PAGE_SHIFT)
#define HELD_STEP	2
/* From one held page to the next but so many: a prime number. */
#define SCATTER		7919
#define MOST_HELD	131072
#define MOST_PAGES	131072

static unsigned long bar_pfn;
static unsigned long bar_pages;

/* What is held stays as it is while somebody measures. */
static DECLARE_RWSEM(held_rwsem);
static void __iomem **held;
static unsigned int nr_held;

static unsigned long held_pfn(unsigned int nr)
{
	return bar_pfn + HELD_FROM + nr * HELD_STEP;
}

static void let_go(void)
{
	while (nr_held)
		iounmap(held[--nr_held]);
	vfree(held);
	held = NULL;
	vm_unmap_aliases();
}

static int hold(unsigned long nr)
{
	if (nr > MOST_HELD || HELD_FROM + nr * HELD_STEP > bar_pages)
		return -EINVAL;
	let_go();
	if (!nr)
		return 0;
	held = vcalloc(nr, sizeof(*held));
	if (!held)
		return -ENOMEM;
	for (; nr_held < nr; nr_held++) {
		held[nr_held] = ioremap_wc(PFN_PHYS(held_pfn(nr_held)), PAGE_SIZE);
		if (!held[nr_held]) {
			let_go();
			return -ENOMEM;
		}
	}
	return 0;
}

/* --- operations: how long @run->times of them take ------------------------------- */

static noinline bool ask_nothing(unsigned long pfn)
{
	barrier();
	return pfn & 1;
}

static int time_questions(struct pat_bench_run *run, unsigned long first,
			  unsigned long step, bool (*ask)(unsigned long pfn))
{
	unsigned long pfn = first;
	u64 start = rdtsc_ordered();
	unsigned int i, n = 0;

	for (i = 0; i < run->times; i++) {
		ask(pfn);
		pfn += step;
		if (++n == run->nr) {
			n = 0;
			pfn = first;
		}
	}
	run->ticks = rdtsc_ordered() - start;
	return 0;
}

/* Each time another page between those that are held, of the lane's own share. */
static int time_ioremap(struct pat_bench_run *run)
{
	unsigned int share = nr_held / max(run->lanes, 1U);
	unsigned int first = run->lane * share;
	unsigned int i, n = 0;
	u64 start;

	if (!share || run->lane >= max(run->lanes, 1U))
		return -EINVAL;
	vm_unmap_aliases();
	start = rdtsc_ordered();
	for (i = 0; i < run->times; i++) {
		void __iomem *at = ioremap_wc(PFN_PHYS(held_pfn(first + n) + 1), PAGE_SIZE);

		if (!at)
			return -ENOMEM;
		iounmap(at);
		n = (n + SCATTER) % share;
	}
	run->ticks = rdtsc_ordered() - start;
	return 0;
}

/* The same order each time, in which hardly any two neighbours are left. */
static void mix(struct page **pages, unsigned int nr)
{
	struct rnd_state state;
	unsigned int i, other;

	prandom_seed_state(&state, 1);
	for (i = nr - 1; i > 0; i--) {
		other = prandom_u32_state(&state) % (i + 1);
		swap(pages[i], pages[other]);
	}
}

static int time_array(struct pat_bench_run *run, bool mixed)
{
	unsigned int i, order, nr = 0;
	struct page **pages;
	int err = 0;
	u64 start;

	if (!run->nr || run->nr > MOST_PAGES)
		return -EINVAL;
	pages = vcalloc(run->nr, sizeof(*pages));
	if (!pages)
		return -ENOMEM;
	/* As contiguous as the buddy allocator can. */
	for (order = MAX_PAGE_ORDER; nr < run->nr;) {
		struct page *page;

		if (1U << order > run->nr - nr) {
			order--;
			continue;
		}
		page = alloc_pages(GFP_KERNEL | __GFP_NOWARN, order);
		if (!page) {
			if (order--)
				continue;
			err = -ENOMEM;
			goto out;
		}
		split_page(page, order);
		for (i = 0; i < 1U << order; i++)
			pages[nr++] = page + i;
	}
	if (mixed)
		mix(pages, nr);
	/* Large pages of the direct map are split once and for all. */
	err = set_pages_array_wc(pages, nr) ?: set_pages_array_wb(pages, nr);

	start = rdtsc_ordered();
	for (i = 0; i < run->times && !err; i++)
		err = set_pages_array_wc(pages, nr) ?:
		      set_pages_array_wb(pages, nr);
	run->ticks = rdtsc_ordered() - start;
out:
	while (nr--)
		__free_page(pages[nr]);
	vfree(pages);
	return err;
}

static int time_set_memory(struct pat_bench_run *run)
{
	unsigned long addr = __get_free_page(GFP_KERNEL);
	unsigned int i;
	int err;
	u64 start;

	if (!addr)
		return -ENOMEM;
	err = set_memory_wc(addr, 1) ?: set_memory_wb(addr, 1);
	start = rdtsc_ordered();
	for (i = 0; i < run->times && !err; i++)
		err = set_memory_wc(addr, 1) ?: set_memory_wb(addr, 1);
	run->ticks = rdtsc_ordered() - start;
	free_page(addr);
	return err;
}

static int bench_run(struct pat_bench_run *run)
{
	switch (run->op) {
	case PAT_BENCH_NOTHING:
		return time_questions(run, bar_pfn, 1, ask_nothing);
	case PAT_BENCH_LOOKUP_RAM:
		return time_questions(run, PHYS_PFN(SZ_16M), 1,
				      pat_pfn_immune_to_uc_mtrr);
	case PAT_BENCH_LOOKUP_HELD:
		if (run->nr > nr_held)
			return -EINVAL;
		return time_questions(run, held_pfn(0), HELD_STEP,
				      pat_pfn_immune_to_uc_mtrr);
	case PAT_BENCH_IOREMAP:
		return time_ioremap(run);
	case PAT_BENCH_ARRAY:
		return time_array(run, false);
	case PAT_BENCH_ARRAY_MIXED:
		return time_array(run, true);
	case PAT_BENCH_SET_MEMORY:
		return time_set_memory(run);
	default:
		return -EINVAL;
	}
}

static long pat_bench_ioctl(struct file *filp, unsigned int cmd,
			    unsigned long arg)
{
	void __user *user = (void __user *)arg;
	struct pat_bench_sizes sizes = {
		.vma = sizeof(struct vm_area_struct),
	};
	struct pat_bench_run run;
	int err;

	switch (cmd) {
	case PAT_BENCH_RUN:
		if (copy_from_user(&run, user, sizeof(run)))
			return -EFAULT;
		run.ticks = 0;
		down_read(&held_rwsem);
		run.err = bench_run(&run);
		up_read(&held_rwsem);
		return copy_to_user(user, &run, sizeof(run)) ? -EFAULT : 0;
	case PAT_BENCH_HOLD:
		down_write(&held_rwsem);
		err = hold(arg);
		up_write(&held_rwsem);
		return err;
	case PAT_BENCH_MAPS:
		if (arg > PAT_BENCH_FAULT)
			return -EINVAL;
		filp->private_data = (void *)arg;
		return 0;
	case PAT_BENCH_SIZES:
		return copy_to_user(user, &sizes, sizeof(sizes)) ? -EFAULT : 0;
	default:
		return -ENOTTY;
	}
}

/* --- mappings -------------------------------------------------------------------- */

static vm_fault_t bench_fault(struct vm_fault *vmf)
{
	return vmf_insert_pfn(vmf->vma, vmf->address, bar_pfn + vmf->pgoff);
}

static const struct vm_operations_struct bench_fault_ops = {
	.fault = bench_fault,
};

/* For a mapping that is complete. */
static const struct vm_operations_struct bench_remap_ops = {
};

static int pat_bench_mmap(struct file *filp, struct vm_area_struct *vma)
{
	unsigned long size = vma->vm_end - vma->vm_start;

	if (is_cow_mapping(vma->vm_flags) ||
	    vma->vm_pgoff + PHYS_PFN(size) > HELD_FROM)
		return -EINVAL;
	vma->vm_page_prot = pgprot_writecombine(vma->vm_page_prot);
	if (filp->private_data == (void *)PAT_BENCH_FAULT) {
		vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP);
		vma->vm_ops = &bench_fault_ops;
		return 0;
	}
	vma->vm_ops = &bench_remap_ops;
	return remap_pfn_range(vma, vma->vm_start, bar_pfn + vma->vm_pgoff, size,
			       vma->vm_page_prot);
}

static int pat_bench_open(struct inode *inode, struct file *filp)
{
	filp->private_data = (void *)PAT_BENCH_REMAP;
	return 0;
}

static const struct file_operations pat_bench_fops = {
	.owner		= THIS_MODULE,
	.open		= pat_bench_open,
	.unlocked_ioctl	= pat_bench_ioctl,
	.mmap		= pat_bench_mmap,
	.llseek		= noop_llseek,
};

static struct miscdevice pat_bench_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "pat_bench",
	.fops	= &pat_bench_fops,
	.mode	= 0600,
};

static int __init pat_bench_init(void)
{
	struct pci_dev *pdev = pci_get_device(0x1af4, 0x1110, NULL);

	if (!pdev || pci_resource_len(pdev, 2) < SZ_2G) {
		pr_err("no PCI device 1af4:1110 with a BAR of 2 GiB\n");
		pci_dev_put(pdev);
		return -ENODEV;
	}
	bar_pfn = PHYS_PFN(pci_resource_start(pdev, 2));
	bar_pages = PHYS_PFN(pci_resource_len(pdev, 2));
	pci_dev_put(pdev);
	return misc_register(&pat_bench_device);
}

static void __exit pat_bench_exit(void)
{
	misc_deregister(&pat_bench_device);
	let_go();
}

module_init(pat_bench_init);
module_exit(pat_bench_exit);

MODULE_DESCRIPTION("Benchmarks of memory type tracking");
MODULE_LICENSE("GPL");
MODULE_INFO(test, "Y");
