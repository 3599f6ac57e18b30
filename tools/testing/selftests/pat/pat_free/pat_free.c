// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that frees pages whose memory type is not write-back: see
 * pat_free_ioctl.h.
 *
 *	pat_free_file::mutex	handles: creating, using and deleting them
 *
 *	mmap_lock > mutex
 *
 * so nothing is copied from or to user space with the mutex held. A handle that
 * is freed is first taken out, and then is the freer's own.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/irq_work.h>
#include <linux/log2.h>
#include <linux/memory_hotplug.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>

#include <asm/memtype.h>
#include <asm/pgtable.h>
#include <asm/set_memory.h>

#include "pat_free_ioctl.h"
#include "pat_set.h"
#include "pat_test_ioctl.h"

/* In blocks from which what is in the way can be moved: see drain_lists(). */
#define PAGE_GFP (GFP_KERNEL | __GFP_MOVABLE | __GFP_NOWARN)

struct pat_free_file {
	struct mutex mutex;
	struct xarray handles;		/* handle number -> struct item */
};

struct item {
	enum pat_free_kind kind;
	u32 nr;
	void *addr;			/* what vmalloc() and others gave */
	struct kmem_cache *cache;	/* where it is from, PAT_FREE_SLAB only */
	bool changed;			/* not all write-back, perhaps */
	pgprot_t (*prot)(pgprot_t prot);	/* gives the type set last */
	struct page *pages[];
};

static unsigned int item_order(const struct item *item)
{
	return ilog2(item->nr);
}

/* --- looking at a page ------------------------------------------------------ */

/*
 * Slot 0 of the PAT MSR is write-back, however it is set up. An entry that is
 * being split is looked up again.
 */
static bool direct_map_is_wb(const struct page *page)
{
	unsigned long addr = (unsigned long)page_address(page);

	for (;;) {
		unsigned int level;
		pte_t *ptep = lookup_address(addr, &level);
		u64 entry = ptep ? pte_val(READ_ONCE(*ptep)) : 0;

		if (!(entry & _PAGE_PRESENT))
			return false;
		if (level == PG_LEVEL_4K)
			return !(entry & (_PAGE_PWT | _PAGE_PCD | _PAGE_PAT));
		if (entry & _PAGE_PSE)
			return !(entry & (_PAGE_PWT | _PAGE_PCD | _PAGE_PAT_LARGE));
		cpu_relax();
	}
}

/* The kernel keeps the type of a page in these; both are clear for write-back. */
static u32 type_bits(const struct page *page)
{
	unsigned long flags = READ_ONCE(page->flags);

	return (flags & 1UL << PG_arch_1 ? 1 : 0) |
	       (flags & 1UL << PG_arch_2 ? 2 : 0);
}

static bool page_is_odd(const struct page *page)
{
	return type_bits(page) || !direct_map_is_wb(page);
}

/* Frames [pfn, pfn + nr) are online memory of one zone. */
static bool frames_are_ram(u64 pfn, u32 nr)
{
	struct page *first = NULL;
	u32 i;

	if (!nr || nr > PAT_FREE_MAX_PAGES || pfn + nr < pfn ||
	    pfn + nr > PHYS_PFN(__pa(high_memory)))
		return false;
	for (i = 0; i < nr; i++) {
		struct page *page = pfn_to_online_page(pfn + i);

		if (!page || (first && page_zone(page) != page_zone(first)))
			return false;
		first = first ?: page;
	}
	return true;
}

/* --- allocation ---------------------------------------------------------------- */

static void pages_follow(struct item *item, struct page *first)
{
	u32 i;

	for (i = 0; i < item->nr; i++)
		item->pages[i] = first + i;
}

static int alloc_singles(struct item *item, gfp_t gfp)
{
	u32 i;

	for (i = 0; i < item->nr; i++) {
		item->pages[i] = alloc_page(gfp);
		if (item->pages[i])
			continue;
		while (i--)
			__free_page(item->pages[i]);
		return -ENOMEM;
	}
	return 0;
}

