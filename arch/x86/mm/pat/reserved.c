// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records of mappings: VMAs on a dummy inode.
 *
 * A record is a vm_area_struct that no process has in its address space.  It
 * hangs, as any shared file mapping does, in the i_mmap interval tree of an
 * inode: a static one that has no file system and no name and stands for
 * physical memory, its page cache index being the page frame number.  "Which
 * mappings are there of this frame" is then a question that mm already knows
 * how to answer.  The record of a process mapping is also linked by its address
 * in the mm that maps the frames, so that a zap, which knows addresses, finds
 * it.  An ioremap()'s hangs on its vm_struct, too, and who undoes a reservation
 * knows the frames.
 *
 * Locks
 *	i_mmap_rwsem of the dummy inode, its own lockdep class, protects
 *		both links of every record, all its fields while it is linked
 *	pat_tree_lock (raw, inside it) with pat_tree_seq
 *		makes each change of the frame tree one step for the look-ups;
 *		also pat_generation
 *
 * Look-ups take neither: see pat/lookup.c.
 *
 * Records come from a cache of their own whose memory stays records for a grace
 * period (SLAB_TYPESAFE_BY_RCU).  One that is freed and used again at once may
 * lead a look-up astray, but not out of the records, and not unnoticed: it was
 * unlinked, which the sequence count tells.
 *
 *	allocated --link--> linked --unlink--> freed
 *	              ^      |  |                ^
 *	              +------+  +--retire--> stale
 *		move_ends, split: one	     until vmalloc has flushed
 *		step for look-ups
 *
 * A stale record is that of an ioremap() which is unmapped, but may still be in
 * some CPU's TLB, since vmalloc flushes lazily.  Nobody holds its type any
 * more: it is not found by look-ups and not listed.  But who wants the frames
 * with another type has to wait for the flush: see pat_record_admit().
 * vmalloc counts the purges that it begins and those that it has done, and a
 * purge which began after a record was retired covers it.
 *
 * An inexact record is one that may cover more than what is mapped, because
 * who unmapped could not know or not cut: see pat/pfnmap.c, which marks it and
 * makes it exact again.
 *
 * Invariants are lines of pat/validate.c.
 */

#define pr_fmt(fmt) "x86/PAT: " fmt

#include <linux/fs.h>
#include <linux/interval_tree_generic.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pfnmap.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include <asm/pat.h>

#include "pat_internal.h"
#include "trace.h"

/* Static, because ACPI maps its tables long before there are inodes. */
struct inode pat_inode = {
	.i_mapping = &pat_inode.i_data,
	.i_data = {
		.host		= &pat_inode,
		.i_mmap		= RB_ROOT_CACHED,
		.i_mmap_rwsem	= __RWSEM_INITIALIZER(pat_inode.i_data.i_mmap_rwsem),
	},
};

DEFINE_RAW_SPINLOCK(pat_tree_lock);
seqcount_raw_spinlock_t pat_tree_seq =
	SEQCNT_RAW_SPINLOCK_ZERO(pat_tree_seq, &pat_tree_lock);

/* Counts what makes a reserved frame's type another, before it does. */
unsigned long pat_generation;

static LIST_HEAD(pat_inexact);

/* How many of the records are of RAM: cpa need not look for them in vain. */
static unsigned long pat_ram_records;

/*
 * Stale records from the oldest to the youngest, and how many of each type.  By
 * frame they are only ordered when somebody asks who may care: the list's end,
 * from pat_stale_unsorted on, is not yet.
 */
static LIST_HEAD(pat_stale_list);
static struct list_head *pat_stale_unsorted = &pat_stale_list;
static struct rb_root_cached pat_stale = RB_ROOT_CACHED;
static unsigned long pat_stale_count, pat_stale_count_of[_PAGE_CACHE_MODE_NUM];

/* Those that are purged are freed some time later, and so many at a time. */
#define PAT_REAP_DELAY	HZ
#define PAT_REAP_BATCH	256

static void pat_stale_reap(struct work_struct *work);
static DECLARE_DELAYED_WORK(pat_reap_work, pat_stale_reap);

/* Purges of vmalloc space: begun, and the last one begun that is done. */
static atomic_long_t purges_begun = ATOMIC_LONG_INIT(0);
static atomic_long_t purge_done = ATOMIC_LONG_INIT(0);

static unsigned long pat_map_first_addr(const struct pat_map *map)
{
	return map->vma.vm_start;
}

