/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PAT_MODEL_SHIM_H
#define _PAT_MODEL_SHIM_H

/*
 * As much of the kernel as the files under test see.
 *
 * This is included before everything else, and the kernel headers that they
 * name are empty files, but for a few that are the kernel's own: the Makefile
 * says which.  Whatever can be wrong in the use of an interface is checked
 * here: a lock that is not held, an allocation that may enter reclaim under
 * one, the struct page of a frame that has none, a WARN.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define CONFIG_64BIT			1
#define CONFIG_X86			1
#define CONFIG_X86_64			1
#define CONFIG_X86_PAT			1
#define CONFIG_MMU			1
#define CONFIG_SMP			1
#define CONFIG_MEMCG			1
#define CONFIG_MEMORY_HOTPLUG		1
#define CONFIG_ARCH_HAS_PFNMAP_RECORDS	1

/* Types and the compiler */

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef int64_t s64;
typedef u64 phys_addr_t;
typedef u64 resource_size_t;
typedef unsigned int gfp_t;
typedef unsigned long vm_flags_t;
typedef unsigned long pgprotval_t;

#define __init
#define __exit
#define __initdata
#define __ro_after_init
#define __read_mostly
#define __rcu
#define __user
#define __iomem
#define __force
#define __must_check
#define __counted_by(member)
#define __maybe_unused		__attribute__((unused))
#undef __always_inline
#define __always_inline		inline __attribute__((always_inline))
#undef noinline
#define noinline		__attribute__((noinline))
#define fallthrough		__attribute__((fallthrough))
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define barrier()		asm volatile("" ::: "memory")
#define EXPORT_SYMBOL(symbol)
#define EXPORT_SYMBOL_GPL(symbol)
#define THIS_MODULE		NULL

#define __same_type(a, b)	__builtin_types_compatible_p(typeof(a), typeof(b))
#define static_assert(e, ...)	_Static_assert(e, "" __VA_ARGS__)
#define BUILD_BUG_ON(c)		_Static_assert(!(c), #c)
#define ALIGN_DOWN(x, a)	((x) / (a) * (a))
#define ALIGN(x, a)		(((x) + (a) - 1) / (a) * (a))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define struct_size(p, member, n) \
	(sizeof(*(p)) + (n) * sizeof((p)->member[0]))
#define min(a, b) \
	({ typeof(a) _a = (a); typeof(b) _b = (b); _a < _b ? _a : _b; })
#define max(a, b) \
	({ typeof(a) _a = (a); typeof(b) _b = (b); _a > _b ? _a : _b; })
#define min_t(t, a, b)		min((t)(a), (t)(b))
#define max_t(t, a, b)		max((t)(a), (t)(b))
#define clamp(v, lo, hi)	min(max(v, lo), hi)
#define swap(a, b) \
	do { typeof(a) _t = (a); (a) = (b); (b) = _t; } while (0)
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define BIT(n)			(1UL << (n))
#define ULONG_MAX		(~0UL)
#define PHYS_ADDR_MAX		(~(phys_addr_t)0)

#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile typeof(x) *)&(x) = (v))
#define smp_mb()		barrier()
#define smp_rmb()		barrier()
#define smp_wmb()		barrier()
#define smp_mb__after_atomic()	barrier()
#define smp_store_release(p, v)	WRITE_ONCE(*(p), v)
#define data_race(x)		(x)
#define smp_load_acquire(p)	READ_ONCE(*(p))
#define smp_store_release(p, v)	WRITE_ONCE(*(p), v)
#define try_cmpxchg(p, old, new) \
	__atomic_compare_exchange_n(p, old, new, false, __ATOMIC_SEQ_CST, \
				    __ATOMIC_SEQ_CST)
#define cmpxchg(p, o, n) \
	({ typeof(*(p)) _o = (o); (void)try_cmpxchg(p, &_o, n); _o; })
#define xchg(p, v)		__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

/* What the model cannot go on after: says where it was, and aborts. */
void shim_fail(const char *file, int line, const char *what)
	__attribute__((noreturn));