/* A cache of its own, so that its slab is freed when the cache is. */
static int alloc_object(struct item *item)
{
	static atomic_t nr;
	char name[32];

	snprintf(name, sizeof(name), "pat_free-%d", atomic_inc_return(&nr));
	item->cache = kmem_cache_create(name, item->nr * PAGE_SIZE, PAGE_SIZE,
					SLAB_NO_MERGE, NULL);
	if (!item->cache)
		return -ENOMEM;
	item->addr = kmem_cache_alloc(item->cache, GFP_KERNEL);
	if (item->addr)
		return 0;
	kmem_cache_destroy(item->cache);
	return -ENOMEM;
}

static int alloc_item(struct item *item, u64 pfn, gfp_t gfp)
{
	struct page *first = NULL;
	int err;
	u32 i;

	switch (item->kind) {
	case PAT_FREE_SINGLES:
		return alloc_singles(item, gfp);
	case PAT_FREE_BLOCK:
		first = alloc_pages(gfp, item_order(item));
		break;
	case PAT_FREE_COMPOUND:
		first = alloc_pages(gfp | __GFP_COMP, item_order(item));
		break;
	case PAT_FREE_EXACT:
		item->addr = alloc_pages_exact(item->nr * PAGE_SIZE, PAGE_GFP);
		break;
	case PAT_FREE_CONTIG:
		err = alloc_contig_range(pfn, pfn + item->nr, MIGRATE_MOVABLE,
					 GFP_KERNEL | __GFP_NOWARN);
		if (err)
			return err;
		first = pfn_to_page(pfn);
		break;
	case PAT_FREE_VMALLOC:
		item->addr = vmalloc(item->nr * PAGE_SIZE);
		if (!item->addr)
			return -ENOMEM;
		for (i = 0; i < item->nr; i++)
			item->pages[i] = vmalloc_to_page(item->addr +
							 i * PAGE_SIZE);
		return 0;
	case PAT_FREE_KMALLOC:
		item->addr = kmalloc(item->nr * PAGE_SIZE,
				     GFP_KERNEL | __GFP_NOWARN);
		break;
	case PAT_FREE_SLAB:
		err = alloc_object(item);
		if (err)
			return err;
		break;
	default:
		return -EINVAL;
	}

	if (item->addr)
		first = virt_to_page(item->addr);
	if (!first)
		return -ENOMEM;
	pages_follow(item, first);
	return 0;
}

/* --- freeing --------------------------------------------------------------------- */

static void free_each(struct item *item)
{
	u32 i;

	for (i = 0; i < item->nr; i++)
		__free_page(item->pages[i]);
}

/* Of a compound page, the head stands for all. */
static u32 nr_folios(const struct item *item)
{
	return item->kind == PAT_FREE_COMPOUND ? 1 : item->nr;
}

static void free_by_batch(struct item *item)
{
	struct folio_batch batch;
	u32 i;

	folio_batch_init(&batch);
	for (i = 0; i < nr_folios(item); i++)
		if (!folio_batch_add(&batch, page_folio(item->pages[i])))
			folio_batch_release(&batch);
	folio_batch_release(&batch);
}

static void free_by_list(struct item *item)
{
	LIST_HEAD(list);
	u32 i;

	for (i = 0; i < item->nr; i++)
		list_add(&item->pages[i]->lru, &list);
	put_pages_list(&list);
}

/* All but the head come to the allocator in pieces, and the head afterwards. */
static void free_by_pieces(struct item *item)
{
	struct page *head = item->pages[0];

	get_page(head);
	__free_pages(head, item_order(item));
	put_page(head);
}

