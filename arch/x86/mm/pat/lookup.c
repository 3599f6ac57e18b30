// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which memory type has a frame?
 *
 * Asked at each fault of a PFN mapping, and by KVM under its MMU lock: so no lock
 * is taken, and nothing written that another CPU reads.
 *
 * Look-ups walk the frame tree under RCU and start again when the sequence count says
 * that a writer was there; a writer between two halves of a rotation can hide a
 * subtree, never make a loop, since the rbtree code stores child pointers whole
 * and in an order that keeps the tree finite.  Somebody who has started again often
 * takes the raw lock once: it is held for one tree operation only, with preemption
 * off.
 */

#include <linux/export.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/seqlock.h>

#include <asm/pat.h>

#include "pat_internal.h"
#include "trace.h"

/* So many vain attempts, then a look-up waits for the writers. */
#define PAT_LOOKUP_TRIES	16

/* A huge page in more pieces than this has no common type worth finding. */
#define PAT_UNIFORM_PIECES	512

/* How many frames has a record, as a walk beside a writer sees it? */
static unsigned long pat_tree_pages(const struct vm_area_struct *vma)
{
	return (READ_ONCE(vma->vm_end) - READ_ONCE(vma->vm_start)) >> PAGE_SHIFT;
}

/* Frames [*pfn, *end) of the record at @rb, as a walk beside a writer sees it. */
static struct vm_area_struct *pat_tree_read(struct rb_node *rb,
					    unsigned long *pfn,
					    unsigned long *end)
{
	struct vm_area_struct *vma;

	vma = rb_entry(rb, struct vm_area_struct, shared.rb);
	*pfn = READ_ONCE(vma->vm_pgoff);
	*end = *pfn + pat_tree_pages(vma);
	return vma;
}

/*
 * Any record of @pfn, by a walk that may run beside a writer.  Unlike
 * vma_interval_tree_iter_first() it reads each pointer once.
 */
static struct vm_area_struct *pat_tree_walk(unsigned long pfn)
{
	struct rb_node *rb = READ_ONCE(pat_inode.i_data.i_mmap.rb_root.rb_node);

	while (rb) {
		struct vm_area_struct *vma, *below;
		struct rb_node *left;
		unsigned long first;

		vma = rb_entry(rb, struct vm_area_struct, shared.rb);
		first = READ_ONCE(vma->vm_pgoff);
		left = READ_ONCE(rb->rb_left);
		if (pfn < first) {
			rb = left;	/* to the right all begin later still */
			continue;
		}
		if (pfn - first < pat_tree_pages(vma))
			return vma;
		below = rb_entry_safe(left, struct vm_area_struct, shared.rb);
		if (below && READ_ONCE(below->shared.rb_subtree_last) >= pfn)
			rb = left;	/* if not there, then nowhere */
		else
			rb = READ_ONCE(rb->rb_right);
	}
	return NULL;
}

/*
 * Of the records that overlap [first, last] the one that begins first, and its
 * frames [*pfn, *end); NULL if there is none.  May run beside a writer.
 */
static struct vm_area_struct *pat_tree_first(unsigned long first,
					     unsigned long last,
					     unsigned long *pfn,
					     unsigned long *end)
{
	struct rb_node *rb = READ_ONCE(pat_inode.i_data.i_mmap.rb_root.rb_node);

	while (rb) {
		struct rb_node *left = READ_ONCE(rb->rb_left);
		struct vm_area_struct *vma, *below;

		below = rb_entry_safe(left, struct vm_area_struct, shared.rb);
		if (below && READ_ONCE(below->shared.rb_subtree_last) >= first) {
			rb = left;
			continue;
		}
		vma = pat_tree_read(rb, pfn, end);
		if (*pfn > last)
			return NULL;
		if (*end > first)
			return vma;
		rb = READ_ONCE(rb->rb_right);
	}
	return NULL;
}

static enum page_cache_mode pat_vma_type(const struct vm_area_struct *vma)
{
	return pgprot2cachemode(READ_ONCE(vma->vm_page_prot));
}

/* What a look-up asks and is told. */
struct pat_question {
	unsigned long		pfn;
	unsigned long		nr;
	unsigned long		first;		/* with @nr, what @type is of */
	bool			held;		/* has frame @pfn a record? */
	enum page_cache_mode	type;		/* of frame @pfn */
	bool			uniform;	/* and of all others? */
};

static void pat_tree_answer(struct pat_question *q)
{
	unsigned long first = q->pfn, last = q->pfn + q->nr - 1;
	struct vm_area_struct *vma = pat_tree_walk(first);
	int pieces;

	q->type = vma ? pat_vma_type(vma) : _PAGE_CACHE_MODE_UC_MINUS;
	q->uniform = true;
	/* All records of a frame agree: one that has them all will do. */
	if (vma && last - READ_ONCE(vma->vm_pgoff) < pat_tree_pages(vma))
		return;
	for (pieces = 0; q->uniform && first <= last; pieces++) {
		unsigned long pfn, end;

		vma = pat_tree_first(first, last, &pfn, &end);
		/* Frames without a record are UC-. */
		q->uniform = pieces < PAT_UNIFORM_PIECES &&
			((vma && pfn <= first) ||
			 q->type == _PAGE_CACHE_MODE_UC_MINUS) &&
			(!vma || pat_vma_type(vma) == q->type);
		if (!vma || end <= first)
			break;
		first = end;
	}
}

