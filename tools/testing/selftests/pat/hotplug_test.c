// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs and memory go away and come back while mappings come and go.
 *
 * A CPU that comes up must get the PAT MSR of the others, and TLB flushes must
 * neither wait for a CPU that is gone nor miss one that is new. Memory that goes
 * offline stays write-back in the direct map, and look-ups must not touch its
 * struct pages; memory that is removed is reserved from then on.
 *
 * The memory part needs memory that is offline when the test begins, such as a
 * DIMM which nobody has put online.
 */
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "memory_blocks.h"
#include "pat_free_ioctl.h"

/* How often a CPU, or a block of memory, goes away and comes back. */
#define CYCLES 4

/* The workers' pages of the BAR: so many each. */
#define PAGES_FROM 1024
#define WORKER_PAGES 8

/* Steps of 1 ms: until something has failed. */
#define PATIENCE 60000


#define NOTHING_OFFLINE \
	"no memory is offline: it needs a DIMM that nobody has put online"

PAT_FIXTURE(hotplug)

/* --- workers: what goes on meanwhile ------------------------------------------ */

struct shared {
	volatile bool stop;
	struct {
		volatile unsigned int rounds;
		volatile int failed_at;		/* line of this file */
	} workers[];
};

struct worker {
	unsigned int nr;
	int driver;
	int devmem;
	int resource;		/* the BAR, write-combining */
	uint64_t phys;		/* the worker's own pages */
	bool pat;
	const struct block *blocks;
	unsigned int nr_blocks;
};

/* A worker's round: 0, or the line that failed. */
#define MUST(holds) do { if (!(holds)) return __LINE__; } while (0)

static void touch(const char *at, unsigned int pages)
{
	for (unsigned int page = 0; page < pages; page++)
		(void)*(volatile const char *)(at + page * PAT_PAGE);
}

static int map_devmem(struct worker *worker)
{
	const size_t size = WORKER_PAGES * PAT_PAGE;
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			worker->devmem, worker->phys);

	MUST(at != MAP_FAILED);
	touch(at, WORKER_PAGES);
	if (pat_on_stock()) {
		/* Unmapped in pieces it would be held for ever: row E. */
		MUST(!munmap(at, size));
		return 0;
	}
	MUST(!munmap(at + 2 * PAT_PAGE, PAT_PAGE));
	touch(at + 3 * PAT_PAGE, WORKER_PAGES - 3);
	MUST(!munmap(at, 2 * PAT_PAGE));
	MUST(!munmap(at + 3 * PAT_PAGE, size - 3 * PAT_PAGE));
	return 0;
}

static int map_resource(struct worker *worker)
{
	const size_t size = WORKER_PAGES * PAT_PAGE;
	struct pat_test_pte pte;
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			worker->resource,
			(PAGES_FROM + worker->nr * WORKER_PAGES) * PAT_PAGE);

	MUST(at != MAP_FAILED);
	touch(at, WORKER_PAGES);
	pte.addr = (uintptr_t)at;
	MUST(!ioctl(worker->driver, PAT_TEST_READ_PTE, &pte));
	MUST(pte.pfn == worker->phys / PAT_PAGE);
	MUST(!worker->pat || pte.got == PAT_TEST_WC);
	MUST(!munmap(at, size));
	return 0;
}

static int fork_mapping(struct worker *worker)
{
	const size_t size = WORKER_PAGES * PAT_PAGE;
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			worker->devmem, worker->phys);
	int status;
	pid_t child;

	MUST(at != MAP_FAILED);
	child = fork();
	if (!child) {
		touch(at, WORKER_PAGES);
		_exit(0);
	}
	MUST(child > 0);
	touch(at, WORKER_PAGES);
	MUST(waitpid(child, &status, 0) == child && !status);
	MUST(!munmap(at, size));
	return 0;
}

static int map_in_kernel(struct worker *worker)
{
	static const struct {
		enum pat_test_map_api api;
		int type;
	} maps[] = {
		{ PAT_TEST_IOREMAP,	PAT_TEST_UC_MINUS },
		{ PAT_TEST_IOREMAP_WC,	PAT_TEST_WC },
		{ PAT_TEST_IOREMAP_WT,	PAT_TEST_WT },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(maps); i++) {
		struct pat_test_map map = {
			.api = maps[i].api,
			.phys = worker->phys,
			.size = WORKER_PAGES * PAT_PAGE,
		};

		MUST(!ioctl(worker->driver, PAT_TEST_MAP, &map) && !map.err);
		MUST(!ioctl(worker->driver, PAT_TEST_UNMAP, map.handle));
		MUST(!worker->pat || map.got == maps[i].type);
	}
	return 0;
}

