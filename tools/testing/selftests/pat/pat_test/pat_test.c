// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test driver for x86 memory types: see pat_test_ioctl.h for what it offers.
 *
 * It uses exported symbols only, so that one source builds for every kernel
 * the tests compare. Types are decoded from page table entries and the PAT MSR
 * and so stay independent of the kernel's own tables.
 *
 * Locks of an open file
 *
 *   pat_test_file::mutex	handles: creating, using and deleting them
 *   pat_test_file::lock	program, result, nr_areas
 *
 *   mutex > mmap_lock (user copies, page table walks) > lock
 *
 * mmap() and faults come with mmap_lock held and so take the spinlock only.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kref.h>
#include <linux/memory_hotplug.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pfn_t.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>

#include <asm/memtype.h>
#include <asm/msr.h>
#include <asm/pgtable.h>
#include <asm/processor.h>
#include <asm/set_memory.h>

#include "pat_set.h"
#include "pat_test_ioctl.h"

/* WB, WT, UC-, UC twice: what PWT and PCD mean without PAT. */
#define LEGACY_PAT_MSR	0x0007040600070406ULL

enum handle_kind {
	HANDLE_MAP,
	HANDLE_PAGES,
	HANDLE_CLAIM,
};

struct handle {
	enum handle_kind kind;
	union {
		struct {
			enum pat_test_map_api api;
			u64 phys;
			u64 size;
			void *vaddr;
		} map;
		struct {
			struct page **pages;
			u32 nr;
			bool contiguous;
			bool type_changed;
			bool adopted;
		} pages;
		struct {
			u64 phys;
			u64 size;
		} claim;
	};
};

struct program {
	struct kref ref;
	u32 nr;
	u32 flags;
	struct pat_test_chunk *chunks;
};

struct pat_test_file {
	struct mutex mutex;
	struct xarray handles;		/* handle number -> struct handle */
	struct xarray owned;		/* frame number -> struct page */

	spinlock_t lock;
	struct program *program;
	struct pat_test_result result;
	unsigned int nr_areas;		/* VMAs, and mmap()s under way */
};

/* What the VMAs that come from one mmap() share. */
struct area {
	struct kref ref;
	struct pat_test_file *file;
	struct program *program;
	unsigned long pgoff;		/* where the program's offset 0 is */
};

/* --- types from the hardware's point of view --------------------------- */

static u64 pat_msr(void)
{
	u64 value;

	if (!boot_cpu_has(X86_FEATURE_PAT) ||
	    rdmsrl_safe(MSR_IA32_CR_PAT, &value))
		return LEGACY_PAT_MSR;
	return value;
}

/*
 * The three bits select a slot of the MSR. The third of them is bit 7 of a 4K
 * entry, where a huge entry says that it is huge and has it as bit 12:
 *
 *	bit	12	7	4	3
 *	4K	frame	PAT	PCD	PWT
 *	2M, 1G	PAT	1	PCD	PWT
 */
static enum pat_test_type entry_type(u64 entry, unsigned int level)
{
	u64 pat_bit = level == PG_LEVEL_4K ? _PAGE_PAT : _PAGE_PAT_LARGE;
	unsigned int slot = (entry & _PAGE_PWT ? 1 : 0) |
			    (entry & _PAGE_PCD ? 2 : 0) |
			    (entry & pat_bit ? 4 : 0);

	switch ((pat_msr() >> (slot * 8)) & 7) {
	case 0: return PAT_TEST_UC;
	case 1: return PAT_TEST_WC;
	case 4: return PAT_TEST_WT;
	case 5: return PAT_TEST_WP;
	case 6: return PAT_TEST_WB;
	case 7: return PAT_TEST_UC_MINUS;
	default: return PAT_TEST_RESERVED;
	}
}

/* The frame of one address inside an entry of any level. */
static u64 entry_pfn(u64 entry, unsigned int level, unsigned long addr)
{
	u64 mask = page_level_mask(level);

	return ((entry & PTE_PFN_MASK & mask) | (addr & ~mask)) >> PAGE_SHIFT;
}

static enum pat_test_type kernel_type(unsigned long addr, u64 pfn,
				      unsigned int *level)
{
	pte_t *ptep = lookup_address(addr, level);
	u64 entry;

	if (!ptep)
		return PAT_TEST_NOT_MAPPED;

	entry = pte_val(READ_ONCE(*ptep));
	if (!(entry & _PAGE_PRESENT))
		return PAT_TEST_NOT_MAPPED;
	if (entry_pfn(entry, *level, addr) != pfn)
		return PAT_TEST_WRONG_FRAME;
	return entry_type(entry, *level);
}

/* The one type of all entries of a kernel mapping, @level that of the first. */
static enum pat_test_type kernel_range_type(unsigned long addr, u64 phys,
					    u64 size, unsigned int *level)
{
	unsigned long end = addr + size;
	u64 delta = phys - addr;
	enum pat_test_type first;
	unsigned int next_level;

	first = kernel_type(addr, phys >> PAGE_SHIFT, level);
	next_level = *level;
	while (first >= 0) {
		enum pat_test_type type;

		addr = (addr & page_level_mask(next_level)) +
		       page_level_size(next_level);
		if (addr >= end)
			break;
		type = kernel_type(addr, (addr + delta) >> PAGE_SHIFT, &next_level);
		if (type != first)
			return type < 0 ? type : PAT_TEST_MIXED;
	}
	return first;
}

static bool type_is_valid(s32 type)
{
	return type >= PAT_TEST_WB && type <= PAT_TEST_WP;
}

static pgprot_t prot_with_type(pgprot_t prot, s32 type)
{
	return __pgprot((pgprot_val(prot) & ~_PAGE_CACHE_MASK) |
			cachemode2protval(type));
}

/* --- handles ------------------------------------------------------------ */

