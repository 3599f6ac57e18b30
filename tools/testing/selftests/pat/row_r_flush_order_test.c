// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory type of a frame is released before the last translation is flushed.
 *
 *	CPU 0					CPU 1
 *						reads the page: UC- in its TLB
 *	munmap: entry cleared, type released
 *						ioremap_wc of the frame: granted
 *						reads the page: UC- still
 *	TLB flush
 *
 * While a translation can be used, its type must be held. So each test holds
 * the unmapping task where it is about to flush, asks for the frame, and looks
 * whether a reader gets on. It must not, once the frame was granted as WC. It
 * must at first, or the test shows nothing; as a CPU may forget a translation at
 * any time, a few rounds are made.
 *
 * Emulation by QEMU's TCG has a TLB that is as stale as a real one.
 *
 * Stock: munmap, zap and exit release first; iounmap is flushed lazily, at some
 * time, and nobody waits.
 */
#include <sys/wait.h>

#include "pat_delay.h"
#include "row.h"

#define NR		3

/*
 * A TLB has sets, and who happens to share one with the reader's page can push it
 * out. So each round has its page at another place in the address space.
 */
#define SHIFT(round)	(1 + 5 * (round))

/*
 * Steps of 1 ms that somebody gets to come to a lock, if there is one to wait for.
 * Any other process that runs on the reader's CPU meanwhile ends its translation.
 */
#define COME_TO_LOCK 60
#define MAX_ROUNDS	48

struct order {
	struct row row;
	int delay;
	int resource;			/* the BAR, write-combining; -1: no PAT */
	unsigned int telling;		/* rounds in which the reader read */
	unsigned int enough;		/* so many of them are wanted */
};

static void order_open(struct __test_metadata *_metadata, struct order *order,
		       enum row_stock stock)
{
	char path[320];

	ASSERT_TRUE(delay_run_on(DELAY_CPU_OTHERS))
		TH_LOG("this needs two CPUs: %s", strerror(errno));
	order->delay = delay_open(_metadata);
	order->telling = 0;
	order->enough = 3;
	row_open(_metadata, &order->row, stock);
	snprintf(path, sizeof(path), "%s/resource2_wc", pat_bar(_metadata)->dir);
	order->resource = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_TRUE(order->resource >= 0 || !order->row.pat_is_on);
}

static void order_close(struct order *order)
{
	close(order->resource);
	row_close(&order->row);
	close(order->delay);
}

/*
 * Goes on until the rounds have told enough, or a claim is broken. A kernel
 * that does much beside pushes most translations out; one round has to tell.
 */
static bool another_round(struct __test_metadata *_metadata,
			  struct order *order, unsigned int round)
{
	if (order->row.broken || order->telling == order->enough)
		return false;
	if (round < MAX_ROUNDS)
		return true;
	ASSERT_LT(0, order->telling)
		TH_LOG("no translation outlived its page table entry");
	return false;
}

/* Who wants a frame as WC. */
enum asks {
	ASKS_IOREMAP,
	ASKS_RESERVE,
	ASKS_MMAP,		/* of the PCI resource; not while mmap_lock is held */
};

struct asker {
	enum asks how;
	struct pat_test_map map;
	char *at;
	bool granted;		/* as WC; or else it got some other type, or none */
};

static void ask_mmap(struct __test_metadata *_metadata, struct order *order,
		     uint64_t phys, struct asker *asker)
{
	struct pat_test_pte pte = {};

	asker->at = mmap(NULL, PAT_PAGE, PROT_READ, MAP_SHARED, order->resource,
			 phys - order->row.bar);
	if (asker->at == MAP_FAILED)
		return;
	pte.addr = (uintptr_t)asker->at;
	ASSERT_EQ(0, ioctl(order->row.driver, PAT_TEST_READ_PTE, &pte));
	asker->granted = pte.got == PAT_TEST_WC;
}

