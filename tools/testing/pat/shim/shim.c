// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parts of the shim that do something: locks, memory, work, and what the
 * platform says of its frames.
 */

#include "../reference.h"

void (*shim_preempt)(void);
void (*shim_observe)(void);

long shim_live;
unsigned long shim_failures;
unsigned int shim_fail_at, shim_fail_length;
int shim_rcu_readers;
unsigned int shim_retries;
int (*shim_memory_notify)(struct notifier_block *nb, unsigned long action,
			  void *data);

static struct task_struct init_task = { .pid = 1, .comm = "model" };
struct task_struct *current = &init_task;
struct mm_struct init_mm = { .owner = &init_task };

bool pat_debug;

static int spinlocks, semaphores, mutexes;

void shim_log(const char *fmt, ...)
{
	SHIM_CHECK(fmt && fmt[0]);
}

bool pat_enabled(void)
{
	return true;
}

const char *pat_mode_name(enum page_cache_mode type)
{
	static const char * const names[] = {
		"write-back", "write-combining", "uncached-minus", "uncached",
		"write-through", "write-protected",
	};

	SHIM_CHECK(type < ARRAY_SIZE(names));
	return names[type];
}

/* Locks */

void might_sleep(void)
{
	SHIM_CHECK(!spinlocks && !shim_rcu_readers);
}

void shim_preemption_point(void)
{
	if (shim_preempt && !spinlocks && !semaphores && !mutexes &&
	    !shim_rcu_readers)
		shim_preempt();
}

void down_read(struct rw_semaphore *sem)
{
	might_sleep();
	SHIM_CHECK(!sem->writer);
	sem->readers++;
	semaphores += !sem->mmap;
}

int down_read_trylock(struct rw_semaphore *sem)
{
	if (sem->writer)
		return 0;
	sem->readers++;
	semaphores += !sem->mmap;
	return 1;
}

void up_read(struct rw_semaphore *sem)
{
	SHIM_CHECK(sem->readers > 0);
	sem->readers--;
	semaphores -= !sem->mmap;
	shim_preemption_point();
}

void down_write(struct rw_semaphore *sem)
{
	might_sleep();
	SHIM_CHECK(!shim_rwsem_held(sem));
	sem->writer = true;
	semaphores += !sem->mmap;
}

void up_write(struct rw_semaphore *sem)
{
	SHIM_CHECK(sem->writer && !spinlocks);
	sem->writer = false;
	semaphores -= !sem->mmap;
	shim_preemption_point();
}

void downgrade_write(struct rw_semaphore *sem)
{
	SHIM_CHECK(sem->writer);
	sem->writer = false;
	sem->readers++;
}

void mutex_lock(struct mutex *mutex)
{
	might_sleep();
	SHIM_CHECK(!mutex->held);
	mutex->held = true;
	mutexes++;
}

void mutex_unlock(struct mutex *mutex)
{
	SHIM_CHECK(mutex->held);
	mutex->held = false;
	mutexes--;
}

/* Others can look before a spinlock is taken and after it is released. */
static void observation_point(void)
{
	if (shim_observe && !spinlocks && !shim_rcu_readers)
		shim_observe();
}

void shim_spin_lock(bool *held)
{
	observation_point();
	SHIM_CHECK(!*held);
	*held = true;
	spinlocks++;
}

void shim_spin_unlock(bool *held)
{
	SHIM_CHECK(*held);
	*held = false;
	spinlocks--;
	observation_point();
}

/* Memory */

static bool allocation_fails(gfp_t gfp)
{
	if (gfp & __GFP_NOFAIL || !shim_fail_at)
		return false;
	if (shim_fail_at > 1) {
		shim_fail_at--;
		return false;
	}
	if (shim_fail_length)
		shim_fail_length--;
	if (!shim_fail_length)
		shim_fail_at = 0;
	shim_failures++;
	return true;
}