/* Caller holds the mutex. */
static struct handle *handle_find(struct pat_test_file *file, unsigned long nr,
				  enum handle_kind kind)
{
	struct handle *handle = xa_load(&file->handles, nr);

	lockdep_assert_held(&file->mutex);
	return handle && handle->kind == kind ? handle : NULL;
}

/* The caller's alone from now on; NULL if there is none such. */
static struct handle *handle_take(struct pat_test_file *file, unsigned long nr,
				  enum handle_kind kind)
{
	struct handle *handle;

	mutex_lock(&file->mutex);
	handle = handle_find(file, nr, kind);
	if (handle)
		xa_erase(&file->handles, nr);
	mutex_unlock(&file->mutex);
	return handle;
}

/* Caller holds the mutex. */
static int handle_add(struct pat_test_file *file, struct handle *handle, u32 *nr)
{
	int err;

	lockdep_assert_held(&file->mutex);
	err = xa_alloc(&file->handles, nr, handle,
		       XA_LIMIT(1, PAT_TEST_MAX_HANDLES), GFP_KERNEL);
	return err == -EBUSY ? -E2BIG : err;
}

/* --- kernel mappings ----------------------------------------------------- */

static void *map_call(const struct pat_test_map *req)
{
	switch (req->api) {
	case PAT_TEST_IOREMAP:
		return (__force void *)ioremap(req->phys, req->size);
	case PAT_TEST_IOREMAP_UC:
		return (__force void *)ioremap_uc(req->phys, req->size);
	case PAT_TEST_IOREMAP_WC:
		return (__force void *)ioremap_wc(req->phys, req->size);
	case PAT_TEST_IOREMAP_WT:
		return (__force void *)ioremap_wt(req->phys, req->size);
	case PAT_TEST_IOREMAP_CACHE:
		return (__force void *)ioremap_cache(req->phys, req->size);
	case PAT_TEST_IOREMAP_PROT:
		return (__force void *)ioremap_prot(req->phys, req->size,
				pgprot_val(prot_with_type(PAGE_KERNEL, req->type)));
	case PAT_TEST_MEMREMAP_WB:
		return memremap(req->phys, req->size, MEMREMAP_WB);
	case PAT_TEST_MEMREMAP_WT:
		return memremap(req->phys, req->size, MEMREMAP_WT);
	case PAT_TEST_MEMREMAP_WC:
		return memremap(req->phys, req->size, MEMREMAP_WC);
	}
	return NULL;
}

static void map_undo(struct handle *handle)
{
	switch (handle->map.api) {
	case PAT_TEST_RESERVE_WC:
		arch_io_free_memtype_wc(handle->map.phys, handle->map.size);
		break;
	case PAT_TEST_MEMREMAP_WB:
	case PAT_TEST_MEMREMAP_WT:
	case PAT_TEST_MEMREMAP_WC:
		memunmap(handle->map.vaddr);
		break;
	default:
		iounmap((void __iomem *)handle->map.vaddr);
	}
}

static int map_do(struct pat_test_map *req, struct handle *handle)
{
	handle->kind = HANDLE_MAP;
	handle->map.api = req->api;
	handle->map.phys = req->phys;
	handle->map.size = req->size;
	req->vaddr = 0;
	req->level = 0;

	if (req->api == PAT_TEST_RESERVE_WC) {
		req->got = PAT_TEST_NO_ADDRESS;
		return arch_io_reserve_memtype_wc(req->phys, req->size);
	}

	handle->map.vaddr = map_call(req);
	if (!handle->map.vaddr)
		return PAT_TEST_NULL;

	req->vaddr = (unsigned long)handle->map.vaddr;
	req->got = kernel_range_type(req->vaddr, req->phys, req->size, &req->level);
	return 0;
}

static long ioctl_map(struct pat_test_file *file, void __user *arg)
{
	struct pat_test_map req;
	struct handle *handle;
	long err = 0;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (req.api >= PAT_TEST_NR_MAP_APIS ||
	    (req.api == PAT_TEST_IOREMAP_PROT && !type_is_valid(req.type)))
		return -EINVAL;
	/* What the APIs cannot be told: their arguments are of these types. */
	if (req.phys != (resource_size_t)req.phys ||
	    req.size != (unsigned long)req.size)
		return -EINVAL;

	handle = kzalloc(sizeof(*handle), GFP_KERNEL);
	if (!handle)
		return -ENOMEM;

	mutex_lock(&file->mutex);
	err = handle_add(file, handle, &req.handle);
	if (err)
		goto out_free;

	req.err = map_do(&req, handle);
	if (copy_to_user(arg, &req, sizeof(req))) {
		err = -EFAULT;
		if (!req.err)
			map_undo(handle);
	}
	if (err || req.err) {
		xa_erase(&file->handles, req.handle);
		goto out_free;
	}
	mutex_unlock(&file->mutex);
	return 0;

out_free:
	mutex_unlock(&file->mutex);
	kfree(handle);
	return err;
}

static long ioctl_unmap(struct pat_test_file *file, unsigned long nr)
{
	struct handle *handle = handle_take(file, nr, HANDLE_MAP);

	if (!handle)
		return -ENOENT;

	map_undo(handle);
	kfree(handle);
	return 0;
}

/* --- pages ---------------------------------------------------------------- */

/* Frees as many as are there: pages_alloc() may have stopped anywhere. */
static void pages_release(struct pat_test_file *file, struct handle *handle)
{
	struct page **pages = handle->pages.pages;
	u32 i;

	if (handle->pages.type_changed &&
	    set_pages_array_wb(pages, handle->pages.nr)) {
		pr_err("%u pages are lost: they cannot be set back to write-back\n",
		       handle->pages.nr);
		goto out_free;
	}

	for (i = 0; i < handle->pages.nr && pages[i]; i++) {
		if (handle->pages.adopted) {
			put_page(pages[i]);
			continue;
		}
		xa_erase(&file->owned, page_to_pfn(pages[i]));
		__free_page(pages[i]);
	}

out_free:
	kvfree(pages);
	kfree(handle);
}