static int change_ram(struct worker *worker)
{
	uint64_t pfn;
	struct pat_test_alloc alloc = { .nr = 1, .pfns = (uintptr_t)&pfn };
	struct pat_test_set set = {
		.api = PAT_TEST_SET_MEMORY_UC,
		.count = 1,
	};
	struct pat_test_lookup lookup;

	MUST(!ioctl(worker->driver, PAT_TEST_ALLOC, &alloc));
	set.handle = alloc.handle;
	MUST(!ioctl(worker->driver, PAT_TEST_SET_TYPE, &set) && !set.err);
	lookup.pfn = pfn;
	MUST(!ioctl(worker->driver, PAT_TEST_LOOKUP, &lookup));
	MUST(!worker->pat || lookup.immune);
	MUST(!ioctl(worker->driver, PAT_TEST_FREE, alloc.handle));
	return 0;
}

/* Blocks are write-back, online and offline. */
static int look_up(struct worker *worker)
{
	struct pat_test_lookup lookup;

	for (unsigned int i = 0; i < worker->nr_blocks; i++) {
		const struct block *block = &worker->blocks[i];

		for (uint64_t nr = 0; nr < block->nr; nr += 61) {
			lookup.pfn = block->pfn + nr;
			MUST(!ioctl(worker->driver, PAT_TEST_LOOKUP, &lookup));
			MUST(!lookup.immune);
		}
	}
	for (unsigned int page = 0; page < WORKER_PAGES; page++) {
		lookup.pfn = worker->phys / PAT_PAGE + page;
		MUST(!ioctl(worker->driver, PAT_TEST_LOOKUP, &lookup));
		MUST(!worker->pat || lookup.immune);
	}
	return 0;
}

/* Pages that can move, to and from a block that comes and goes. */
static int use_memory(struct worker *worker)
{
	const size_t size = 16 << 20;
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(at != MAP_FAILED);
	for (size_t offset = 0; offset < size; offset += PAT_PAGE)
		at[offset] = offset / PAT_PAGE;
	for (size_t offset = 0; offset < size; offset += PAT_PAGE)
		MUST(at[offset] == (char)(offset / PAT_PAGE));
	MUST(!munmap(at, size));
	return 0;
}

static int (*const works[])(struct worker *worker) = {
	map_devmem, map_resource, fork_mapping, map_in_kernel, change_ram,
	look_up, use_memory,
};

#define NR_WORKERS ARRAY_SIZE(works)

static void __attribute__((noreturn))
worker_runs(struct shared *shared, struct worker *worker)
{
	/* Not to outlive a test that fails. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	worker->driver = open(PAT_TEST_DEVICE, O_RDWR | O_CLOEXEC);
	worker->devmem = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	if (worker->driver < 0 || worker->devmem < 0)
		shared->workers[worker->nr].failed_at = __LINE__;
	while (!shared->stop && !shared->workers[worker->nr].failed_at) {
		shared->workers[worker->nr].failed_at =
			works[worker->nr](worker);
		shared->workers[worker->nr].rounds++;
	}
	_exit(0);
}

struct crew {
	struct shared *shared;
	pid_t pids[NR_WORKERS];
};

static void crew_start(struct __test_metadata *_metadata, struct crew *crew,
		       bool pat, const struct block *blocks,
		       unsigned int nr_blocks)
{
	const struct pat_range *bar = pat_bar(_metadata);
	char path[320];
	struct worker worker = {
		.pat = pat,
		.blocks = blocks,
		.nr_blocks = nr_blocks,
	};

	snprintf(path, sizeof(path), "%s/resource2_wc", bar->dir);
	worker.resource = open(path, O_RDWR | O_CLOEXEC);
	if (worker.resource < 0 && !pat) {
		/* Without PAT there is no such file. */
		snprintf(path, sizeof(path), "%s/resource2", bar->dir);
		worker.resource = open(path, O_RDWR | O_CLOEXEC);
	}
	ASSERT_LE(0, worker.resource) TH_LOG("%s: %s", path, strerror(errno));
	crew->shared = mmap(NULL, PAT_PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, crew->shared);
	for (worker.nr = 0; worker.nr < NR_WORKERS; worker.nr++) {
		worker.phys = bar->start +
			      (PAGES_FROM + worker.nr * WORKER_PAGES) * PAT_PAGE;
		crew->pids[worker.nr] = fork();
		if (!crew->pids[worker.nr])
			worker_runs(crew->shared, &worker);
		ASSERT_LT(0, crew->pids[worker.nr]);
	}
	close(worker.resource);
}