/* A reservation does with UC-, too: which it has, the list says. */
static bool is_reserved_wc(struct __test_metadata *_metadata, struct row *row,
			   uint64_t phys)
{
	struct pat_list now = pat_list_now(_metadata, row->pat_is_on);
	bool wc = pat_list_count(&now, phys, PAT_TEST_WC);

	pat_list_free(&now);
	return wc;
}

/* The frame stays granted, until it is given back. */
static void ask(struct __test_metadata *_metadata, struct order *order,
		uint64_t phys, struct asker *asker)
{
	struct row *row = &order->row;

	asker->at = MAP_FAILED;
	asker->granted = false;
	asker->map = (struct pat_test_map) {
		.api = asker->how == ASKS_RESERVE ? PAT_TEST_RESERVE_WC :
						    PAT_TEST_IOREMAP_WC,
		.phys = phys,
		.size = PAT_PAGE,
	};
	if (asker->how == ASKS_MMAP) {
		ask_mmap(_metadata, order, phys, asker);
		return;
	}
	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_MAP, &asker->map));
	asker->granted = !asker->map.err &&
			 (asker->how == ASKS_RESERVE ?
			  is_reserved_wc(_metadata, row, phys) :
			  asker->map.got == PAT_TEST_WC);
}

static void give_back(struct __test_metadata *_metadata, struct row *row,
		      const struct asker *asker)
{
	if (asker->how == ASKS_MMAP && asker->at != MAP_FAILED) {
		ASSERT_EQ(0, munmap(asker->at, PAT_PAGE));
	} else if (asker->how != ASKS_MMAP && !asker->map.err) {
		ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_UNMAP,
				   asker->map.handle));
	}
}

/*
 * Asks for a frame that somebody is about to lose. Claims that it is not granted
 * as WC while the reader can read. Returns whether the reader can.
 */
static bool claim_not_granted_early(struct __test_metadata *_metadata,
				    struct order *order, enum asks how,
				    uint64_t phys, struct reader *reader)
{
	struct row *row = &order->row;
	struct asker asker = { .how = how };
	bool reads;

	ask(_metadata, order, phys, &asker);
	reads = reader_advances(reader);
	give_back(_metadata, row, &asker);
	ROW_CLAIM(row, !asker.granted || !reads,
		  "page 0x%llx: granted as write-combining, and still read as uncached-minus",
		  (unsigned long long)(phys - row->bar) / PAT_PAGE);
	return reads;
}

/* --- user mappings ---------------------------------------------------------- */

enum how {
	HOW_NOT,
	HOW_MUNMAP,
	HOW_ZAP_VMA_PTES,
	HOW_UNMAP_MAPPING_RANGE,
};

struct unmapper {
	pthread_t thread;
	enum how how;
	enum delay_cpu cpu;
	int driver;
	int delay;		/* -1: is not held */
	char *at;		/* address, and offset in the driver's file */
	uint64_t offset;
	size_t size;
	volatile bool go;
	volatile bool done;
	bool good;
};

static bool unmapper_unmaps(struct unmapper *unmapper)
{
	struct pat_test_zap zap = {
		.method = PAT_TEST_ZAP_VMA_PTES,
		.start = (uintptr_t)unmapper->at,
		.size = unmapper->size,
	};

	if (unmapper->how == HOW_MUNMAP)
		return !munmap(unmapper->at, unmapper->size);
	if (unmapper->how == HOW_UNMAP_MAPPING_RANGE) {
		zap.method = PAT_TEST_UNMAP_MAPPING_RANGE;
		zap.start = unmapper->offset;
	}
	return !ioctl(unmapper->driver, PAT_TEST_ZAP, &zap);
}

static void *unmapper_runs(void *arg)
{
	struct unmapper *unmapper = arg;

	while (!unmapper->go)
		pat_sleep_ms(1);
	unmapper->good = delay_run_on(unmapper->cpu) &&
			 (unmapper->delay < 0 ||
			  delay_arm_user_flush(unmapper->delay, unmapper->at)) &&
			 unmapper_unmaps(unmapper);
	unmapper->done = true;
	return NULL;
}

/*
 * It waits for ->go: a thread cannot be made while another one is held with
 * mmap_lock.
 */