static int pages_alloc(struct pat_test_file *file, struct handle *handle,
		       unsigned int order)
{
	gfp_t gfp = GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN;
	struct page **pages = handle->pages.pages;
	u32 i;

	if (handle->pages.contiguous) {
		struct page *block = alloc_pages(gfp, order);

		if (!block)
			return -ENOMEM;
		split_page(block, order);
		for (i = 0; i < handle->pages.nr; i++)
			pages[i] = block + i;
	} else {
		for (i = 0; i < handle->pages.nr; i++) {
			pages[i] = alloc_page(gfp);
			if (!pages[i])
				return -ENOMEM;
		}
	}

	for (i = 0; i < handle->pages.nr; i++) {
		int err = xa_err(xa_store(&file->owned, page_to_pfn(pages[i]),
					  pages[i], GFP_KERNEL));
		if (err)
			return err;
	}
	return 0;
}

/* Takes a reference to the page of this frame; NULL if it is not one in use. */
static struct page *page_adopt(u64 pfn)
{
	struct page *page = pfn == (unsigned long)pfn ? pfn_to_online_page(pfn) :
							NULL;
	struct folio *folio;

	if (!page)
		return NULL;
	folio = page_folio(page);
	if (!folio_try_get(folio))
		return NULL;
	/* Until now it may have become another one's part. */
	if (page_folio(page) != folio) {
		folio_put(folio);
		return NULL;
	}
	return page;
}

static int pages_adopt(struct handle *handle, const u64 __user *user)
{
	struct page **pages = handle->pages.pages;
	u32 i;

	handle->pages.contiguous = true;
	for (i = 0; i < handle->pages.nr; i++) {
		u64 pfn;

		if (get_user(pfn, user + i))
			return -EFAULT;
		pages[i] = page_adopt(pfn);
		if (!pages[i])
			return -EINVAL;
		if (page_to_pfn(pages[i]) != page_to_pfn(pages[0]) + i)
			handle->pages.contiguous = false;
	}
	return 0;
}

static int put_pfns(const struct handle *handle, u64 __user *user)
{
	u32 i;

	for (i = 0; i < handle->pages.nr; i++)
		if (put_user((u64)page_to_pfn(handle->pages.pages[i]), user + i))
			return -EFAULT;
	return 0;
}

static struct handle *pages_handle(u32 nr)
{
	struct handle *handle = kzalloc(sizeof(*handle), GFP_KERNEL);

	if (!handle)
		return NULL;
	handle->kind = HANDLE_PAGES;
	handle->pages.nr = nr;
	handle->pages.pages = kvcalloc(nr, sizeof(struct page *), GFP_KERNEL);
	if (!handle->pages.pages) {
		kfree(handle);
		return NULL;
	}
	return handle;
}

static long ioctl_alloc(struct pat_test_file *file, void __user *arg)
{
	struct pat_test_alloc req;
	struct handle *handle;
	long err;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (req.nr > PAT_TEST_MAX_PAGES || req.order > PAT_TEST_MAX_ORDER)
		return -E2BIG;
	if (!req.nr || (req.order && req.nr != 1U << req.order))
		return -EINVAL;

	handle = pages_handle(req.nr);
	if (!handle)
		return -ENOMEM;
	handle->pages.contiguous = req.order > 0;

	mutex_lock(&file->mutex);
	err = pages_alloc(file, handle, req.order);
	if (err)
		goto out_release;
	err = handle_add(file, handle, &req.handle);
	if (err)
		goto out_release;
	err = put_pfns(handle, u64_to_user_ptr(req.pfns));
	if (!err && copy_to_user(arg, &req, sizeof(req)))
		err = -EFAULT;
	if (err) {
		xa_erase(&file->handles, req.handle);
		goto out_release;
	}
	mutex_unlock(&file->mutex);
	return 0;

out_release:
	pages_release(file, handle);
	mutex_unlock(&file->mutex);
	return err;
}

static long ioctl_adopt(struct pat_test_file *file, void __user *arg)
{
	struct pat_test_adopt req;
	struct handle *handle;
	long err;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (req.nr > PAT_TEST_MAX_PAGES)
		return -E2BIG;
	if (!req.nr)
		return -EINVAL;

	handle = pages_handle(req.nr);
	if (!handle)
		return -ENOMEM;
	handle->pages.adopted = true;

	mutex_lock(&file->mutex);
	err = pages_adopt(handle, u64_to_user_ptr(req.pfns));
	if (err)
		goto out_release;
	err = handle_add(file, handle, &req.handle);
	if (err)
		goto out_release;
	if (copy_to_user(arg, &req, sizeof(req))) {
		xa_erase(&file->handles, req.handle);
		err = -EFAULT;
		goto out_release;
	}
	mutex_unlock(&file->mutex);
	return 0;

out_release:
	pages_release(file, handle);
	mutex_unlock(&file->mutex);
	return err;
}

static long ioctl_free(struct pat_test_file *file, unsigned long nr)
{
	struct handle *handle;
	bool mapped;
	long err = 0;
	u32 i;

	mutex_lock(&file->mutex);
	handle = handle_find(file, nr, HANDLE_PAGES);
	if (!handle) {
		err = -ENOENT;
		goto out_unlock;
	}

	/*
	 * An mmap() counts itself before it looks its pages up: it either is
	 * seen here, or finds no page.
	 */
	if (handle->pages.adopted)
		goto out_release;
	spin_lock(&file->lock);
	mapped = file->nr_areas > 0;
	for (i = 0; !mapped && i < handle->pages.nr; i++)
		xa_erase(&file->owned, page_to_pfn(handle->pages.pages[i]));
	spin_unlock(&file->lock);
	if (mapped) {
		err = -EBUSY;
		goto out_unlock;
	}

out_release:
	xa_erase(&file->handles, nr);
	pages_release(file, handle);
out_unlock:
	mutex_unlock(&file->mutex);
	return err;
}