static void *allocate(size_t size, gfp_t gfp)
{
	SHIM_CHECK(!spinlocks && !shim_rcu_readers);
	if (gfp & __GFP_DIRECT_RECLAIM) {
		/* Reclaim takes file mappings' locks. */
		SHIM_CHECK(!semaphores);
		shim_preemption_point();
	}
	if (allocation_fails(gfp))
		return NULL;
	shim_live++;
	return calloc(1, size);
}

void *kzalloc(size_t size, gfp_t gfp)
{
	return allocate(size, gfp);
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align,
				     unsigned int flags,
				     void (*construct)(void *object))
{
	static struct kmem_cache cache;

	SHIM_CHECK(!cache.size);
	cache = (struct kmem_cache) {
		.size = size,
		.construct = construct,
		.used = calloc(1, size),
	};
	construct(cache.used);
	return &cache;
}

/*
 * The memory is new, or nobody would notice who uses an object that is freed.
 * What is in it is not: who allocates one gets what another left.
 */
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	void *object = allocate(cache->size, gfp);

	return object ? memcpy(object, cache->used, cache->size) : NULL;
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	memcpy(cache->used, object, cache->size);
	kfree(object);
}

void *kvmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	return allocate(n * size, gfp);
}

void *memblock_alloc(size_t size, size_t align)
{
	return calloc(1, size);
}

void kfree(const void *p)
{
	shim_live -= !!p;
	free((void *)p);
}

void kvfree(const void *p)
{
	kfree(p);
}

void shim_kfree_rcu(const void *p)
{
	/* The one thread that there is would wait for itself. */
	SHIM_CHECK(!shim_rcu_readers);
	kfree(p);
}

unsigned long shim_grace_periods;

void synchronize_rcu(void)
{
	might_sleep();
	SHIM_CHECK(!semaphores);
	shim_grace_periods++;
}

/* Work */

static struct work_struct *work_list;
static int work_running;

bool shim_queue_work(struct work_struct *work)
{
	struct work_struct **tail = &work_list;

	if (work->pending)
		return false;
	while (*tail)
		tail = &(*tail)->next;
	work->pending = true;
	work->next = NULL;
	*tail = work;
	return true;
}

bool shim_work_pending(void)
{
	return work_list;
}

bool shim_work_running(void)
{
	return work_running;
}

/* Run what waits now; what queues itself again waits for the next time. */
void shim_run_work(void)
{
	struct work_struct *work = work_list, *next;

	work_list = NULL;
	work_running++;
	for (; work; work = next) {
		next = work->next;
		work->pending = false;
		work->func(work);
	}
	work_running--;
}

/* Memory types */

unsigned long cachemode2protval(enum page_cache_mode type)
{
	static const unsigned long bits[] = {
		[_PAGE_CACHE_MODE_WB]		= 0,
		[_PAGE_CACHE_MODE_WC]		= _PAGE_PWT,
		[_PAGE_CACHE_MODE_UC_MINUS]	= _PAGE_PCD,
		[_PAGE_CACHE_MODE_UC]		= _PAGE_PCD | _PAGE_PWT,
		[_PAGE_CACHE_MODE_WP]		= _PAGE_PAT | _PAGE_PWT,
		[_PAGE_CACHE_MODE_WT]		= _PAGE_PAT | _PAGE_PCD | _PAGE_PWT,
	};

	SHIM_CHECK(type < ARRAY_SIZE(bits));
	return bits[type];
}

enum page_cache_mode pgprot2cachemode(pgprot_t prot)
{
	int type;

	for (type = 0; type <= _PAGE_CACHE_MODE_WP; type++)
		if (cachemode2protval(type) == (pgprot_val(prot) & _PAGE_CACHE_MASK))
			return type;
	shim_fail(__FILE__, __LINE__, "a PAT slot that nobody chose");
}

/* Above the last level bit 7 says "huge", and PAT is bit 12. */
pgprot_t pgprot_4k_2_large(pgprot_t prot)
{
	unsigned long val = pgprot_val(prot) & ~(_PAGE_PAT | _PAGE_PAT_LARGE);

	if (pgprot_val(prot) & _PAGE_PAT)
		val |= _PAGE_PAT_LARGE;
	return __pgprot(val);
}