/* Lets each worker get on by a round. */
static void crew_round(struct __test_metadata *_metadata, struct crew *crew)
{
	unsigned int rounds[NR_WORKERS];

	for (unsigned int i = 0; i < NR_WORKERS; i++)
		rounds[i] = crew->shared->workers[i].rounds;
	for (unsigned int i = 0; i < NR_WORKERS; i++) {
		unsigned int waited = 0;

		while (crew->shared->workers[i].rounds == rounds[i]) {
			ASSERT_LT(waited++, PATIENCE)
				TH_LOG("worker %u is stuck", i);
			pat_sleep_ms(1);
		}
		ASSERT_EQ(0, crew->shared->workers[i].failed_at)
			TH_LOG("worker %u failed at line %d", i,
			       crew->shared->workers[i].failed_at);
	}
}

static void crew_end(struct __test_metadata *_metadata, struct crew *crew)
{
	int status;

	crew_round(_metadata, crew);
	crew->shared->stop = true;
	for (unsigned int i = 0; i < NR_WORKERS; i++) {
		ASSERT_EQ(crew->pids[i], waitpid(crew->pids[i], &status, 0));
		ASSERT_EQ(0, status);
	}
	munmap(crew->shared, PAT_PAGE);
}

/* --- the tests ------------------------------------------------------------------ */

/* What the validator says; stock has none. */
static void expect_valid(struct __test_metadata *_metadata, bool pat)
{
	char text[256] = "";

	if (!pat || pat_on_stock())
		return;
	ASSERT_TRUE(pat_read_line("/sys/kernel/debug/x86", "pat_validate", 0,
				  text, sizeof(text)));
	EXPECT_EQ(0, strncmp(text, "ok:", 3)) TH_LOG("%s", text);
}

/* The PAT MSR of a CPU. */
static uint64_t msr_of(struct __test_metadata *_metadata, int driver, int cpu)
{
	cpu_set_t all, one;
	uint64_t msr;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	ASSERT_EQ(0, sched_getaffinity(0, sizeof(all), &all));
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	msr = pat_get_info(_metadata, driver).pat_msr;
	/* A CPU that was gone is not in @all. */
	CPU_SET(cpu, &all);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(all), &all));
	return msr;
}

TEST_F(hotplug, cpu)
{
	static const char online[] = "/sys/devices/system/cpu/cpu1/online";
	struct crew crew;

	crew_start(_metadata, &crew, self->pat, NULL, 0);
	crew_round(_metadata, &crew);
	for (unsigned int i = 0; i < CYCLES; i++) {
		ASSERT_TRUE(pat_write_text(online, "0")) TH_LOG("%s", strerror(errno));
		crew_round(_metadata, &crew);
		ASSERT_TRUE(pat_write_text(online, "1")) TH_LOG("%s", strerror(errno));
		EXPECT_EQ(msr_of(_metadata, self->driver, 0),
			  msr_of(_metadata, self->driver, 1));
		crew_round(_metadata, &crew);
		expect_valid(_metadata, self->pat);
	}
	crew_end(_metadata, &crew);
	expect_valid(_metadata, self->pat);
}

TEST_F(hotplug, memory)
{
	static struct block blocks[MAX_BLOCKS];
	unsigned int nr = read_offline_blocks(_metadata, blocks);
	struct crew crew;

	if (!nr)
		SKIP(return, NOTHING_OFFLINE);
	crew_start(_metadata, &crew, self->pat, blocks, nr);
	crew_round(_metadata, &crew);
	for (unsigned int i = 0; i < CYCLES; i++) {
		for (unsigned int b = 0; b < nr; b++)
			block_online(_metadata, &blocks[b]);
		crew_round(_metadata, &crew);
		for (unsigned int b = 0; b < nr; b++)
			block_offline(_metadata, &blocks[b]);
		crew_round(_metadata, &crew);
		expect_valid(_metadata, self->pat);
	}
	crew_end(_metadata, &crew);
	expect_valid(_metadata, self->pat);
}

/* How an mmap() of a frame through /dev/mem ends: 0 or errno. @at may be NULL. */
static int try_devmem(int devmem, uint64_t pfn, char **at)
{
	char *got = mmap(NULL, PAT_PAGE, PROT_READ, MAP_SHARED, devmem,
			 pfn * PAT_PAGE);

	if (got == MAP_FAILED)
		return errno;
	if (at)
		*at = got;
	else
		munmap(got, PAT_PAGE);
	return 0;
}