static bool set_takes_array(u32 api)
{
	return api == PAT_TEST_SET_PAGES_ARRAY_UC ||
	       api == PAT_TEST_SET_PAGES_ARRAY_WC ||
	       api == PAT_TEST_SET_PAGES_ARRAY_WB;
}

static long ioctl_set_type(struct pat_test_file *file, void __user *arg)
{
	struct pat_test_set req;
	struct handle *handle;
	long err = 0;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (req.api >= PAT_TEST_NR_SET_APIS)
		return -EINVAL;

	mutex_lock(&file->mutex);
	handle = handle_find(file, req.handle, HANDLE_PAGES);
	if (!handle) {
		err = -ENOENT;
	} else if (!req.count || req.first >= handle->pages.nr ||
		   req.count > handle->pages.nr - req.first ||
		   (req.count > 1 && !handle->pages.contiguous &&
		    !set_takes_array(req.api))) {
		err = -EINVAL;
	} else {
		handle->pages.type_changed = true;
		req.err = pat_set_call(req.api, handle->pages.pages + req.first,
					req.count);
	}
	mutex_unlock(&file->mutex);
	if (err)
		return err;
	return copy_to_user(arg, &req, sizeof(req)) ? -EFAULT : 0;
}

/* --- reading entries and helpers ------------------------------------------ */

static long ioctl_info(void __user *arg)
{
	struct pat_test_info info = {
		.pat_enabled = pat_enabled(),
		.cpu_has_pat = boot_cpu_has(X86_FEATURE_PAT),
		.phys_bits = boot_cpu_data.x86_phys_bits,
	};

	if (info.cpu_has_pat)
		info.pat_msr = pat_msr();
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static enum pat_test_type direct_type(u64 pfn, unsigned int *level)
{
	/* Past its end other kernel areas begin. */
	*level = PG_LEVEL_NONE;
	if (pfn >= (VMALLOC_START - PAGE_OFFSET) >> PAGE_SHIFT)
		return PAT_TEST_NOT_MAPPED;
	return kernel_type(PAGE_OFFSET + (pfn << PAGE_SHIFT), pfn, level);
}

static long ioctl_direct_map(void __user *arg)
{
	struct pat_test_direct req;
	unsigned int level;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	req.got = direct_type(req.pfn, &level);
	req.level = level;
	return copy_to_user(arg, &req, sizeof(req)) ? -EFAULT : 0;
}

static long ioctl_direct_map_run(void __user *arg)
{
	struct pat_test_direct_run req;
	s8 types[256];
	u64 done;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	for (done = 0; done < req.nr; ) {
		unsigned int nr = min(req.nr - done, (u64)sizeof(types));
		unsigned int i, level;

		for (i = 0; i < nr; i++)
			types[i] = direct_type(req.pfn + done + i, &level);
		if (copy_to_user(u64_to_user_ptr(req.types + done), types, nr))
			return -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		done += nr;
	}
	return 0;
}

/*
 * The entry that translates a user address, 0 if none does. Caller holds
 * mmap_lock and has found a VMA there, so that no table goes away.
 */
static u64 user_entry(struct mm_struct *mm, unsigned long addr,
		      unsigned int *level)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;
	pud_t *pud, pudval;
	pmd_t *pmd, pmdval;
	pte_t pte;

	mmap_assert_locked(mm);

	if (pgd_none(*pgd) || pgd_bad(*pgd))
		return 0;
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(*p4d) || p4d_bad(*p4d))
		return 0;

	pud = pud_offset(p4d, addr);
	pudval = READ_ONCE(*pud);
	*level = PG_LEVEL_1G;
	if (!pud_present(pudval))
		return 0;
	if (pud_leaf(pudval))
		return pud_val(pudval);

	pmd = pmd_offset(pud, addr);
	pmdval = READ_ONCE(*pmd);
	*level = PG_LEVEL_2M;
	if (!pmd_present(pmdval))
		return 0;
	if (pmd_leaf(pmdval))
		return pmd_val(pmdval);

	pte = READ_ONCE(*pte_offset_kernel(pmd, addr));
	*level = PG_LEVEL_4K;
	return pte_val(pte) & _PAGE_PRESENT ? pte_val(pte) : 0;
}

static void describe_entry(struct pat_test_pte *pte, u64 entry, unsigned int level)
{
	pte->level = level;
	pte->got = entry ? entry_type(entry, level) : PAT_TEST_NOT_MAPPED;
	pte->pfn = entry ? entry_pfn(entry, level, pte->addr) : 0;
	pte->special = level == PG_LEVEL_4K && (entry & _PAGE_SPECIAL);
	pte->writable = !!(entry & _PAGE_RW);
	pte->accessed = !!(entry & _PAGE_ACCESSED);
	pte->dirty = !!(entry & _PAGE_DIRTY_BITS);
}

/* The entry for pte->addr of a process. */
static void read_user_pte(struct mm_struct *mm, struct pat_test_pte *pte)
{
	unsigned int level = PG_LEVEL_NONE;
	u64 entry = 0;

	mmap_read_lock(mm);
	if (vma_lookup(mm, pte->addr))
		entry = user_entry(mm, pte->addr, &level);
	mmap_read_unlock(mm);
	describe_entry(pte, entry, level);
}

static void read_kernel_pte(struct pat_test_pte *pte)
{
	unsigned int level;
	pte_t *ptep = lookup_address(pte->addr, &level);
	u64 entry = ptep ? pte_val(READ_ONCE(*ptep)) : 0;

	describe_entry(pte, entry & _PAGE_PRESENT ? entry : 0, level);
}

