// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who holds it?  The line that a refused request leaves in the log, and the files
 * pat_records and pat_ram in debugfs.  A stock kernel has none of these: see
 * scripts/guest/init of the repository, which runs this on ours only.
 */
#include "tell.h"

#define RECORDS_FILE	"/sys/kernel/debug/x86/pat_records"
#define RAM_FILE	"/sys/kernel/debug/x86/pat_ram"

PAT_FIXTURE(holders)

/* The log, from here on. */
static FILE *open_log(struct __test_metadata *_metadata)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	FILE *file;

	ASSERT_LE(0, fd);
	ASSERT_LE(0, lseek(fd, 0, SEEK_END));
	file = fdopen(fd, "r");
	ASSERT_NE(NULL, file);
	return file;
}

/* The line of @path that matches @ere, which there is exactly once. */
static void one_line(struct __test_metadata *_metadata, const char *path,
		     const char *ere, char *line, size_t size)
{
	FILE *file = fopen(path, "r");

	ASSERT_EQ(1, tell_count(_metadata, file, ere, line, size))
		TH_LOG("%s: %s", path, ere);
	fclose(file);
}

/* Kernel against kernel: both are named. */
TEST_F(holders, conflict_of_kernel_mappings)
{
	uint64_t start = tell_start(_metadata);
	char ere[512], line[2048] = "";
	struct pat_test_map held, map;
	FILE *log;

	if (!self->pat)
		return;
	held = tell_map(_metadata, self->driver, PAT_TEST_IOREMAP_WC);
	ASSERT_EQ(0, held.err);
	log = open_log(_metadata);
	ASSERT_TRUE(pat_expect_message(PAT_CONFLICT_MESSAGE));
	map = tell_map(_metadata, self->driver, PAT_TEST_IOREMAP_WT);
	EXPECT_EQ(PAT_TEST_NULL, map.err);
	ASSERT_TRUE(pat_expect_done());

	snprintf(ere, sizeof(ere),
		 "x86/PAT: holders_test:%d conflicting memory types %" PRIx64 "-%" PRIx64
		 " write-through<->write-combining in \"([^\"]*/)?0000:00:[0-9a-f]{2}\\.0\", asked by "
		 TELL_SYMBOL ", mapped, \\[mem %#010" PRIx64 "-%#010" PRIx64 "\\] held by "
		 TELL_SYMBOL ", mapped, refused$",
		 getpid(), start, start + TELL_BYTES, start,
		 start + TELL_BYTES - 1);
	EXPECT_EQ(1, tell_count(_metadata, log, ere, line, sizeof(line)))
		TH_LOG("%s", ere);
	fclose(log);
	tell_unmap(_metadata, self->driver, &held);
}

/* A driver against a process: its address is there, too; no second line follows. */
TEST_F(holders, conflict_with_a_process)
{
	char ere[512], line[2048] = "";
	struct pat_test_map map;
	void *at;
	FILE *log;

	if (!self->pat)
		return;
	at = tell_mmap(_metadata, self->driver);
	log = open_log(_metadata);
	ASSERT_TRUE(pat_expect_message(PAT_CONFLICT_MESSAGE));
	map = tell_map(_metadata, self->driver, PAT_TEST_IOREMAP_WT);
	EXPECT_EQ(PAT_TEST_NULL, map.err);
	ASSERT_TRUE(pat_expect_done());

	snprintf(ere, sizeof(ere), "ioremap error|x86/PAT: .* held by holders_test\\[%d\\] %lx-%lx, refused$",
		 getpid(), (unsigned long)at, (unsigned long)at + TELL_BYTES);
	EXPECT_EQ(1, tell_count(_metadata, log, ere, line, sizeof(line)))
		TH_LOG("%s", ere);
	EXPECT_EQ(NULL, strstr(line, "ioremap error"));
	fclose(log);
	ASSERT_EQ(0, munmap(at, TELL_BYTES));
}

/*
 * A range of which parts are held with different types: the one that is named is
 * not the one that has the type asked for.
 */
