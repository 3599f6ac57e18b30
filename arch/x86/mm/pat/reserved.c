// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records of mappings: VMAs on a dummy inode.
 *
 * A record is a vm_area_struct that no process has in its address space.  It
 * hangs, as any shared file mapping does, in the i_mmap interval tree of an
 * inode: a static one that has no file system and no name and stands for
 * physical memory, its page cache index being the page frame number.  "Which
 * mappings are there of this frame" is then a question that mm already knows
 * how to answer.  A record is also linked by its address in the mm that maps
 * the frames (init_mm for ioremap), so that an unmap, which knows addresses,
 * finds it; a reservation without an address is linked by frame only.
 *
 * Locks
 *	i_mmap_rwsem of the dummy inode, its own lockdep class, protects
 *		both links of every record, all its fields while it is linked
 *	pat_tree_lock (raw, inside it) with pat_tree_seq
 *		makes each change of the frame tree one step for the look-ups
 *
 * Look-ups (pat_reserved_type()) take neither.  They walk the frame tree under
 * RCU and start again when the sequence count says that a writer was there; a
 * writer between two halves of a rotation can hide a subtree, never make a
 * loop, since the rbtree code stores child pointers whole and in an order that
 * keeps the tree finite.  Somebody who has started again often takes the raw
 * lock once: it is held for one tree operation only, with preemption off.
 *
 * A record goes to kfree_rcu() with an rcu_head of its own; vma->vm_rcu would
 * lie over vm_start and vm_end, which a look-up may still be reading.
 *
 *	allocated --link--> linked --unlink--> waits for RCU --> freed
 *	              ^        |
 *	              +--------+  move_ends, split: one step for look-ups
 *
 * Invariants are lines of pat_validate(), at the end of this file.
 */

#define pr_fmt(fmt) "x86/PAT: " fmt

#include <linux/fs.h>
#include <linux/interval_tree_generic.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <asm/pat.h>

#include "pat_internal.h"

static struct inode pat_inode;

/* Static, because ACPI maps its tables long before there are inodes. */
static struct address_space pat_mapping = {
	.host		= &pat_inode,
	.i_mmap		= RB_ROOT_CACHED,
	.i_mmap_rwsem	= __RWSEM_INITIALIZER(pat_mapping.i_mmap_rwsem),
};

static struct inode pat_inode = {
	.i_mapping	= &pat_mapping,
};

static DEFINE_RAW_SPINLOCK(pat_tree_lock);
static seqcount_raw_spinlock_t pat_tree_seq =
	SEQCNT_RAW_SPINLOCK_ZERO(pat_tree_seq, &pat_tree_lock);

/* So many vain attempts, then a look-up waits for the writers. */
#define PAT_LOOKUP_TRIES	16

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
	return map->vma.vm_mm ? &map->vma.vm_mm->context.pat_maps : NULL;
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
	struct pat_map *map = kzalloc(sizeof(*map), gfp);

	if (!map)
		return NULL;
	map->vma.vm_pgoff = pfn;
	map->vma.vm_end = nr << PAGE_SHIFT;
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
		kfree_rcu(map, rcu);
	}
}

void pat_records_lock(void)
{
	down_write(&pat_mapping.i_mmap_rwsem);
}

void pat_records_unlock(void)
{
	up_write(&pat_mapping.i_mmap_rwsem);
}

/* Has @mm records?  Without the lock: only where none can be made. */
bool pat_records_any(struct mm_struct *mm)
{
	return READ_ONCE(mm->context.pat_maps.rb_root.rb_node);
}

static void pat_tree_write_begin(void)
{
	lockdep_assert_held_write(&pat_mapping.i_mmap_rwsem);
	raw_spin_lock(&pat_tree_lock);
	write_seqcount_begin(&pat_tree_seq);
}

static void pat_tree_write_end(void)
{
	write_seqcount_end(&pat_tree_seq);
	raw_spin_unlock(&pat_tree_lock);
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
	struct rb_root_cached *by_addr = pat_map_addr_root(map);

	pat_tree_write_begin();
	vma_interval_tree_insert(&map->vma, &pat_mapping.i_mmap);
	pat_tree_write_end();
	if (by_addr)
		pat_addr_insert(map, by_addr);
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

	if (by_addr)
		pat_addr_remove(map, by_addr);
	pat_tree_write_begin();
	vma_interval_tree_remove(&map->vma, &pat_mapping.i_mmap);
	pat_tree_write_end();
}