static long ioctl_read_pte(void __user *arg)
{
	struct pat_test_pte req;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (req.addr >= TASK_SIZE_MAX)
		return -EINVAL;

	read_user_pte(current->mm, &req);
	return copy_to_user(arg, &req, sizeof(req)) ? -EFAULT : 0;
}

/* The memory of process @nr; the caller puts it back. */
static struct mm_struct *mm_of(pid_t nr)
{
	struct pid *pid = find_get_pid(nr);
	struct task_struct *task = get_pid_task(pid, PIDTYPE_PID);
	struct mm_struct *mm = NULL;

	put_pid(pid);
	if (task) {
		mm = get_task_mm(task);
		put_task_struct(task);
	}
	return mm;
}

static long ioctl_read_ptes(void __user *arg)
{
	struct pat_test_pte __user *to;
	struct mm_struct *mm = NULL;
	struct pat_test_ptes req;
	long err = 0;
	u32 i;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	/* What is asked for lies in either half of the addresses. */
	if (req.addr > ULONG_MAX - ((u64)req.nr << PAGE_SHIFT) ||
	    (req.pid && req.addr + ((u64)req.nr << PAGE_SHIFT) > TASK_SIZE_MAX) ||
	    (!req.pid && req.addr < TASK_SIZE_MAX))
		return -EINVAL;

	if (req.pid) {
		mm = mm_of(req.pid);
		if (!mm)
			return -ESRCH;
	}
	to = u64_to_user_ptr(req.ptes);
	for (i = 0; i < req.nr && !err; i++) {
		struct pat_test_pte pte = {
			.addr = req.addr + ((u64)i << PAGE_SHIFT),
		};

		if (mm)
			read_user_pte(mm, &pte);
		else
			read_kernel_pte(&pte);
		if (copy_to_user(to + i, &pte, sizeof(pte)))
			err = -EFAULT;
		else if (fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	if (mm)
		mmput(mm);
	return err;
}

/* KVM looks up under its MMU lock: nothing may sleep, or take what may. */
static DEFINE_SPINLOCK(lookup_lock);

static long ioctl_lookup(void __user *arg)
{
	struct pat_test_lookup req;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (req.pfn >= 1ULL << (boot_cpu_data.x86_phys_bits - PAGE_SHIFT))
		return -EINVAL;

	req.err = pat_enabled() ? 0 : -ENODEV;
	spin_lock(&lookup_lock);
	req.immune = pat_enabled() && pat_pfn_immune_to_uc_mtrr(req.pfn);
	spin_unlock(&lookup_lock);
	return copy_to_user(arg, &req, sizeof(req)) ? -EFAULT : 0;
}

static long ioctl_pgprot(void __user *arg)
{
	struct pat_test_pgprot req;
	pgprot_t prot;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (req.api >= PAT_TEST_NR_PGPROT_APIS || !type_is_valid(req.type))
		return -EINVAL;

	prot = prot_with_type(PAGE_SHARED, req.type);
	switch (req.api) {
	case PAT_TEST_PGPROT_NONCACHED:
		prot = pgprot_noncached(prot);
		break;
	case PAT_TEST_PGPROT_WRITECOMBINE:
		prot = pgprot_writecombine(prot);
		break;
	case PAT_TEST_PGPROT_WRITETHROUGH:
		prot = pgprot_writethrough(prot);
		break;
	}
	req.got = entry_type(pgprot_val(prot), PG_LEVEL_4K);
	return copy_to_user(arg, &req, sizeof(req)) ? -EFAULT : 0;
}

/* --- mmap programs ---------------------------------------------------------- */

static void program_free(struct kref *ref)
{
	struct program *program = container_of(ref, struct program, ref);

	kvfree(program->chunks);
	kfree(program);
}

static void program_put(struct program *program)
{
	if (program)
		kref_put(&program->ref, program_free);
}

static bool method_is_remap(u32 method)
{
	return method == PAT_TEST_REMAP_PFN_RANGE ||
	       method == PAT_TEST_IO_REMAP_PFN_RANGE;
}

static bool method_is_mixed(u32 method)
{
	return method >= PAT_TEST_VMF_INSERT_MIXED;
}

/* Can mmap() do it, or only a fault, or either? */
static bool method_is_for(u32 method, u32 flags)
{
	switch (method) {
	case PAT_TEST_REMAP_PFN_RANGE:
	case PAT_TEST_IO_REMAP_PFN_RANGE:
	case PAT_TEST_VM_INSERT_PAGES:
	case PAT_TEST_VM_MAP_PAGES:
		return !(flags & PAT_TEST_AT_FAULT);
	case PAT_TEST_FAULT_PAGE:
		return flags & PAT_TEST_AT_FAULT;
	}
	return true;
}

static bool program_is_valid(const struct program *program)
{
	u32 i;

	for (i = 0; i < program->nr; i++) {
		const struct pat_test_chunk *chunk = &program->chunks[i];

		if (chunk->method >= PAT_TEST_NR_METHODS ||
		    !type_is_valid(chunk->type))
			return false;
		if (!IS_ALIGNED(chunk->offset, PAGE_SIZE) || !chunk->size ||
		    chunk->size > TASK_SIZE_MAX || chunk->offset > TASK_SIZE_MAX)
			return false;
		if (chunk->pfn != (unsigned long)chunk->pfn)
			return false;
		if (method_is_mixed(chunk->method) !=
		    method_is_mixed(program->chunks[0].method))
			return false;
		if (!method_is_for(chunk->method, program->flags))
			return false;
	}
	return true;
}

static struct program *program_get_user(const struct pat_test_program *req)
{
	struct program *program;
	long err;

	if (req->nr > PAT_TEST_MAX_CHUNKS)
		return ERR_PTR(-E2BIG);
	if (req->flags & ~PAT_TEST_AT_FAULT)
		return ERR_PTR(-EINVAL);
	if (!req->nr)
		return NULL;

	program = kzalloc(sizeof(*program), GFP_KERNEL);
	if (!program)
		return ERR_PTR(-ENOMEM);
	kref_init(&program->ref);
	program->nr = req->nr;
	program->flags = req->flags;
	program->chunks = vmemdup_array_user(u64_to_user_ptr(req->chunks),
					     req->nr, sizeof(*program->chunks));
	if (IS_ERR(program->chunks)) {
		err = PTR_ERR(program->chunks);
		program->chunks = NULL;
	} else {
		err = program_is_valid(program) ? 0 : -EINVAL;
	}
	if (err) {
		program_put(program);
		return ERR_PTR(err);
	}
	return program;
}

static long ioctl_program(struct pat_test_file *file, void __user *arg)
{
	struct pat_test_program req;
	struct program *program;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	program = program_get_user(&req);
	if (IS_ERR(program))
		return PTR_ERR(program);

	spin_lock(&file->lock);
	swap(file->program, program);
	spin_unlock(&file->lock);
	program_put(program);
	return 0;
}

static void set_result(struct pat_test_file *file, u32 done, int err)
{
	spin_lock(&file->lock);
	file->result.done = done;
	file->result.err = err;
	spin_unlock(&file->lock);
}

static long ioctl_result(struct pat_test_file *file, void __user *arg)
{
	struct pat_test_result result;

	spin_lock(&file->lock);
	result = file->result;
	spin_unlock(&file->lock);
	return copy_to_user(arg, &result, sizeof(result)) ? -EFAULT : 0;
}

static vm_fault_t insert_page_of(struct pat_test_file *file,
				 struct vm_area_struct *vma,
				 unsigned long addr,
				 const struct pat_test_chunk *chunk,
				 unsigned long pfn)
{
	struct page *page;

	switch (chunk->method) {
	case PAT_TEST_VMF_INSERT_PFN:
		return vmf_insert_pfn(vma, addr, pfn);
	case PAT_TEST_VMF_INSERT_PFN_PROT:
		return vmf_insert_pfn_prot(vma, addr, pfn,
				prot_with_type(vma->vm_page_prot, chunk->type));
	case PAT_TEST_VMF_INSERT_MIXED:
		return vmf_insert_mixed(vma, addr, __pfn_to_pfn_t(pfn, PFN_DEV));
	case PAT_TEST_VM_INSERT_PAGE:
		page = xa_load(&file->owned, pfn);
		return page ? vmf_insert_page(vma, addr, page) : VM_FAULT_SIGBUS;
	}
	return VM_FAULT_SIGBUS;
}

static int insert_chunk(struct pat_test_file *file, struct vm_area_struct *vma,
			const struct pat_test_chunk *chunk)
{
	unsigned long addr = vma->vm_start + chunk->offset;
	unsigned long end = addr + PAGE_ALIGN(chunk->size);
	unsigned long pfn = chunk->pfn;

	for (; addr < end; addr += PAGE_SIZE, pfn++) {
		vm_fault_t ret = insert_page_of(file, vma, addr, chunk, pfn);

		if (ret & VM_FAULT_ERROR)
			return vm_fault_to_errno(ret, 0);
	}
	return 0;
}

/* The methods that take all pages at once. */
static int insert_pages(struct pat_test_file *file, struct vm_area_struct *vma,
			const struct pat_test_chunk *chunk)
{
	unsigned long nr = PAGE_ALIGN(chunk->size) >> PAGE_SHIFT, left = nr, i;
	struct page **pages;
	int err = 0;

	pages = kvmalloc_array(nr, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	for (i = 0; i < nr && !err; i++) {
		pages[i] = xa_load(&file->owned, chunk->pfn + i);
		if (!pages[i])
			err = -EFAULT;
	}
	if (!err && chunk->method == PAT_TEST_VM_INSERT_PAGES)
		err = vm_insert_pages(vma, vma->vm_start + chunk->offset, pages,
				      &left);
	else if (!err)
		err = vm_map_pages(vma, pages, nr);
	kvfree(pages);
	return err;
}

static int execute_chunk(struct pat_test_file *file, struct vm_area_struct *vma,
			 const struct pat_test_chunk *chunk)
{
	unsigned long addr = vma->vm_start + chunk->offset;
	unsigned long room = vma->vm_end - vma->vm_start;
	pgprot_t prot = prot_with_type(vma->vm_page_prot, chunk->type);

	if (chunk->offset > room || PAGE_ALIGN(chunk->size) > room - chunk->offset)
		return -EINVAL;

	switch (chunk->method) {
	case PAT_TEST_REMAP_PFN_RANGE:
		return remap_pfn_range(vma, addr, chunk->pfn, chunk->size, prot);
	case PAT_TEST_IO_REMAP_PFN_RANGE:
		return io_remap_pfn_range(vma, addr, chunk->pfn, chunk->size, prot);
	case PAT_TEST_VM_INSERT_PAGES:
	case PAT_TEST_VM_MAP_PAGES:
		return insert_pages(file, vma, chunk);
	default:
		return insert_chunk(file, vma, chunk);
	}
}

static int execute_program(struct pat_test_file *file, struct vm_area_struct *vma,
			   const struct program *program)
{
	int err = 0;
	u32 i;

	for (i = 0; i < program->nr; i++) {
		err = execute_chunk(file, vma, &program->chunks[i]);
		if (err)
			break;
	}
	set_result(file, i, err);
	return err;
}

static void area_count(struct pat_test_file *file, int change)
{
	spin_lock(&file->lock);
	file->nr_areas += change;
	spin_unlock(&file->lock);
}

static void area_open(struct vm_area_struct *vma)
{
	struct area *area = vma->vm_private_data;

	kref_get(&area->ref);
	area_count(area->file, 1);
}

static void area_free(struct kref *ref)
{
	struct area *area = container_of(ref, struct area, ref);

	program_put(area->program);
	kfree(area);
}

static void area_close(struct vm_area_struct *vma)
{
	struct area *area = vma->vm_private_data;

	area_count(area->file, -1);
	kref_put(&area->ref, area_free);
}

/* Leaves the insertion to the caller of ->fault. */
static vm_fault_t return_page(struct pat_test_file *file, struct vm_fault *vmf,
			      unsigned long pfn)
{
	struct page *page = xa_load(&file->owned, pfn);

	if (!page)
		return VM_FAULT_SIGBUS;
	get_page(page);
	vmf->page = page;
	return 0;
}

static vm_fault_t area_fault(struct vm_fault *vmf)
{
	struct area *area = vmf->vma->vm_private_data;
	const struct program *program = area->program;
	u64 offset = (u64)(vmf->pgoff - area->pgoff) << PAGE_SHIFT;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	unsigned long pfn;
	u32 i;

	if (!(program->flags & PAT_TEST_AT_FAULT))
		return VM_FAULT_SIGBUS;

	for (i = 0; i < program->nr; i++) {
		const struct pat_test_chunk *chunk = &program->chunks[i];

		if (offset < chunk->offset ||
		    offset - chunk->offset >= PAGE_ALIGN(chunk->size))
			continue;
		pfn = chunk->pfn + ((offset - chunk->offset) >> PAGE_SHIFT);
		if (chunk->method == PAT_TEST_FAULT_PAGE)
			ret = return_page(area->file, vmf, pfn);
		else
			ret = insert_page_of(area->file, vmf->vma, vmf->address,
					     chunk, pfn);
		break;
	}
	set_result(area->file, ret & VM_FAULT_ERROR ? 0 : 1,
		   ret & VM_FAULT_ERROR ? vm_fault_to_errno(ret, 0) : 0);
	return ret;
}

static const struct vm_operations_struct area_ops = {
	.open	= area_open,
	.close	= area_close,
	.fault	= area_fault,
};

/* Flags that the methods need but, but for remap_pfn_range, do not set. */
static int prepare_vma(struct vm_area_struct *vma, const struct program *program)
{
	const struct pat_test_chunk *first = &program->chunks[0];
	u32 i;

	if (is_cow_mapping(vma->vm_flags) && !method_is_mixed(first->method))
		for (i = 0; i < program->nr; i++)
			if (!method_is_remap(program->chunks[i].method))
				return -EINVAL;

	vm_flags_set(vma, VM_IO | VM_DONTEXPAND | VM_DONTDUMP |
			  (method_is_mixed(first->method) ? VM_MIXEDMAP : VM_PFNMAP));
	vma->vm_page_prot = prot_with_type(vma->vm_page_prot, first->type);
	return 0;
}

static int pat_test_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct pat_test_file *file = filp->private_data;
	struct area *area;
	int err;

	area = kzalloc(sizeof(*area), GFP_KERNEL);
	if (!area)
		return -ENOMEM;
	kref_init(&area->ref);
	area->file = file;
	area->pgoff = vma->vm_pgoff;

	spin_lock(&file->lock);
	file->nr_areas++;
	area->program = file->program;
	if (area->program)
		kref_get(&area->program->ref);
	spin_unlock(&file->lock);

	err = area->program ? prepare_vma(vma, area->program) : -ENODATA;
	if (!err && !(area->program->flags & PAT_TEST_AT_FAULT))
		err = execute_program(file, vma, area->program);
	if (err) {
		area_count(file, -1);
		kref_put(&area->ref, area_free);
		return err;
	}

	vma->vm_private_data = area;
	vma->vm_ops = &area_ops;
	return 0;
}

/* --- revocation -------------------------------------------------------------- */

static long zap_ptes(struct file *filp, const struct pat_test_zap *req)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	long err = -EINVAL;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, req->start);
	if (vma && vma->vm_file == filp && (vma->vm_flags & VM_PFNMAP) &&
	    req->size <= vma->vm_end - req->start) {
		zap_vma_ptes(vma, req->start, req->size);
		err = 0;
	}
	mmap_read_unlock(mm);
	return err;
}