static noinline void pat_free_now(struct item *item, enum pat_free_way way)
{
	struct page *head = item->pages[0];
	u32 i;

	switch (way) {
	case PAT_FREE_BY_PAGE:
		free_each(item);
		break;
	case PAT_FREE_BY_RELEASE:
		release_pages(item->pages, nr_folios(item));
		break;
	case PAT_FREE_BY_BATCH:
		free_by_batch(item);
		break;
	case PAT_FREE_BY_LIST:
		free_by_list(item);
		break;
	case PAT_FREE_BY_ORDER:
		__free_pages(head, item_order(item));
		break;
	case PAT_FREE_BY_PIECES:
		free_by_pieces(item);
		break;
	case PAT_FREE_BY_SPLIT:
		split_page(head, item_order(item));
		free_each(item);
		break;
	case PAT_FREE_BY_PUT:
		for (i = 0; i < nr_folios(item); i++)
			folio_put(page_folio(item->pages[i]));
		break;
	case PAT_FREE_BY_FRAGMENT:
		page_frag_free(page_address(head));
		break;
	case PAT_FREE_BY_EXACT:
		free_pages_exact(item->addr, item->nr * PAGE_SIZE);
		break;
	case PAT_FREE_BY_CONTIG:
		free_contig_range(page_to_pfn(head), item->nr);
		break;
	case PAT_FREE_BY_VFREE:
		vfree(item->addr);
		break;
	case PAT_FREE_BY_KFREE:
		kfree(item->addr);
		break;
	case PAT_FREE_BY_CACHE:
		kmem_cache_free(item->cache, item->addr);
		kmem_cache_destroy(item->cache);
		break;
	default:
		WARN_ON(true);
	}
}

static const struct {
	unsigned int kinds;
	unsigned int contexts;
} ways[PAT_FREE_NR_WAYS] = {
#define ANYWHERE	(BIT(PAT_FREE_NR_CONTEXTS) - 1)
	[PAT_FREE_BY_PAGE] = { BIT(PAT_FREE_SINGLES) | BIT(PAT_FREE_CONTIG),
			       ANYWHERE },
	[PAT_FREE_BY_RELEASE] = { BIT(PAT_FREE_SINGLES) | BIT(PAT_FREE_COMPOUND),
				  ANYWHERE },
	[PAT_FREE_BY_BATCH] = { BIT(PAT_FREE_SINGLES) | BIT(PAT_FREE_COMPOUND),
				BIT(PAT_FREE_IN_PROCESS) },
	[PAT_FREE_BY_LIST] = { BIT(PAT_FREE_SINGLES), ANYWHERE },
	[PAT_FREE_BY_ORDER] = { BIT(PAT_FREE_BLOCK) | BIT(PAT_FREE_COMPOUND),
				ANYWHERE },
	[PAT_FREE_BY_PIECES] = { BIT(PAT_FREE_BLOCK), ANYWHERE },
	[PAT_FREE_BY_SPLIT] = { BIT(PAT_FREE_BLOCK), ANYWHERE },
	[PAT_FREE_BY_PUT] = { BIT(PAT_FREE_SINGLES) | BIT(PAT_FREE_COMPOUND),
			      ANYWHERE },
	[PAT_FREE_BY_FRAGMENT] = { BIT(PAT_FREE_COMPOUND), ANYWHERE },
	[PAT_FREE_BY_EXACT] = { BIT(PAT_FREE_EXACT), ANYWHERE },
	[PAT_FREE_BY_CONTIG] = { BIT(PAT_FREE_CONTIG), ANYWHERE },
	[PAT_FREE_BY_VFREE] = { BIT(PAT_FREE_VMALLOC),
				BIT(PAT_FREE_IN_PROCESS) |
				BIT(PAT_FREE_IN_SOFTIRQ) |
				BIT(PAT_FREE_IN_HARDIRQ) },
	[PAT_FREE_BY_KFREE] = { BIT(PAT_FREE_KMALLOC), ANYWHERE },
	[PAT_FREE_BY_CACHE] = { BIT(PAT_FREE_SLAB), BIT(PAT_FREE_IN_PROCESS) },
#undef ANYWHERE
};

/* --- freeing somewhere else -------------------------------------------------- */

struct errand {
	struct timer_list timer;
	struct irq_work work;
	struct item *item;
	enum pat_free_way way;
	struct completion done;
};

static void pat_free_timer(struct timer_list *timer)
{
	struct errand *errand = from_timer(errand, timer, timer);

	pat_free_now(errand->item, errand->way);
	complete(&errand->done);
}