static void unmapper_start(struct __test_metadata *_metadata,
			   struct unmapper *unmapper)
{
	ASSERT_EQ(0, pthread_create(&unmapper->thread, NULL, unmapper_runs,
				    unmapper));
}

static void unmapper_end(struct __test_metadata *_metadata,
			 struct unmapper *unmapper)
{
	ASSERT_EQ(0, pthread_join(unmapper->thread, NULL));
	ASSERT_TRUE(unmapper->good);
}

FIXTURE(zap) {
	struct order order;
};

FIXTURE_VARIANT(zap) {
	enum how first;		/* who clears the entries and is held */
	enum how second;	/* who finds them cleared */
	unsigned int page;	/* what is unmapped, and read */
	unsigned int nr;
	unsigned int pages_from;
	enum row_stock stock;
};

#define VARIANT(name, first_how, second_how, first_page, pages, slice, on_stock) \
	FIXTURE_VARIANT_ADD(zap, name) {					\
		.first = first_how,					\
		.second = second_how,					\
		.page = first_page,					\
		.nr = pages,						\
		.pages_from = ROW_R_PAGES + (slice) * NR,		\
		.stock = on_stock,					\
	}

VARIANT(munmap, HOW_MUNMAP, HOW_NOT, 0, NR, 0, ROW_STOCK_HAS_BUG);
VARIANT(munmap_part, HOW_MUNMAP, HOW_NOT, NR - 1, 1, 1, ROW_STOCK_HAS_BUG);
VARIANT(zap_vma_ptes, HOW_ZAP_VMA_PTES, HOW_NOT, 0, NR, 2, ROW_STOCK_HAS_BUG);
VARIANT(zap_vma_ptes_part, HOW_ZAP_VMA_PTES, HOW_NOT, 1, 1, 3, ROW_STOCK_HAS_BUG);
VARIANT(unmap_mapping_range, HOW_UNMAP_MAPPING_RANGE, HOW_NOT, 0, NR, 4,
	ROW_STOCK_HAS_BUG);
VARIANT(unmap_mapping_range_part, HOW_UNMAP_MAPPING_RANGE, HOW_NOT, 1, 1, 5,
	ROW_STOCK_HAS_BUG);
/*
 * The second zap finds no entries, but the translations are there. A driver's zap
 * flushes before it returns, on stock as well; what makes a difference is what
 * happens first.
 */
VARIANT(unmap_mapping_range_then_munmap,
	HOW_UNMAP_MAPPING_RANGE, HOW_MUNMAP, 0, NR, 6, ROW_STOCK_HAS_BUG);
VARIANT(unmap_mapping_range_then_zap_vma_ptes,
	HOW_UNMAP_MAPPING_RANGE, HOW_ZAP_VMA_PTES, 1, 1, 7, ROW_STOCK_IS_RIGHT);
VARIANT(zap_vma_ptes_then_unmap_mapping_range,
	HOW_ZAP_VMA_PTES, HOW_UNMAP_MAPPING_RANGE, 1, 1, 8, ROW_STOCK_IS_RIGHT);
VARIANT(zap_vma_ptes_twice,
	HOW_ZAP_VMA_PTES, HOW_ZAP_VMA_PTES, 1, 1, 9, ROW_STOCK_IS_RIGHT);

/*
 * The second one cannot always come to its end while the first is held: munmap
 * waits for the lock that unmap_mapping_range() has, but after its zap.
 */
static void wait_for_second(struct unmapper *second)
{
	unsigned int waited;

	for (waited = 0; waited < COME_TO_LOCK && !second->done; waited++)
		pat_sleep_ms(1);
}

/* Unmaps what the unmappers have left; other threads may use the rest by now. */
static void unmap_rest(char *at, const FIXTURE_VARIANT(zap) *variant)
{
	unsigned int gone = variant->page, gone_end = variant->page;

	if (variant->first == HOW_MUNMAP || variant->second == HOW_MUNMAP)
		gone_end += variant->nr;
	if (gone)
		munmap(at, gone * PAT_PAGE);
	if (gone_end < NR)
		munmap(at + gone_end * PAT_PAGE, (NR - gone_end) * PAT_PAGE);
}