static unsigned long pat_map_last_addr(const struct pat_map *map)
{
	return map->vma.vm_end - 1;
}

INTERVAL_TREE_DEFINE(struct pat_map, by_addr, unsigned long, by_addr_last,
		     pat_map_first_addr, pat_map_last_addr, static, pat_addr)

static struct pat_map *vma_to_map(struct vm_area_struct *vma)
{
	return container_of(vma, struct pat_map, vma);
}

/* The record's place by address, NULL for one that has none. */
static struct rb_root_cached *pat_map_addr_root(const struct pat_map *map)
{
	return map->holder == PAT_HOLDER_USER ?
		&map->vma.vm_mm->context.pat_maps : NULL;
}

static struct kmem_cache *pat_map_cache;

/* What no record fills in is zero, always. */
static void pat_map_construct(void *map)
{
	memset(map, 0, sizeof(struct pat_map));
}

/* ACPI maps its tables before there are initcalls. */
static noinline struct kmem_cache *pat_map_create_cache(void)
{
	static DEFINE_MUTEX(create_mutex);

	mutex_lock(&create_mutex);
	if (!pat_map_cache)
		smp_store_release(&pat_map_cache,
				  kmem_cache_create("pat_map", sizeof(struct pat_map), 0,
						    SLAB_TYPESAFE_BY_RCU,
						    pat_map_construct));
	mutex_unlock(&create_mutex);
	return pat_map_cache;
}

static void pat_map_init(struct pat_map *map, unsigned long pfn, unsigned long nr)
{
	/* A look-up may still be at what this was before. */
	WRITE_ONCE(map->vma.vm_pgoff, pfn);
	WRITE_ONCE(map->vma.vm_start, 0);
	WRITE_ONCE(map->vma.vm_end, nr << PAGE_SHIFT);
	WRITE_ONCE(map->vma.vm_page_prot, __pgprot(0));
	map->vma.vm_mm = NULL;
	INIT_LIST_HEAD(&map->list);
	map->since = jiffies;
	map->caller = NULL;
	map->holder = PAT_HOLDER_RANGE;
	map->ram = false;
	map->next = NULL;
}

/**
 * pat_map_alloc - a new record, not linked
 * @pfn: first frame
 * @nr: number of frames, 1 to PAT_MAP_MAX_PAGES
 * @gfp: how to allocate
 *
 * The caller fills in the holder, and the address where there is one.
 *
 * Return: the record or NULL.
 */
struct pat_map *pat_map_alloc(unsigned long pfn, unsigned long nr, gfp_t gfp)
{
	struct kmem_cache *cache = smp_load_acquire(&pat_map_cache);
	struct pat_map *map;

	if (unlikely(!cache))
		cache = pat_map_create_cache();
	map = cache ? kmem_cache_alloc(cache, gfp) : NULL;
	if (map)
		pat_map_init(map, pfn, nr);
	return map;
}

/**
 * pat_map_free_chain - free records that are not linked (any more)
 * @chain: first of the records, chained by ->next; may be NULL
 */
void pat_map_free_chain(struct pat_map *chain)
{
	while (chain) {
		struct pat_map *map = chain;

		chain = map->next;
		kmem_cache_free(pat_map_cache, map);
	}
}

/**
 * pat_records_lock - keep all others from the records
 *
 * Context: may sleep; inside mmap_lock and a file's i_mmap_rwsem, outside page
 * table locks.  Nothing that may enter reclaim is allocated under it.
 */
void pat_records_lock(void)
{
	down_write(&pat_inode.i_data.i_mmap_rwsem);
}

/**
 * pat_records_unlock - undo pat_records_lock()
 */
void pat_records_unlock(void)
{
	up_write(&pat_inode.i_data.i_mmap_rwsem);
}

/**
 * pat_records_lock_shared - keep the records as they are, for reading them
 *
 * Several may read at a time.
 *
 * Context: as pat_records_lock().
 */
void pat_records_lock_shared(void)
{
	down_read(&pat_inode.i_data.i_mmap_rwsem);
}

/**
 * pat_records_unlock_shared - undo pat_records_lock_shared()
 */
void pat_records_unlock_shared(void)
{
	up_read(&pat_inode.i_data.i_mmap_rwsem);
}

/**
 * pat_records_of_ram - are there records of RAM?
 *
 * Context: any; takes no lock: ../pageattr.c says why it may.
 * Return: false if cpa need not look for any.
 */