TEST_F(holders, conflict_with_a_part)
{
	struct pat_test_map first, last, map = {
		.api = PAT_TEST_IOREMAP,
		.phys = tell_start(_metadata),
		.size = 3 * PAT_PAGE,
	};
	char ere[256], line[2048] = "";
	FILE *log;

	if (!self->pat)
		return;
	/* Write-combining, nothing, uncached-minus; and the other way round. */
	for (int i = 0; i < 2; i++) {
		first = (struct pat_test_map) {
			.api = i ? PAT_TEST_IOREMAP : PAT_TEST_IOREMAP_WC,
			.phys = map.phys, .size = PAT_PAGE,
		};
		last = (struct pat_test_map) {
			.api = i ? PAT_TEST_IOREMAP_WC : PAT_TEST_IOREMAP,
			.phys = map.phys + 2 * PAT_PAGE, .size = PAT_PAGE,
		};
		ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_MAP, &first));
		ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_MAP, &last));
		log = open_log(_metadata);
		ASSERT_TRUE(pat_expect_message(PAT_CONFLICT_MESSAGE));
		ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_MAP, &map));
		EXPECT_EQ(PAT_TEST_NULL, map.err);
		ASSERT_TRUE(pat_expect_done());
		snprintf(ere, sizeof(ere),
			 " %" PRIx64 "-%" PRIx64 " uncached-minus<->write-combining in .*\\[mem %#010" PRIx64 "-",
			 (uint64_t)map.phys, (uint64_t)(map.phys + map.size),
			 (uint64_t)(i ? last.phys : first.phys));
		EXPECT_EQ(1, tell_count(_metadata, log, ere, line, sizeof(line)))
			TH_LOG("%s", ere);
		fclose(log);
		tell_unmap(_metadata, self->driver, &last);
		tell_unmap(_metadata, self->driver, &first);
	}
}

/* Who gets another type that serves as well has nothing to complain of. */
TEST_F(holders, no_line_for_a_type_that_serves)
{
	struct pat_test_map held, map;
	char line[2048];
	FILE *log;

	if (!self->pat)
		return;
	held = tell_map(_metadata, self->driver, PAT_TEST_IOREMAP_WC);
	ASSERT_EQ(0, held.err);
	log = open_log(_metadata);
	map = tell_map(_metadata, self->driver, PAT_TEST_IOREMAP);
	ASSERT_EQ(0, map.err);
	EXPECT_EQ(PAT_TEST_WC, map.got);
	EXPECT_EQ(0, tell_count(_metadata, log, "x86/PAT", line, sizeof(line)));
	fclose(log);
	tell_unmap(_metadata, self->driver, &map);
	tell_unmap(_metadata, self->driver, &held);
}