/* @answer as of one moment. */
static __always_inline void
pat_tree_ask(struct pat_question *q, void (*answer)(struct pat_question *q))
{
	unsigned int seq, tries;

	rcu_read_lock();
	for (tries = 0; tries < PAT_LOOKUP_TRIES; tries++) {
		seq = read_seqcount_begin(&pat_tree_seq);
		answer(q);
		if (!read_seqcount_retry(&pat_tree_seq, seq)) {
			rcu_read_unlock();
			return;
		}
	}
	rcu_read_unlock();

	raw_spin_lock(&pat_tree_lock);
	answer(q);
	raw_spin_unlock(&pat_tree_lock);
}

static void pat_tree_answer_one(struct pat_question *q)
{
	struct vm_area_struct *vma = pat_tree_walk(q->pfn);

	q->held = vma;
	q->type = vma ? pat_vma_type(vma) : _PAGE_CACHE_MODE_UC_MINUS;
}

/*
 * Of the records that begin at @pfn or before, the one that begins last; NULL if
 * there is none.  May run beside a writer.
 */
static __always_inline struct rb_node *pat_tree_before(unsigned long pfn)
{
	struct rb_node *rb = READ_ONCE(pat_inode.i_data.i_mmap.rb_root.rb_node);
	struct rb_node *before = NULL;

	while (rb) {
		/* A wrong way, should a writer be here, is noticed in the end. */
		if (pfn < data_race(rb_entry(rb, struct vm_area_struct,
					     shared.rb)->vm_pgoff)) {
			rb = READ_ONCE(rb->rb_left);
			continue;
		}
		before = rb;
		rb = READ_ONCE(rb->rb_right);
	}
	return before;
}

static noinline enum page_cache_mode pat_reserved_type_slow(unsigned long pfn)
{
	struct pat_question q = { .pfn = pfn };

	pat_tree_ask(&q, pat_tree_answer_one);
	if (!q.held)
		trace_pat_lookup_miss(pfn);
	return q.type;
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
	struct vm_area_struct *vma;
	struct rb_node *before;
	unsigned int seq;
	pgprot_t prot;

	/* Mostly the record that begins last is of that frame. */
	rcu_read_lock();
	seq = raw_seqcount_begin(&pat_tree_seq);
	before = pat_tree_before(pfn);
	if (!before)
		goto slow;
	vma = rb_entry(before, struct vm_area_struct, shared.rb);
	prot = READ_ONCE(vma->vm_page_prot);
	if (pfn - READ_ONCE(vma->vm_pgoff) >= pat_tree_pages(vma) ||
	    read_seqcount_retry(&pat_tree_seq, seq))
		goto slow;
	rcu_read_unlock();
	return pgprot2cachemode(prot);

slow:
	rcu_read_unlock();
	return pat_reserved_type_slow(pfn);
}

/**
 * struct pat_recent - what this CPU has learnt last of reserved frames
 * @generation: of the records, then
 * @first: first frame
 * @nr: number of frames, all reserved and of one type
 * @bits: the type, as page table entries have it
 */
struct pat_recent {
	unsigned long	generation;
	unsigned long	first;
	unsigned long	nr;
	pgprotval_t	bits;
};

static DEFINE_PER_CPU(struct pat_recent, pat_recent);

/* Of a frame's neighbours an answer may speak, too: as many as a table maps. */
#define PAT_NEIGHBOURS	((unsigned long)PTRS_PER_PTE)

/**
 * pat_reserved_recent - is a frame's memory type known from just now?
 * @pfn: any frame
 * @prot: receives the type, if it is
 *
 * Context: task; takes no lock.
 * Return: true if this CPU was last asked, by pat_reserved_near(), for a frame
 * that is near, and since then nothing has changed.
 */
bool pat_reserved_recent(unsigned long pfn, pgprot_t *prot)
{
	const struct pat_recent *recent = get_cpu_ptr(&pat_recent);
	bool known = pfn - recent->first < recent->nr &&
		     recent->generation == READ_ONCE(pat_generation);

	if (known)
		*prot = __pgprot((pgprot_val(*prot) & ~_PAGE_CACHE_MASK) |
				 recent->bits);
	put_cpu_ptr(&pat_recent);
	return known;
}