/* A hole does not reach beyond its record. */
static void pat_map_clamp_hole(struct pat_map *map)
{
	if (!map->hole_end)
		return;
	map->hole_start = max(map->hole_start, map->vma.vm_start);
	map->hole_end = min(map->hole_end, map->vma.vm_end);
	if (map->hole_start >= map->hole_end)
		map->hole_end = 0;
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

	if (by_addr)
		pat_addr_remove(map, by_addr);
	pat_tree_write_begin();
	vma_interval_tree_remove(&map->vma, &pat_mapping.i_mmap);
	map->vma.vm_pgoff += (start - map->vma.vm_start) >> PAGE_SHIFT;
	map->vma.vm_start = start;
	map->vma.vm_end = end;
	vma_interval_tree_insert(&map->vma, &pat_mapping.i_mmap);
	pat_tree_write_end();
	if (by_addr)
		pat_addr_insert(map, by_addr);
	pat_map_clamp_hole(map);
}

/* Copy from @from all that a record says, but for its range and links. */
void pat_record_inherit(struct pat_map *map, const struct pat_map *from)
{
	map->vma.vm_mm = from->vma.vm_mm;
	map->vma.vm_page_prot = from->vma.vm_page_prot;
	map->stamp = from->stamp;
	map->caller = from->caller;
	map->pid = from->pid;
	memcpy(map->comm, from->comm, sizeof(map->comm));
	map->holder = from->holder;
	map->ram = from->ram;
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
	upper->hole_start = map->hole_start;
	upper->hole_end = map->hole_end;
	pat_map_clamp_hole(upper);
	/* Overlap for a moment rather than leave frames without a record. */
	pat_record_link(upper);
	pat_record_move_ends(map, map->vma.vm_start, addr);
}

/* First record of @mm, by address, that touches [@start, @end). */
struct pat_map *pat_record_first(struct mm_struct *mm, unsigned long start,
				 unsigned long end)
{
	lockdep_assert_held(&pat_mapping.i_mmap_rwsem);
	return pat_addr_iter_first(&mm->context.pat_maps, start, end - 1);
}

struct pat_map *pat_record_next(struct pat_map *map, unsigned long start,
				unsigned long end)
{
	lockdep_assert_held(&pat_mapping.i_mmap_rwsem);
	return pat_addr_iter_next(map, start, end - 1);
}

/* Any record with a hole. */
struct pat_map *pat_record_with_hole(void)
{
	struct vm_area_struct *vma;

	lockdep_assert_held(&pat_mapping.i_mmap_rwsem);
	vma_interval_tree_foreach(vma, &pat_mapping.i_mmap, 0, ULONG_MAX)
		if (vma_to_map(vma)->hole_end)
			return vma_to_map(vma);
	return NULL;
}

/* The reservation without an address of exactly [@pfn, @pfn + @nr). */
struct pat_map *pat_record_find_range(unsigned long pfn, unsigned long nr)
{
	struct vm_area_struct *vma;

	lockdep_assert_held(&pat_mapping.i_mmap_rwsem);
	vma_interval_tree_foreach(vma, &pat_mapping.i_mmap, pfn, pfn) {
		struct pat_map *map = vma_to_map(vma);

		if (map->holder == PAT_HOLDER_RANGE &&
		    pat_map_pfn(map) == pfn && pat_map_pages(map) == nr)
			return map;
	}
	return NULL;
}

/**
 * pat_record_admit - link a record of reserved frames, if its type may be
 * @map: not linked; its vma.vm_page_prot receives the type
 * @want: type asked for
 * @match: what else will do
 *
 * The records that overlap @map and agree among each other decide; where there
 * are none, @want does.  Frames that are held with different types can have no
 * common mapping.
 *
 * Context: records locked.
 * Return: 0, or -EBUSY and then nothing has changed, and the log says why.
 */
int pat_record_admit(struct pat_map *map, enum page_cache_mode want,
		     enum pat_match match)
{
	unsigned long first = pat_map_pfn(map);
	unsigned long last = first + pat_map_pages(map) - 1;
	enum page_cache_mode type = want;
	struct vm_area_struct *vma;
	bool decided = match == PAT_MATCH_EXACT;