bool pat_records_of_ram(void)
{
	return READ_ONCE(pat_ram_records);
}

/**
 * pat_records_any - has an address space records?
 * @mm: one that can get no new ones
 *
 * Others may change those that there are: a tree must not look empty meanwhile.
 *
 * Context: any; takes no lock.
 * Return: true if it has.
 */
bool pat_records_any(struct mm_struct *mm)
{
	return READ_ONCE(mm->context.pat_maps.rb_root.rb_node);
}

static void pat_tree_write_begin(void)
{
	lockdep_assert_held_write(&pat_inode.i_data.i_mmap_rwsem);
	raw_spin_lock(&pat_tree_lock);
	write_seqcount_begin(&pat_tree_seq);
	WRITE_ONCE(pat_generation, pat_generation + 1);
}

static void pat_tree_write_end(void)
{
	write_seqcount_end(&pat_tree_seq);
	raw_spin_unlock(&pat_tree_lock);
}

static unsigned long pat_vma_last(struct vm_area_struct *vma)
{
	return vma->vm_pgoff + vma_pages(vma) - 1;
}

/* What mm/interval_tree.c does, for a record whose place is known. */
RB_DECLARE_CALLBACKS_MAX(static, pat_frames, struct vm_area_struct, shared.rb,
			 unsigned long, shared.rb_subtree_last, pat_vma_last)

/* A place in the frame tree for a record that overlaps no other. */
struct pat_place {
	struct rb_node	*parent;
	struct rb_node	**link;
};

/*
 * The place for a record of [first, last], if none of these frames has one yet: one
 * way down the tree for the question and the answer.
 */
static bool pat_tree_find_place(unsigned long first, unsigned long last,
				struct pat_place *place)
{
	struct rb_node *rb = pat_inode.i_data.i_mmap.rb_root.rb_node;
	struct rb_node *parent = NULL;
	struct vm_area_struct *vma = NULL, *after = NULL;

	while (rb) {
		struct rb_node *left = rb->rb_left;

		parent = rb;
		vma = rb_entry(rb, struct vm_area_struct, shared.rb);
		if (first < vma->vm_pgoff) {
			after = vma;
			rb = left;
			continue;
		}
		/* All that begin before, and this one, must have ended. */
		if (left && rb_entry(left, struct vm_area_struct,
				     shared.rb)->shared.rb_subtree_last >= first)
			return false;
		if (first - vma->vm_pgoff < vma_pages(vma))
			return false;
		rb = rb->rb_right;
	}
	if (after && after->vm_pgoff <= last)
		return false;
	place->parent = parent;
	if (!parent)
		place->link = &pat_inode.i_data.i_mmap.rb_root.rb_node;
	else if (vma == after)
		place->link = &parent->rb_left;
	else
		place->link = &parent->rb_right;
	return true;
}

static void pat_tree_insert_at(struct vm_area_struct *vma,
			       const struct pat_place *place)
{
	struct rb_node *leftmost = pat_inode.i_data.i_mmap.rb_leftmost;
	unsigned long last = pat_vma_last(vma);
	struct vm_area_struct *above;
	struct rb_node *rb;

	vma->shared.rb_subtree_last = last;
	rb_link_node(&vma->shared.rb, place->parent, place->link);
	for (rb = place->parent; rb; rb = rb_parent(rb)) {
		above = rb_entry(rb, struct vm_area_struct, shared.rb);
		if (above->shared.rb_subtree_last >= last)
			break;
		above->shared.rb_subtree_last = last;
	}
	rb_insert_augmented_cached(&vma->shared.rb, &pat_inode.i_data.i_mmap,
				   !leftmost || leftmost->rb_left == &vma->shared.rb,
				   &pat_frames);
}

static void pat_record_link_at(struct pat_map *map,
			       const struct pat_place *place)
{
	struct rb_root_cached *by_addr = pat_map_addr_root(map);

	pat_tree_write_begin();
	if (place)
		pat_tree_insert_at(&map->vma, place);
	else
		vma_interval_tree_insert(&map->vma, &pat_inode.i_data.i_mmap);
	pat_tree_write_end();
	if (by_addr)
		pat_addr_insert(map, by_addr);
	if (map->ram)
		WRITE_ONCE(pat_ram_records, pat_ram_records + 1);
	trace_pat_reserve(map);
}