static void pat_tree_answer_near(struct pat_question *q)
{
	struct vm_area_struct *vma = pat_tree_walk(q->pfn);
	unsigned long pfn, end;

	q->uniform = true;
	q->held = vma;
	if (vma) {
		q->type = pat_vma_type(vma);
		q->first = READ_ONCE(vma->vm_pgoff);
		q->nr = pat_tree_pages(vma);
		return;
	}
	q->type = _PAGE_CACHE_MODE_UC_MINUS;
	q->first = ALIGN_DOWN(q->pfn, PAT_NEIGHBOURS);
	q->nr = PAT_NEIGHBOURS;
	q->uniform = !pat_tree_first(q->first, q->first + q->nr - 1, &pfn, &end);
}

/*
 * May the answer be kept?  Not where frames around it are no reserved ones, or
 * untracked: the legacy ISA range.  (The GRU has none of the neighbours of a
 * frame outside of it, since it begins and ends at higher powers of two.)
 */
static bool pat_near_is_reserved(const struct pat_question *q)
{
	unsigned long run;

	pat_ram_run(q->first, q->nr, &run);
	return q->uniform && q->first >= PAT_LOW_END && run == q->nr;
}

/**
 * pat_reserved_near - pat_reserved_type() for who will ask for neighbours, too
 * @pfn: a frame that is not RAM
 *
 * What is found is kept for pat_reserved_recent(), where it can be.
 *
 * Context: task; takes no lock.
 * Return: as pat_reserved_type().
 */
enum page_cache_mode pat_reserved_near(unsigned long pfn)
{
	/* Later changes make what is found then too old, however it is found. */
	unsigned long generation = smp_load_acquire(&pat_generation);
	struct pat_question q = { .pfn = pfn };
	struct pat_recent *recent;
	bool keep;

	pat_tree_ask(&q, pat_tree_answer_near);
	if (!q.held)
		trace_pat_lookup_miss(pfn);
	keep = pat_near_is_reserved(&q);

	recent = get_cpu_ptr(&pat_recent);
	*recent = (struct pat_recent) {
		.generation = generation,
		.first = q.first,
		.nr = keep ? q.nr : 0,
		.bits = cachemode2protval(q.type),
	};
	put_cpu_ptr(&pat_recent);
	return q.type;
}

/**
 * pat_reserved_uniform - have reserved frames one memory type, and which?
 * @pfn: first frame
 * @nr: number of frames, none of them RAM
 * @type: receives that of @pfn
 *
 * Context: any but hard interrupts and NMI; takes no lock.
 * Return: true if all have that type; false also where they are in too many
 * pieces to say.
 */
bool pat_reserved_uniform(unsigned long pfn, unsigned long nr,
			  enum page_cache_mode *type)
{
	struct pat_question q = { .pfn = pfn, .nr = nr };

	pat_tree_ask(&q, pat_tree_answer);
	*type = q.type;
	return q.uniform;
}

static __always_inline enum page_cache_mode
pat_type_of(unsigned long pfn, enum page_cache_mode (*reserved_type)(unsigned long pfn))
{
	enum page_cache_mode type = _PAGE_CACHE_MODE_WB;

	/* The struct page may go with its memory, but not before we are done. */
	rcu_read_lock();
	switch (pat_ram_kind(pfn)) {
	case PAT_FRAMES_RAM:
		type = pat_ram_type(pfn);
		break;
	case PAT_FRAMES_OFFLINE:
		break;
	default:
		if (!pat_untracked(pfn, 1))
			type = reserved_type(pfn);
		break;
	}
	rcu_read_unlock();
	return type;
}

/**
 * pat_lookup - the memory type in force for a frame
 * @pfn: any frame
 *
 * Only with PAT enabled.
 *
 * Context: any but hard interrupts and NMI; takes no lock.
 * Return: the type that a new mapping of @pfn has to use.
 */
enum page_cache_mode pat_lookup(unsigned long pfn)
{
	return pat_type_of(pfn, pat_reserved_type);
}

/**
 * pat_lookup_near - pat_lookup() for who may ask pat_reserved_recent() next
 * @pfn: any frame
 *
 * Context: task; takes no lock.
 * Return: as pat_lookup().
 */
enum page_cache_mode pat_lookup_near(unsigned long pfn)
{
	return pat_type_of(pfn, pat_reserved_near);
}

/**
 * pat_pfn_immune_to_uc_mtrr - can an MTRR not make this frame less cached?
 * @pfn: any frame
 *
 * Only with PAT enabled.
 *
 * Context: any but hard interrupts and NMI; takes no lock.
 * Return: true if the type in force is UC, UC- or WC.
 */
bool pat_pfn_immune_to_uc_mtrr(unsigned long pfn)
{
	switch (pat_type_of(pfn, pat_reserved_type)) {
	case _PAGE_CACHE_MODE_UC:
	case _PAGE_CACHE_MODE_UC_MINUS:
	case _PAGE_CACHE_MODE_WC:
		return true;
	default:
		return false;
	}
}
EXPORT_SYMBOL_GPL(pat_pfn_immune_to_uc_mtrr);