	lockdep_assert_held_write(&pat_mapping.i_mmap_rwsem);
	vma_interval_tree_foreach(vma, &pat_mapping.i_mmap, first, last) {
		enum page_cache_mode other = pat_map_type(vma_to_map(vma));

		if (vma_to_map(vma)->ram)
			continue;
		if (!decided) {
			type = other;
			decided = true;
		} else if (other != type) {
			pr_info_ratelimited("%s:%d conflicting memory types %llx-%llx %s<->%s\n",
					    current->comm, current->pid,
					    (u64)first << PAGE_SHIFT,
					    ((u64)last + 1) << PAGE_SHIFT,
					    pat_mode_name(type),
					    pat_mode_name(other));
			return -EBUSY;
		}
	}
	map->vma.vm_page_prot = pat_pgprot(__pgprot(0), type);
	pat_record_link(map);
	return 0;
}

/*
 * Any record of @pfn, by a walk that may run beside a writer.  Unlike
 * vma_interval_tree_iter_first() it reads each pointer once.
 */
static struct vm_area_struct *pat_tree_walk(unsigned long pfn)
{
	struct rb_node *rb = READ_ONCE(pat_mapping.i_mmap.rb_root.rb_node);

	while (rb) {
		struct vm_area_struct *vma, *below;
		unsigned long first, pages;
		struct rb_node *left;

		vma = rb_entry(rb, struct vm_area_struct, shared.rb);
		first = READ_ONCE(vma->vm_pgoff);
		pages = (READ_ONCE(vma->vm_end) - READ_ONCE(vma->vm_start)) >>
			PAGE_SHIFT;
		if (pfn - first < pages)
			return vma;

		left = READ_ONCE(rb->rb_left);
		below = rb_entry_safe(left, struct vm_area_struct, shared.rb);
		if (below && READ_ONCE(below->shared.rb_subtree_last) >= pfn)
			rb = left;	/* if not there, then nowhere */
		else if (pfn < first)
			return NULL;
		else
			rb = READ_ONCE(rb->rb_right);
	}
	return NULL;
}

static enum page_cache_mode pat_tree_type(unsigned long pfn)
{
	struct vm_area_struct *vma = pat_tree_walk(pfn);

	if (!vma)
		return _PAGE_CACHE_MODE_UC_MINUS;
	return pgprot2cachemode(READ_ONCE(vma->vm_page_prot));
}

/**
 * pat_reserved_type - the memory type of a reserved frame
 * @pfn: a frame that is not RAM
 *
 * Context: any but hard interrupts and NMI; takes no lock.
 * Return: the type on which the records of @pfn agree, UC- if there are none.
 */
enum page_cache_mode pat_reserved_type(unsigned long pfn)
{
	enum page_cache_mode type;
	unsigned int seq, tries;

	rcu_read_lock();
	for (tries = 0; tries < PAT_LOOKUP_TRIES; tries++) {
		seq = read_seqcount_begin(&pat_tree_seq);
		type = pat_tree_type(pfn);
		if (!read_seqcount_retry(&pat_tree_seq, seq)) {
			rcu_read_unlock();
			return type;
		}
	}
	rcu_read_unlock();

	raw_spin_lock(&pat_tree_lock);
	type = pat_tree_type(pfn);
	raw_spin_unlock(&pat_tree_lock);
	return type;
}

static unsigned long pat_records_count(void)
{
	struct vm_area_struct *vma;
	unsigned long count = 0;

	vma_interval_tree_foreach(vma, &pat_mapping.i_mmap, 0, ULONG_MAX)
		if (!vma_to_map(vma)->ram)
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
	info->pid = map->pid;
	memcpy(info->comm, map->comm, sizeof(info->comm));
#ifdef CONFIG_MEMCG
	if (map->holder == PAT_HOLDER_USER) {
		struct task_struct *owner;

		rcu_read_lock();
		owner = rcu_dereference(map->vma.vm_mm->owner);
		if (owner) {
			info->pid = owner->pid;
			get_task_comm(info->comm, owner);
		}
		rcu_read_unlock();
	}
#endif
}

static void pat_record_describe(const struct pat_map *map,
				struct pat_record_info *info)
{
	info->pfn = pat_map_pfn(map);
	info->pages = pat_map_pages(map);
	info->type = pat_map_type(map);
	info->holder = map->holder;
	info->start = map->vma.vm_start;
	info->end = map->vma.vm_end;
	info->caller = map->caller;
	pat_record_name_process(map, info);
}

/**
 * pat_records_snapshot - copy what the records say of reserved frames
 * @count: receives the number of records
 *
 * All of it as it was at one moment, ordered by first frame.
 *
 * Context: may sleep.
 * Return: the copies, for kvfree(), or NULL without memory.
 */
struct pat_record_info *pat_records_snapshot(unsigned long *count)
{
	struct pat_record_info *infos = NULL;
	struct vm_area_struct *vma;
	unsigned long room = 0, n;