static void free_in_softirq(struct item *item, enum pat_free_way way)
{
	struct errand errand = { .item = item, .way = way };

	init_completion(&errand.done);
	timer_setup_on_stack(&errand.timer, pat_free_timer, 0);
	mod_timer(&errand.timer, jiffies);
	wait_for_completion(&errand.done);
	timer_delete_sync(&errand.timer);
	destroy_timer_on_stack(&errand.timer);
}

static void pat_free_irq(struct irq_work *work)
{
	struct errand *errand = container_of(work, struct errand, work);

	pat_free_now(errand->item, errand->way);
}

static void free_in_hardirq(struct item *item, enum pat_free_way way)
{
	struct errand errand = { .item = item, .way = way };

	errand.work = IRQ_WORK_INIT_HARD(pat_free_irq);
	irq_work_queue(&errand.work);
	irq_work_sync(&errand.work);
}

static void pat_free_somewhere(struct item *item, enum pat_free_way way,
			       enum pat_free_context context)
{
	static DEFINE_SPINLOCK(lock);
	unsigned long flags;

	switch (context) {
	case PAT_FREE_IRQS_OFF:
		local_irq_save(flags);
		pat_free_now(item, way);
		local_irq_restore(flags);
		break;
	case PAT_FREE_LOCKED:
		spin_lock(&lock);
		pat_free_now(item, way);
		spin_unlock(&lock);
		break;
	case PAT_FREE_IN_SOFTIRQ:
		free_in_softirq(item, way);
		break;
	case PAT_FREE_IN_HARDIRQ:
		free_in_hardirq(item, way);
		break;
	default:
		pat_free_now(item, way);
	}
}

/* As a driver should: set back to write-back first. */
static void item_release(struct item *item)
{
	static const enum pat_free_way usual[PAT_FREE_NR_KINDS] = {
		[PAT_FREE_SINGLES]	= PAT_FREE_BY_PAGE,
		[PAT_FREE_BLOCK]	= PAT_FREE_BY_ORDER,
		[PAT_FREE_COMPOUND]	= PAT_FREE_BY_ORDER,
		[PAT_FREE_EXACT]	= PAT_FREE_BY_EXACT,
		[PAT_FREE_CONTIG]	= PAT_FREE_BY_CONTIG,
		[PAT_FREE_VMALLOC]	= PAT_FREE_BY_VFREE,
		[PAT_FREE_KMALLOC]	= PAT_FREE_BY_KFREE,
		[PAT_FREE_SLAB]		= PAT_FREE_BY_CACHE,
	};

	if (item->changed && set_pages_array_wb(item->pages, item->nr))
		pr_err("%u pages are lost: they cannot be set back to write-back\n",
		       item->nr);
	else
		pat_free_now(item, usual[item->kind]);
	kvfree(item);
}

/* --- calls ------------------------------------------------------------------ */

/* All that PAT_FREE_ALLOC asks for can be had. */
static bool alloc_is_valid(const struct pat_free_alloc *req)
{
	if (req->kind >= PAT_FREE_NR_KINDS || !req->nr ||
	    req->nr > PAT_FREE_MAX_PAGES || (req->flags & ~PAT_FREE_ACCOUNTED))
		return false;

	switch (req->kind) {
	case PAT_FREE_SINGLES:
		return true;
	case PAT_FREE_BLOCK:
	case PAT_FREE_COMPOUND:
		return is_power_of_2(req->nr) && ilog2(req->nr) <= MAX_PAGE_ORDER;
	case PAT_FREE_CONTIG:
		return !req->flags && frames_are_ram(req->pfn, req->nr);
	case PAT_FREE_KMALLOC:
		return !req->flags && is_power_of_2(req->nr) &&
		       req->nr * PAGE_SIZE > KMALLOC_MAX_CACHE_SIZE &&
		       req->nr * PAGE_SIZE <= KMALLOC_MAX_SIZE;
	case PAT_FREE_SLAB:
		return !req->flags && req->nr * PAGE_SIZE <= KMALLOC_MAX_SIZE / 4;
	default:
		return !req->flags;
	}
}

static int put_pfns(const struct item *item, u64 __user *user)
{
	u32 i;

	for (i = 0; i < item->nr; i++)
		if (put_user((u64)page_to_pfn(item->pages[i]), user + i))
			return -EFAULT;
	return 0;
}

