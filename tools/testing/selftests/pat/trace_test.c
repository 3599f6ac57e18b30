// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trace points: each of events/pat/ tells what it should, when that happens, and
 * only then.  This runs where there are trace events: see scripts/guest/init of
 * the repository.
 */
#include "pat_free_ioctl.h"
#include "tell.h"

#define TRACING	"/sys/kernel/tracing"

PAT_FIXTURE(trace)

static void begin(struct __test_metadata *_metadata)
{
	ASSERT_TRUE(pat_write_text(TRACING "/events/pat/enable", "0"));
	ASSERT_TRUE(pat_write_text(TRACING "/trace", "\n"));
	ASSERT_TRUE(pat_write_text(TRACING "/events/pat/enable", "1"));
}

static void end(struct __test_metadata *_metadata)
{
	ASSERT_TRUE(pat_write_text(TRACING "/events/pat/enable", "0"));
}

/* How many lines of the trace match? */
static int count(struct __test_metadata *_metadata, const char *ere)
{
	FILE *file = fopen(TRACING "/trace", "r");
	int found = tell_count(_metadata, file, ere, NULL, 0);

	fclose(file);
	return found;
}

#define EXPECT_LINES(number, ...)						\
do {										\
	char ere_[512];								\
										\
	snprintf(ere_, sizeof(ere_), __VA_ARGS__);				\
	EXPECT_EQ(number, count(_metadata, ere_))				\
		TH_LOG("%s", ere_);						\
} while (0)

/* A mapping comes, is in the way of another one, and goes. */
TEST_F(trace, reserve_conflict_release)
{
	uint64_t at = tell_start(_metadata);
	struct pat_test_map held, map;
	char mem[64];

	ASSERT_TRUE(self->pat);
	snprintf(mem, sizeof(mem), "\\[mem 0x%" PRIx64 "-0x%" PRIx64 "\\]", at, at + TELL_BYTES);
	begin(_metadata);
	held = tell_map(_metadata, self->driver, PAT_TEST_IOREMAP_WC);
	ASSERT_EQ(0, held.err);
	ASSERT_TRUE(pat_expect_message(PAT_CONFLICT_MESSAGE));
	map = tell_map(_metadata, self->driver, PAT_TEST_IOREMAP_WT);
	EXPECT_EQ(PAT_TEST_NULL, map.err);
	ASSERT_TRUE(pat_expect_done());
	/* Another type, but one that serves: no refusal. */
	map = tell_map(_metadata, self->driver, PAT_TEST_IOREMAP);
	ASSERT_EQ(0, map.err);
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_UNMAP, (unsigned long)map.handle));
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_UNMAP, (unsigned long)held.handle));
	end(_metadata);

	EXPECT_LINES(2, "pat_reserve: %s write-combining kernel addr=", mem);
	EXPECT_LINES(1, "pat_reserve: %s write-combining kernel addr=0x%" PRIx64 " by .*\\[pat_test\\]",
		     mem, (uint64_t)held.vaddr);
	EXPECT_LINES(2, "pat_release: %s write-combining kernel addr=", mem);
	EXPECT_LINES(1, "pat_conflict: %s wanted write-through, .*; %s is write-combining, kernel .*: -16$",
		     mem, mem);
	EXPECT_LINES(1, "pat_conflict: %s wanted uncached-minus, .*; %s is write-combining, kernel .*: 0$",
		     mem, mem);
}

/* RAM: its type changes, a mapped page's does not, and what is freed like that. */
TEST_F(trace, ram)
{
	uint64_t pfn, pfns[1];
	struct pat_test_alloc alloc = { .nr = 1, .pfns = (uintptr_t)&pfn };
	struct pat_test_adopt adopt = { .pfns = (uintptr_t)pfns, .nr = 1 };
	struct pat_test_pte pte = {};
	struct pat_test_set set = { .api = PAT_TEST_SET_MEMORY_WC, .count = 1 };
	char *page;

	ASSERT_TRUE(self->pat);
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_ALLOC, &alloc));
	page = mmap(NULL, PAT_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	page[0] = 1;
	pte.addr = (uintptr_t)page;
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_READ_PTE, &pte));
	pfns[0] = pte.pfn;
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_ADOPT, &adopt));

	begin(_metadata);
	set.handle = alloc.handle;
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_SET_TYPE, &set));
	EXPECT_EQ(0, set.err);
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_FREE, (unsigned long)alloc.handle));

	ASSERT_TRUE(pat_expect_message("x86/PAT: RAM page .* cannot become"));
	set.handle = adopt.handle;
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_SET_TYPE, &set));
	EXPECT_EQ(-EBUSY, set.err);
	ASSERT_TRUE(pat_expect_done());
	end(_metadata);
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_FREE, (unsigned long)adopt.handle));

	EXPECT_LINES(1, "pat_ram_type: pfn=0x%" PRIx64 " nr=1 write-back -> write-combining", pfn);
	EXPECT_LINES(1, "pat_ram_type: pfn=0x%" PRIx64 " nr=1 write-combining -> write-back", pfn);
	EXPECT_LINES(1, "pat_fix_refused: pfn=0x%" PRIx64 " wanted write-combining by ", pfns[0]);
	EXPECT_LINES(0, "pat_ram_type: pfn=0x%" PRIx64 " ", pfns[0]);
	EXPECT_LINES(0, "pat_freed:");
	ASSERT_EQ(0, munmap(page, PAT_PAGE));
}

