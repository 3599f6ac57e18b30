// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process maps RAM through /dev/mem.
 *
 *	driver: set_memory_wc(page 1)		page 0 WB, page 1 WC
 *	process: mmap(/dev/mem, pages 0, 1)	page 0 WB, page 1 WC
 *	driver: set_memory_wb(page 1)		page 1's entry becomes WB
 *	driver: frees the pages			the entries stay, WB, whoever gets
 *						the pages next
 *
 * The mapping is the second user of the pages and has no say: each page has the
 * type its owner gives it, O_SYNC or not, page by page in one mmap(), and the
 * live entries follow. It pins nothing. What must not be mapped at all is
 * refused, and leaves no trace.
 *
 * Stock: any mmap() with a page of RAM above 1 MiB in it fails with EINVAL, as
 * types could not be kept the same.
 */
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "devmem.h"

#define NR DEVMEM_PAGES
#define SIZE (NR * PAT_PAGE)

/* --- one mapping, of each kind --------------------------------------------- */

FIXTURE(map) {
	struct devmem dm;
	struct devmem_block block;
};

FIXTURE_VARIANT(map) {
	bool sync;
	int prot;
	int flags;
};

#define MAP_VARIANT(name, with_sync, with_prot, with_flags)		\
	FIXTURE_VARIANT_ADD(map, name) {				\
		.sync = with_sync,					\
		.prot = with_prot,					\
		.flags = with_flags,					\
	}

MAP_VARIANT(shared, false, PROT_READ | PROT_WRITE, MAP_SHARED);
MAP_VARIANT(shared_sync, true, PROT_READ | PROT_WRITE, MAP_SHARED);
MAP_VARIANT(private, false, PROT_READ | PROT_WRITE, MAP_PRIVATE);
MAP_VARIANT(private_sync, true, PROT_READ | PROT_WRITE, MAP_PRIVATE);
MAP_VARIANT(read_only, false, PROT_READ, MAP_SHARED);
MAP_VARIANT(read_only_sync, true, PROT_READ, MAP_SHARED);

FIXTURE_SETUP(map)
{
	devmem_open(_metadata, &self->dm, ROW_STOCK_HAS_BUG);
	self->block = devmem_alloc(_metadata, &self->dm);
}

FIXTURE_TEARDOWN(map)
{
	devmem_close(&self->dm);
}

/* What tells one page from another. */
static uint32_t mark_of(unsigned int page)
{
	return 0xfeed0000 + page;
}

/* Writes a mark to each page, through the direct map. */
static void mark_pages(struct __test_metadata *_metadata, struct devmem *dm,
		       const struct devmem_block *block)
{
	for (unsigned int i = 0; i < NR; i++) {
		uint32_t mark = mark_of(i);

		ASSERT_EQ(sizeof(mark), pwrite(dm->plain, &mark, sizeof(mark),
					       block->pfns[i] * PAT_PAGE))
			TH_LOG("write: %s", strerror(errno));
	}
}

static uint32_t read_page(struct __test_metadata *_metadata, struct devmem *dm,
			  uint64_t pfn)
{
	uint32_t word;

	ASSERT_EQ(sizeof(word), pread(dm->plain, &word, sizeof(word),
				      pfn * PAT_PAGE))
		TH_LOG("read: %s", strerror(errno));
	return word;
}

static volatile uint32_t *word_of(char *at, unsigned int page)
{
	return (volatile uint32_t *)(at + page * PAT_PAGE);
}

/* Maps the block, which has @types, and claims all there is to see of it. */
static char *map_block(struct __test_metadata *_metadata, struct devmem *dm,
		       struct devmem_block *block, const int *types, bool sync,
		       int prot, int flags)
{
	char *at;

	devmem_set_types(_metadata, dm, block, types, DEVMEM_BY_ADDRESS);
	mark_pages(_metadata, dm, block);
	at = devmem_map(_metadata, dm, sync, block->pfns[0], NR, prot, flags);
	if (!at)
		return NULL;
	devmem_claim(_metadata, dm, sync, at, block->pfns, types, NR, "mmap");
	devmem_claim_direct(_metadata, dm, block->pfns, types, NR, "mmap");
	for (unsigned int i = 0; i < NR; i++)
		ROW_CLAIM(&dm->row, *word_of(at, i) == mark_of(i),
			  "page %u has another content", i);
	devmem_claim(_metadata, dm, sync, at, block->pfns, types, NR, "touch");
	row_claim_list_as_before(_metadata, &dm->row);
	row_claim_valid(_metadata, &dm->row, "mmap");
	return at;
}

#define MAP_BLOCK(types)						\
	map_block(_metadata, &self->dm, &self->block, types,		\
		  variant->sync, variant->prot, variant->flags)

#define CLAIM(at, first, types, nr, when)				\
	devmem_claim(_metadata, &self->dm, variant->sync, at,		\
		     self->block.pfns + (first), (types) + (first), nr, when)

#define SET_TYPES(types, api)						\
	devmem_set_types(_metadata, &self->dm, &self->block, types, api)