static long ioctl_alloc(struct pat_free_file *file, void __user *arg)
{
	struct pat_free_alloc req;
	struct item *item;
	int err = -EFAULT;
	gfp_t gfp = PAGE_GFP;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (!alloc_is_valid(&req))
		return -EINVAL;

	item = kvzalloc(struct_size(item, pages, req.nr), GFP_KERNEL);
	if (!item)
		return -ENOMEM;
	item->kind = req.kind;
	item->nr = req.nr;
	if (req.flags & PAT_FREE_ACCOUNTED)
		gfp |= __GFP_ACCOUNT;

	req.handle = 0;
	req.err = alloc_item(item, req.pfn, gfp);
	if (req.err) {
		kvfree(item);
		return copy_to_user(arg, &req, sizeof(req)) ? -EFAULT : 0;
	}

	/* Once it has a number, others can free it. */
	if (put_pfns(item, u64_to_user_ptr(req.pfns)))
		goto out_release;
	mutex_lock(&file->mutex);
	err = xa_alloc(&file->handles, &req.handle, item,
		       XA_LIMIT(1, PAT_FREE_MAX_HANDLES), GFP_KERNEL);
	mutex_unlock(&file->mutex);
	if (err)
		goto out_release;
	/* Unless the caller learns its number, it stays until the file is closed. */
	return copy_to_user(arg, &req, sizeof(req)) ? -EFAULT : 0;

out_release:
	item_release(item);
	return err;
}

static pgprot_t keep_prot(pgprot_t prot)
{
	return prot;
}

static pgprot_t noncached_prot(pgprot_t prot)
{
	return pgprot_noncached(prot);
}

static pgprot_t (*prot_of(u32 api))(pgprot_t prot)
{
	switch (api) {
	case PAT_TEST_SET_MEMORY_UC:
	case PAT_TEST_SET_PAGES_UC:
	case PAT_TEST_SET_PAGES_ARRAY_UC:
		return noncached_prot;
	case PAT_TEST_SET_MEMORY_WC:
	case PAT_TEST_SET_PAGES_ARRAY_WC:
		return pgprot_writecombine;
	}
	return keep_prot;
}

static long ioctl_set(struct pat_free_file *file, void __user *arg)
{
	struct pat_free_set req;
	struct item *item;
	bool scattered;
	long err = 0;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (req.api >= PAT_TEST_NR_SET_APIS || !req.count)
		return -EINVAL;

	mutex_lock(&file->mutex);
	item = xa_load(&file->handles, req.handle);
	if (!item) {
		err = -ENOENT;
		goto out_unlock;
	}
	scattered = item->kind == PAT_FREE_SINGLES ||
		    item->kind == PAT_FREE_VMALLOC;
	if (req.first >= item->nr || req.count > item->nr - req.first ||
	    (scattered && req.count > 1 &&
	     req.api < PAT_TEST_SET_PAGES_ARRAY_UC)) {
		err = -EINVAL;
		goto out_unlock;
	}
	item->changed = true;
	req.err = pat_set_call(req.api, item->pages + req.first, req.count);
	if (!req.err)
		item->prot = prot_of(req.api);
out_unlock:
	mutex_unlock(&file->mutex);
	if (!err && copy_to_user(arg, &req, sizeof(req)))
		err = -EFAULT;
	return err;
}

static long ioctl_free(struct pat_free_file *file, void __user *arg)
{
	struct pat_free_free req;
	struct item *item;
	long err = 0;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (req.way >= PAT_FREE_NR_WAYS || req.context >= PAT_FREE_NR_CONTEXTS ||
	    !(ways[req.way].contexts & BIT(req.context)))
		return -EINVAL;

	mutex_lock(&file->mutex);
	item = xa_load(&file->handles, req.handle);
	if (!item)
		err = -ENOENT;
	else if (!(ways[req.way].kinds & BIT(item->kind)))
		err = -EINVAL;
	else
		xa_erase(&file->handles, req.handle);
	mutex_unlock(&file->mutex);
	if (err)
		return err;

	pat_free_somewhere(item, req.way, req.context);
	kvfree(item);
	return 0;
}