static long ioctl_zap(struct file *filp, void __user *arg)
{
	struct pat_test_zap req;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (!IS_ALIGNED(req.start | req.size, PAGE_SIZE) || !req.size ||
	    req.start > LLONG_MAX || req.size > LLONG_MAX - req.start)
		return -EINVAL;

	switch (req.method) {
	case PAT_TEST_ZAP_VMA_PTES:
		if (req.start >= TASK_SIZE_MAX)
			return -EINVAL;
		return zap_ptes(filp, &req);
	case PAT_TEST_UNMAP_MAPPING_RANGE:
		unmap_mapping_range(filp->f_mapping, req.start, req.size, 1);
		return 0;
	}
	return -EINVAL;
}

/* --- mappings made later ------------------------------------------------------ */

/* Caller holds mmap_lock for writing. */
static long remap_into(struct file *filp, struct pat_test_remap *req)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma = vma_lookup(mm, req->addr);
	unsigned int level;
	u64 at;

	if (!vma || vma->vm_file != filp || !(vma->vm_flags & VM_PFNMAP) ||
	    req->size > vma->vm_end - req->addr)
		return -EINVAL;
	for (at = req->addr; at < req->addr + req->size; at += PAGE_SIZE)
		if (user_entry(mm, at, &level))
			return -EBUSY;

	req->err = remap_pfn_range(vma, req->addr, req->pfn, req->size,
				   prot_with_type(vma->vm_page_prot, req->type));
	return 0;
}