/* Unmaps what is mapped, and looks whether the pages are as their owner wants. */
static void unmap_block(struct __test_metadata *_metadata, struct devmem *dm,
			struct devmem_block *block, const int *types, char *at)
{
	if (at) {
		ASSERT_EQ(0, munmap(at, SIZE));
	}
	devmem_claim_direct(_metadata, dm, block->pfns, types, NR, "munmap");
	devmem_verdict(_metadata, dm);
}

static void map_one_type(struct __test_metadata *_metadata, struct devmem *dm,
			 struct devmem_block *block, int type, bool sync,
			 int prot, int flags)
{
	int types[NR];

	for (unsigned int i = 0; i < NR; i++)
		types[i] = type;
	unmap_block(_metadata, dm, block, types,
		    map_block(_metadata, dm, block, types, sync, prot, flags));
}

TEST_F(map, wb)
{
	map_one_type(_metadata, &self->dm, &self->block, PAT_TEST_WB,
		     variant->sync, variant->prot, variant->flags);
}

TEST_F(map, wc)
{
	map_one_type(_metadata, &self->dm, &self->block, PAT_TEST_WC,
		     variant->sync, variant->prot, variant->flags);
}

TEST_F(map, uc_minus)
{
	map_one_type(_metadata, &self->dm, &self->block, PAT_TEST_UC_MINUS,
		     variant->sync, variant->prot, variant->flags);
}

TEST_F(map, mixed)
{
	unmap_block(_metadata, &self->dm, &self->block, devmem_mixed,
		    MAP_BLOCK(devmem_mixed));
}

/* One page of a mixed block after the other, each in a mapping of its own. */
TEST_F(map, page_by_page)
{
	struct devmem *dm = &self->dm;
	struct devmem_block *block = &self->block;
	char *at[NR];

	SET_TYPES(devmem_mixed, DEVMEM_BY_ARRAY);
	for (unsigned int i = 0; i < NR; i++) {
		at[i] = devmem_map(_metadata, dm, variant->sync, block->pfns[i],
				   1, variant->prot, variant->flags);
		if (at[i])
			CLAIM(at[i], i, devmem_mixed, 1, "mmap");
	}
	SET_TYPES(devmem_mixed_otherwise, DEVMEM_BY_ARRAY);
	for (unsigned int i = 0; i < NR; i++) {
		if (!at[i])
			continue;
		CLAIM(at[i], i, devmem_mixed_otherwise, 1, "change");
		ASSERT_EQ(0, munmap(at[i], PAT_PAGE));
	}
	devmem_verdict(_metadata, dm);
}

/* --- what is written ---------------------------------------------------------- */

/*
 * A write to a shared mapping is one to the page. A private one gets a copy,
 * which is a page like any other, write-back, whatever the page was that it is a
 * copy of, and that one stays mapped where nothing was written.
 */
TEST_F(map, write)
{
	struct devmem *dm = &self->dm;
	struct devmem_block *block = &self->block;
	bool private = variant->flags == MAP_PRIVATE;
	char *at = MAP_BLOCK(devmem_mixed);
	uint64_t copies[NR];

	if (!at) {
		devmem_verdict(_metadata, dm);
		return;
	}
	ASSERT_EQ(0, mprotect(at, SIZE, PROT_READ | PROT_WRITE));
	CLAIM(at, 0, devmem_mixed, NR, "mprotect");
	/* Every second page. */
	for (unsigned int i = 0; i < NR; i += 2) {
		struct pat_test_pte pte = { .addr = (uintptr_t)word_of(at, i) };

		*word_of(at, i) = ~mark_of(i);
		ROW_CLAIM(&dm->row, read_page(_metadata, dm, block->pfns[i]) ==
				    (private ? mark_of(i) : ~mark_of(i)),
			  "page %u: the write went elsewhere", i);
		ASSERT_EQ(0, ioctl(dm->row.driver, PAT_TEST_READ_PTE, &pte));
		copies[i] = pte.pfn;
		ROW_CLAIM(&dm->row, (pte.pfn != block->pfns[i]) == private,
			  "page %u: the entry has frame 0x%llx", i,
			  (unsigned long long)pte.pfn);
	}
	for (unsigned int i = 0; i < NR; i++)
		if (i % 2 || !private)
			CLAIM(at + i * PAT_PAGE, i, devmem_mixed, 1, "write");

	/* The copies do not follow. */
	SET_TYPES(devmem_mixed_otherwise, DEVMEM_BY_ADDRESS);
	for (unsigned int i = 0; i < NR; i++) {
		char *page = at + i * PAT_PAGE;

		if (i % 2 || !private) {
			CLAIM(page, i, devmem_mixed_otherwise, 1, "change");
			continue;
		}
		/* Without PAT, too. */
		row_claim_entry(_metadata, &dm->row, page, copies[i] * PAT_PAGE,
				PAT_TEST_WB);
		ROW_CLAIM(&dm->row, *word_of(at, i) == ~mark_of(i),
			  "page %u: the copy has another content", i);
	}
	unmap_block(_metadata, dm, block, devmem_mixed_otherwise, at);
}