static void unmap_and_ask(struct __test_metadata *_metadata,
			  struct order *order,
			  const FIXTURE_VARIANT(zap) *variant,
			  unsigned int round)
{
	struct row *row = &order->row;
	char *shift = mmap(NULL, SHIFT(round) * PAT_PAGE, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *at = row_driver_map(_metadata, row, variant->pages_from, NR);
	unsigned int page = variant->pages_from + variant->page;
	struct unmapper first = {
		.how = variant->first,
		.cpu = DELAY_CPU_HELD,
		.driver = row->driver,
		.delay = order->delay,
		.at = at + variant->page * PAT_PAGE,
		.offset = page * PAT_PAGE,
		.size = variant->nr * PAT_PAGE,
	};
	struct unmapper second = first;
	struct reader reader = { .at = (uint64_t *)first.at };
	bool before, after;

	reader_start(_metadata, &reader);
	unmapper_start(_metadata, &first);
	if (variant->second != HOW_NOT) {
		second.how = variant->second;
		second.cpu = DELAY_CPU_OTHERS;
		second.delay = -1;
		unmapper_start(_metadata, &second);
	}

	first.go = true;
	delay_wait_held(_metadata, order->delay);
	before = reader_advances(&reader);
	if (variant->second != HOW_NOT) {
		second.go = true;
		wait_for_second(&second);
	}
	after = claim_not_granted_early(_metadata, order, ASKS_IOREMAP,
					row_phys(row, page), &reader);
	order->telling += before && (after || variant->second != HOW_NOT);

	delay_release(_metadata, order->delay);
	unmapper_end(_metadata, &first);
	if (variant->second != HOW_NOT)
		unmapper_end(_metadata, &second);
	reader_wait_fault(_metadata, &reader);

	for (unsigned int i = 0; i < variant->nr; i++)
		row_claim_free(_metadata, row, row_phys(row, page + i));
	unmap_rest(at, variant);
	munmap(shift, SHIFT(round) * PAT_PAGE);
	for (unsigned int i = 0; i < NR; i++)
		row_claim_free(_metadata, row,
			       row_phys(row, variant->pages_from + i));
}

FIXTURE_SETUP(zap)
{
	order_open(_metadata, &self->order, variant->stock);
}

FIXTURE_TEARDOWN(zap)
{
	order_close(&self->order);
}

TEST_F(zap, type_is_held_until_the_flush)
{
	/*
	 * A translation that is lost by chance looks like one that is flushed,
	 * and beside a munmap() most are lost: five of six on a kernel that has
	 * the bug.
	 */
	if (variant->second != HOW_NOT)
		self->order.enough = variant->second == HOW_MUNMAP ? 24 : 8;
	for (unsigned int i = 0; another_round(_metadata, &self->order, i); i++)
		unmap_and_ask(_metadata, &self->order, variant, i);
	row_verdict(_metadata, &self->order.row);
}

/* --- exit ------------------------------------------------------------------- */

FIXTURE(exit) {
	struct order order;
};

FIXTURE_SETUP(exit)
{
	order_open(_metadata, &self->order, ROW_STOCK_HAS_BUG);
}

FIXTURE_TEARDOWN(exit)
{
	order_close(&self->order);
}

/*
 * Pages of shared memory that were written to are flushed as soon as they are
 * unmapped, and it is not that flush at which the task is to be held.
 */
static bool unmap_shared_memory(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];

	if (!maps)
		return false;
	while (fgets(line, sizeof(line), maps)) {
		unsigned long start, end;
		char shared;

		if (sscanf(line, "%lx-%lx %*c%*c%*c%c", &start, &end,
			   &shared) == 3 && shared == 's' &&
		    munmap((void *)start, end - start))
			return false;
	}
	fclose(maps);
	return true;
}