	for (;;) {
		down_read(&pat_mapping.i_mmap_rwsem);
		n = pat_records_count();
		if (n <= room && infos)
			break;
		up_read(&pat_mapping.i_mmap_rwsem);
		kvfree(infos);
		room = n + 16;
		infos = kvmalloc_array(room, sizeof(*infos), GFP_KERNEL);
		if (!infos)
			return NULL;
	}
	n = 0;
	vma_interval_tree_foreach(vma, &pat_mapping.i_mmap, 0, ULONG_MAX)
		if (!vma_to_map(vma)->ram)
			pat_record_describe(vma_to_map(vma), &infos[n++]);
	up_read(&pat_mapping.i_mmap_rwsem);
	*count = n;
	return infos;
}

/* Does the chain of parents from @map lead to the root it should hang on? */
static bool pat_record_reaches_root(struct pat_map *map)
{
	struct rb_root_cached *by_addr = pat_map_addr_root(map);
	struct rb_node *rb;

	if (!by_addr)
		return map->holder == PAT_HOLDER_RANGE;
	for (rb = &map->by_addr; rb_parent(rb); rb = rb_parent(rb))
		;
	return by_addr->rb_root.rb_node == rb;
}

static unsigned long pat_record_last_below(const struct pat_map *map)
{
	const struct vm_area_struct *vma = &map->vma;
	unsigned long last = pat_map_pfn(map) + pat_map_pages(map) - 1;
	const struct rb_node *child;

	child = vma->shared.rb.rb_left;
	if (child)
		last = max(last, rb_entry(child, struct vm_area_struct,
					  shared.rb)->shared.rb_subtree_last);
	child = vma->shared.rb.rb_right;
	if (child)
		last = max(last, rb_entry(child, struct vm_area_struct,
					  shared.rb)->shared.rb_subtree_last);
	return last;
}

/* What is wrong with one record by itself, NULL if nothing is. */
static const char *pat_record_broken(struct pat_map *map)
{
	const struct vm_area_struct *vma = &map->vma;
	unsigned long pfn = pat_map_pfn(map), nr = pat_map_pages(map);
	enum pat_frames frames;
	unsigned long run;

	if (vma->vm_end <= vma->vm_start ||
	    !PAGE_ALIGNED(vma->vm_start | vma->vm_end))
		return "a record covers whole pages, at least one";
	if (vma->shared.rb_subtree_last != pat_record_last_below(map))
		return "the frame tree knows how far each subtree reaches";
	if (!pat_record_reaches_root(map))
		return "a record with an address is linked in its mm";
	if (map->hole_end && (map->hole_start < vma->vm_start ||
			      map->hole_end > vma->vm_end))
		return "a hole lies inside its record";
	frames = pat_ram_run(pfn, nr, &run);
	if (run < nr || map->ram != (frames != PAT_FRAMES_RESERVED))
		return "a record's frames are all RAM or all reserved, as it says";
	return NULL;
}

/**
 * pat_validate - check every invariant of the records
 * @verdict: receives the result
 *
 * Context: may sleep; takes the records' lock for reading throughout.
 */
void pat_validate(struct pat_verdict *verdict)
{
	unsigned long reach[_PAGE_CACHE_MODE_NUM] = {};
	unsigned long previous = 0;
	struct vm_area_struct *vma;
	int type;

	memset(verdict, 0, sizeof(*verdict));
	down_read(&pat_mapping.i_mmap_rwsem);
	vma_interval_tree_foreach(vma, &pat_mapping.i_mmap, 0, ULONG_MAX) {
		struct pat_map *map = vma_to_map(vma);
		unsigned long pfn = pat_map_pfn(map);

		verdict->records++;
		verdict->pfn = pfn;
		verdict->broken = pat_record_broken(map);
		if (!verdict->broken && pfn < previous)
			verdict->broken = "the frame tree is ordered";
		/* reach[]: end of the frames seen so far with each type */
		for (type = 0; !verdict->broken && !map->ram &&
			       type < _PAGE_CACHE_MODE_NUM; type++)
			if (type != pat_map_type(map) && reach[type] > pfn)
				verdict->broken =
					"records of one frame agree on its type";
		if (verdict->broken)
			break;
		previous = pfn;
		if (!map->ram)
			reach[pat_map_type(map)] =
				max(reach[pat_map_type(map)],
				    pfn + pat_map_pages(map));
	}
	up_read(&pat_mapping.i_mmap_rwsem);
}