/* --- the owner changes the type ----------------------------------------------- */

TEST_F(map, owner_changes)
{
	struct devmem *dm = &self->dm;
	struct devmem_block *block = &self->block;
	char *at = MAP_BLOCK(devmem_all_wb);

	for (unsigned int api = 0; at && api < DEVMEM_NR_APIS; api++) {
		static const int *const steps[] = {
			devmem_mixed, devmem_all_wb, devmem_mixed_otherwise,
			devmem_mixed,
		};

		for (size_t step = 0; step < ARRAY_SIZE(steps); step++) {
			SET_TYPES(steps[step], api);
			CLAIM(at, 0, steps[step], NR, "change");
			devmem_claim_direct(_metadata, dm, block->pfns,
					    steps[step], NR, "change");
			row_claim_valid(_metadata, &dm->row, "change");
			for (unsigned int i = 0; i < NR; i++)
				ROW_CLAIM(&dm->row, *word_of(at, i) == mark_of(i),
					  "page %u has lost its content", i);
		}
	}
	SET_TYPES(devmem_all_wb, DEVMEM_BY_ARRAY);
	if (at)
		CLAIM(at, 0, devmem_all_wb, NR, "the last change");
	unmap_block(_metadata, dm, block, devmem_all_wb, at);
}

/* An entry that lets nobody in is an entry: it must not come back with its old type. */
TEST_F(map, owner_changes_while_protected)
{
	char *at = MAP_BLOCK(devmem_mixed);

	if (at) {
		ASSERT_EQ(0, mprotect(at, SIZE, PROT_NONE));
	}
	SET_TYPES(devmem_mixed_otherwise, DEVMEM_BY_ADDRESS);
	if (at) {
		ASSERT_EQ(0, mprotect(at, SIZE, variant->prot));
		CLAIM(at, 0, devmem_mixed_otherwise, NR, "mprotect");
	}
	unmap_block(_metadata, &self->dm, &self->block, devmem_mixed_otherwise,
		    at);
}

/* A part has been unmapped, another has moved: what is left follows. */
TEST_F(map, owner_changes_what_is_left)
{
	struct devmem *dm = &self->dm;
	char *at = MAP_BLOCK(devmem_mixed), *place;

	if (!at) {
		devmem_verdict(_metadata, dm);
		return;
	}
	ASSERT_EQ(0, munmap(at + 2 * PAT_PAGE, PAT_PAGE));
	place = mmap(NULL, 3 * PAT_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		     -1, 0);
	ASSERT_NE(MAP_FAILED, place);
	ASSERT_EQ(place, mremap(at + 4 * PAT_PAGE, 3 * PAT_PAGE, 3 * PAT_PAGE,
				MREMAP_MAYMOVE | MREMAP_FIXED, place))
		TH_LOG("mremap: %s", strerror(errno));
	CLAIM(place, 4, devmem_mixed, 3, "mremap");

	SET_TYPES(devmem_mixed_otherwise, DEVMEM_BY_ADDRESS);
	CLAIM(at, 0, devmem_mixed_otherwise, 2, "change");
	CLAIM(at + 3 * PAT_PAGE, 3, devmem_mixed_otherwise, 1, "change");
	CLAIM(place, 4, devmem_mixed_otherwise, 3, "change, after mremap");
	CLAIM(at + 7 * PAT_PAGE, 7, devmem_mixed_otherwise, 1, "change");
	row_claim_valid(_metadata, &dm->row, "change");

	ASSERT_EQ(0, munmap(place, 3 * PAT_PAGE));
	unmap_block(_metadata, dm, &self->block, devmem_mixed_otherwise, at);
}

/* Once more, with the other kind of file: both follow. */
TEST_F(map, twice)
{
	struct devmem *dm = &self->dm;
	struct devmem_block *block = &self->block;
	char *at = MAP_BLOCK(devmem_mixed), *again;

	again = devmem_map(_metadata, dm, !variant->sync, block->pfns[0], NR,
			   PROT_READ, MAP_SHARED);
	SET_TYPES(devmem_mixed_otherwise, DEVMEM_BY_ARRAY);
	if (at && again) {
		CLAIM(at, 0, devmem_mixed_otherwise, NR, "change");
		devmem_claim(_metadata, dm, !variant->sync, again, block->pfns,
			     devmem_mixed_otherwise, NR, "change, again");
		ASSERT_EQ(0, munmap(again, SIZE));
	}
	unmap_block(_metadata, dm, block, devmem_mixed_otherwise, at);
}

/* --- the owner frees ------------------------------------------------------------ */

/* So many blocks are taken at most, until a page comes back. */
#define MAX_TAKEN 4096