/**
 * pat_record_link - put a record where it can be found
 * @map: not linked; everything in it is filled in
 *
 * Does not ask whether it may be there: pat_record_admit() does.
 *
 * Context: records locked.
 */
void pat_record_link(struct pat_map *map)
{
	pat_record_link_at(map, NULL);
}

/**
 * pat_record_unlink - take a record away
 * @map: linked; pat_map_free_chain() is the way to free it after this
 *
 * Context: records locked.
 */
void pat_record_unlink(struct pat_map *map)
{
	struct rb_root_cached *by_addr = pat_map_addr_root(map);

	trace_pat_release(map);
	if (by_addr)
		pat_addr_remove(map, by_addr);
	list_del_init(&map->list);
	pat_tree_write_begin();
	vma_interval_tree_remove(&map->vma, &pat_inode.i_data.i_mmap);
	pat_tree_write_end();
	if (map->ram)
		WRITE_ONCE(pat_ram_records, pat_ram_records - 1);
	else if (pat_map_pfn(map) < PAT_LOW_END)
		pat_low_released(pat_map_type(map));
}

/**
 * pfnmap_purge_begin - vmalloc begins to collect what was unmapped lazily
 *
 * Context: vmap_purge_lock held.
 */
void pfnmap_purge_begin(void)
{
	/* A full barrier: pairs with that in pat_record_retire(). */
	atomic_long_inc_return(&purges_begun);
}

/**
 * pfnmap_purge_end - no CPU can use what vmalloc collected any more
 *
 * Context: vmap_purge_lock held, after the flush.
 */
void pfnmap_purge_end(void)
{
	atomic_long_set_release(&purge_done, atomic_long_read(&purges_begun));
	if (READ_ONCE(pat_stale_count))
		queue_delayed_work(system_unbound_wq, &pat_reap_work,
				   PAT_REAP_DELAY);
}

/* Was there a purge, begun after @map was retired, that is done? */
static bool pat_stale_is_purged(const struct pat_map *map)
{
	return atomic_long_read_acquire(&purge_done) - (long)map->stamp > 0;
}

/**
 * pat_record_retire - unlink the record of a kernel mapping that is unmapped
 * @map: linked; used again by pat_map_recycle(), or freed, when it is purged
 *
 * To be called when vmalloc has the mapping's address on its list of what is
 * to be purged.
 *
 * Context: records locked.
 */
void pat_record_retire(struct pat_map *map)
{
	pat_record_unlink(map);
	/*
	 * Either that purge sees the address on the list, or this sees that
	 * the purge has begun, and waits for the next.
	 */
	smp_mb();
	map->stamp = atomic_long_read(&purges_begun);
	list_add_tail(&map->list, &pat_stale_list);
	if (pat_stale_unsorted == &pat_stale_list)
		pat_stale_unsorted = &map->list;
	WRITE_ONCE(pat_stale_count, pat_stale_count + 1);
	pat_stale_count_of[pat_map_type(map)]++;
}

/* The oldest stale record, not linked any more, if it is purged; else NULL. */
static struct pat_map *pat_stale_take(void)
{
	struct pat_map *map;

	lockdep_assert_held_write(&pat_inode.i_data.i_mmap_rwsem);
	map = list_first_entry_or_null(&pat_stale_list, struct pat_map, list);
	if (!map || !pat_stale_is_purged(map))
		return NULL;
	if (pat_stale_unsorted == &map->list)
		pat_stale_unsorted = map->list.next;
	else
		vma_interval_tree_remove(&map->vma, &pat_stale);
	list_del(&map->list);
	WRITE_ONCE(pat_stale_count, pat_stale_count - 1);
	pat_stale_count_of[pat_map_type(map)]--;
	return map;
}

/* Free what is purged, and not used again meanwhile. */
static void pat_stale_reap(struct work_struct *work)
{
	struct pat_map *map, *chain;
	int batch;

	do {
		chain = NULL;
		pat_records_lock();
		for (batch = 0; batch < PAT_REAP_BATCH; batch++) {
			map = pat_stale_take();
			if (!map)
				break;
			map->next = chain;
			chain = map;
		}
		pat_records_unlock();
		pat_map_free_chain(chain);
		cond_resched();
	} while (chain);
}

/**
 * pat_map_recycle - a record that was stale, instead of a new one
 * @pfn: as for pat_map_alloc()
 * @nr: as for pat_map_alloc()
 *
 * Whoever maps and unmaps all the time needs no others.
 *
 * Context: records locked.
 * Return: the record, or NULL if there is none.
 */