static long ioctl_page(void __user *arg)
{
	struct pat_free_page req;
	struct page *page;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (!frames_are_ram(req.pfn, 1))
		return -EINVAL;

	page = pfn_to_page(req.pfn);
	req.bits = type_bits(page);
	req.refs = page_ref_count(page);
	req.is_free = is_free_buddy_page(page);
	req.is_wb = direct_map_is_wb(page);
	return copy_to_user(arg, &req, sizeof(req)) ? -EFAULT : 0;
}

/*
 * Gives back what CPUs keep on lists of their own. That is done for whoever
 * wants to have certain frames: those of a block that was just free.
 */
static int drain_lists(void)
{
	unsigned int tries;
	int err = -ENOMEM;

	for (tries = 0; tries < 20; tries++) {
		struct page *block = alloc_pages(PAGE_GFP, pageblock_order);
		unsigned long pfn;

		if (!block)
			break;
		pfn = page_to_pfn(block);
		__free_pages(block, pageblock_order);
		err = alloc_contig_range(pfn, pfn + 1, MIGRATE_MOVABLE,
					 GFP_KERNEL | __GFP_NOWARN);
		if (!err) {
			free_contig_range(pfn, 1);
			break;
		}
	}
	return err;
}

/* It shows whose it is. What is set aside does not, whatever its count is. */
static bool page_is_used(const struct page *page)
{
	return PageLRU(page) || PageSlab(page) || PageTable(page) ||
	       (page_ref_count(page) && READ_ONCE(page->mapping));
}

static void look_at(struct pat_free_look *req, u64 pfn)
{
	struct page *page = pfn_to_page(pfn);

	if (is_free_buddy_page(page)) {
		req->is_free++;
	} else if (page_is_used(page)) {
		req->is_used++;
	} else {
		if (!req->is_missing++)
			req->missing_pfn = pfn;
		return;
	}
	if (page_is_odd(page) && !req->odd++)
		req->odd_pfn = pfn;
}

static long ioctl_look(void __user *arg)
{
	struct pat_free_look req;
	long err;
	u64 *pfns;
	u32 i;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (!req.nr || req.nr > PAT_FREE_MAX_PAGES)
		return -EINVAL;
	pfns = vmemdup_array_user(u64_to_user_ptr(req.pfns), req.nr,
				  sizeof(*pfns));
	if (IS_ERR(pfns))
		return PTR_ERR(pfns);

	err = drain_lists();
	if (err)
		goto out_free;
	req.is_free = 0;
	req.is_used = 0;
	req.is_missing = 0;
	req.missing_pfn = 0;
	req.odd = 0;
	req.odd_pfn = 0;
	for (i = 0; i < req.nr; i++) {
		if (!frames_are_ram(pfns[i], 1)) {
			err = -EINVAL;
			goto out_free;
		}
		look_at(&req, pfns[i]);
	}
	if (copy_to_user(arg, &req, sizeof(req)))
		err = -EFAULT;
out_free:
	kvfree(pfns);
	return err;
}

static long ioctl_probe(void __user *arg)
{
	struct pat_free_probe req;
	struct page **blocks;
	u32 i, page;
	int err;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (!req.nr || req.nr > PAT_FREE_MAX_PAGES ||
	    req.order > MAX_PAGE_ORDER)
		return -EINVAL;
	err = req.drain ? drain_lists() : 0;
	if (err)
		return err;
	blocks = kvcalloc(req.nr, sizeof(*blocks), GFP_KERNEL);
	if (!blocks)
		return -ENOMEM;

	req.odd = 0;
	req.odd_pfn = 0;
	for (req.got = 0; req.got < req.nr; req.got++) {
		struct page *block = alloc_pages(PAGE_GFP | __GFP_NORETRY,
						 req.order);

		if (!block)
			break;
		blocks[req.got] = block;
		for (page = 0; page < 1 << req.order; page++)
			if (page_is_odd(block + page) && !req.odd++)
				req.odd_pfn = page_to_pfn(block + page);
	}
	for (i = 0; i < req.got; i++)
		__free_pages(blocks[i], req.order);
	kvfree(blocks);
	return copy_to_user(arg, &req, sizeof(req)) ? -EFAULT : 0;
}