/* What is freed though it is not write-back. */
TEST_F(trace, freed)
{
	int driver = pat_open_device(_metadata, "pat_free");
	uint64_t pfn;
	struct pat_free_alloc alloc = {
		.kind = PAT_FREE_SINGLES, .nr = 1, .pfns = (uintptr_t)&pfn,
	};
	struct pat_free_set set = { .api = PAT_TEST_SET_MEMORY_WC, .count = 1 };
	struct pat_free_free gone = { .way = PAT_FREE_BY_PAGE };

	ASSERT_TRUE(self->pat);
	ASSERT_EQ(0, ioctl(driver, PAT_FREE_ALLOC, &alloc));
	ASSERT_EQ(0, alloc.err);
	set.handle = alloc.handle;
	ASSERT_EQ(0, ioctl(driver, PAT_FREE_SET_TYPE, &set));
	ASSERT_EQ(0, set.err);
	begin(_metadata);
	ASSERT_TRUE(pat_expect_message("x86/PAT: RAM page 0x[0-9a-f]+ freed while|Call Trace"));
	gone.handle = alloc.handle;
	ASSERT_EQ(0, ioctl(driver, PAT_FREE_FREE, &gone));
	ASSERT_TRUE(pat_expect_done());
	end(_metadata);
	close(driver);

	EXPECT_LINES(1, "pat_freed: pfn=0x%" PRIx64 " order=0$", pfn);
}

/* A process's mapping of RAM follows; a look-up of what nobody holds is told. */
TEST_F(trace, fix_and_miss)
{
	uint64_t bar = tell_start(_metadata), pfn;
	struct pat_test_alloc alloc = { .nr = 1, .pfns = (uintptr_t)&pfn };
	struct pat_test_set set = { .api = PAT_TEST_SET_MEMORY_WC, .count = 1 };
	struct pat_test_chunk chunk = {
		.size = PAT_PAGE, .type = PAT_TEST_WB, .method = PAT_TEST_REMAP_PFN_RANGE,
	};
	struct pat_test_program program = { .chunks = (uintptr_t)&chunk, .nr = 1 };
	struct pat_test_lookup lookup = { .pfn = bar >> 12 };
	void *at;

	ASSERT_TRUE(self->pat);
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_ALLOC, &alloc));
	chunk.pfn = pfn;
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_PROGRAM, &program));
	begin(_metadata);
	at = mmap(NULL, PAT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, self->driver, 0);
	ASSERT_NE(MAP_FAILED, at);
	set.handle = alloc.handle;
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_SET_TYPE, &set));
	EXPECT_EQ(0, set.err);
	ASSERT_EQ(0, munmap(at, PAT_PAGE));
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_LOOKUP, &lookup));
	end(_metadata);
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_FREE, (unsigned long)alloc.handle));

	EXPECT_LINES(1, "pat_reserve: .* user RAM addr=0x%lx by trace_test\\[%d\\]",
		     (unsigned long)at, getpid());
	/* To uncached while it is in transit, then to write-combining. */
	EXPECT_LINES(1, "pat_fix: pfn=0x%" PRIx64 " nr=1 at 0x%lx of pid %d, in transit$",
		     pfn, (unsigned long)at, getpid());
	EXPECT_LINES(1, "pat_fix: pfn=0x%" PRIx64 " nr=1 at 0x%lx of pid %d$",
		     pfn, (unsigned long)at, getpid());
	EXPECT_LINES(1, "pat_release: .* user RAM addr=0x%lx by trace_test\\[%d\\]",
		     (unsigned long)at, getpid());
	EXPECT_LINES(1, "pat_lookup_miss: pfn=0x%" PRIx64 "$", bar >> 12);
}

TEST_HARNESS_MAIN