/* Allocates until one of the pages of @gone is the driver's again. */
static bool take_again(struct __test_metadata *_metadata, struct devmem *dm,
		       const struct devmem_block *gone,
		       struct devmem_block *found, unsigned int *index,
		       unsigned int *page)
{
	static struct devmem_block taken[MAX_TAKEN];
	unsigned int nr = 0;
	bool have = false;

	while (!have && nr < MAX_TAKEN) {
		struct pat_test_alloc alloc = {
			.nr = DEVMEM_PAGES,
			.pfns = (uintptr_t)taken[nr].pfns,
		};

		ASSERT_EQ(0, ioctl(dm->row.driver, PAT_TEST_ALLOC, &alloc));
		taken[nr].handle = alloc.handle;
		for (unsigned int i = 0; !have && i < NR; i++) {
			uint64_t pfn = taken[nr].pfns[i];

			if (pfn < gone->pfns[0] || pfn > gone->pfns[NR - 1])
				continue;
			have = true;
			*page = i;
			*index = pfn - gone->pfns[0];
			*found = taken[nr];
		}
		nr++;
	}
	for (unsigned int i = 0; i < nr; i++)
		if (!have || taken[i].handle != found->handle)
			devmem_free(_metadata, dm, &taken[i]);
	return have;
}

/* What /proc/kpagecount says: how often a page is mapped as such. */
static uint64_t times_mapped(struct __test_metadata *_metadata, uint64_t pfn)
{
	int fd = open("/proc/kpagecount", O_RDONLY | O_CLOEXEC);
	uint64_t count;

	ASSERT_LE(0, fd) TH_LOG("/proc/kpagecount: %s", strerror(errno));
	ASSERT_EQ(sizeof(count), pread(fd, &count, sizeof(count),
				       pfn * sizeof(count)));
	close(fd);
	return count;
}

/*
 * The mapping does not keep the pages: they go back to the allocator when they
 * are freed, as write-back ones, and their next owner is obeyed as the first was.
 */
TEST_F(map, owner_frees)
{
	struct devmem *dm = &self->dm;
	struct devmem_block *block = &self->block, next;
	unsigned int index = 0, page = 0;
	char *at = MAP_BLOCK(devmem_mixed);
	cpu_set_t cpu;

	if (!at) {
		devmem_verdict(_metadata, dm);
		return;
	}
	ROW_CLAIM(&dm->row, !times_mapped(_metadata, block->pfns[0]),
		  "the mapping counts as one of the struct page");

	/* The allocator remembers what is freed on a CPU on that CPU. */
	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(cpu), &cpu));
	devmem_free(_metadata, dm, block);
	CLAIM(at, 0, devmem_all_wb, NR, "free");
	devmem_claim_direct(_metadata, dm, block->pfns, devmem_all_wb, NR, "free");
	row_claim_valid(_metadata, &dm->row, "free");

	ASSERT_TRUE(take_again(_metadata, dm, block, &next, &index, &page))
		TH_LOG("none of the pages has become free");
	CLAIM(at, 0, devmem_all_wb, NR, "the next owner");
	for (int type = PAT_TEST_WC; type <= PAT_TEST_UC_MINUS; type++) {
		int types[NR] = {};

		types[index] = type;
		devmem_set(_metadata, dm, &next, page, 1, type, DEVMEM_BY_ADDRESS);
		CLAIM(at, 0, types, NR, "the next owner's change");
		devmem_set(_metadata, dm, &next, page, 1, PAT_TEST_WB,
			   DEVMEM_BY_ADDRESS);
		CLAIM(at, 0, devmem_all_wb, NR, "the next owner's change back");
	}
	*word_of(at, index);
	devmem_free(_metadata, dm, &next);
	CLAIM(at, 0, devmem_all_wb, NR, "the next owner's free");
	unmap_block(_metadata, dm, block, devmem_all_wb, at);
}

/* --- other processes ------------------------------------------------------------- */

/* A child that compares its own entries with what it is told, until told no more. */
struct onlooker {
	pid_t pid;
	int tell;
	int hear;
};

static void __attribute__((noreturn))
onlooker_runs(struct devmem *dm, const struct devmem_block *block, bool sync,
	      const char *at, int hear, int tell)
{
	int types[NR];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(hear, types, sizeof(types)) == sizeof(types)) {
		struct devmem_wrong wrong = devmem_compare(dm, sync, at,
							   block->pfns, types,
							   NR);

		if (write(tell, &wrong, sizeof(wrong)) != sizeof(wrong))
			break;
	}
	_exit(0);
}

/* It inherits the mapping @at or, if that is NULL, makes one of its own. */
static struct onlooker onlooker_start(struct __test_metadata *_metadata,
				      struct devmem *dm,
				      const struct devmem_block *block,
				      bool sync, char *at)
{
	struct onlooker onlooker;
	int orders[2], answers[2];

	ASSERT_EQ(0, pipe(orders));
	ASSERT_EQ(0, pipe(answers));
	onlooker.pid = fork();
	ASSERT_LE(0, onlooker.pid) TH_LOG("fork: %s", strerror(errno));
	if (!onlooker.pid) {
		close(orders[1]);
		close(answers[0]);
		if (!at)
			at = mmap(NULL, SIZE, PROT_READ, MAP_SHARED,
				  sync ? dm->row.devmem : dm->plain,
				  block->pfns[0] * PAT_PAGE);
		onlooker_runs(dm, block, sync, at, orders[0], answers[1]);
	}
	close(orders[0]);
	close(answers[1]);
	onlooker.tell = orders[1];
	onlooker.hear = answers[0];
	return onlooker;
}