/*
 * Memory that is offline cannot be mapped through /dev/mem, as it may be gone
 * any time. A mapping that was made while it was online does not keep it there.
 * Without PAT the kernel does not ask; stock refuses all RAM.
 */
TEST_F(hotplug, memory_devmem)
{
	int refused = self->pat ? EINVAL : 0;
	int allowed = self->pat && pat_on_stock() ? EINVAL : 0;
	static struct block blocks[MAX_BLOCKS];
	unsigned int nr = read_offline_blocks(_metadata, blocks);
	int devmem;

	if (!nr)
		SKIP(return, NOTHING_OFFLINE);
	devmem = open("/dev/mem", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, devmem);
	for (unsigned int b = 0; b < nr; b++) {
		const uint64_t first = blocks[b].pfn;
		const uint64_t frames[] = {
			first, first + blocks[b].nr / 2, first + blocks[b].nr - 1,
		};
		char *at[ARRAY_SIZE(frames)] = {};

		for (size_t i = 0; i < ARRAY_SIZE(frames); i++)
			EXPECT_EQ(refused, try_devmem(devmem, frames[i], NULL));
		block_online(_metadata, &blocks[b]);
		for (size_t i = 0; i < ARRAY_SIZE(frames); i++)
			EXPECT_EQ(allowed, try_devmem(devmem, frames[i], &at[i]));
		block_offline(_metadata, &blocks[b]);
		for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
			struct pat_test_pte pte = { .addr = (uintptr_t)at[i] };

			EXPECT_EQ(refused, try_devmem(devmem, frames[i], NULL));
			if (!at[i])
				continue;
			ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_READ_PTE, &pte));
			EXPECT_EQ(PAT_TEST_WB, pte.got);
			EXPECT_EQ(frames[i], pte.pfn);
			ASSERT_EQ(0, munmap(at[i], PAT_PAGE));
		}
		expect_valid(_metadata, self->pat);
	}
	close(devmem);
}

/* --- pages that are freed while they are not write-back --------------------------- */

/* What the kernel says of them, and what stands above the trace that follows. */
#define FREED_MESSAGE "x86/PAT: RAM page 0x[0-9a-f]+ freed while|Call Trace"

/* So many pages in the middle of a block. */
#define FREED_PAGES 64

/* Memory that came online just now is all free, but for a moment's use. */
static uint32_t allocate_in(struct __test_metadata *_metadata, int driver,
			    const struct block *block)
{
	static uint64_t pfns[FREED_PAGES];
	struct pat_free_alloc alloc = {
		.kind = PAT_FREE_CONTIG,
		.nr = FREED_PAGES,
		.pfn = block->pfn + block->nr / 2,
		.pfns = (uintptr_t)pfns,
	};
	unsigned int tries = 0;

	do {
		ASSERT_LT(tries++, 100) TH_LOG("%s: %d", block->dir, alloc.err);
		ASSERT_EQ(0, ioctl(driver, PAT_FREE_ALLOC, &alloc));
	} while (alloc.err);
	return alloc.handle;
}

static void free_write_combining(struct __test_metadata *_metadata, int driver,
				 uint32_t handle, unsigned int first,
				 unsigned int count)
{
	struct pat_free_set set = {
		.handle = handle,
		.api = PAT_TEST_SET_MEMORY_WC,
		.first = first,
		.count = count,
	};
	struct pat_free_free free = {
		.handle = handle,
		.way = PAT_FREE_BY_CONTIG,
	};

	ASSERT_EQ(0, ioctl(driver, PAT_FREE_SET_TYPE, &set));
	ASSERT_EQ(0, set.err);
	ASSERT_EQ(0, ioctl(driver, PAT_FREE_FREE, &free));
}

/*
 * A block goes offline as soon as pages of it were freed: it must wait for those
 * that are set aside, which are nobody's, and takes them along write-back. Stock
 * takes them as they are, and so does a kernel without PAT.
 */