static long ioctl_remap(struct file *filp, void __user *arg)
{
	struct pat_test_remap req;
	long err;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (!IS_ALIGNED(req.addr | req.size, PAGE_SIZE) || !req.size ||
	    req.addr >= TASK_SIZE_MAX || req.pfn != (unsigned long)req.pfn ||
	    !type_is_valid(req.type))
		return -EINVAL;

	mmap_write_lock(current->mm);
	err = remap_into(filp, &req);
	mmap_write_unlock(current->mm);
	if (err)
		return err;
	return copy_to_user(arg, &req, sizeof(req)) ? -EFAULT : 0;
}

/* --- claims of a region --------------------------------------------------------- */

static void claim_undo(struct handle *handle)
{
	release_mem_region(handle->claim.phys, handle->claim.size);
	kfree(handle);
}

static long ioctl_claim(struct pat_test_file *file, void __user *arg)
{
	static const int flags[] = {
		[PAT_TEST_CLAIM_EXCLUSIVE] = IORESOURCE_EXCLUSIVE,
		[PAT_TEST_CLAIM_EXCLUSIVE_RAM] = IORESOURCE_EXCLUSIVE |
						 IORESOURCE_SYSTEM_RAM,
	};
	struct pat_test_claim req;
	struct handle *handle;
	long err;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (!req.size || req.phys != (resource_size_t)req.phys ||
	    req.how >= ARRAY_SIZE(flags))
		return -EINVAL;

	handle = kzalloc(sizeof(*handle), GFP_KERNEL);
	if (!handle)
		return -ENOMEM;
	handle->kind = HANDLE_CLAIM;
	handle->claim.phys = req.phys;
	handle->claim.size = req.size;

	mutex_lock(&file->mutex);
	err = handle_add(file, handle, &req.handle);
	if (err)
		goto out_free;
	req.err = __request_region(&iomem_resource, req.phys, req.size,
				   KBUILD_MODNAME, flags[req.how]) ?
		  0 : PAT_TEST_NULL;
	if (copy_to_user(arg, &req, sizeof(req))) {
		err = -EFAULT;
		if (!req.err)
			release_mem_region(req.phys, req.size);
	}
	if (err || req.err) {
		xa_erase(&file->handles, req.handle);
		goto out_free;
	}
	mutex_unlock(&file->mutex);
	return 0;

out_free:
	mutex_unlock(&file->mutex);
	kfree(handle);
	return err;
}