static double uptime(struct __test_metadata *_metadata)
{
	struct timespec now;

	ASSERT_EQ(0, clock_gettime(CLOCK_MONOTONIC, &now));
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* Each record has its line, with all that is known of it. */
TEST_F(holders, records)
{
	uint64_t start = tell_start(_metadata);
	double before = uptime(_metadata), since = 0;
	struct pat_test_map held;
	char ere[512], line[1024], common[128];
	void *at;

	if (!self->pat) {
		EXPECT_NE(0, access(RECORDS_FILE, F_OK));
		return;
	}
	held = tell_map(_metadata, self->driver, PAT_TEST_IOREMAP_WC);
	ASSERT_EQ(0, held.err);
	at = tell_mmap(_metadata, self->driver);

	snprintf(common, sizeof(common), "^\\[mem 0x%016" PRIx64 "-0x%016" PRIx64 "\\] type=write-combining",
		 start, start + TELL_BYTES);
	snprintf(ere, sizeof(ere),
		 "%s kind=kernel virt=0x%" PRIx64 "-0x%" PRIx64
		 " since=[0-9]+\\.[0-9]{3} maps=2 mtrr=[a-z-]+ effective=write-combining by "
		 TELL_SYMBOL ", mapped$", common, (uint64_t)held.vaddr,
		 (uint64_t)held.vaddr + TELL_BYTES);
	one_line(_metadata, RECORDS_FILE, ere, line, sizeof(line));
	ASSERT_EQ(1, sscanf(strstr(line, "since="), "since=%lf", &since));
	/* By the tick, which may be late on a busy machine. */
	EXPECT_LE(before - 1, since);
	EXPECT_GE(uptime(_metadata) + 1, since);

	snprintf(ere, sizeof(ere),
		 "%s kind=user virt=0x%lx-0x%lx since=[0-9.]+ maps=2 mtrr=[a-z-]+ effective=write-combining by holders_test\\[%d\\] ",
		 common, (unsigned long)at, (unsigned long)at + TELL_BYTES,
		 getpid());
	one_line(_metadata, RECORDS_FILE, ere, line, sizeof(line));

	ASSERT_EQ(0, munmap(at, TELL_BYTES));
	snprintf(ere, sizeof(ere), "%s kind=kernel .* maps=1 ", common);
	one_line(_metadata, RECORDS_FILE, ere, line, sizeof(line));
	tell_unmap(_metadata, self->driver, &held);
}

static unsigned long typed_pages(struct __test_metadata *_metadata)
{
	unsigned long count;
	char line[1024];

	one_line(_metadata, RAM_FILE, "^PAT RAM that is not write-back: [0-9]+ pages$",
		 line, sizeof(line));
	ASSERT_EQ(1, sscanf(line, "PAT RAM that is not write-back: %lu", &count));
	return count;
}

#define ORDER	4

/* RAM that is not write-back is listed as long as it is not. */
TEST_F(holders, ram)
{
	static uint64_t pfns[1 << ORDER];
	struct pat_test_alloc alloc = {
		.nr = 1 << ORDER, .order = ORDER, .pfns = (uintptr_t)pfns,
	};
	struct pat_test_set set = {
		.api = PAT_TEST_SET_MEMORY_WC, .first = 2, .count = 8,
	};
	struct pat_test_chunk chunk = {
		.size = 2 * PAT_PAGE, .method = PAT_TEST_REMAP_PFN_RANGE,
		.type = PAT_TEST_WB,
	};
	struct pat_test_program program = { .nr = 1 };
	unsigned long before;
	char ere[256], line[1024];
	void *at;

	if (!self->pat) {
		EXPECT_NE(0, access(RAM_FILE, F_OK));
		return;
	}
	before = typed_pages(_metadata);
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_ALLOC, &alloc));
	set.handle = alloc.handle;
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_SET_TYPE, &set));
	ASSERT_EQ(0, set.err);
	EXPECT_EQ(before + 8, typed_pages(_metadata));
	snprintf(ere, sizeof(ere), "^\\[mem 0x%016" PRIx64 "-0x%016" PRIx64 "\\] write-combining$",
		 (pfns[0] + 2) << 12, (pfns[0] + 10) << 12);
	one_line(_metadata, RAM_FILE, ere, line, sizeof(line));

	/* A mapping of it has no type of its own. */
	program.chunks = (uintptr_t)&chunk;
	chunk.pfn = pfns[0];
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_PROGRAM, &program));
	at = mmap(NULL, chunk.size, PROT_READ, MAP_SHARED, self->driver, 0);
	ASSERT_NE(MAP_FAILED, at);
	snprintf(ere, sizeof(ere), "^\\[mem 0x%016" PRIx64 "-0x%016" PRIx64 "\\] type=by-page kind=user-ram virt=%p-.* effective=by-page by ",
		 pfns[0] << 12, (pfns[0] << 12) + chunk.size, at);
	one_line(_metadata, RECORDS_FILE, ere, line, sizeof(line));
	ASSERT_EQ(0, munmap(at, chunk.size));

	/* Write-back in the middle: two ranges. */
	set.first = 5;
	set.count = 2;
	set.api = PAT_TEST_SET_MEMORY_WB;
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_SET_TYPE, &set));
	ASSERT_EQ(0, set.err);
	EXPECT_EQ(before + 6, typed_pages(_metadata));
	snprintf(ere, sizeof(ere), "^\\[mem 0x%016" PRIx64 "-0x%016" PRIx64 "\\] write-combining$",
		 (pfns[0] + 7) << 12, (pfns[0] + 10) << 12);
	one_line(_metadata, RAM_FILE, ere, line, sizeof(line));

	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_FREE, (unsigned long)alloc.handle));
	EXPECT_EQ(before, typed_pages(_metadata));
}

TEST_HARNESS_MAIN