static void onlooker_claim(struct __test_metadata *_metadata, struct devmem *dm,
			   struct onlooker *onlooker, const int *types,
			   const char *when)
{
	struct devmem_wrong wrong;

	ASSERT_EQ(SIZE / PAT_PAGE * sizeof(*types),
		  write(onlooker->tell, types, NR * sizeof(*types)));
	ASSERT_EQ(sizeof(wrong), read(onlooker->hear, &wrong, sizeof(wrong)))
		TH_LOG("the other process has died");
	DEVMEM_CLAIM_RIGHT(dm, wrong, when);
}

static void onlooker_end(struct __test_metadata *_metadata,
			 struct onlooker *onlooker)
{
	int status;

	close(onlooker->tell);
	close(onlooker->hear);
	ASSERT_EQ(onlooker->pid, waitpid(onlooker->pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(map, fork)
{
	struct devmem *dm = &self->dm;
	char *at = MAP_BLOCK(devmem_mixed);
	struct onlooker child;

	if (!at) {
		devmem_verdict(_metadata, dm);
		return;
	}
	child = onlooker_start(_metadata, dm, &self->block, variant->sync, at);
	onlooker_claim(_metadata, dm, &child, devmem_mixed, "fork, child");
	CLAIM(at, 0, devmem_mixed, NR, "fork");
	SET_TYPES(devmem_mixed_otherwise, DEVMEM_BY_ADDRESS);
	onlooker_claim(_metadata, dm, &child, devmem_mixed_otherwise,
		       "change, child");
	CLAIM(at, 0, devmem_mixed_otherwise, NR, "change");

	/* The child's is a mapping of its own. */
	ASSERT_EQ(0, munmap(at, SIZE));
	SET_TYPES(devmem_mixed, DEVMEM_BY_ARRAY);
	onlooker_claim(_metadata, dm, &child, devmem_mixed,
		       "change, child alone");
	devmem_free(_metadata, dm, &self->block);
	onlooker_claim(_metadata, dm, &child, devmem_all_wb, "free, child alone");
	onlooker_end(_metadata, &child);
	unmap_block(_metadata, dm, &self->block, devmem_all_wb, NULL);
}

TEST_F(map, in_another_process)
{
	struct devmem *dm = &self->dm;
	struct onlooker other;
	char *at = MAP_BLOCK(devmem_mixed);

	if (!at) {
		devmem_verdict(_metadata, dm);
		return;
	}
	ASSERT_EQ(0, munmap(at, SIZE));
	other = onlooker_start(_metadata, dm, &self->block, variant->sync, NULL);
	onlooker_claim(_metadata, dm, &other, devmem_mixed, "other's mmap");
	SET_TYPES(devmem_mixed_otherwise, DEVMEM_BY_ARRAY);
	onlooker_claim(_metadata, dm, &other, devmem_mixed_otherwise, "change");
	SET_TYPES(devmem_all_wb, DEVMEM_BY_ARRAY);
	onlooker_claim(_metadata, dm, &other, devmem_all_wb, "change back");
	onlooker_end(_metadata, &other);
	unmap_block(_metadata, dm, &self->block, devmem_all_wb, NULL);
}

/* --- the log ----------------------------------------------------------------------- */

/* How long the kernel may keep silent, for it limits the rate: seconds. */
#define LOG_PATIENCE 30

FIXTURE(told) {
	struct devmem dm;
	struct devmem_block block;
};

FIXTURE_VARIANT(told) {
	bool sync;
	int type;
	const char *line;	/* NULL: nothing to tell of */
};

#define TOLD(name, with_sync, with_type, asked_for, got)		\
	FIXTURE_VARIANT_ADD(told, name) {				\
		.sync = with_sync,					\
		.type = PAT_TEST_##with_type,				\
		.line = "map pfn RAM range req " asked_for " .*got " got, \
	}

#define NOT_TOLD(name, with_sync, with_type)				\
	FIXTURE_VARIANT_ADD(told, name) {				\
		.sync = with_sync,					\
		.type = PAT_TEST_##with_type,				\
	}

NOT_TOLD(wb, false, WB);
TOLD(wb_sync, true, WB, "uncached-minus", "write-back");
TOLD(wc, false, WC, "write-back", "write-combining");
TOLD(wc_sync, true, WC, "uncached-minus", "write-combining");
TOLD(uc_minus, false, UC_MINUS, "write-back", "uncached-minus");
NOT_TOLD(uc_minus_sync, true, UC_MINUS);

FIXTURE_SETUP(told)
{
	devmem_open(_metadata, &self->dm, ROW_STOCK_HAS_BUG);
	self->block = devmem_alloc(_metadata, &self->dm);
}

FIXTURE_TEARDOWN(told)
{
	devmem_close(&self->dm);
}

/* Another type than the one asked for is told of, with who asks and for what. */
TEST_F(told, who_and_what)
{
	const struct timespec pause = { .tv_nsec = 500 * 1000000 };
	struct devmem *dm = &self->dm;
	uint64_t phys = self->block.pfns[2] * PAT_PAGE;
	bool wanted = variant->line && dm->row.pat_is_on;
	unsigned int found = 0, tries = 0;
	char ere[256];

	devmem_set(_metadata, dm, &self->block, 2, 1, variant->type,
		   DEVMEM_BY_ADDRESS);
	if (wanted)
		snprintf(ere, sizeof(ere),
			 "x86/PAT: devmem_ram_test:%d %s", getpid(),
			 variant->line);
	else
		snprintf(ere, sizeof(ere), "%s", DEVMEM_OTHER_TYPE);
	devmem_read_log(_metadata, dm, DEVMEM_OTHER_TYPE);
	do {
		char *at = devmem_map(_metadata, dm, variant->sync,
				      self->block.pfns[2], 1, PROT_READ,
				      MAP_SHARED);

		if (!at)
			break;
		ASSERT_EQ(0, munmap(at, PAT_PAGE));
		found = devmem_read_log(_metadata, dm, ere);
		if (wanted && !found)
			nanosleep(&pause, NULL);
	} while (wanted && !found && tries++ < 2 * LOG_PATIENCE);
	ROW_CLAIM(&dm->row, found == wanted, "%u lines say that 0x%llx has another type",
		  found, (unsigned long long)phys);
	devmem_verdict(_metadata, dm);
}

/* --- RAM beside other things ------------------------------------------------------- */

FIXTURE(beside) {
	struct devmem dm;
};

FIXTURE_SETUP(beside)
{
	devmem_open(_metadata, &self->dm, ROW_STOCK_HAS_BUG);
}

FIXTURE_TEARDOWN(beside)
{
	devmem_close(&self->dm);
}

struct edge {
	uint64_t start;		/* of the RAM that ends there */
	uint64_t end;		/* of RAM, where reserved memory begins */
	uint64_t reserved_end;
};

static bool edge_visit(unsigned int depth, uint64_t start, uint64_t end,
		       const char *name, void *data)
{
	struct edge *edge = data;

	if (depth)
		return false;
	if (!strcmp(name, "System RAM")) {
		edge->start = start;
		edge->end = end;
		return false;
	}
	edge->reserved_end = end;
	return edge->end > 1 << 20 && start == edge->end;
}

static bool ram_at_1m_visit(unsigned int depth, uint64_t start, uint64_t end,
			    const char *name, void *data)
{
	return !depth && !strcmp(name, "System RAM") && start == 1 << 20;
}

/* Each frame of reserved memory is held once more than it was before. */
static void claim_held(struct __test_metadata *_metadata, struct row *row,
		       uint64_t phys, unsigned int nr)
{
	struct pat_list now;

	if (!row->pat_is_on)
		return;
	now = pat_list_now(_metadata, true);
	for (unsigned int i = 0; i < nr; i++, phys += PAT_PAGE) {
		unsigned int before = pat_list_count_all(&row->before, phys);
		unsigned int count = pat_list_count_all(&now, phys);

		ROW_CLAIM(row, count == before + 1,
			  "0x%llx: reserved, was held %u times, is held %u times",
			  (unsigned long long)phys, before, count);
	}
	pat_list_free(&now);
}

/* Claims that [phys, phys + nr pages) is mapped, all of it write-back. */
static void claim_wb(struct __test_metadata *_metadata, struct devmem *dm,
		     const char *at, uint64_t phys, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		uint64_t pfn = phys / PAT_PAGE + i;
		static const int type = PAT_TEST_WB;

		devmem_claim(_metadata, dm, false, at + i * PAT_PAGE, &pfn,
			     &type, 1, "RAM beside reserved memory");
	}
}

/* RAM, and what firmware keeps behind it. */
TEST_F(beside, reserved_behind)
{
	struct devmem *dm = &self->dm;
	struct edge edge = {};
	uint64_t phys;
	char *at;

	ASSERT_TRUE(pat_iomem_find(edge_visit, &edge))
		TH_LOG("no range is reserved right behind System RAM");
	ASSERT_LE(edge.start + 4 * PAT_PAGE, edge.end);
	ASSERT_LE(edge.end + 4 * PAT_PAGE, edge.reserved_end);
	phys = edge.end - 4 * PAT_PAGE;
	at = devmem_map(_metadata, dm, false, phys / PAT_PAGE, 8, PROT_READ,
			MAP_SHARED);
	if (at) {
		claim_wb(_metadata, dm, at, phys, 8);
		claim_held(_metadata, &dm->row, edge.end, 4);
		ASSERT_EQ(0, munmap(at, 8 * PAT_PAGE));
	}
	devmem_verdict(_metadata, dm);
}

/*
 * 0x9f000: EBDA	below 1 MiB all counts as reserved
 * 0xa0000: ISA		is not tracked
 * 0x100000: RAM
 */
TEST_F(beside, first_megabyte)
{
	const uint64_t first = 0x9f000, ram = 1 << 20;
	const unsigned int nr = (ram + PAT_PAGE - first) / PAT_PAGE;
	struct devmem *dm = &self->dm;
	char *at;

	ASSERT_TRUE(pat_iomem_find(ram_at_1m_visit, NULL))
		TH_LOG("no System RAM begins at 1 MiB");
	at = devmem_map(_metadata, dm, false, first / PAT_PAGE, nr, PROT_READ,
			MAP_SHARED);
	if (at) {
		claim_wb(_metadata, dm, at, first, 1);
		claim_held(_metadata, &dm->row, first, 1);
		claim_wb(_metadata, dm, at + ram - first, ram, 1);
		ASSERT_EQ(0, munmap(at, nr * PAT_PAGE));
	}
	devmem_verdict(_metadata, dm);
}

static bool code_visit(unsigned int depth, uint64_t start, uint64_t end,
		       const char *name, void *data)
{
	*(uint64_t *)data = start;
	return !strcmp(name, "Kernel code");
}

/* The kernel's own pages, too. */
TEST_F(beside, kernel_code)
{
	struct devmem *dm = &self->dm;
	unsigned char code[PAT_PAGE];
	uint64_t phys = 0;
	char *at;

	ASSERT_TRUE(pat_iomem_find(code_visit, &phys));
	ASSERT_EQ(sizeof(code), pread(dm->plain, code, sizeof(code), phys))
		TH_LOG("read: %s", strerror(errno));
	for (unsigned int sync = 0; sync < 2; sync++) {
		uint64_t pfn = phys / PAT_PAGE;
		static const int type = PAT_TEST_WB;

		at = devmem_map(_metadata, dm, sync, pfn, 1, PROT_READ,
				MAP_SHARED);
		if (!at)
			break;
		devmem_claim(_metadata, dm, sync, at, &pfn, &type, 1, "code");
		ROW_CLAIM(&dm->row, !memcmp(at, code, sizeof(code)),
			  "what is mapped is not what is read");
		ASSERT_EQ(0, munmap(at, PAT_PAGE));
	}
	devmem_verdict(_metadata, dm);
}

/* --- what is refused ------------------------------------------------------------------ */

FIXTURE(refused) {
	struct devmem dm;
};

FIXTURE_SETUP(refused)
{
	devmem_open(_metadata, &self->dm, ROW_STOCK_HAS_BUG);
}

FIXTURE_TEARDOWN(refused)
{
	devmem_close(&self->dm);
}

/* RAM: claims that it can be mapped, alone. */
static void claim_mappable(struct __test_metadata *_metadata, struct devmem *dm,
			   uint64_t pfn)
{
	char *at = devmem_map(_metadata, dm, false, pfn, 1, PROT_READ, MAP_SHARED);

	if (at) {
		ASSERT_EQ(0, munmap(at, PAT_PAGE));
	}
}

#define PAGEMAP_PRESENT	(1ULL << 63)
#define PAGEMAP_PFN	((1ULL << 55) - 1)

static uint64_t pagemap_pfn(const void *at)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (fd < 0 || pread(fd, &entry, sizeof(entry),
			    (uintptr_t)at / PAT_PAGE * sizeof(entry)) !=
		      sizeof(entry))
		entry = 0;
	if (fd >= 0)
		close(fd);
	return entry & PAGEMAP_PRESENT ? entry & PAGEMAP_PFN : 0;
}

/*
 * Says which page it is, then has it poisoned, for which the kernel kills who
 * uses it.
 */
static void __attribute__((noreturn)) poison_own_page(int tell)
{
	volatile char *at = mmap(NULL, PAT_PAGE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t pfn;

	if (at == MAP_FAILED)
		_exit(1);
	*at = 1;
	pfn = pagemap_pfn((void *)at);
	if (!pfn || write(tell, &pfn, sizeof(pfn)) != sizeof(pfn))
		_exit(2);
	if (madvise((void *)at, PAT_PAGE, MADV_HWPOISON))
		_exit(3);
	*at = 2;
	_exit(4);
}

TEST_F(refused, poisoned_page)
{
	static const char unpoison[] = "/sys/kernel/debug/hwpoison/unpoison-pfn";
	struct devmem *dm = &self->dm;
	char text[32];
	int answer[2], status, fd;
	uint64_t pfn = 0;
	pid_t child;

	ASSERT_EQ(0, pipe(answer));
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		poison_own_page(answer[1]);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_EQ(sizeof(pfn), read(answer[0], &pfn, sizeof(pfn)));
	ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS)
		TH_LOG("no page was poisoned: status 0x%x", status);
	close(answer[0]);
	close(answer[1]);

	devmem_claim_refused(_metadata, dm, pfn, 1, EINVAL, "poisoned");
	/* In the midst of others, too. */
	devmem_claim_refused(_metadata, dm, pfn - 1, 3, EINVAL,
			     "poisoned, with its neighbours");

	fd = open(unpoison, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, fd) TH_LOG("%s: %s", unpoison, strerror(errno));
	snprintf(text, sizeof(text), "0x%" PRIx64, pfn);
	ASSERT_EQ((ssize_t)strlen(text), write(fd, text, strlen(text)))
		TH_LOG("%s: %s", unpoison, strerror(errno));
	close(fd);
	claim_mappable(_metadata, dm, pfn);
	devmem_verdict(_metadata, dm);
}

/* Memory that the kernel has taken out of its own sight. */
TEST_F(refused, secret_page)
{
	int fd = syscall(SYS_memfd_secret, O_CLOEXEC);
	struct pat_test_direct direct;
	struct devmem *dm = &self->dm;
	struct pat_test_pte pte;
	char *at, byte;

	ASSERT_LE(0, fd) TH_LOG("memfd_secret: %s", strerror(errno));
	ASSERT_EQ(0, ftruncate(fd, PAT_PAGE));
	at = mmap(NULL, PAT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, at) TH_LOG("mmap: %s", strerror(errno));
	strcpy(at, "secret");
	pte.addr = (uintptr_t)at;
	ASSERT_EQ(0, ioctl(dm->row.driver, PAT_TEST_READ_PTE, &pte));
	ASSERT_LE(0, pte.got);
	direct.pfn = pte.pfn;
	ASSERT_EQ(0, ioctl(dm->row.driver, PAT_TEST_DIRECT_MAP, &direct));
	ASSERT_EQ(PAT_TEST_NOT_MAPPED, direct.got)
		TH_LOG("the page is not secret");

	devmem_claim_refused(_metadata, dm, pte.pfn, 1, EINVAL, "secret");
	ROW_CLAIM(&dm->row, pread(dm->plain, &byte, 1, pte.pfn * PAT_PAGE) == -1 &&
			    errno == EFAULT, "a secret can be read");
	ROW_CLAIM(&dm->row, !strcmp(at, "secret"), "a secret is lost");

	/* Given back it is a page like any other. */
	ASSERT_EQ(0, munmap(at, PAT_PAGE));
	ASSERT_EQ(0, close(fd));
	ASSERT_EQ(0, ioctl(dm->row.driver, PAT_TEST_DIRECT_MAP, &direct));
	ROW_CLAIM(&dm->row, direct.got == PAT_TEST_WB,
		  "given back, the direct map has it %s",
		  pat_type_word(direct.got));
	claim_mappable(_metadata, dm, pte.pfn);
	devmem_verdict(_metadata, dm);
}

/*
 * A range that is its driver's alone. As System RAM it is that always (the
 * driver adds and removes memory there), else if the kernel is told to be
 * strict.
 */
FIXTURE(exclusive) {
	struct devmem dm;
};

FIXTURE_VARIANT(exclusive) {
	unsigned int how;
};

FIXTURE_VARIANT_ADD(exclusive, not) { .how = 0 };
FIXTURE_VARIANT_ADD(exclusive, range) { .how = PAT_TEST_CLAIM_EXCLUSIVE };
FIXTURE_VARIANT_ADD(exclusive, ram) { .how = PAT_TEST_CLAIM_EXCLUSIVE_RAM };

FIXTURE_SETUP(exclusive)
{
	devmem_open(_metadata, &self->dm, ROW_STOCK_IS_RIGHT);
}

FIXTURE_TEARDOWN(exclusive)
{
	devmem_close(&self->dm);
}

TEST_F(exclusive, claimed)
{
	struct devmem *dm = &self->dm;
	struct pat_test_claim claim = {
		.phys = row_phys(&dm->row, 1026),
		.size = 2 * PAT_PAGE,
		.how = variant->how,
	};
	uint64_t pfn = claim.phys / PAT_PAGE;
	bool refused = variant->how == PAT_TEST_CLAIM_EXCLUSIVE_RAM ||
		       (variant->how && devmem_told_at_boot("iomem=strict"));
	char *at;

	ASSERT_EQ(0, ioctl(dm->row.driver, PAT_TEST_CLAIM, &claim));
	ASSERT_EQ(0, claim.err);
	if (refused) {
		devmem_claim_refused(_metadata, dm, pfn, 1, EINVAL, "claimed");
		devmem_claim_refused(_metadata, dm, pfn + 1, 2, EINVAL,
				     "claimed in part");
	} else {
		claim_mappable(_metadata, dm, pfn);
	}
	/* Beside it, and once it is given back. */
	claim_mappable(_metadata, dm, pfn + 2);
	ASSERT_EQ(0, ioctl(dm->row.driver, PAT_TEST_UNCLAIM, claim.handle));
	at = devmem_map(_metadata, dm, true, pfn, 4, PROT_READ, MAP_SHARED);
	if (at) {
		ASSERT_EQ(0, munmap(at, 4 * PAT_PAGE));
	}
	devmem_verdict(_metadata, dm);
}

TEST_HARNESS_MAIN