static long ioctl_unclaim(struct pat_test_file *file, unsigned long nr)
{
	struct handle *handle = handle_take(file, nr, HANDLE_CLAIM);

	if (!handle)
		return -ENOENT;

	claim_undo(handle);
	return 0;
}

/* --- the device --------------------------------------------------------------- */

static int pat_test_open(struct inode *inode, struct file *filp)
{
	struct pat_test_file *file = kzalloc(sizeof(*file), GFP_KERNEL);

	if (!file)
		return -ENOMEM;
	mutex_init(&file->mutex);
	spin_lock_init(&file->lock);
	xa_init_flags(&file->handles, XA_FLAGS_ALLOC1);
	xa_init(&file->owned);
	filp->private_data = file;
	return 0;
}

static int pat_test_release(struct inode *inode, struct file *filp)
{
	struct pat_test_file *file = filp->private_data;
	struct handle *handle;
	unsigned long nr;

	xa_for_each(&file->handles, nr, handle) {
		switch (handle->kind) {
		case HANDLE_PAGES:
			pages_release(file, handle);
			break;
		case HANDLE_CLAIM:
			claim_undo(handle);
			break;
		case HANDLE_MAP:
			map_undo(handle);
			kfree(handle);
			break;
		}
	}
	program_put(file->program);
	xa_destroy(&file->handles);
	xa_destroy(&file->owned);
	kfree(file);
	return 0;
}

static long pat_test_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct pat_test_file *file = filp->private_data;
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case PAT_TEST_INFO:
		return ioctl_info(user);
	case PAT_TEST_MAP:
		return ioctl_map(file, user);
	case PAT_TEST_UNMAP:
		return ioctl_unmap(file, arg);
	case PAT_TEST_ALLOC:
		return ioctl_alloc(file, user);
	case PAT_TEST_FREE:
		return ioctl_free(file, arg);
	case PAT_TEST_ADOPT:
		return ioctl_adopt(file, user);
	case PAT_TEST_SET_TYPE:
		return ioctl_set_type(file, user);
	case PAT_TEST_DIRECT_MAP:
		return ioctl_direct_map(user);
	case PAT_TEST_DIRECT_MAP_RUN:
		return ioctl_direct_map_run(user);
	case PAT_TEST_READ_PTE:
		return ioctl_read_pte(user);
	case PAT_TEST_READ_PTES:
		return ioctl_read_ptes(user);
	case PAT_TEST_LOOKUP:
		return ioctl_lookup(user);
	case PAT_TEST_PGPROT:
		return ioctl_pgprot(user);
	case PAT_TEST_PROGRAM:
		return ioctl_program(file, user);
	case PAT_TEST_RESULT:
		return ioctl_result(file, user);
	case PAT_TEST_ZAP:
		return ioctl_zap(filp, user);
	case PAT_TEST_REMAP:
		return ioctl_remap(filp, user);
	case PAT_TEST_CLAIM:
		return ioctl_claim(file, user);
	case PAT_TEST_UNCLAIM:
		return ioctl_unclaim(file, arg);
	}
	return -ENOTTY;
}

static const struct file_operations pat_test_fops = {
	.owner		= THIS_MODULE,
	.open		= pat_test_open,
	.release	= pat_test_release,
	.unlocked_ioctl	= pat_test_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.mmap		= pat_test_mmap,
	.llseek		= noop_llseek,
};

static struct miscdevice pat_test_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "pat_test",
	.fops	= &pat_test_fops,
	.mode	= 0600,
};
module_misc_device(pat_test_device);

MODULE_DESCRIPTION("Test driver for x86 memory types");
MODULE_LICENSE("GPL");
MODULE_INFO(test, "Y");