TEST_F(hotplug, memory_freed_write_combining)
{
	bool is_caught = self->pat && !pat_on_stock();
	static struct block blocks[MAX_BLOCKS];
	unsigned int nr = read_offline_blocks(_metadata, blocks);
	int driver;

	if (!nr)
		SKIP(return, NOTHING_OFFLINE);
	driver = pat_open_device(_metadata, "pat_free");
	if (is_caught)
		pat_expect_message(FREED_MESSAGE);
	for (unsigned int i = 0; i < CYCLES; i++) {
		const struct block *block = &blocks[i % nr];
		/* All of them, or some in the middle. */
		unsigned int first = i % 2 ? 20 : 0;
		unsigned int count = i % 2 ? 3 : FREED_PAGES;

		block_online(_metadata, block);
		free_write_combining(_metadata, driver,
				     allocate_in(_metadata, driver, block),
				     first, count);
		block_offline(_metadata, block);

		for (unsigned int page = 0; page < FREED_PAGES; page++) {
			bool odd = page >= first && page < first + count;
			struct pat_test_direct direct = {
				.pfn = block->pfn + block->nr / 2 + page,
			};
			int type = !odd || is_caught ? PAT_TEST_WB :
				   self->pat ? PAT_TEST_WC : PAT_TEST_UC_MINUS;

			ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_DIRECT_MAP,
					   &direct));
			EXPECT_EQ(type, direct.got)
				TH_LOG("page %u: wanted %s, is %s", page,
				       pat_type_word(type),
				       pat_type_word(direct.got));
		}
		if (is_caught)
			continue;

		block_online(_metadata, block);
		for (unsigned int page = 0; page < FREED_PAGES; page++) {
			struct pat_free_repair repair = {
				.pfn = block->pfn + block->nr / 2 + page,
			};

			ASSERT_EQ(0, ioctl(driver, PAT_FREE_REPAIR, &repair));
			ASSERT_EQ(0, repair.err);
		}
		block_offline(_metadata, block);
	}
	if (is_caught)
		pat_expect_done();
	close(driver);
	expect_valid(_metadata, self->pat);
}

/* --- removal, which cannot be undone from in here: the last test ----------------- */

/* Maps a frame of @block through /dev/mem; the block is offline before and after. */
static char *map_offline(struct __test_metadata *_metadata,
			 const struct block *block)
{
	int devmem = open("/dev/mem", O_RDWR | O_CLOEXEC);
	char *at;

	ASSERT_LE(0, devmem);
	block_online(_metadata, block);
	ASSERT_EQ(0, try_devmem(devmem, block->pfn + 1, &at));
	block_offline(_metadata, block);
	close(devmem);
	return at;
}

/* What is mapped of memory that is gone goes as well, soon. */
static void expect_unmapped(struct __test_metadata *_metadata, int driver,
			    char *at)
{
	struct pat_test_pte pte = { .addr = (uintptr_t)at };
	unsigned int waited = 0;

	for (;;) {
		ASSERT_EQ(0, ioctl(driver, PAT_TEST_READ_PTE, &pte));
		if (pte.got == PAT_TEST_NOT_MAPPED)
			break;
		ASSERT_LT(waited++, PATIENCE) TH_LOG("still mapped");
		pat_sleep_ms(1);
	}
	ASSERT_EQ(0, munmap(at, PAT_PAGE));
}

TEST_F(hotplug, memory_removed)
{
	static struct block blocks[MAX_BLOCKS];
	unsigned int nr = read_offline_blocks(_metadata, blocks);
	static char *at[MAX_BLOCKS];
	struct crew crew;

	if (!nr)
		SKIP(return, NOTHING_OFFLINE);
	/* Stock does not let RAM be mapped, and without PAT nothing is tracked. */
	for (unsigned int b = 0; self->pat && !pat_on_stock() && b < nr; b++)
		at[b] = map_offline(_metadata, &blocks[b]);
	crew_start(_metadata, &crew, self->pat, NULL, 0);
	crew_round(_metadata, &crew);
	eject_all_dimms(_metadata);
	for (unsigned int b = 0; b < nr; b++) {
		struct pat_test_lookup lookup = { .pfn = blocks[b].pfn };
		unsigned int waited = 0;

		while (!access(blocks[b].dir, F_OK)) {
			ASSERT_LT(waited++, PATIENCE)
				TH_LOG("%s is not removed", blocks[b].dir);
			pat_sleep_ms(1);
		}
		/*
		 * The kernel forgets the block first, then its struct pages, and
		 * then that it was RAM. In between stock's look-up takes it for
		 * RAM, reads a struct page that is not there, and dies.
		 */
		while (pat_on_stock() && block_is_ram(&blocks[b]) &&
		       waited++ < PATIENCE)
			pat_sleep_ms(1);
		while (!ioctl(self->driver, PAT_TEST_LOOKUP, &lookup) &&
		       lookup.immune != self->pat && waited++ < PATIENCE)
			pat_sleep_ms(1);
		EXPECT_EQ(self->pat, lookup.immune)
			TH_LOG("no RAM any more, and not uncached");
		if (at[b])
			expect_unmapped(_metadata, self->driver, at[b]);
	}
	crew_end(_metadata, &crew);
	expect_valid(_metadata, self->pat);
}

TEST_HARNESS_MAIN