struct pat_map *pat_map_recycle(unsigned long pfn, unsigned long nr)
{
	struct pat_map *map = pat_stale_take();

	if (map)
		pat_map_init(map, pfn, nr);
	return map;
}

/* May a CPU still use a translation of [first, last] with another type? */
static bool pat_stale_in_way(unsigned long first, unsigned long last,
			     enum page_cache_mode type)
{
	struct vm_area_struct *vma;

	if (likely(pat_stale_count == pat_stale_count_of[type]))
		return false;

	for (; pat_stale_unsorted != &pat_stale_list;
	     pat_stale_unsorted = pat_stale_unsorted->next)
		vma_interval_tree_insert(&list_entry(pat_stale_unsorted,
						     struct pat_map, list)->vma,
					 &pat_stale);
	vma_interval_tree_foreach(vma, &pat_stale, first, last)
		if (pat_map_type(vma_to_map(vma)) != type &&
		    !pat_stale_is_purged(vma_to_map(vma)))
			return true;
	return false;
}

/**
 * pat_stale_next - walk the stale records, for validate.c
 * @map: the last one seen, NULL to begin
 *
 * Context: records locked.
 * Return: the oldest one, or the one retired after @map; NULL at the end.
 */
struct pat_map *pat_stale_next(struct pat_map *map)
{
	struct list_head *next = map ? map->list.next : pat_stale_list.next;

	lockdep_assert_held(&pat_inode.i_data.i_mmap_rwsem);
	return next == &pat_stale_list ? NULL :
					 list_entry(next, struct pat_map, list);
}

/**
 * pat_stale_counted - how many stale records are said to be there of a type?
 * @type: memory type
 *
 * Context: records locked.
 * Return: their number.
 */
unsigned long pat_stale_counted(enum page_cache_mode type)
{
	return pat_stale_count_of[type];
}

/**
 * pat_record_mark_inexact - a record may cover more than what is mapped
 * @map: linked, or about to be
 *
 * Context: records locked for writing.
 */
void pat_record_mark_inexact(struct pat_map *map)
{
	lockdep_assert_held_write(&pat_inode.i_data.i_mmap_rwsem);
	list_move_tail(&map->list, &pat_inexact);
}

/**
 * pat_record_mark_exact - a record covers what is mapped, and no more
 * @map: linked
 *
 * Context: records locked for writing.
 */
void pat_record_mark_exact(struct pat_map *map)
{
	lockdep_assert_held_write(&pat_inode.i_data.i_mmap_rwsem);
	list_del_init(&map->list);
}

/**
 * pat_record_is_exact - does a record cover what is mapped, and no more?
 * @map: linked
 *
 * Context: records locked.
 * Return: false if nobody knows.
 */
bool pat_record_is_exact(const struct pat_map *map)
{
	return list_empty(&map->list);
}

/**
 * pat_record_inexact - which record has been inexact for the longest time?
 *
 * Context: records locked.
 * Return: the record, NULL if none is.
 */
struct pat_map *pat_record_inexact(void)
{
	lockdep_assert_held(&pat_inode.i_data.i_mmap_rwsem);
	return list_first_entry_or_null(&pat_inexact, struct pat_map, list);
}

/* Is @map the only record in @root? */
static bool pat_addr_is_only(const struct pat_map *map,
			     const struct rb_root_cached *root)
{
	const struct rb_node *rb = &map->by_addr;

	return root->rb_root.rb_node == rb && !rb->rb_left && !rb->rb_right;
}

/**
 * pat_record_move_ends - let a record cover less, or more at its end
 * @map: linked
 * @start: new first address, not below the old one
 * @end: new end, above @start
 *
 * The frames that stay keep their addresses.  Look-ups see the old or the new
 * range, nothing in between.
 *
 * Context: records locked.
 */