/* The child has no harness any more: it shares memory with the parent. */
static void __attribute__((noreturn)) child_exits(struct row *row, int delay)
{
	char *at;

	if (!unmap_shared_memory() || !delay_run_on(DELAY_CPU_HELD))
		_exit(1);
	at = mmap(NULL, NR * PAT_PAGE, PROT_READ, MAP_SHARED, row->devmem,
		  row_phys(row, ROW_R_PAGES + 10 * NR));
	if (at == MAP_FAILED || !delay_arm_user_flush(delay, at))
		_exit(2);
	(void)*(volatile char *)at;
	_exit(0);
}

/*
 * Nobody can be caught reading here: the last thread is gone. But CPUs hold the
 * translations until the flush, or lazily until they switch.
 */
TEST_F(exit, type_is_held_until_the_flush)
{
	struct row *row = &self->order.row;
	uint64_t phys = row_phys(row, ROW_R_PAGES + 10 * NR);
	int got, status;
	pid_t child = fork();

	if (!child)
		child_exits(row, self->order.delay);
	ASSERT_LT(0, child);
	delay_wait_held(_metadata, self->order.delay);
	got = row_wc_gets(_metadata, row, phys);
	ROW_CLAIM(row, got != PAT_TEST_WC,
		  "granted as write-combining before the flush");
	delay_release(_metadata, self->order.delay);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_EQ(0, status);

	for (unsigned int i = 0; i < NR; i++)
		row_claim_free(_metadata, row, phys + i * PAT_PAGE);
	row_verdict(_metadata, row);
}

/* --- kernel mappings -------------------------------------------------------- */

FIXTURE(iounmap) {
	struct order order;
};

FIXTURE_VARIANT(iounmap) {
	enum asks asks;
	unsigned int page;
};

FIXTURE_VARIANT_ADD(iounmap, then_ioremap) {
	.asks = ASKS_IOREMAP,
	.page = ROW_R_PAGES + 11 * NR,
};

FIXTURE_VARIANT_ADD(iounmap, then_reserve) {
	.asks = ASKS_RESERVE,
	.page = ROW_R_PAGES + 12 * NR,
};

FIXTURE_VARIANT_ADD(iounmap, then_mmap) {
	.asks = ASKS_MMAP,
	.page = ROW_R_PAGES + 13 * NR,
};

FIXTURE_SETUP(iounmap)
{
	order_open(_metadata, &self->order, ROW_STOCK_HAS_BUG);
}

FIXTURE_TEARDOWN(iounmap)
{
	order_close(&self->order);
}

/* Maps frames whose only purpose is that what is mapped next lies elsewhere. */
static uint32_t shift_kernel(struct __test_metadata *_metadata,
			     struct row *row, unsigned int round)
{
	struct pat_test_map map = {
		.api = PAT_TEST_IOREMAP,
		.phys = row_phys(row, ROW_R_PAGES + 16 * NR),
		.size = SHIFT(round) * PAT_PAGE,
	};

	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_MAP, &map));
	ASSERT_EQ(0, map.err);
	return map.handle;
}

/* A frame with a translation for ioremap(), UC-, and no page table entry. */
static void start_stale(struct __test_metadata *_metadata, struct order *order,
			uint64_t phys, struct reader *reader)
{
	struct pat_test_map map = {
		.api = PAT_TEST_IOREMAP,
		.phys = phys,
		.size = PAT_PAGE,
	};

	ASSERT_EQ(0, ioctl(order->row.driver, PAT_TEST_MAP, &map));
	ASSERT_EQ(0, map.err);
	*reader = (struct reader) {
		.delay = order->delay,
		.kernel_at = map.vaddr,
	};
	reader_start(_metadata, reader);
	ASSERT_EQ(0, ioctl(order->row.driver, PAT_TEST_UNMAP, map.handle));
}

