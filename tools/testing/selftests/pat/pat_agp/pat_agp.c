// SPDX-License-Identifier: GPL-2.0-only
/*
 * An AGP bridge without hardware: see pat_agp_ioctl.h.
 *
 * No machine that QEMU knows has AGP. What the AGP core does with memory needs
 * none: a driver tells it how large the aperture is, and that it may use the
 * generic operations.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/agp_backend.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/uaccess.h>

#include "agp.h"
#include "pat_agp_ioctl.h"

/* 16 MiB: 4096 entries of 4 bytes, in four pages. */
static const struct aper_size_info_fixed pat_agp_sizes[] = {
	{ 16, PAT_AGP_MAX_PAGES, 2 },
};

#define TABLE_PAGES (1 << pat_agp_sizes[0].page_order)

/* Protects everything below, and calls of the core. */
static DEFINE_MUTEX(pat_agp_lock);
static struct agp_bridge_data *bridge;
static struct agp_memory *memories[PAT_AGP_MAX_HANDLES];

static int pat_agp_fetch_size(void)
{
	agp_bridge->current_size = (void *)&pat_agp_sizes[0];
	agp_bridge->previous_size = agp_bridge->current_size;
	agp_bridge->aperture_size_idx = 0;
	return pat_agp_sizes[0].size;
}

static int pat_agp_configure(void)
{
	return 0;
}

static void pat_agp_tlb_flush(struct agp_memory *memory)
{
}

/* No owner: the open file keeps this module. */
static const struct agp_bridge_driver pat_agp_driver = {
	.aperture_sizes		= pat_agp_sizes,
	.num_aperture_sizes	= ARRAY_SIZE(pat_agp_sizes),
	.size_type		= FIXED_APER_SIZE,
	.cant_use_aperture	= true,
	.needs_scratch_page	= true,
	.fetch_size		= pat_agp_fetch_size,
	.configure		= pat_agp_configure,
	.agp_enable		= agp_generic_enable,
	.tlb_flush		= pat_agp_tlb_flush,
	.mask_memory		= agp_generic_mask_memory,
	.cache_flush		= global_cache_flush,
	.create_gatt_table	= agp_generic_create_gatt_table,
	.free_gatt_table	= agp_generic_free_gatt_table,
	.insert_memory		= agp_generic_insert_memory,
	.remove_memory		= agp_generic_remove_memory,
	.alloc_by_type		= agp_generic_alloc_by_type,
	.free_by_type		= agp_generic_free_by_type,
	.agp_alloc_page		= agp_generic_alloc_page,
	.agp_alloc_pages	= agp_generic_alloc_pages,
	.agp_destroy_page	= agp_generic_destroy_page,
	.agp_destroy_pages	= agp_generic_destroy_pages,
	.agp_type_to_mask_type	= agp_generic_type_to_mask_type,
};

static struct agp_memory *memory_of(unsigned long handle)
{
	if (!handle || handle > ARRAY_SIZE(memories))
		return NULL;
	return memories[handle - 1];
}