void pat_record_move_ends(struct pat_map *map, unsigned long start,
			  unsigned long end)
{
	struct rb_root_cached *by_addr = pat_map_addr_root(map);
	/* pat_records_any() must not miss it. */
	bool only = by_addr && pat_addr_is_only(map, by_addr);
	unsigned long first = pat_map_pfn(map);

	if (by_addr && !only)
		pat_addr_remove(map, by_addr);
	pat_tree_write_begin();
	vma_interval_tree_remove(&map->vma, &pat_inode.i_data.i_mmap);
	map->vma.vm_pgoff += (start - map->vma.vm_start) >> PAGE_SHIFT;
	map->vma.vm_start = start;
	map->vma.vm_end = end;
	vma_interval_tree_insert(&map->vma, &pat_inode.i_data.i_mmap);
	pat_tree_write_end();
	if (only)
		map->by_addr_last = pat_map_last_addr(map);
	else if (by_addr)
		pat_addr_insert(map, by_addr);
	trace_pat_resize(map);
	if (!map->ram && first < PAT_LOW_END)
		pat_low_released(pat_map_type(map));
}

/**
 * pat_record_inherit - copy all that a record says, but for its range and links
 * @map: new, not linked
 * @from: linked; if it is inexact, so is @map
 *
 * Context: records locked for writing.
 */
void pat_record_inherit(struct pat_map *map, const struct pat_map *from)
{
	map->vma.vm_mm = from->vma.vm_mm;
	map->vma.vm_page_prot = from->vma.vm_page_prot;
	map->stamp = from->stamp;
	map->since = from->since;
	map->caller = from->caller;
	map->pid = from->pid;
	memcpy(map->comm, from->comm, sizeof(map->comm));
	map->holder = from->holder;
	map->ram = from->ram;
	if (!pat_record_is_exact(from))
		pat_record_mark_inexact(map);
}

/**
 * pat_record_split - make two records of one
 * @map: linked; keeps what lies below @addr
 * @upper: new, not linked; gets the rest
 * @addr: inside @map
 *
 * Context: records locked.
 */
void pat_record_split(struct pat_map *map, struct pat_map *upper,
		      unsigned long addr)
{
	pat_record_inherit(upper, map);
	upper->vma.vm_start = addr;
	upper->vma.vm_end = map->vma.vm_end;
	upper->vma.vm_pgoff = pat_map_pfn(map) +
			      ((addr - map->vma.vm_start) >> PAGE_SHIFT);
	/* Overlap for a moment rather than leave frames without a record. */
	pat_record_link(upper);
	pat_record_move_ends(map, map->vma.vm_start, addr);
}

/**
 * pat_record_first - the first record by address
 * @mm: a process's address space
 * @start: first address
 * @end: end of the range [@start, @end)
 *
 * Context: records locked.
 * Return: the first that touches the range, NULL if none does.
 */
struct pat_map *pat_record_first(struct mm_struct *mm, unsigned long start,
				 unsigned long end)
{
	lockdep_assert_held(&pat_inode.i_data.i_mmap_rwsem);
	return pat_addr_iter_first(&mm->context.pat_maps, start, end - 1);
}

/**
 * pat_record_next - the next record by address
 * @map: what pat_record_first() or this returned before
 * @start: as given there
 * @end: as given there
 *
 * Context: records locked.
 * Return: the next that touches the range, NULL if none does.
 */
struct pat_map *pat_record_next(struct pat_map *map, unsigned long start,
				unsigned long end)
{
	lockdep_assert_held(&pat_inode.i_data.i_mmap_rwsem);
	return pat_addr_iter_next(map, start, end - 1);
}

/**
 * pat_record_first_of - the first record by frame
 * @pfn: first frame
 * @nr: number of frames
 *
 * Context: records locked.
 * Return: the first that touches [@pfn, @pfn + @nr), NULL if none does.
 */
struct pat_map *pat_record_first_of(unsigned long pfn, unsigned long nr)
{
	struct vm_area_struct *vma;

	lockdep_assert_held(&pat_inode.i_data.i_mmap_rwsem);
	vma = vma_interval_tree_iter_first(&pat_inode.i_data.i_mmap, pfn, pfn + nr - 1);
	return vma ? vma_to_map(vma) : NULL;
}

/**
 * pat_record_next_of - the next record by frame
 * @map: what pat_record_first_of() or this returned before
 * @pfn: as given there
 * @nr: as given there
 *
 * Context: records locked.
 * Return: the next that touches the frames, NULL if none does.
 */
struct pat_map *pat_record_next_of(struct pat_map *map, unsigned long pfn,
				   unsigned long nr)
{
	struct vm_area_struct *vma;

	lockdep_assert_held(&pat_inode.i_data.i_mmap_rwsem);
	vma = vma_interval_tree_iter_next(&map->vma, pfn, pfn + nr - 1);
	return vma ? vma_to_map(vma) : NULL;
}