#define SHIM_CHECK(c) \
	do { if (unlikely(!(c))) shim_fail(__FILE__, __LINE__, #c); } while (0)
#define WARN_ON(c) \
	({ bool _c = !!(c); if (_c) shim_fail(__FILE__, __LINE__, "WARN: " #c); _c; })
#define WARN_ON_ONCE(c)		WARN_ON(c)
#define WARN(c, ...)		WARN_ON(c)
#define WARN_ONCE(c, ...)	WARN_ON(c)
#define BUG_ON(c)		((void)WARN_ON(c))
#define BUG()			shim_fail(__FILE__, __LINE__, "BUG")
#define VM_BUG_ON(c)		BUG_ON(c)
#define VM_BUG_ON_VMA(c, vma)	BUG_ON(c)
#define VM_WARN_ON_ONCE(c)	BUG_ON(c)

/* The log: nobody reads it, but what it would print has to exist. */
void shim_log(const char *fmt, ...);
#define shim_panic(...)		shim_fail(__FILE__, __LINE__, "panic")
#define panic(...)		shim_panic()
#define pr_info(...)		shim_log(__VA_ARGS__)
#define pr_warn(...)		shim_log(__VA_ARGS__)
#define pr_err(...)		shim_log(__VA_ARGS__)
#define pr_debug(...)		shim_log(__VA_ARGS__)
#define pr_info_once(...)	shim_log(__VA_ARGS__)
#define pr_info_ratelimited(...)	shim_log(__VA_ARGS__)
#define pr_warn_ratelimited(...)	shim_log(__VA_ARGS__)
#define pr_err_ratelimited(...)		shim_log(__VA_ARGS__)
#define dump_stack()		do { } while (0)

struct ratelimit_state { int unused; };
#define DEFINE_RATELIMIT_STATE(name, interval, burst) \
	struct ratelimit_state name = { }
#define __ratelimit(state)	((void)(state), true)

#define scnprintf(...)		((void)snprintf(__VA_ARGS__))

/* Trace points: only their arguments. */
#define TP_PROTO(...)		__VA_ARGS__
#define DECLARE_EVENT_CLASS(...)
#define TRACE_EVENT(name, proto, ...) \
	static inline void trace_##name(proto) { }
#define DEFINE_EVENT(class, name, proto, ...)	TRACE_EVENT(name, TP_PROTO(proto))

static inline void iomem_name(phys_addr_t addr, char *name, size_t size)
{
	snprintf(name, size, "somewhere");
}
#define strscpy(to, from)	snprintf(to, sizeof(to), "%s", from)

/* Pages */

#define PAGE_SHIFT		12
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
#define PTRS_PER_PTE		16
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define PAGE_ALIGN(a)		(((a) + PAGE_SIZE - 1) & PAGE_MASK)
#define PAGE_ALIGNED(a)		(!((a) & (PAGE_SIZE - 1)))
#define PHYS_PFN(x)		((unsigned long)((x) >> PAGE_SHIFT))
#define PFN_PHYS(x)		((phys_addr_t)(x) << PAGE_SHIFT)
#define __PHYSICAL_MASK		((phys_addr_t)((1ULL << 52) - 1))
#define SMP_CACHE_BYTES		64

typedef struct { pgprotval_t pgprot; } pgprot_t;
typedef struct { u64 val; } pfn_t;

#define pgprot_val(x)		((x).pgprot)
#define __pgprot(x)		((pgprot_t) { (x) })
#define PFN_DEV			0
#define page_to_pfn_t(page)	((pfn_t) { page_to_pfn(page) })
#define __pfn_to_pfn_t(pfn, flags)	((pfn_t) { (pfn) })
#define pfn_t_to_pfn(p)		((unsigned long)(p).val)

/* Memory types: the numbers of the kernel, and Linux's choice of PAT slots. */

enum page_cache_mode {
	_PAGE_CACHE_MODE_WB = 0,
	_PAGE_CACHE_MODE_WC = 1,
	_PAGE_CACHE_MODE_UC_MINUS = 2,
	_PAGE_CACHE_MODE_UC = 3,
	_PAGE_CACHE_MODE_WT = 4,
	_PAGE_CACHE_MODE_WP = 5,

	_PAGE_CACHE_MODE_NUM = 8,
};

#define _PAGE_PWT		(1UL << 3)
#define _PAGE_PCD		(1UL << 4)
#define _PAGE_PAT		(1UL << 7)
#define _PAGE_PSE		(1UL << 7)	/* above the last level */
#define _PAGE_PAT_LARGE		(1UL << 12)
#define _PAGE_CACHE_MASK	(_PAGE_PWT | _PAGE_PCD | _PAGE_PAT)

unsigned long cachemode2protval(enum page_cache_mode type);
enum page_cache_mode pgprot2cachemode(pgprot_t prot);
pgprot_t pgprot_4k_2_large(pgprot_t prot);
pgprot_t pgprot_large_2_4k(pgprot_t prot);

/* Page table entries of the last level, with the bits of the kernel */

typedef unsigned long pteval_t;
typedef struct { pteval_t pte; } pte_t;

#define _PAGE_PRESENT		(1UL << 0)
#define _PAGE_PROTNONE		(1UL << 8)
#define _PAGE_SPECIAL		(1UL << 9)
#define PTE_PFN_MASK		((pteval_t)(__PHYSICAL_MASK & PAGE_MASK))

#define pte_val(x)		((x).pte)
#define __pte(x)		((pte_t) { (x) })
#define pte_flags(x)		((x).pte & ~PTE_PFN_MASK)
#define ptep_get(ptep)		READ_ONCE(*(ptep))

/* What nobody can reach has its frame inverted: see the kernel on L1TF. */
static inline pteval_t protnone_mask(pteval_t val)
{
	return val && !(val & _PAGE_PRESENT) ? ~0UL : 0;
}

static inline unsigned long pte_pfn(pte_t pte)
{
	return ((pte.pte ^ protnone_mask(pte.pte)) & PTE_PFN_MASK) >> PAGE_SHIFT;
}

static inline bool pte_present(pte_t pte)
{
	return pte.pte & (_PAGE_PRESENT | _PAGE_PROTNONE);
}

static inline bool pte_special(pte_t pte)
{
	return pte.pte & _PAGE_SPECIAL;
}

static inline bool pte_same(pte_t a, pte_t b)
{
	return a.pte == b.pte;
}

static inline pgprot_t pte_pgprot(pte_t pte)
{
	return __pgprot(pte.pte & ~PTE_PFN_MASK);
}

/* RCU: a reader is never interrupted here, so to free is to free at once. */

struct rcu_head { void *unused[2]; };

extern int shim_rcu_readers;

void shim_kfree_rcu(const void *p);
void synchronize_rcu(void);
extern unsigned long shim_grace_periods;

static inline void rcu_read_lock(void)
{
	shim_rcu_readers++;
}

static inline void rcu_read_unlock(void)
{
	SHIM_CHECK(shim_rcu_readers > 0);
	shim_rcu_readers--;
}

#define rcu_read_lock_held()	(shim_rcu_readers > 0)
#define rcu_dereference(p) \
	({ SHIM_CHECK(shim_rcu_readers > 0); READ_ONCE(p); })
#define rcu_dereference_protected(p, c)	({ SHIM_CHECK(c); (p); })
#define rcu_dereference_raw(p)	READ_ONCE(p)
#define rcu_access_pointer(p)	READ_ONCE(p)
#define rcu_assign_pointer(p, v) WRITE_ONCE(p, v)
#define RCU_INIT_POINTER(p, v)	((p) = (v))
#define kfree_rcu(p, field)	shim_kfree_rcu(p)
#define kvfree_rcu(p, field)	shim_kfree_rcu(p)

/* There is one CPU, and one task. */

#define DEFINE_PER_CPU(type, name)	type name
#define get_cpu_ptr(p)		(p)
#define put_cpu_ptr(p)		((void)(p))

/* Locks.  One thread: whoever would wait here would wait for ever. */

struct rw_semaphore {
	int	readers;
	bool	writer;
	bool	mmap;		/* an mmap_lock, under which one may allocate */
};
struct mutex { bool held; };
typedef struct { bool held; } raw_spinlock_t;
typedef struct { bool held; } spinlock_t;
typedef struct {
	unsigned int	sequence;
	raw_spinlock_t	*lock;
} seqcount_raw_spinlock_t;

#define __RWSEM_INITIALIZER(name)	{ }
#define DECLARE_RWSEM(name)		struct rw_semaphore name = { }
#define DEFINE_MUTEX(name)		struct mutex name = { }
#define DEFINE_RAW_SPINLOCK(name)	raw_spinlock_t name = { }
#define DEFINE_SPINLOCK(name)		spinlock_t name = { }
#define SEQCNT_RAW_SPINLOCK_ZERO(name, l)	{ .lock = (l) }

void down_read(struct rw_semaphore *sem);
void up_read(struct rw_semaphore *sem);
void down_write(struct rw_semaphore *sem);
void up_write(struct rw_semaphore *sem);
int down_read_trylock(struct rw_semaphore *sem);
void downgrade_write(struct rw_semaphore *sem);
void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);
void shim_spin_lock(bool *held);
void shim_spin_unlock(bool *held);
void shim_seq_changed(void);
/* Somebody else runs here, if nothing is held that he could want. */
void shim_preemption_point(void);

#define down_write_nested(sem, class)	down_write(sem)
#define raw_spin_lock(l)	shim_spin_lock(&(l)->held)
#define raw_spin_unlock(l)	shim_spin_unlock(&(l)->held)
#define raw_spin_lock_irq(l)	raw_spin_lock(l)
#define raw_spin_unlock_irq(l)	raw_spin_unlock(l)
#define raw_spin_lock_irqsave(l, f)	((f) = 0, raw_spin_lock(l))
#define raw_spin_unlock_irqrestore(l, f) ((void)(f), raw_spin_unlock(l))
#define spin_lock(l)		shim_spin_lock(&(l)->held)
#define spin_unlock(l) \
	(shim_spin_unlock(&(l)->held), shim_preemption_point())
#define spin_lock_irqsave(l, f)	((f) = 0, spin_lock(l))
#define spin_unlock_irqrestore(l, f) ((void)(f), spin_unlock(l))

/* So many look-ups find that a writer was there. */
extern unsigned int shim_retries;

static inline void write_seqcount_begin(seqcount_raw_spinlock_t *seq)
{
	SHIM_CHECK(seq->lock->held && !(seq->sequence & 1));
	seq->sequence++;
}

static inline void write_seqcount_end(seqcount_raw_spinlock_t *seq)
{
	SHIM_CHECK(seq->lock->held && (seq->sequence & 1));
	seq->sequence++;
}

static inline unsigned int read_seqcount_begin(seqcount_raw_spinlock_t *seq)
{
	SHIM_CHECK(!(seq->sequence & 1));
	return seq->sequence;
}

static inline unsigned int raw_seqcount_begin(seqcount_raw_spinlock_t *seq)
{
	return seq->sequence & ~1u;
}

static inline bool read_seqcount_retry(seqcount_raw_spinlock_t *seq,
				       unsigned int start)
{
	if (shim_retries) {
		shim_retries--;
		return true;
	}
	return seq->sequence != start;
}

static inline bool shim_rwsem_held(const struct rw_semaphore *sem)
{
	return sem->writer || sem->readers;
}

#define mmap_read_trylock(mm)	down_read_trylock(&(mm)->mmap_lock)
#define mmap_read_lock(mm)	down_read(&(mm)->mmap_lock)
#define mmap_read_unlock(mm)	up_read(&(mm)->mmap_lock)
#define mmap_write_lock(mm)	down_write(&(mm)->mmap_lock)
#define mmap_write_unlock(mm)	up_write(&(mm)->mmap_lock)

#define lockdep_is_held(l)		((l)->held)
#define lockdep_assert_held(l)		SHIM_CHECK(shim_rwsem_held(l))
#define lockdep_assert_held_write(l)	SHIM_CHECK((l)->writer)
#define lockdep_assert_held_read(l)	SHIM_CHECK((l)->readers)
#define lockdep_set_class(l, c)		do { } while (0)
#define lockdep_assert(c)		SHIM_CHECK(c)

void might_sleep(void);
#define cond_resched()		might_sleep()

/* Memory */

#define __GFP_DIRECT_RECLAIM	0x01u
#define __GFP_NOFAIL		0x02u
#define __GFP_ACCOUNT		0x04u
#define __GFP_NOWARN		0x08u
#define __GFP_ZERO		0x10u
#define __GFP_NORETRY		0x20u
#define __GFP_NOMEMALLOC	0x40u
#define __GFP_KSWAPD_RECLAIM	0x80u
#define GFP_KERNEL		__GFP_DIRECT_RECLAIM
#define GFP_KERNEL_ACCOUNT	(GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_NOWAIT		(__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)
#define GFP_ATOMIC		0x100u

#define msleep(ms)		might_sleep()

void *kzalloc(size_t size, gfp_t gfp);
void *kvmalloc_array(size_t n, size_t size, gfp_t gfp);
void kfree(const void *p);

struct kmem_cache {
	size_t	size;
	void	(*construct)(void *object);
	void	*used;		/* what an object was when it was freed last */
};

#define SLAB_TYPESAFE_BY_RCU	1

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align,
				     unsigned int flags,
				     void (*construct)(void *object));
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp);
void kmem_cache_free(struct kmem_cache *cache, void *object);
void kvfree(const void *p);
void *memblock_alloc(size_t size, size_t align);

#define kmalloc(size, gfp)	kzalloc(size, gfp)
#define kcalloc(n, size, gfp)	kzalloc((n) * (size), gfp)
#define kvcalloc(n, size, gfp)	kvmalloc_array(n, size, gfp)
#define kmalloc_array(n, size, gfp)	kzalloc((n) * (size), gfp)

/* Allocations that are not freed, and what was made to fail. */
extern long shim_live;
extern unsigned long shim_failures;
/* The so manieth allocation that may fail from now on does, 0: none. */
extern unsigned int shim_fail_at;
/* How many fail in a row once one does. */
extern unsigned int shim_fail_length;

/* Called wherever somebody else may run in between; the model sets them. */
extern void (*shim_preempt)(void);
/* Called when the frame tree has changed and could be seen. */
extern void (*shim_observe)(void);

/* Atomics */

typedef struct { int counter; } atomic_t;
typedef struct { long counter; } atomic_long_t;

#define ATOMIC_INIT(i)		{ (i) }
#define ATOMIC_LONG_INIT(i)	{ (i) }
#define atomic_read(v)		((v)->counter)
#define atomic_set(v, i)	((v)->counter = (i))
#define atomic_inc(v)		((void)(v)->counter++)
#define atomic_dec(v)		((void)(v)->counter--)
#define atomic_sub(i, v)	((void)((v)->counter -= (i)))
#define atomic_inc_return(v)	(++(v)->counter)
#define atomic_dec_and_test(v)	(--(v)->counter == 0)
#define atomic_inc_not_zero(v)	((v)->counter ? ++(v)->counter : 0)
#define atomic_long_read(v)	((v)->counter)
#define atomic_long_set(v, i)	((v)->counter = (i))
#define atomic_long_inc(v)	((void)(v)->counter++)
#define atomic_long_dec(v)	((void)(v)->counter--)
#define atomic_long_add(i, v)	((void)((v)->counter += (i)))
#define atomic_long_sub(i, v)	((void)((v)->counter -= (i)))
#define atomic_long_inc_return(v)	(++(v)->counter)
#define atomic_long_set_release(v, i)	atomic_long_set(v, i)
#define atomic_long_read_acquire(v)	atomic_long_read(v)

struct list_head { struct list_head *next, *prev; };
struct hlist_head { struct hlist_node *first; };
struct hlist_node { struct hlist_node *next, **pprev; };
#define POISON_POINTER_DELTA	0

/* The kernel's own: empty headers otherwise */

#include <linux/kconfig.h>
#include <linux/rbtree.h>
#include <linux/rbtree_augmented.h>
#include <linux/list.h>

/* Tasks */

#define TASK_COMM_LEN		16
struct task_struct {
	pid_t	pid;
	char	comm[TASK_COMM_LEN];
};
extern struct task_struct *current;
#define get_task_comm(buf, task) memcpy(buf, (task)->comm, TASK_COMM_LEN)
#define task_pid_nr(task)	((task)->pid)

/* Work: waits until the model lets it run. */

struct work_struct {
	struct work_struct	*next;
	void			(*func)(struct work_struct *work);
	bool			pending;
	bool			running;
};
struct delayed_work { struct work_struct work; };
struct workqueue_struct;

#define DECLARE_WORK(n, f)		struct work_struct n = { .func = (f) }
#define DECLARE_DELAYED_WORK(n, f)	struct delayed_work n = { { .func = (f) } }
#define INIT_WORK(w, f)			((w)->func = (f))
#define INIT_DELAYED_WORK(w, f)		((w)->work.func = (f))
#define to_delayed_work(w)		container_of(w, struct delayed_work, work)
#define HZ				250
#define jiffies			0UL
#define msecs_to_jiffies(ms)		((ms) / 4)
#define system_wq			((struct workqueue_struct *)NULL)
#define system_unbound_wq		system_wq
#define system_long_wq			system_wq
#define schedule_work(w)		shim_queue_work(w)
#define queue_work(wq, w)		shim_queue_work(w)
#define schedule_delayed_work(w, d)	((void)(d), shim_queue_work(&(w)->work))
#define queue_delayed_work(wq, w, d)	schedule_delayed_work(w, d)
#define mod_delayed_work(wq, w, d)	schedule_delayed_work(w, d)
#define work_pending(w)			((w)->pending)
#define delayed_work_pending(w)		((w)->work.pending)

/* An interrupt comes at once. */
struct irq_work { void (*func)(struct irq_work *work); };
#define DEFINE_IRQ_WORK(n, f)		struct irq_work n = { (f) }
#define irq_work_queue(w)		(w)->func(w)

bool shim_queue_work(struct work_struct *work);
bool shim_work_pending(void);
bool shim_work_running(void);
void shim_run_work(void);

/* Files and inodes */

struct inode;
struct address_space {
	struct inode		*host;
	struct rb_root_cached	i_mmap;
	struct rw_semaphore	i_mmap_rwsem;
};
struct inode {
	struct address_space	*i_mapping;
	struct address_space	i_data;
};
struct vm_area_struct;
struct file;
struct file_operations {
	int			(*mmap)(struct file *file,
					struct vm_area_struct *vma);
};
struct file {
	unsigned int		f_flags;
	const struct file_operations *f_op;
	struct address_space	*f_mapping;
};
#define O_DSYNC			00010000

/* mm */

struct mm_struct {
	struct {
		struct rb_root_cached	pat_maps;
	} context;
	struct task_struct	*owner;
	atomic_t		mm_users;
	atomic_t		mm_count;
	atomic_t		tlb_flush_pending;
	struct rw_semaphore	mmap_lock;
	spinlock_t		page_table_lock;
};

struct vm_operations_struct { int unused; };

struct vm_area_struct {
	unsigned long		vm_start;
	unsigned long		vm_end;
	struct mm_struct	*vm_mm;
	pgprot_t		vm_page_prot;
	vm_flags_t		vm_flags;
	struct {
		struct rb_node	rb;
		unsigned long	rb_subtree_last;
	} shared;
	unsigned long		vm_pgoff;
	struct file		*vm_file;
	const struct vm_operations_struct *vm_ops;
};

struct anon_vma_chain {
	struct vm_area_struct	*vma;
	struct rb_node		rb;
	unsigned long		rb_subtree_last;
};

#define VM_PFNMAP	0x00000400UL
#define is_cow_mapping(flags)	false
#define VM_MIXEDMAP	0x10000000UL
#define VM_PAT		0x40000000UL

extern struct mm_struct init_mm;

static inline unsigned long vma_pages(const struct vm_area_struct *vma)
{
	return (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
}

static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

void vma_interval_tree_insert(struct vm_area_struct *node,
			      struct rb_root_cached *root);
void vma_interval_tree_insert_after(struct vm_area_struct *node,
				    struct vm_area_struct *prev,
				    struct rb_root_cached *root);
void vma_interval_tree_remove(struct vm_area_struct *node,
			      struct rb_root_cached *root);
struct vm_area_struct *
vma_interval_tree_iter_first(struct rb_root_cached *root,
			     unsigned long start, unsigned long last);
struct vm_area_struct *
vma_interval_tree_iter_next(struct vm_area_struct *node,
			    unsigned long start, unsigned long last);
void anon_vma_interval_tree_insert(struct anon_vma_chain *node,
				   struct rb_root_cached *root);
void anon_vma_interval_tree_remove(struct anon_vma_chain *node,
				   struct rb_root_cached *root);
struct anon_vma_chain *
anon_vma_interval_tree_iter_first(struct rb_root_cached *root,
				  unsigned long start, unsigned long last);
struct anon_vma_chain *
anon_vma_interval_tree_iter_next(struct anon_vma_chain *node,
				 unsigned long start, unsigned long last);

#define vma_interval_tree_foreach(vma, root, start, last) \
	for (vma = vma_interval_tree_iter_first(root, start, last); vma; \
	     vma = vma_interval_tree_iter_next(vma, start, last))

struct mmu_gather {
	struct mm_struct	*mm;
	bool			fullmm;
	void			*zap;	/* the model's: what it has cleared */
};

void mmgrab(struct mm_struct *mm);
void mmdrop(struct mm_struct *mm);
#define mmget_not_zero(mm)	atomic_inc_not_zero(&(mm)->mm_users)
void mmput(struct mm_struct *mm);
struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr);
void zap_vma_ptes(struct vm_area_struct *vma, unsigned long addr,
		  unsigned long size);
struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long addr);

struct follow_pfnmap_args {
	struct vm_area_struct	*vma;
	unsigned long		address;
	unsigned long		pfn;
};

int follow_pfnmap_start(struct follow_pfnmap_args *args);
void follow_pfnmap_end(struct follow_pfnmap_args *args);

struct mem_cgroup;

static inline struct mem_cgroup *get_mem_cgroup_from_mm(struct mm_struct *mm)
{
	return NULL;
}

static inline struct mem_cgroup *set_active_memcg(struct mem_cgroup *memcg)
{
	return NULL;
}

static inline void mem_cgroup_put(struct mem_cgroup *memcg) { }

void tlb_flush_mmu_tlbonly(struct mmu_gather *tlb);
bool mm_tlb_flush_nested(const struct mm_struct *mm);
void flush_tlb_range(struct vm_area_struct *vma, unsigned long start,
		     unsigned long end);
void flush_tlb_mm_range(struct mm_struct *mm, unsigned long start,
			unsigned long end, unsigned int stride_shift,
			bool freed_tables);
void flush_tlb_mm(struct mm_struct *mm);

/* The walk down a process's page tables, of which the toy has one level. */

typedef struct { bool present; } pgd_t;
typedef struct { bool present; } p4d_t;
typedef struct { pteval_t pud; } pud_t;
typedef struct { pteval_t pmd; } pmd_t;

#define pgd_present(pgd)	((pgd).present)
#define p4d_present(p4d)	((p4d).present)
#define pud_present(x)		((x).pud)
#define pud_leaf(pud)		false
/* As in a large page of the direct map, of four frames. */
#define pmd_pgprot(x)		__pgprot((x).pmd & ~(PTE_PFN_MASK << 2))
#define pud_pgprot(x)		__pgprot((x).pud & ~(PTE_PFN_MASK << 2))

pgd_t *pgd_offset(struct mm_struct *mm, unsigned long addr);
p4d_t *p4d_offset(pgd_t *pgd, unsigned long addr);
pud_t *pud_offset(p4d_t *p4d, unsigned long addr);
pmd_t *pmd_offset_lockless(pud_t *pudp, pud_t pud, unsigned long addr);
unsigned long pmd_addr_end(unsigned long addr, unsigned long end);
pte_t *pte_offset_map_lock(struct mm_struct *mm, pmd_t *pmd,
			   unsigned long addr, spinlock_t **ptl);
void pte_unmap_unlock(pte_t *pte, spinlock_t *ptl);

/* Others that use the entries let go of them while they change. */
struct mmu_notifier_range {
	struct mm_struct	*mm;
	unsigned long		start, end;
};
#define MMU_NOTIFY_CLEAR	1

static inline void mmu_notifier_range_init(struct mmu_notifier_range *range,
					   int event, unsigned int flags,
					   struct mm_struct *mm,
					   unsigned long start,
					   unsigned long end)
{
	*range = (struct mmu_notifier_range) { mm, start, end };
}

void mmu_notifier_invalidate_range_start(struct mmu_notifier_range *range);
void mmu_notifier_invalidate_range_end(struct mmu_notifier_range *range);

/* The direct map's entries */
#define PG_LEVEL_4K		1
#define PG_LEVEL_2M		2

pte_t *lookup_address(unsigned long addr, unsigned int *level);
unsigned long page_level_size(unsigned int level);

/* struct page: only online RAM has one. */

struct page {
	unsigned long		flags;
	struct list_head	lru;
	unsigned long		private;
	atomic_t		_mapcount;	/* -1: not mapped */
	int			entire;		/* of a large folio's first page */
	u8			order;		/* of the folio */
	u8			nth;		/* page of the folio */
};
struct folio { struct page page; };
#define PG_memtype_lo		20
#define PG_memtype_hi		21
#define PAGE_FLAGS_MEMTYPE	((1UL << PG_memtype_lo) | (1UL << PG_memtype_hi))

struct page *pfn_to_page(unsigned long pfn);
unsigned long page_to_pfn(const struct page *page);

#define PageHighMem(page)		((void)(page), false)
#define PageHWPoison(page)		((void)(page), false)
#define is_zone_device_page(page)	((void)(page), false)
#define kernel_page_present(page)	((void)(page), true)
#define page_private(page)		((page)->private)
#define set_page_private(page, v)	((page)->private = (v))
#define init_page_count(page)		((void)(page))

void __free_pages(struct page *page, unsigned int order);

static inline struct folio *page_folio(const struct page *page)
{
	return (struct folio *)(page - page->nth);
}

/* Asked before the counts are looked at: a good moment for others. */
static inline bool folio_test_large(const struct folio *folio)
{
	shim_preemption_point();
	return folio->page.order > 0;
}

#define folio_entire_mapcount(folio)	((folio)->page.entire)
#define folio_mapped(folio)		(atomic_read(&(folio)->page._mapcount) >= 0)

/* Who maps a page is for the log only: anonymous pages know, others do not. */
#define folio_mapping(folio)		((void)(folio), NULL)
#define folio_test_anon(folio)		((folio)->page.nth == 0)
#define folio_trylock(folio)		((void)(folio), true)
#define folio_unlock(folio)		((void)(folio))

struct rmap_walk_control {
	void	*arg;
	bool	try_lock;
	bool	(*rmap_one)(struct folio *folio, struct vm_area_struct *vma,
			    unsigned long addr, void *arg);
};
#define rmap_walk(folio, control)	((void)(control)->rmap_one)
#define DEFINE_FOLIO_VMA_WALK(name, folio, vma, addr, flags) \
	struct { int unused; } name = { }
#define page_vma_mapped_walk(walk)	((void)(walk), true)
#define page_vma_mapped_walk_done(walk)	((void)(walk))

/* The platform: a toy one, with as few frames as the model has */

#define TOY_FRAMES		256UL
#define TOY_SECTION		8UL	/* frames that come and go together */

#define ISA_START_ADDRESS	(16UL << PAGE_SHIFT)
#define ISA_END_ADDRESS		(24UL << PAGE_SHIFT)

#define MTRR_TYPE_UNCACHABLE	0
#define MTRR_TYPE_WRBACK	6

u8 mtrr_type_lookup(u64 start, u64 end, u8 *uniform);

static inline bool is_ISA_range(u64 start, u64 end)
{
	return start >= ISA_START_ADDRESS && end <= ISA_END_ADDRESS;
}

struct x86_platform_ops {
	bool (*is_untracked_pat_range)(u64 start, u64 end);
};
extern struct x86_platform_ops x86_platform;

int walk_system_ram_range(unsigned long pfn, unsigned long nr, void *arg,
			  int (*fn)(unsigned long, unsigned long, void *));
int page_is_ram(unsigned long pfn);

struct resource { int unused; };
extern struct resource iomem_resource;
bool resource_is_exclusive(struct resource *root, u64 start,
			   resource_size_t size);
int iomem_map_sanity_check(resource_size_t start, unsigned long size);
int ioremap_change_attr(unsigned long vaddr, unsigned long size,
			enum page_cache_mode type);
bool phys_mem_access_encrypted(unsigned long start, unsigned long size);
int devmem_is_allowed(unsigned long pfn);
struct vm_struct {
	void		*addr;
	unsigned long	size;
	void		*memtype;
	phys_addr_t	phys_addr;
	const void	*caller;
};

static inline size_t get_vm_area_size(const struct vm_struct *area)
{
	return area->size;
}

void vm_unmap_aliases(void);

/* A purge of vmalloc space begins, and has flushed; one at a time. */
void shim_purge_begin(void);
void shim_purge_end(void);
extern unsigned long shim_purges;

#define __PAGE_OFFSET		0xffff888000000000UL
#define __va(x)			((void *)((unsigned long)(x) + __PAGE_OFFSET))
#define __pa(x)			((unsigned long)(x) - __PAGE_OFFSET)
#define high_memory		__va(TOY_FRAMES << PAGE_SHIFT)
#define pgprot_decrypted(prot)	(prot)
#define CC_ATTR_MEM_ENCRYPT	0
#define cc_platform_has(attr)	false

/* Memory hotplug */

#define MEM_ONLINE		(1 << 0)
#define MEM_GOING_OFFLINE	(1 << 1)
#define MEM_OFFLINE		(1 << 2)
#define MEM_GOING_ONLINE	(1 << 3)
#define MEM_CANCEL_ONLINE	(1 << 4)
#define MEM_CANCEL_OFFLINE	(1 << 5)
#define NOTIFY_OK		1
#define DEFAULT_CALLBACK_PRI	0

struct notifier_block {
	int (*call)(struct notifier_block *nb, unsigned long action, void *data);
};
struct memory_notify {
	unsigned long	start_pfn;
	unsigned long	nr_pages;
};

#define get_online_mems()	might_sleep()
#define put_online_mems()	might_sleep()
#define notifier_from_errno(err)	((err) ? (err) : NOTIFY_OK)
#define hotplug_memory_notifier(fn, pri)	(shim_memory_notify = (fn), 0)
#define core_initcall(fn) \
	static void __attribute__((constructor)) fn##_call(void) { fn(); }

extern int (*shim_memory_notify)(struct notifier_block *nb,
				 unsigned long action, void *data);

/* The kernel's own text, cut out of its headers by the Makefile */
#include "kernel_snippets.h"

#endif /* _PAT_MODEL_SHIM_H */