TEST_F(iounmap, another_type_is_granted_after_the_flush)
{
	struct order *order = &self->order;
	uint64_t phys = row_phys(&order->row, variant->page);

	for (unsigned int i = 0; another_round(_metadata, order, i); i++) {
		uint32_t shift = shift_kernel(_metadata, &order->row, i);
		struct reader reader;

		start_stale(_metadata, order, phys, &reader);
		order->telling += reader_advances(&reader);
		claim_not_granted_early(_metadata, order, variant->asks,
					phys, &reader);
		reader_end(_metadata, &reader);
		row_claim_free(_metadata, &order->row, phys);
		ASSERT_EQ(0, ioctl(order->row.driver, PAT_TEST_UNMAP, shift));
	}
	row_verdict(_metadata, &order->row);
}

/* --- a flush that is under way --- */

/* Sets a page's type, and so makes the kernel flush what was unmapped lazily. */
struct purger {
	pthread_t thread;
	int driver;		/* not the one others use: it has a mutex */
	int delay;
	uint64_t addr;		/* whose flush is held */
	bool good;
};

static bool purge(int driver)
{
	uint64_t pfn;
	struct pat_test_alloc alloc = { .nr = 1, .pfns = (uintptr_t)&pfn };
	struct pat_test_set set = {
		.api = PAT_TEST_SET_MEMORY_UC,
		.count = 1,
	};

	if (ioctl(driver, PAT_TEST_ALLOC, &alloc))
		return false;
	set.handle = alloc.handle;
	return !ioctl(driver, PAT_TEST_SET_TYPE, &set) && !set.err &&
	       !ioctl(driver, PAT_TEST_FREE, alloc.handle);
}

static void *purger_runs(void *arg)
{
	struct purger *purger = arg;

	purger->good = delay_run_on(DELAY_CPU_HELD) &&
		       delay_arm_kernel_flush(purger->delay, purger->addr) &&
		       purge(purger->driver);
	return NULL;
}

/* Somebody who may have to wait. */
struct waiter {
	pthread_t thread;
	struct __test_metadata *metadata;
	struct order *order;
	uint64_t phys;
	struct asker asker;
	volatile bool done;
};

static void *waiter_runs(void *arg)
{
	struct waiter *waiter = arg;

	ask(waiter->metadata, waiter->order, waiter->phys, &waiter->asker);
	waiter->done = true;
	return NULL;
}

static void ask_during_flush(struct __test_metadata *_metadata,
			     struct order *order, int other_driver,
			     enum asks asks, uint64_t phys)
{
	struct row *row = &order->row;
	struct reader reader;
	struct purger purger = {
		.driver = other_driver,
		.delay = order->delay,
	};
	struct waiter waiter = {
		.metadata = _metadata,
		.order = order,
		.phys = phys,
		.asker.how = asks,
	};
	unsigned int waited;

	start_stale(_metadata, order, phys, &reader);
	purger.addr = reader.kernel_at;
	ASSERT_EQ(0, pthread_create(&purger.thread, NULL, purger_runs, &purger));
	delay_wait_held(_metadata, order->delay);

	/*
	 * Nobody else flushes: whoever is granted the frame now has not waited,
	 * whether the reader still has its translation or not.
	 */
	order->telling++;
	ASSERT_EQ(0, pthread_create(&waiter.thread, NULL, waiter_runs, &waiter));
	for (waited = 0; waited < COME_TO_LOCK && !waiter.done; waited++)
		pat_sleep_ms(1);
	ROW_CLAIM(row, !waiter.done || !waiter.asker.granted,
		  "granted as write-combining while the flush was under way");

	delay_release(_metadata, order->delay);
	ASSERT_EQ(0, pthread_join(waiter.thread, NULL));
	ASSERT_EQ(0, pthread_join(purger.thread, NULL));
	ASSERT_TRUE(purger.good);
	ROW_CLAIM(row, waiter.asker.granted || !row->pat_is_on,
		  "flushed, and not granted as write-combining");
	ROW_CLAIM(row, !reader_advances(&reader), "read after the flush");
	reader_end(_metadata, &reader);
	give_back(_metadata, row, &waiter.asker);
}