/**
 * pat_record_find - the record of a reservation
 * @pfn: first frame
 * @nr: number of frames
 *
 * Context: records locked.
 * Return: one of exactly [@pfn, @pfn + @nr), NULL if there is none.
 */
struct pat_map *pat_record_find(unsigned long pfn, unsigned long nr)
{
	struct vm_area_struct *vma;

	lockdep_assert_held(&pat_inode.i_data.i_mmap_rwsem);
	vma_interval_tree_foreach(vma, &pat_inode.i_data.i_mmap, pfn, pfn) {
		struct pat_map *map = vma_to_map(vma);

		if (map->holder == PAT_HOLDER_RANGE && pat_map_pfn(map) == pfn &&
		    pat_map_pages(map) == nr)
			return map;
	}
	return NULL;
}

/*
 * On which type do the records of [first, last] agree?  One record of each
 * frame is asked, since all of one frame have the same type: thousands of
 * processes may map the same frames.
 * Return: 0 and, in @type, that type, unless there are none; -EBUSY if they do
 * not agree among each other or, if @insist, with @type.  In @held one of them, of
 * another type than what @type was at first, if they do not agree.
 */
static int pat_records_agree(unsigned long first, unsigned long last,
			     bool insist, enum page_cache_mode *type,
			     const struct pat_map **held)
{
	enum page_cache_mode want = *type, other;
	struct vm_area_struct *vma;

	vma = vma_interval_tree_iter_first(&pat_inode.i_data.i_mmap, first, last);
	while (vma) {
		struct pat_map *map = vma_to_map(vma);
		unsigned long end = pat_map_pfn(map) + pat_map_pages(map);

		if (map->ram) {
			vma = vma_interval_tree_iter_next(vma, first, last);
			continue;
		}
		other = pat_map_type(map);
		if (insist && other != *type) {
			if (other != want)
				*held = map;
			return -EBUSY;
		}
		*held = map;
		*type = other;
		insist = true;
		if (end > last)
			break;
		first = end;
		vma = vma_interval_tree_iter_first(&pat_inode.i_data.i_mmap, first,
						   last);
	}
	return 0;
}

/* What is in force serves for what was asked for, before MTRRs had their say? */
static bool pat_type_serves(const struct pat_map *map, enum page_cache_mode asked,
			    enum page_cache_mode type)
{
	return is_new_memtype_allowed(PFN_PHYS(pat_map_pfn(map)),
				      pat_map_pages(map) << PAGE_SHIFT, asked,
				      type);
}

/*
 * The type for @map, whose frames [first, last] others have, too: @type, or the
 * one that these agree on.
 */
static int pat_record_share(struct pat_map *map, unsigned long first,
			    unsigned long last, enum page_cache_mode asked,
			    enum pat_match match, enum page_cache_mode *type)
{
	enum page_cache_mode want = *type;
	const struct pat_map *held = NULL;
	int err;

	err = pat_records_agree(first, last, match == PAT_MATCH_EXACT, type,
				&held);
	if (!err && match == PAT_MATCH_SERVES && *type != want &&
	    !pat_type_serves(map, asked, *type))
		err = -EBUSY;
	if (err || *type != want)
		pat_report_conflict(map, want, held, err);
	return err;
}

/**
 * pat_record_admit - link a record of reserved frames, if its type may be
 * @map: not linked; its vma.vm_page_prot receives the type
 * @asked: type asked for
 * @want: what that means, by pat_effective_want()
 * @match: what else will do
 *
 * The records that overlap @map and agree among each other decide; where there
 * are none, @want does.  Frames that are held with different types can have no
 * common mapping.
 *
 * Context: records locked.
 * Return: 0; -EBUSY, and the log says why; PAT_ADMIT_STALE if somebody may
 * still use an unmapped translation with another type: unlock, call
 * vm_unmap_aliases(), and try again.  On failure nothing has changed.
 */
int pat_record_admit(struct pat_map *map, enum page_cache_mode asked,
		     enum page_cache_mode want, enum pat_match match)
{
	unsigned long first = pat_map_pfn(map);
	unsigned long last = first + pat_map_pages(map) - 1;
	enum page_cache_mode type = want;
	struct pat_place place;
	bool alone;
	int err;

