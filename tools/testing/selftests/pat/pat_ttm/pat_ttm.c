// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers of pages from TTM's pools: see pat_ttm_ioctl.h.
 *
 * The pools are TTM's global ones. They exist once a graphics driver uses TTM.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_pool.h>
#include <drm/ttm/ttm_tt.h>

#include "pat_ttm_ioctl.h"

struct buffer {
	struct ttm_buffer_object bo;	/* only its size is looked at */
	struct ttm_tt tt;
	unsigned long handle;
	atomic_t maps;			/* VMAs; the first comes under the lock */
};

struct client {
	spinlock_t lock;		/* protects the table */
	struct buffer *buffers[PAT_TTM_MAX_HANDLES];
};

static struct ttm_pool pool;

static void free_buffer(struct buffer *buffer)
{
	ttm_pool_free(&pool, &buffer->tt);
	ttm_tt_fini(&buffer->tt);
	kfree(buffer);
}

static struct buffer *alloc_buffer(unsigned int nr, enum ttm_caching caching)
{
	struct ttm_operation_ctx ctx = { };
	struct buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);

	if (!buffer)
		return NULL;
	buffer->bo.base.size = (size_t)nr << PAGE_SHIFT;
	if (ttm_tt_init(&buffer->tt, &buffer->bo, TTM_TT_FLAG_ZERO_ALLOC,
			caching, 0)) {
		kfree(buffer);
		return NULL;
	}
	if (ttm_pool_alloc(&pool, &buffer->tt, &ctx)) {
		ttm_tt_fini(&buffer->tt);
		kfree(buffer);
		return NULL;
	}
	return buffer;
}

static int copy_pfns(const struct buffer *buffer, u64 __user *pfns)
{
	unsigned int i;

	for (i = 0; i < buffer->tt.num_pages; i++)
		if (put_user((u64)page_to_pfn(buffer->tt.pages[i]), &pfns[i]))
			return -EFAULT;
	return 0;
}

/* Gives a buffer a handle: 0 if there is none left. */
static unsigned long add_buffer(struct client *client, struct buffer *buffer)
{
	unsigned int slot = 0;

	guard(spinlock)(&client->lock);
	while (slot < ARRAY_SIZE(client->buffers) && client->buffers[slot])
		slot++;
	if (slot == ARRAY_SIZE(client->buffers))
		return 0;
	buffer->handle = slot + 1;
	client->buffers[slot] = buffer;
	return buffer->handle;
}

/* Caller holds client->lock. */
static struct buffer *buffer_of(struct client *client, unsigned long handle)
{
	if (!handle || handle > ARRAY_SIZE(client->buffers))
		return NULL;
	return client->buffers[handle - 1];
}

static long ioctl_free(struct client *client, unsigned long handle)
{
	struct buffer *buffer;

	scoped_guard(spinlock, &client->lock) {
		buffer = buffer_of(client, handle);
		if (!buffer)
			return -ENOENT;
		if (atomic_read(&buffer->maps))
			return -EBUSY;
		client->buffers[handle - 1] = NULL;
	}
	free_buffer(buffer);
	return 0;
}

static long ioctl_alloc(struct client *client, void __user *arg)
{
	struct pat_ttm_alloc req;
	struct buffer *buffer;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (!req.nr || req.nr > PAT_TTM_MAX_PAGES || req.caching > ttm_cached)
		return -EINVAL;
	buffer = alloc_buffer(req.nr, req.caching);
	if (!buffer)
		return -ENOMEM;
	if (copy_pfns(buffer, u64_to_user_ptr(req.pfns))) {
		free_buffer(buffer);
		return -EFAULT;
	}
	req.handle = add_buffer(client, buffer);
	if (!req.handle) {
		free_buffer(buffer);
		return -E2BIG;
	}
	/* A caller who gives no room for the handle closes the file. */
	return copy_to_user(arg, &req, sizeof(req)) ? -EFAULT : 0;
}