static long ioctl_repair(void __user *arg)
{
	struct pat_free_repair req;
	struct page *page;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (!frames_are_ram(req.pfn, 1))
		return -EINVAL;

	page = pfn_to_page(req.pfn);
	req.err = 0;
	req.repaired = !direct_map_is_wb(page);
	if (req.repaired)
		req.err = set_pages_array_wb(&page, 1);
	return copy_to_user(arg, &req, sizeof(req)) ? -EFAULT : 0;
}

static long pat_free_ioctl(struct file *filp, unsigned int cmd,
			   unsigned long arg)
{
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case PAT_FREE_ALLOC:
		return ioctl_alloc(filp->private_data, user);
	case PAT_FREE_SET_TYPE:
		return ioctl_set(filp->private_data, user);
	case PAT_FREE_FREE:
		return ioctl_free(filp->private_data, user);
	case PAT_FREE_PAGE:
		return ioctl_page(user);
	case PAT_FREE_LOOK:
		return ioctl_look(user);
	case PAT_FREE_PROBE:
		return ioctl_probe(user);
	case PAT_FREE_REPAIR:
		return ioctl_repair(user);
	}
	return -ENOTTY;
}

/* --- mmap() ------------------------------------------------------------------- */

static int map_pages(struct vm_area_struct *vma, const struct item *item,
		     enum pat_free_map map)
{
	u32 i;

	if (vma_pages(vma) > item->nr)
		return -EINVAL;
	vma->vm_page_prot = (item->prot ?: keep_prot)(vma->vm_page_prot);
	for (i = 0; i < vma_pages(vma); i++) {
		unsigned long addr = vma->vm_start + i * PAGE_SIZE;
		int err;

		if (map == PAT_FREE_INSERT)
			err = vm_insert_page(vma, addr, item->pages[i]);
		else
			err = remap_pfn_range(vma, addr,
					      page_to_pfn(item->pages[i]),
					      PAGE_SIZE, vma->vm_page_prot);
		if (err)
			return err;
	}
	return 0;
}

static int pat_free_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct pat_free_file *file = filp->private_data;
	unsigned long map = vma->vm_pgoff >> 16;
	struct item *item;
	int err = -ENOENT;

	if (map > PAT_FREE_INSERT || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);

	mutex_lock(&file->mutex);
	item = xa_load(&file->handles, vma->vm_pgoff & 0xffff);
	if (item)
		err = map == PAT_FREE_INSERT && item->kind != PAT_FREE_SINGLES ?
		      -EINVAL : map_pages(vma, item, map);
	mutex_unlock(&file->mutex);
	return err;
}

static int pat_free_open(struct inode *inode, struct file *filp)
{
	struct pat_free_file *file = kzalloc(sizeof(*file), GFP_KERNEL);

	if (!file)
		return -ENOMEM;
	mutex_init(&file->mutex);
	xa_init_flags(&file->handles, XA_FLAGS_ALLOC1);
	filp->private_data = file;
	return 0;
}

static int pat_free_release(struct inode *inode, struct file *filp)
{
	struct pat_free_file *file = filp->private_data;
	struct item *item;
	unsigned long handle;

	xa_for_each(&file->handles, handle, item)
		item_release(item);
	xa_destroy(&file->handles);
	kfree(file);
	return 0;
}

static const struct file_operations pat_free_fops = {
	.owner		= THIS_MODULE,
	.open		= pat_free_open,
	.release	= pat_free_release,
	.unlocked_ioctl	= pat_free_ioctl,
	.mmap		= pat_free_mmap,
	.llseek		= noop_llseek,
};

static struct miscdevice pat_free_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "pat_free",
	.fops	= &pat_free_fops,
	.mode	= 0600,
};
module_misc_device(pat_free_device);

MODULE_DESCRIPTION("Frees pages that are not write-back");
MODULE_LICENSE("GPL");
MODULE_INFO(test, "Y");