static long ioctl_info(void __user *arg)
{
	struct pat_agp_info info = {
		.table_pfn = page_to_pfn(virt_to_page(bridge->gatt_table_real)),
		.scratch_pfn = page_to_pfn(bridge->scratch_page_page),
		.table_pages = TABLE_PAGES,
		.used_pages = atomic_read(&bridge->current_memory_agp),
	};

	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static int copy_pfns(const struct agp_memory *memory, u64 __user *pfns)
{
	size_t i;

	for (i = 0; i < memory->page_count; i++)
		if (put_user((u64)page_to_pfn(memory->pages[i]), &pfns[i]))
			return -EFAULT;
	return 0;
}

static long ioctl_alloc(void __user *arg)
{
	struct pat_agp_alloc req;
	struct agp_memory *memory;
	unsigned int slot = 0;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (!req.nr || req.nr > PAT_AGP_MAX_PAGES)
		return -EINVAL;
	while (slot < ARRAY_SIZE(memories) && memories[slot])
		slot++;
	if (slot == ARRAY_SIZE(memories))
		return -E2BIG;

	memory = agp_allocate_memory(bridge, req.nr, AGP_NORMAL_MEMORY);
	if (!memory)
		return -ENOMEM;
	req.handle = slot + 1;
	if (copy_pfns(memory, u64_to_user_ptr(req.pfns)) ||
	    copy_to_user(arg, &req, sizeof(req))) {
		agp_free_memory(memory);
		return -EFAULT;
	}
	memories[slot] = memory;
	return 0;
}

static long ioctl_free(unsigned long handle)
{
	struct agp_memory *memory = memory_of(handle);

	if (!memory)
		return -ENOENT;
	agp_free_memory(memory);
	memories[handle - 1] = NULL;
	return 0;
}

static long ioctl_bind(void __user *arg)
{
	struct pat_agp_bind req;
	struct agp_memory *memory;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	memory = memory_of(req.handle);
	return memory ? agp_bind_memory(memory, req.start) : -ENOENT;
}

static long ioctl_unbind(unsigned long handle)
{
	struct agp_memory *memory = memory_of(handle);

	return memory ? agp_unbind_memory(memory) : -ENOENT;
}

static long ioctl_entry(void __user *arg)
{
	struct pat_agp_entry req;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (req.nr >= PAT_AGP_MAX_PAGES)
		return -EINVAL;
	req.pfn = readl(bridge->gatt_table + req.nr) >> PAGE_SHIFT;
	return copy_to_user(arg, &req, sizeof(req)) ? -EFAULT : 0;
}

static long pat_agp_ioctl(struct file *filp, unsigned int cmd,
			  unsigned long arg)
{
	void __user *user = (void __user *)arg;

	guard(mutex)(&pat_agp_lock);
	switch (cmd) {
	case PAT_AGP_INFO:
		return ioctl_info(user);
	case PAT_AGP_ALLOC:
		return ioctl_alloc(user);
	case PAT_AGP_FREE:
		return ioctl_free(arg);
	case PAT_AGP_BIND:
		return ioctl_bind(user);
	case PAT_AGP_UNBIND:
		return ioctl_unbind(arg);
	case PAT_AGP_ENTRY:
		return ioctl_entry(user);
	}
	return -ENOTTY;
}

static int pat_agp_open(struct inode *inode, struct file *filp)
{
	struct agp_bridge_data *new;
	struct pci_dev *pdev;
	int err;

	guard(mutex)(&pat_agp_lock);
	/* The core's generic functions work on its first bridge only. */
	if (!list_empty(&agp_bridges))
		return -EBUSY;
	pdev = pci_get_domain_bus_and_slot(0, 0, PCI_DEVFN(0, 0));
	if (!pdev)
		return -ENODEV;
	new = agp_alloc_bridge();
	if (!new) {
		pci_dev_put(pdev);
		return -ENOMEM;
	}
	new->driver = &pat_agp_driver;
	new->dev = pdev;
	/* On failure this also frees it. */
	err = agp_add_bridge(new);
	if (err) {
		pci_dev_put(pdev);
		return err;
	}
	bridge = new;
	return 0;
}

static int pat_agp_release(struct inode *inode, struct file *filp)
{
	struct pci_dev *pdev;
	unsigned int i;

	guard(mutex)(&pat_agp_lock);
	for (i = 0; i < ARRAY_SIZE(memories); i++) {
		agp_free_memory(memories[i]);
		memories[i] = NULL;
	}
	pdev = bridge->dev;
	agp_remove_bridge(bridge);
	agp_put_bridge(bridge);
	bridge = NULL;
	pci_dev_put(pdev);
	return 0;
}

static const struct file_operations pat_agp_fops = {
	.owner		= THIS_MODULE,
	.open		= pat_agp_open,
	.release	= pat_agp_release,
	.unlocked_ioctl	= pat_agp_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice pat_agp_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "pat_agp",
	.fops	= &pat_agp_fops,
	.mode	= 0600,
};
module_misc_device(pat_agp_device);

MODULE_DESCRIPTION("AGP bridge without hardware");
MODULE_LICENSE("GPL");
MODULE_INFO(test, "Y");
