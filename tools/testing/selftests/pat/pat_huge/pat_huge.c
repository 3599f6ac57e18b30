// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that maps frames with huge entries: see pat_huge_ioctl.h.
 *
 * It does what vfio-pci and DAX do, without a device: the frames need not have
 * anything behind them.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pfn_t.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/memtype.h>
#include <asm/pgtable.h>

#include "pat_huge_ioctl.h"
#include "pat_test_ioctl.h"

static unsigned long vmf_frame(const struct vm_fault *vmf)
{
	const struct pat_huge_frames *frames = vmf->vma->vm_private_data;

	return frames->pfn + vmf->pgoff;
}

static vm_fault_t huge_fault(struct vm_fault *vmf, unsigned int order)
{
	const struct pat_huge_frames *frames = vmf->vma->vm_private_data;
	unsigned long size = PAGE_SIZE << order;
	unsigned long addr = ALIGN_DOWN(vmf->address, size);
	unsigned long pfn = ALIGN_DOWN(vmf_frame(vmf), 1UL << order);
	bool write = vmf->flags & FAULT_FLAG_WRITE;

	if (addr < vmf->vma->vm_start || addr + size > vmf->vma->vm_end ||
	    vmf_frame(vmf) - pfn != (vmf->address - addr) >> PAGE_SHIFT)
		return VM_FAULT_FALLBACK;

	if (order == PMD_ORDER && (frames->sizes & PAT_HUGE_2M))
		return vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(pfn, PFN_DEV),
					  write);
	if (order == PUD_ORDER && (frames->sizes & PAT_HUGE_1G))
		return vmf_insert_pfn_pud(vmf, __pfn_to_pfn_t(pfn, PFN_DEV),
					  write);
	return VM_FAULT_FALLBACK;
}

static vm_fault_t small_fault(struct vm_fault *vmf)
{
	return vmf_insert_pfn(vmf->vma, vmf->address, vmf_frame(vmf));
}

static const struct vm_operations_struct pat_huge_vm_ops = {
	.fault		= small_fault,
	.huge_fault	= huge_fault,
};

/* The frames live as long as the file, and the VMA keeps that. */
static int pat_huge_mmap(struct file *filp, struct vm_area_struct *vma)
{
	const struct pat_huge_frames *frames = filp->private_data;

	if (!frames->sizes)
		return -ENODATA;
	if (is_cow_mapping(vma->vm_flags))
		return -EINVAL;
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot = __pgprot((pgprot_val(vma->vm_page_prot) &
				      ~_PAGE_CACHE_MASK) |
				     cachemode2protval(frames->type));
	vma->vm_private_data = filp->private_data;
	vma->vm_ops = &pat_huge_vm_ops;
	return 0;
}

static long pat_huge_ioctl(struct file *filp, unsigned int cmd,
			   unsigned long arg)
{
	struct pat_huge_frames frames;

	if (cmd != PAT_HUGE_FRAMES)
		return -ENOTTY;
	if (copy_from_user(&frames, (void __user *)arg, sizeof(frames)))
		return -EFAULT;
	if (frames.pfn >= 1ULL << (boot_cpu_data.x86_phys_bits - PAGE_SHIFT) ||
	    !frames.sizes || frames.sizes & ~(PAT_HUGE_2M | PAT_HUGE_1G) ||
	    frames.type < PAT_TEST_WB || frames.type > PAT_TEST_WP)
		return -EINVAL;
	*(struct pat_huge_frames *)filp->private_data = frames;
	return 0;
}

static int pat_huge_open(struct inode *inode, struct file *filp)
{
	filp->private_data = kzalloc(sizeof(struct pat_huge_frames), GFP_KERNEL);
	return filp->private_data ? 0 : -ENOMEM;
}

static int pat_huge_release(struct inode *inode, struct file *filp)
{
	kfree(filp->private_data);
	return 0;
}

static const struct file_operations pat_huge_fops = {
	.owner		= THIS_MODULE,
	.open		= pat_huge_open,
	.release	= pat_huge_release,
	.unlocked_ioctl	= pat_huge_ioctl,
	.mmap		= pat_huge_mmap,
	.llseek		= noop_llseek,
};

static struct miscdevice pat_huge_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "pat_huge",
	.fops	= &pat_huge_fops,
	.mode	= 0600,
};
module_misc_device(pat_huge_device);

MODULE_DESCRIPTION("Maps frames with huge page table entries");
MODULE_LICENSE("GPL");
MODULE_INFO(test, "Y");