	lockdep_assert_held_write(&pat_inode.i_data.i_mmap_rwsem);
	alone = pat_tree_find_place(first, last, &place);
	if (!alone) {
		err = pat_record_share(map, first, last, asked, match, &type);
		if (err)
			return err;
	}
	if (pat_stale_in_way(first, last, type))
		return PAT_ADMIT_STALE;
	map->vma.vm_page_prot = pat_pgprot(__pgprot(0), type);
	pat_record_link_at(map, alone ? &place : NULL);
	return 0;
}

/**
 * pat_reserved_changed - other frames are reserved than were before
 *
 * Context: after the table of RAM has changed.
 */
void pat_reserved_changed(void)
{
	raw_spin_lock(&pat_tree_lock);
	WRITE_ONCE(pat_generation, pat_generation + 1);
	raw_spin_unlock(&pat_tree_lock);
}

/**
 * pat_reserved_type_or - the type with which a reserved frame is held
 * @pfn: a frame that is not RAM
 * @none: the answer if nobody holds it
 *
 * Context: may sleep; takes the records' lock.
 * Return: the type on which the records of @pfn agree, or @none.
 */
enum page_cache_mode pat_reserved_type_or(unsigned long pfn,
					  enum page_cache_mode none)
{
	struct pat_map *map;
	enum page_cache_mode type;

	pat_records_lock_shared();
	map = pat_record_first_of(pfn, 1);
	type = map ? pat_map_type(map) : none;
	pat_records_unlock_shared();
	return type;
}

static unsigned long pat_records_count(bool ram)
{
	struct vm_area_struct *vma;
	unsigned long count = 0;

	vma_interval_tree_foreach(vma, &pat_inode.i_data.i_mmap, 0, ULONG_MAX)
		if (ram || !vma_to_map(vma)->ram)
			count++;
	return count;
}

/*
 * Which process holds @map?  The one that mapped it, or the child that has it
 * from there: the mm knows, where it keeps its owner.
 */
static void pat_record_name_process(const struct pat_map *map,
				    struct pat_record_info *info)
{
#ifdef CONFIG_MEMCG
	struct task_struct *owner;
#endif

	info->pid = map->pid;
	memcpy(info->comm, map->comm, sizeof(info->comm));
#ifdef CONFIG_MEMCG
	rcu_read_lock();
	owner = rcu_dereference(map->vma.vm_mm->owner);
	if (owner) {
		info->pid = owner->pid;
		get_task_comm(info->comm, owner);
	}
	rcu_read_unlock();
#endif
}

/**
 * pat_record_describe - copy what a record says
 * @map: the record, linked or not
 * @info: receives it, for who has to do with it when the record may be gone
 *
 * Context: records locked.
 */
void pat_record_describe(const struct pat_map *map, struct pat_record_info *info)
{
	info->pfn = pat_map_pfn(map);
	info->pages = pat_map_pages(map);
	info->type = pat_map_type(map);
	info->holder = map->holder;
	info->ram = map->ram;
	info->start = map->vma.vm_start;
	info->end = map->vma.vm_end;
	info->since = map->since;
	info->caller = map->caller;
	if (map->holder == PAT_HOLDER_USER)
		pat_record_name_process(map, info);
}

/**
 * pat_records_snapshot - copy what the records say
 * @ram: those of RAM, too, not only of reserved frames
 * @count: receives the number of records
 *
 * All of it as it was at one moment, ordered by first frame.
 *
 * Context: may sleep.
 * Return: the copies, for kvfree(), or NULL without memory.
 */
struct pat_record_info *pat_records_snapshot(bool ram, unsigned long *count)
{
	struct pat_record_info *infos = NULL;
	struct vm_area_struct *vma;
	unsigned long room = 0, n;

	for (;;) {
		down_read(&pat_inode.i_data.i_mmap_rwsem);
		n = pat_records_count(ram);
		if (n <= room && infos)
			break;
		up_read(&pat_inode.i_data.i_mmap_rwsem);
		kvfree(infos);
		room = n + 16;
		infos = kvmalloc_array(room, sizeof(*infos), GFP_KERNEL);
		if (!infos)
			return NULL;
	}
	n = 0;
	vma_interval_tree_foreach(vma, &pat_inode.i_data.i_mmap, 0, ULONG_MAX)
		if (ram || !vma_to_map(vma)->ram)
			pat_record_describe(vma_to_map(vma), &infos[n++]);
	up_read(&pat_inode.i_data.i_mmap_rwsem);
	*count = n;
	return infos;
}