TEST_F(iounmap, another_type_waits_for_a_flush_under_way)
{
	int other_driver = pat_open_driver(_metadata);
	struct order *order = &self->order;

	for (unsigned int i = 0; another_round(_metadata, order, i); i++) {
		uint32_t shift = shift_kernel(_metadata, &order->row, i);

		ask_during_flush(_metadata, order, other_driver, variant->asks,
				 row_phys(&order->row, variant->page + 1));
		ASSERT_EQ(0, ioctl(order->row.driver, PAT_TEST_UNMAP, shift));
	}
	close(other_driver);
	row_verdict(_metadata, &order->row);
}

/* --- an iounmap() that has only begun --- */

struct iounmapper {
	pthread_t thread;
	int driver;		/* not the one others use: it has a mutex */
	int delay;
	uint32_t handle;
	bool good;
};

static void *iounmapper_runs(void *arg)
{
	struct iounmapper *iounmapper = arg;

	iounmapper->good = delay_run_on(DELAY_CPU_HELD) &&
			 delay_arm(iounmapper->delay, "remove_vm_area",
				   PAT_DELAY_ANY_RANGE, 0) &&
			 !ioctl(iounmapper->driver, PAT_TEST_UNMAP,
				iounmapper->handle);
	return NULL;
}

TEST_F(iounmap, type_is_held_until_it_is_unmapped)
{
	struct order *order = &self->order;
	struct row *row = &order->row;
	uint64_t phys = row_phys(row, variant->page + 2);
	struct iounmapper iounmapper = {
		.driver = pat_open_driver(_metadata),
		.delay = order->delay,
	};
	struct pat_test_map map = {
		.api = PAT_TEST_IOREMAP,
		.phys = phys,
		.size = PAT_PAGE,
	};
	struct asker asker = { .how = variant->asks };

	ASSERT_EQ(0, ioctl(iounmapper.driver, PAT_TEST_MAP, &map));
	ASSERT_EQ(0, map.err);
	iounmapper.handle = map.handle;
	ASSERT_EQ(0, pthread_create(&iounmapper.thread, NULL, iounmapper_runs,
				    &iounmapper));
	delay_wait_held(_metadata, order->delay);
	ask(_metadata, order, phys, &asker);
	ROW_CLAIM(row, !asker.granted,
		  "granted as write-combining while it was mapped");
	delay_release(_metadata, order->delay);
	ASSERT_EQ(0, pthread_join(iounmapper.thread, NULL));
	ASSERT_TRUE(iounmapper.good);
	give_back(_metadata, row, &asker);
	row_claim_free(_metadata, row, phys);
	close(iounmapper.driver);
	row_verdict(_metadata, row);
}

/* --- what need not wait --- */

FIXTURE(iounmap_again) {
	struct order order;
};

FIXTURE_SETUP(iounmap_again)
{
	order_open(_metadata, &self->order, ROW_STOCK_IS_RIGHT);
}

FIXTURE_TEARDOWN(iounmap_again)
{
	order_close(&self->order);
}

/* ioremap() of the same frame again and again flushes nothing. */
TEST_F(iounmap_again, same_type_is_granted_at_once)
{
	struct order *order = &self->order;
	struct row *row = &order->row;
	uint64_t phys = row_phys(row, ROW_R_PAGES + 14 * NR);
	unsigned int hits;

	ASSERT_TRUE(delay_count(order->delay, "flush_tlb_kernel_range"));
	for (unsigned int i = 0; i < 32; i++) {
		struct pat_test_map map = {
			.api = PAT_TEST_IOREMAP,
			.phys = phys,
			.size = PAT_PAGE,
		};

		ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_MAP, &map));
		ASSERT_EQ(0, map.err);
		ROW_CLAIM(row, map.got == PAT_TEST_UC_MINUS, "is %s",
			  pat_type_word(map.got));
		ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_UNMAP, map.handle));
	}
	hits = delay_status(_metadata, order->delay).hits;
	ROW_CLAIM(row, !hits, "flushed %u times", hits);
	row_verdict(_metadata, row);
}

TEST_HARNESS_MAIN