pgprot_t pgprot_large_2_4k(pgprot_t prot)
{
	unsigned long val = pgprot_val(prot) & ~(_PAGE_PAT | _PAGE_PAT_LARGE);

	if (pgprot_val(prot) & _PAGE_PAT_LARGE)
		val |= _PAGE_PAT;
	return __pgprot(val);
}

/* vmalloc's lazy purge */

static bool purging;
unsigned long shim_purges;

void shim_purge_begin(void)
{
	if (purging)
		shim_purge_end();
	purging = true;
	shim_purges++;
	pfnmap_purge_begin();
	ref_purge_begin();
}

void shim_purge_end(void)
{
	if (!purging)
		return;
	/* Here the TLBs are flushed. */
	ref_purge_end();
	purging = false;
	pfnmap_purge_end();
}

void vm_unmap_aliases(void)
{
	might_sleep();
	SHIM_CHECK(!semaphores);
	shim_purge_begin();
	shim_purge_end();
	shim_preemption_point();
}

/* The platform */

static struct page pages[TOY_FRAMES];

struct page *pfn_to_page(unsigned long pfn)
{
	SHIM_CHECK(pfn < TOY_FRAMES && toy_kind[pfn] == TOY_RAM);
	return &pages[pfn];
}

/* Frames 32 to 39 are two large folios. */
static void __attribute__((constructor)) init_pages(void)
{
	unsigned long pfn;

	for (pfn = 0; pfn < TOY_FRAMES; pfn++) {
		atomic_set(&pages[pfn]._mapcount, -1);
		if (pfn >= 32 && pfn < 40) {
			pages[pfn].order = 2;
			pages[pfn].nth = pfn % 4;
		}
	}
}

unsigned long page_to_pfn(const struct page *page)
{
	SHIM_CHECK(page >= pages && page < pages + TOY_FRAMES);
	return page - pages;
}

struct x86_platform_ops x86_platform = {
	.is_untracked_pat_range = is_ISA_range,
};

u8 mtrr_type_lookup(u64 start, u64 end, u8 *uniform)
{
	unsigned long pfn;

	for (pfn = PHYS_PFN(start); pfn < PHYS_PFN(end - 1) + 1; pfn++)
		if (toy_mtrr_uncached(pfn))
			return MTRR_TYPE_UNCACHABLE;
	return MTRR_TYPE_WRBACK;
}

int walk_system_ram_range(unsigned long pfn, unsigned long nr, void *arg,
			  int (*fn)(unsigned long, unsigned long, void *))
{
	unsigned long first, end;
	unsigned int i;
	int err = 0;

	for (i = 0; i < toy_boot_ram_nr && !err; i++)
		err = fn(toy_boot_ram[i].start,
			 toy_boot_ram[i].end - toy_boot_ram[i].start, arg);
	for (first = TOY_HOTPLUG_START; first < TOY_HOTPLUG_END && !err; first = end) {
		for (end = first; end < TOY_HOTPLUG_END &&
				  toy_kind[end] == TOY_RAM; end++)
			;
		if (end > first)
			err = fn(first, end - first, arg);
		else
			end++;
	}
	return err;
}

int page_is_ram(unsigned long pfn)
{
	return pfn < TOY_FRAMES && toy_kind[pfn] != TOY_RESERVED;
}

struct resource iomem_resource;

bool resource_is_exclusive(struct resource *root, u64 start,
			   resource_size_t size)
{
	return false;
}

int iomem_map_sanity_check(resource_size_t start, unsigned long size)
{
	return 0;
}

int ioremap_change_attr(unsigned long vaddr, unsigned long size,
			enum page_cache_mode type)
{
	return 0;
}

bool phys_mem_access_encrypted(unsigned long start, unsigned long size)
{
	return true;
}

int devmem_is_allowed(unsigned long pfn)
{
	return 1;
}