static long pat_ttm_ioctl(struct file *filp, unsigned int cmd,
			  unsigned long arg)
{
	struct client *client = filp->private_data;

	switch (cmd) {
	case PAT_TTM_ALLOC:
		return ioctl_alloc(client, (void __user *)arg);
	case PAT_TTM_FREE:
		return ioctl_free(client, arg);
	}
	return -ENOTTY;
}

static void buffer_vm_open(struct vm_area_struct *vma)
{
	struct buffer *buffer = vma->vm_private_data;

	atomic_inc(&buffer->maps);
}

static void buffer_vm_close(struct vm_area_struct *vma)
{
	struct buffer *buffer = vma->vm_private_data;

	atomic_dec(&buffer->maps);
}

static pgprot_t buffer_prot(const struct buffer *buffer, pgprot_t prot)
{
	switch (buffer->tt.caching) {
	case ttm_write_combined:
		return pgprot_writecombine(prot);
	case ttm_uncached:
		return pgprot_noncached(prot);
	case ttm_cached:
		break;
	}
	return prot;
}

static vm_fault_t buffer_vm_fault(struct vm_fault *vmf)
{
	struct buffer *buffer = vmf->vma->vm_private_data;
	unsigned long nr = vmf->pgoff - buffer->handle;
	pgprot_t prot = buffer_prot(buffer, vmf->vma->vm_page_prot);

	if (nr >= buffer->tt.num_pages)
		return VM_FAULT_SIGBUS;
	return vmf_insert_pfn_prot(vmf->vma, vmf->address,
				   page_to_pfn(buffer->tt.pages[nr]), prot);
}

static const struct vm_operations_struct buffer_vm_ops = {
	.open	= buffer_vm_open,
	.close	= buffer_vm_close,
	.fault	= buffer_vm_fault,
};

static int pat_ttm_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct client *client = filp->private_data;
	struct buffer *buffer;

	if (is_cow_mapping(vma->vm_flags))
		return -EINVAL;
	scoped_guard(spinlock, &client->lock) {
		buffer = buffer_of(client, vma->vm_pgoff);
		if (!buffer)
			return -ENOENT;
		atomic_inc(&buffer->maps);
	}
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = buffer;
	vma->vm_ops = &buffer_vm_ops;
	return 0;
}

static int pat_ttm_open(struct inode *inode, struct file *filp)
{
	struct client *client = kzalloc(sizeof(*client), GFP_KERNEL);

	if (!client)
		return -ENOMEM;
	spin_lock_init(&client->lock);
	filp->private_data = client;
	return 0;
}

/* Nothing is mapped any more: a VMA keeps the file. */
static int pat_ttm_release(struct inode *inode, struct file *filp)
{
	struct client *client = filp->private_data;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(client->buffers); i++)
		if (client->buffers[i])
			free_buffer(client->buffers[i]);
	kfree(client);
	return 0;
}

static const struct file_operations pat_ttm_fops = {
	.owner		= THIS_MODULE,
	.open		= pat_ttm_open,
	.release	= pat_ttm_release,
	.unlocked_ioctl	= pat_ttm_ioctl,
	.mmap		= pat_ttm_mmap,
	.llseek		= noop_llseek,
};

static struct miscdevice pat_ttm_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "pat_ttm",
	.fops	= &pat_ttm_fops,
	.mode	= 0600,
};

static int __init pat_ttm_init(void)
{
	ttm_pool_init(&pool, NULL, NUMA_NO_NODE, false, false);
	return misc_register(&pat_ttm_device);
}

static void __exit pat_ttm_exit(void)
{
	misc_deregister(&pat_ttm_device);
	ttm_pool_fini(&pool);
}

module_init(pat_ttm_init);
module_exit(pat_ttm_exit);

MODULE_DESCRIPTION("Buffers of pages from TTM's pools");
MODULE_LICENSE("GPL");
MODULE_INFO(test, "Y");
