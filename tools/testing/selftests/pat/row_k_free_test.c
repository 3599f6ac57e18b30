// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page is freed whose type is not write-back.
 *
 * That is a mistake of its owner, and one that hits somebody else: whoever gets
 * the page next takes it for write-back, and maps it so.
 *
 *	alloc_page	bits WB		direct map WB
 *	set_pages_array_wc	WC		WC
 *	__free_page	cleared		WC
 *	alloc_page, by another	WB		WC: every access of the new owner
 *					through the direct map is uncached, and
 *					an alias of its write-back mappings
 *
 * Such a page must not come to the page allocator before it is write-back: in the
 * direct map, in its bits, and in the mappings of it that a driver or /dev/mem
 * may have left in processes. It must come there in the end, and the kernel must
 * say who has freed it, without saying it 512 times.
 *
 * Where PAT is off the kernel keeps no bits, and cannot tell which pages are not
 * write-back: they are freed as they are.
 *
 * Stock: the bits are cleared without a word, the direct map stays as it was.
 * What these tests leave so is made write-back by their driver.
 */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <time.h>

#include "life_cgroup.h"
#include "pat_free_ioctl.h"
#include "row.h"

#define MAX_PAGES 512

/* How long a page may stay away, and how long one message can take to come. */
#define PATIENCE_MS 30000

/*
 * Messages are few: if many pages were freed just now there is none for a while,
 * which is the time to wait between two tries, and there is in the end.
 */
#define MESSAGE_PATIENCE_MS 60000
#define BETWEEN_TRIES_MS 500

/* Pages freed at once may make so many messages. */
#define FEW_MESSAGES 24

/* The line, and what stands above the trace that follows it. */
#define FREED_MESSAGE "x86/PAT: RAM page 0x[0-9a-f]+ freed while|Call Trace"

/* /dev/mem was opened with O_SYNC and asks for UC-, also of pages that are WC. */
#define WISH_MESSAGE "x86/PAT: .*map pfn RAM (range|page) req"

struct pages {
	uint32_t handle;
	uint32_t kind;
	uint32_t nr;
	uint64_t pfns[MAX_PAGES];
};

struct freed {
	struct row row;
	int driver;		/* pat_free.ko */
	bool is_caught;		/* this kernel claims to notice */
	bool wishes;		/* /dev/mem may be told that it gets another type */
};

static uint64_t now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000ULL + time.tv_nsec / 1000000;
}

static void freed_open(struct __test_metadata *_metadata, struct freed *freed)
{
	freed->driver = -1;
	freed->wishes = false;
	row_open(_metadata, &freed->row, ROW_STOCK_HAS_BUG);
	if (_metadata->exit_code == KSFT_SKIP)
		return;
	freed->driver = pat_open_device(_metadata, "pat_free");
	freed->is_caught = freed->row.pat_is_on && !pat_on_stock();
	if (freed->is_caught)
		pat_expect_message(FREED_MESSAGE);
}

static void freed_close(struct freed *freed)
{
	if (freed->is_caught)
		pat_expect_done();
	if (freed->driver >= 0)
		close(freed->driver);
	row_close(&freed->row);
}

/* --- pages ------------------------------------------------------------------- */

/* From now on /dev/mem is mapped. */
static void use_devmem(struct freed *freed)
{
	if (freed->is_caught)
		pat_expect_message(WISH_MESSAGE);
	freed->wishes = true;
}

/* 0, or the line that failed: also for threads, which cannot ASSERT. */
#define MUST(holds) do { if (!(holds)) return __LINE__; } while (0)

static int try_allocate(int driver, struct pages *pages, uint32_t kind,
			uint32_t nr, uint64_t pfn, uint32_t flags)
{
	struct pat_free_alloc alloc = {
		.kind = kind,
		.nr = nr,
		.flags = flags,
		.pfn = pfn,
		.pfns = (uintptr_t)pages->pfns,
	};

	MUST(!ioctl(driver, PAT_FREE_ALLOC, &alloc));
	MUST(!alloc.err);
	pages->handle = alloc.handle;
	pages->kind = kind;
	pages->nr = nr;
	return 0;
}

static int try_set(int driver, const struct pages *pages, uint32_t api,
		   uint32_t first, uint32_t count)
{
	struct pat_free_set set = {
		.handle = pages->handle,
		.api = api,
		.first = first,
		.count = count,
	};

	MUST(!ioctl(driver, PAT_FREE_SET_TYPE, &set));
	MUST(!set.err);
	return 0;
}

static int try_free(int driver, const struct pages *pages, uint32_t way,
		    uint32_t context)
{
	struct pat_free_free free = {
		.handle = pages->handle,
		.way = way,
		.context = context,
	};

	MUST(!ioctl(driver, PAT_FREE_FREE, &free));
	return 0;
}

/* For the kernels that leave them as they are; the others leave nothing to do. */
static int try_repair(int driver, const struct pages *pages)
{
	for (uint32_t i = 0; i < pages->nr; i++) {
		struct pat_free_repair repair = { .pfn = pages->pfns[i] };

		MUST(!ioctl(driver, PAT_FREE_REPAIR, &repair));
		MUST(!repair.err);
	}
	return 0;
}

/*
 * Certain frames can be had if they are free, and all around them is, too: those
 * of a large block that was just allocated. If somebody else is faster there are
 * others.
 */
static void allocate_range(struct __test_metadata *_metadata,
			   struct freed *freed, struct pages *pages, uint32_t nr)
{
	for (unsigned int i = 0; i < 100; i++) {
		ASSERT_EQ(0, try_allocate(freed->driver, pages, PAT_FREE_BLOCK,
					  MAX_PAGES, 0, 0));
		ASSERT_EQ(0, try_free(freed->driver, pages, PAT_FREE_BY_ORDER,
				      PAT_FREE_IN_PROCESS));
		if (!try_allocate(freed->driver, pages, PAT_FREE_CONTIG, nr,
				  pages->pfns[0], 0))
			return;
	}
	ASSERT_TRUE(false) TH_LOG("no range of %u pages can be allocated", nr);
}

static void allocate(struct __test_metadata *_metadata, struct freed *freed,
		     struct pages *pages, uint32_t kind, uint32_t nr)
{
	if (kind == PAT_FREE_CONTIG)
		allocate_range(_metadata, freed, pages, nr);
	else
		ASSERT_EQ(0, try_allocate(freed->driver, pages, kind, nr, 0, 0))
			TH_LOG("%u pages of kind %u", nr, kind);
}

/* What an API makes of a page. */
static int gives(const struct freed *freed, uint32_t api)
{
	bool wc = api == PAT_TEST_SET_MEMORY_WC ||
		  api == PAT_TEST_SET_PAGES_ARRAY_WC;

	return row_type(&freed->row, wc ? PAT_TEST_WC : PAT_TEST_UC_MINUS);
}

static int direct_type(struct __test_metadata *_metadata, struct freed *freed,
		       uint64_t pfn)
{
	struct pat_test_direct direct = { .pfn = pfn };

	ASSERT_EQ(0, ioctl(freed->row.driver, PAT_TEST_DIRECT_MAP, &direct));
	return direct.got;
}

static void set(struct __test_metadata *_metadata, struct freed *freed,
		struct pages *pages, uint32_t api, uint32_t first,
		uint32_t count)
{
	ASSERT_EQ(0, try_set(freed->driver, pages, api, first, count));
	for (uint32_t i = first; i < first + count; i++)
		ASSERT_EQ(gives(freed, api),
			  direct_type(_metadata, freed, pages->pfns[i]));
}

static void give_away(struct __test_metadata *_metadata, struct freed *freed,
		      const struct pages *pages, uint32_t way, uint32_t context)
{
	ASSERT_EQ(0, try_free(freed->driver, pages, way, context))
		TH_LOG("way %u in context %u", way, context);
}

/*
 * Claims that all of the pages are in the page allocator again within a while,
 * or somebody's already, and write-back.
 */
static void claim_back(struct __test_metadata *_metadata, struct freed *freed,
		       const struct pages *pages)
{
	struct pat_free_look look = {
		.pfns = (uintptr_t)pages->pfns,
		.nr = pages->nr,
	};
	uint64_t deadline = now_ms() + PATIENCE_MS;

	do {
		ASSERT_EQ(0, ioctl(freed->driver, PAT_FREE_LOOK, &look))
			TH_LOG("%s", strerror(errno));
		if (freed->row.pat_is_on)
			ROW_CLAIM(&freed->row, !look.odd,
				  "page 0x%llx: back, and not write-back (%u are)",
				  (unsigned long long)look.odd_pfn, look.odd);
	} while (look.is_missing && now_ms() < deadline);
	ROW_CLAIM(&freed->row, !look.is_missing,
		  "page 0x%llx has not come back (%u of %u)",
		  (unsigned long long)look.missing_pfn, look.is_missing,
		  look.nr);

	/* From now on they may be anybody's, and are still write-back. */
	for (uint32_t i = 0; i < pages->nr; i++) {
		int type = direct_type(_metadata, freed, pages->pfns[i]);
		struct pat_free_page page = { .pfn = pages->pfns[i] };

		ASSERT_EQ(0, ioctl(freed->driver, PAT_FREE_PAGE, &page));
		ROW_CLAIM(&freed->row, !page.bits, "page 0x%llx: bits are %u",
			  (unsigned long long)page.pfn, page.bits);
		if (freed->row.pat_is_on)
			ROW_CLAIM(&freed->row, type == PAT_TEST_WB,
				  "page 0x%llx: back, and %s in the direct map",
				  (unsigned long long)page.pfn,
				  pat_type_word(type));
	}
}

/* Claims that nobody has noticed: the page has kept the type it was freed with. */
static void claim_unnoticed(struct __test_metadata *_metadata,
			    struct freed *freed, const struct pages *pages,
			    uint32_t which, uint32_t api)
{
	int type = direct_type(_metadata, freed, pages->pfns[which]);

	if (!freed->row.pat_is_on)
		ROW_CLAIM(&freed->row, type == gives(freed, api),
			  "page 0x%llx: without PAT %s became %s",
			  (unsigned long long)pages->pfns[which],
			  pat_type_word(gives(freed, api)), pat_type_word(type));
}

static void repair(struct __test_metadata *_metadata, struct freed *freed,
		   const struct pages *pages)
{
	if (!freed->is_caught)
		ASSERT_EQ(0, try_repair(freed->driver, pages));
}

/* --- messages ------------------------------------------------------------------- */

/* The text of the next record of the log, within so many ms; else false. */
static bool next_message(struct row *row, char *text, size_t size, int ms)
{
	struct pollfd poll_kmsg = { .fd = row->kmsg, .events = POLLIN };
	uint64_t deadline = now_ms() + ms;
	char record[2048];

	for (;;) {
		ssize_t got = read(row->kmsg, record, sizeof(record) - 1);
		int left = deadline - now_ms();
		char *start;

		if (got > 0) {
			record[got] = '\0';
			start = strchr(record, ';');
			snprintf(text, size, "%s", start ? start + 1 : "");
			return true;
		}
		/* EPIPE: records were lost, and the next one is there. */
		if (got < 0 && errno == EPIPE)
			continue;
		if (left <= 0 || poll(&poll_kmsg, 1, left) < 0)
			return false;
	}
}

/* The frame that a message says was freed; false if it is another message. */
static bool parse_freed(const char *text, uint64_t *pfn, int *type)
{
	static const char start[] = "x86/PAT: RAM page 0x";
	const char *at = strstr(text, start);
	uint64_t phys;
	size_t length;
	int used = 0;

	if (!at || sscanf(at + strlen(start), "%" SCNx64 " freed while %n",
			  &phys, &used) != 1 || !used)
		return false;
	*pfn = phys / PAT_PAGE;
	return pat_type_parse(at + strlen(start) + used, type, &length);
}

/*
 * Reads what the kernel has said so far: messages of freed pages, which are
 * counted, and nothing else about memory types.
 */
static unsigned int claim_messages(struct freed *freed,
				   struct __test_metadata *_metadata)
{
	unsigned int nr = 0;
	char text[1024];
	uint64_t pfn;
	int type;

	while (next_message(&freed->row, text, sizeof(text), 0)) {
		if (strstr(text, "pat-selftest:"))
			continue;
		if (parse_freed(text, &pfn, &type))
			nr++;
		else if (!freed->wishes || !strstr(text, "map pfn RAM"))
			ROW_CLAIM(&freed->row, !strstr(text, "x86/PAT:") &&
				  !strstr(text, "Bad page"),
				  "the kernel said: %s", text);
	}
	if (!freed->is_caught)
		ROW_CLAIM(&freed->row, !nr || pat_on_stock(),
			  "%u messages, and PAT is off", nr);
	return nr;
}

static void verdict(struct __test_metadata *_metadata, struct freed *freed)
{
	claim_messages(freed, _metadata);
	row_claim_valid(_metadata, &freed->row, "at the end");
	row_verdict(_metadata, &freed->row);
}

/* --- each way ------------------------------------------------------------------- */

FIXTURE(way) {
	struct freed freed;
};

FIXTURE_VARIANT(way) {
	uint32_t kind;
	uint32_t nr;
	uint32_t api;
	uint32_t first;		/* the pages whose type is changed */
	uint32_t count;
	uint32_t way;
	uint32_t context;
};

#define WAY(name, kind_, nr_, api_, first_, count_, way_, context_)		\
	FIXTURE_VARIANT_ADD(way, name)						\
	{									\
		.kind = PAT_FREE_##kind_,					\
		.nr = nr_,							\
		.api = PAT_TEST_SET_##api_,					\
		.first = first_,						\
		.count = count_,						\
		.way = PAT_FREE_BY_##way_,					\
		.context = PAT_FREE_##context_,					\
	}

/* One page. */
WAY(page,		SINGLES, 1, PAGES_ARRAY_WC, 0, 1, PAGE, IN_PROCESS);
WAY(page_uc,		SINGLES, 1, PAGES_ARRAY_UC, 0, 1, PAGE, IN_PROCESS);
WAY(page_memory_wc,	SINGLES, 1, MEMORY_WC, 0, 1, PAGE, IN_PROCESS);
WAY(page_memory_uc,	SINGLES, 1, MEMORY_UC, 0, 1, PAGE, IN_PROCESS);
WAY(page_pages_uc,	SINGLES, 1, PAGES_UC, 0, 1, PAGE, IN_PROCESS);
WAY(page_put,		SINGLES, 1, PAGES_ARRAY_WC, 0, 1, PUT, IN_PROCESS);
WAY(page_irqs_off,	SINGLES, 1, PAGES_ARRAY_WC, 0, 1, PAGE, IRQS_OFF);
WAY(page_locked,	SINGLES, 1, PAGES_ARRAY_WC, 0, 1, PAGE, LOCKED);
WAY(page_softirq,	SINGLES, 1, PAGES_ARRAY_WC, 0, 1, PAGE, IN_SOFTIRQ);
WAY(page_hardirq,	SINGLES, 1, PAGES_ARRAY_WC, 0, 1, PAGE, IN_HARDIRQ);

/* Several, many at a time. A batch holds 31, and one more is another batch. */
WAY(pages,		SINGLES, 33, PAGES_ARRAY_WC, 0, 33, PAGE, IN_PROCESS);
WAY(pages_one_odd,	SINGLES, 33, PAGES_ARRAY_UC, 17, 1, PAGE, IN_PROCESS);
WAY(release,		SINGLES, 33, PAGES_ARRAY_WC, 0, 33, RELEASE, IN_PROCESS);
WAY(release_one_odd,	SINGLES, 33, PAGES_ARRAY_WC, 5, 1, RELEASE, IN_PROCESS);
WAY(release_softirq,	SINGLES, 33, PAGES_ARRAY_WC, 0, 33, RELEASE, IN_SOFTIRQ);
WAY(batch,		SINGLES, 33, PAGES_ARRAY_WC, 0, 33, BATCH, IN_PROCESS);
WAY(batch_one_odd,	SINGLES, 33, PAGES_ARRAY_UC, 30, 1, BATCH, IN_PROCESS);
WAY(list,		SINGLES, 33, PAGES_ARRAY_WC, 0, 33, LIST, IN_PROCESS);
WAY(list_irqs_off,	SINGLES, 33, PAGES_ARRAY_WC, 3, 20, LIST, IRQS_OFF);

/* Blocks: small ones go to a CPU's list, too. */
WAY(block,		BLOCK, 4, MEMORY_WC, 0, 4, ORDER, IN_PROCESS);
WAY(block_head,		BLOCK, 4, MEMORY_WC, 0, 1, ORDER, IN_PROCESS);
WAY(block_tail,		BLOCK, 4, MEMORY_WC, 3, 1, ORDER, IN_PROCESS);
WAY(block_16,		BLOCK, 16, MEMORY_UC, 0, 16, ORDER, IN_PROCESS);
WAY(block_16_middle,	BLOCK, 16, MEMORY_WC, 7, 1, ORDER, IN_PROCESS);
WAY(block_512,		BLOCK, 512, MEMORY_WC, 0, 512, ORDER, IN_PROCESS);
WAY(block_512_middle,	BLOCK, 512, MEMORY_UC, 200, 1, ORDER, IN_PROCESS);
WAY(block_512_last,	BLOCK, 512, PAGES_ARRAY_WC, 511, 1, ORDER, IN_PROCESS);
WAY(block_512_softirq,	BLOCK, 512, MEMORY_WC, 0, 512, ORDER, IN_SOFTIRQ);
WAY(block_512_hardirq,	BLOCK, 512, MEMORY_WC, 0, 512, ORDER, IN_HARDIRQ);
WAY(block_irqs_off,	BLOCK, 4, MEMORY_WC, 2, 1, ORDER, IRQS_OFF);
WAY(block_locked,	BLOCK, 4, MEMORY_WC, 0, 4, ORDER, LOCKED);
WAY(pieces,		BLOCK, 16, MEMORY_WC, 0, 16, PIECES, IN_PROCESS);
WAY(pieces_head,	BLOCK, 16, MEMORY_WC, 0, 1, PIECES, IN_PROCESS);
WAY(pieces_middle,	BLOCK, 16, MEMORY_UC, 9, 1, PIECES, LOCKED);
WAY(split,		BLOCK, 16, MEMORY_WC, 0, 16, SPLIT, IN_PROCESS);
WAY(split_middle,	BLOCK, 512, MEMORY_WC, 300, 2, SPLIT, IN_PROCESS);

/* Compound pages. */
WAY(compound,		COMPOUND, 4, MEMORY_WC, 0, 4, ORDER, IN_PROCESS);
WAY(compound_put,	COMPOUND, 4, MEMORY_UC, 0, 4, PUT, IN_PROCESS);
WAY(compound_middle,	COMPOUND, 4, MEMORY_WC, 2, 1, PUT, IN_PROCESS);
WAY(compound_512,	COMPOUND, 512, MEMORY_WC, 0, 512, PUT, IN_PROCESS);
WAY(compound_512_head,	COMPOUND, 512, MEMORY_WC, 0, 1, PUT, IN_PROCESS);
WAY(compound_512_second, COMPOUND, 512, MEMORY_WC, 1, 1, PUT, IN_PROCESS);
WAY(compound_512_middle, COMPOUND, 512, MEMORY_UC, 255, 2, ORDER, IN_PROCESS);
WAY(compound_512_softirq, COMPOUND, 512, MEMORY_WC, 0, 512, PUT, IN_SOFTIRQ);
WAY(compound_release,	COMPOUND, 16, MEMORY_WC, 0, 16, RELEASE, IN_PROCESS);
WAY(compound_batch,	COMPOUND, 16, MEMORY_WC, 4, 1, BATCH, IN_PROCESS);
WAY(compound_fragment,	COMPOUND, 8, MEMORY_WC, 0, 8, FRAGMENT, IN_PROCESS);
WAY(compound_locked,	COMPOUND, 8, MEMORY_WC, 5, 1, PUT, LOCKED);
WAY(compound_irqs_off,	COMPOUND, 8, MEMORY_WC, 0, 8, PUT, IRQS_OFF);

/* Others that end there. */
WAY(exact,		EXACT, 5, MEMORY_WC, 0, 5, EXACT, IN_PROCESS);
WAY(exact_middle,	EXACT, 7, MEMORY_UC, 3, 1, EXACT, IN_PROCESS);
WAY(range,		CONTIG, 64, MEMORY_WC, 0, 64, CONTIG, IN_PROCESS);
WAY(range_512,		CONTIG, 512, MEMORY_UC, 100, 300, CONTIG, IN_PROCESS);
WAY(range_by_page,	CONTIG, 32, PAGES_ARRAY_WC, 30, 2, PAGE, IN_PROCESS);
WAY(vmalloc,		VMALLOC, 40, PAGES_ARRAY_WC, 0, 40, VFREE, IN_PROCESS);
WAY(vmalloc_one,	VMALLOC, 40, PAGES_ARRAY_UC, 20, 1, VFREE, IN_PROCESS);
WAY(vmalloc_softirq,	VMALLOC, 40, PAGES_ARRAY_WC, 0, 40, VFREE, IN_SOFTIRQ);
WAY(kmalloc,		KMALLOC, 4, MEMORY_WC, 0, 4, KFREE, IN_PROCESS);
WAY(kmalloc_256,	KMALLOC, 256, MEMORY_UC, 0, 256, KFREE, IN_PROCESS);
WAY(kmalloc_middle,	KMALLOC, 16, PAGES_ARRAY_WC, 8, 1, KFREE, IN_SOFTIRQ);

WAY(slab,		SLAB, 1, MEMORY_WC, 0, 1, CACHE, IN_PROCESS);
WAY(slab_middle,	SLAB, 8, MEMORY_UC, 3, 2, CACHE, IN_PROCESS);

FIXTURE_SETUP(way)
{
	freed_open(_metadata, &self->freed);
}

FIXTURE_TEARDOWN(way)
{
	freed_close(&self->freed);
}

TEST_F(way, comes_back_write_back)
{
	struct freed *freed = &self->freed;
	struct pages pages;

	allocate(_metadata, freed, &pages, variant->kind, variant->nr);
	set(_metadata, freed, &pages, variant->api, variant->first,
	    variant->count);
	give_away(_metadata, freed, &pages, variant->way, variant->context);
	claim_back(_metadata, freed, &pages);
	claim_unnoticed(_metadata, freed, &pages, variant->first, variant->api);
	repair(_metadata, freed, &pages);
	verdict(_metadata, freed);
}

/* --- more than one thing at a time ----------------------------------------------- */

FIXTURE(many) {
	struct freed freed;
};

FIXTURE_SETUP(many)
{
	freed_open(_metadata, &self->freed);
}

FIXTURE_TEARDOWN(many)
{
	freed_close(&self->freed);
}

/* One block, pages of three types. */
TEST_F(many, types_in_one_block)
{
	struct freed *freed = &self->freed;
	struct pages pages;

	allocate(_metadata, freed, &pages, PAT_FREE_BLOCK, 16);
	set(_metadata, freed, &pages, PAT_TEST_SET_MEMORY_WC, 1, 3);
	set(_metadata, freed, &pages, PAT_TEST_SET_MEMORY_UC, 4, 5);
	set(_metadata, freed, &pages, PAT_TEST_SET_MEMORY_WC, 12, 2);
	give_away(_metadata, freed, &pages, PAT_FREE_BY_ORDER,
		  PAT_FREE_IN_PROCESS);
	claim_back(_metadata, freed, &pages);
	repair(_metadata, freed, &pages);
	verdict(_metadata, freed);
}

/*
 * Pages charged to a memory cgroup are uncharged once, and only once. Each CPU may
 * keep 64 pages of a group's charge at hand: the block is much larger.
 */
#define CHARGED_BLOCK 512

TEST_F(many, charged_to_a_cgroup)
{
	struct freed *freed = &self->freed;
	struct cgroup group;
	struct {
		int failed_at;
		struct pages singles, block;
	} *child = mmap(NULL, sizeof(*child), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, child);
	cgroup_open(_metadata, &group, "row_k");
	pid = fork();
	if (!pid) {
		int driver = freed->driver;

		child->failed_at =
			!cgroup_enter(&group) ? __LINE__ :
			try_allocate(driver, &child->singles, PAT_FREE_SINGLES,
				     20, 0, PAT_FREE_ACCOUNTED) ?:
			try_allocate(driver, &child->block, PAT_FREE_BLOCK,
				     CHARGED_BLOCK, 0, PAT_FREE_ACCOUNTED) ?:
			try_set(driver, &child->singles,
				PAT_TEST_SET_PAGES_ARRAY_WC, 0, 20) ?:
			try_set(driver, &child->block, PAT_TEST_SET_MEMORY_WC,
				10, 20) ?:
			try_free(driver, &child->singles, PAT_FREE_BY_RELEASE,
				 PAT_FREE_IN_PROCESS) ?:
			try_free(driver, &child->block, PAT_FREE_BY_ORDER,
				 PAT_FREE_IN_PROCESS);
		_exit(0);
	}
	ASSERT_LT(0, pid);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	ASSERT_EQ(0, child->failed_at);
	claim_back(_metadata, freed, &child->singles);
	claim_back(_metadata, freed, &child->block);
	/* What goes below zero, or stays, the kernel warns of or keeps the group for. */
	ROW_CLAIM(&freed->row, cgroup_read(&group, "memory.current", NULL) <
			       CHARGED_BLOCK / 2 * (long)PAT_PAGE,
		  "%ld bytes are charged to a group without processes",
		  cgroup_read(&group, "memory.current", NULL));
	cgroup_close(_metadata, &group);
	repair(_metadata, freed, &child->singles);
	repair(_metadata, freed, &child->block);
	munmap(child, sizeof(*child));
	verdict(_metadata, freed);
}

/* In kB. */
static long mem_free(struct __test_metadata *_metadata)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	long kb = -1;

	ASSERT_NE(NULL, file);
	while (kb < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "MemFree: %ld kB", &kb);
	fclose(file);
	ASSERT_LT(0, kb);
	return kb;
}

/* 64 MiB in all: a kernel that keeps what it has put aside is found out. */
TEST_F(many, memory_is_not_lost)
{
	struct freed *freed = &self->freed;
	const unsigned int rounds = 32;
	long before, after;
	struct pages pages;

	/* Not to count what the first use of anything costs. */
	allocate(_metadata, freed, &pages, PAT_FREE_BLOCK, MAX_PAGES);
	before = mem_free(_metadata);
	give_away(_metadata, freed, &pages, PAT_FREE_BY_ORDER,
		  PAT_FREE_IN_PROCESS);

	for (unsigned int i = 0; i < rounds; i++) {
		allocate(_metadata, freed, &pages,
			 i % 2 ? PAT_FREE_BLOCK : PAT_FREE_COMPOUND, MAX_PAGES);
		if (i % 4 < 2)
			set(_metadata, freed, &pages, PAT_TEST_SET_MEMORY_WC,
			    0, MAX_PAGES);
		else
			set(_metadata, freed, &pages, PAT_TEST_SET_MEMORY_UC,
			    i, 1);
		give_away(_metadata, freed, &pages, PAT_FREE_BY_ORDER,
			  PAT_FREE_IN_PROCESS);
		claim_back(_metadata, freed, &pages);
		repair(_metadata, freed, &pages);
	}
	after = mem_free(_metadata);
	ROW_CLAIM(&freed->row, after > before - 16 * 1024,
		  "%ld kB were free, %ld are now", before, after);
	verdict(_metadata, freed);
}

/* One by one, and yet few messages. */
TEST_F(many, few_messages)
{
	struct freed *freed = &self->freed;
	unsigned int nr;
	struct pages pages;

	allocate(_metadata, freed, &pages, PAT_FREE_SINGLES, MAX_PAGES);
	set(_metadata, freed, &pages, PAT_TEST_SET_PAGES_ARRAY_WC, 0, MAX_PAGES);
	give_away(_metadata, freed, &pages, PAT_FREE_BY_PAGE,
		  PAT_FREE_IN_PROCESS);
	claim_back(_metadata, freed, &pages);
	nr = claim_messages(freed, _metadata);
	ROW_CLAIM(&freed->row, nr <= FEW_MESSAGES,
		  "%u messages of %u pages freed at once", nr, MAX_PAGES);
	repair(_metadata, freed, &pages);
	verdict(_metadata, freed);
}

/* Pages that are write-back again when they are freed are nobody's business. */
TEST_F(many, set_back_in_time)
{
	struct freed *freed = &self->freed;
	struct pages pages;

	/* Nor are they on stock. */
	freed->row.stock = ROW_STOCK_IS_RIGHT;
	for (unsigned int i = 0; i < 2; i++) {
		allocate(_metadata, freed, &pages,
			 i ? PAT_FREE_BLOCK : PAT_FREE_COMPOUND, 16);
		set(_metadata, freed, &pages, PAT_TEST_SET_MEMORY_WC, 0, 16);
		ASSERT_EQ(0, try_set(freed->driver, &pages,
				     PAT_TEST_SET_MEMORY_WB, 0, 16));
		give_away(_metadata, freed, &pages, PAT_FREE_BY_ORDER,
			  PAT_FREE_IN_PROCESS);
		claim_back(_metadata, freed, &pages);
	}
	ROW_CLAIM(&freed->row, !claim_messages(freed, _metadata),
		  "a message about pages that are write-back");
	row_verdict(_metadata, &freed->row);
}

/* --- what the kernel says --------------------------------------------------------- */

FIXTURE(message) {
	struct freed freed;
};

FIXTURE_VARIANT(message) {
	uint32_t kind;
	uint32_t nr;
	uint32_t odd;		/* the page that is not write-back */
	uint32_t api;
	uint32_t way;
	uint32_t context;
};

FIXTURE_VARIANT_ADD(message, write_combining) {
	PAT_FREE_SINGLES, 1, 0, PAT_TEST_SET_PAGES_ARRAY_WC,
	PAT_FREE_BY_PAGE, PAT_FREE_IN_PROCESS,
};

FIXTURE_VARIANT_ADD(message, uncached) {
	PAT_FREE_SINGLES, 1, 0, PAT_TEST_SET_MEMORY_UC,
	PAT_FREE_BY_PAGE, PAT_FREE_IN_PROCESS,
};

FIXTURE_VARIANT_ADD(message, middle_of_block) {
	PAT_FREE_BLOCK, 16, 9, PAT_TEST_SET_MEMORY_WC,
	PAT_FREE_BY_ORDER, PAT_FREE_IN_PROCESS,
};

FIXTURE_VARIANT_ADD(message, middle_of_compound) {
	PAT_FREE_COMPOUND, 512, 77, PAT_TEST_SET_MEMORY_UC,
	PAT_FREE_BY_PUT, PAT_FREE_IN_PROCESS,
};

FIXTURE_VARIANT_ADD(message, one_of_a_batch) {
	PAT_FREE_SINGLES, 20, 11, PAT_TEST_SET_PAGES_ARRAY_WC,
	PAT_FREE_BY_BATCH, PAT_FREE_IN_PROCESS,
};

FIXTURE_VARIANT_ADD(message, vmalloc) {
	PAT_FREE_VMALLOC, 20, 11, PAT_TEST_SET_PAGES_ARRAY_WC,
	PAT_FREE_BY_VFREE, PAT_FREE_IN_PROCESS,
};

FIXTURE_VARIANT_ADD(message, locked) {
	PAT_FREE_SINGLES, 1, 0, PAT_TEST_SET_PAGES_ARRAY_WC,
	PAT_FREE_BY_PAGE, PAT_FREE_LOCKED,
};

FIXTURE_VARIANT_ADD(message, softirq) {
	PAT_FREE_SINGLES, 1, 0, PAT_TEST_SET_PAGES_ARRAY_WC,
	PAT_FREE_BY_PAGE, PAT_FREE_IN_SOFTIRQ,
};

FIXTURE_VARIANT_ADD(message, hardirq) {
	PAT_FREE_BLOCK, 4, 3, PAT_TEST_SET_MEMORY_UC,
	PAT_FREE_BY_ORDER, PAT_FREE_IN_HARDIRQ,
};

FIXTURE_SETUP(message)
{
	freed_open(_metadata, &self->freed);
}

FIXTURE_TEARDOWN(message)
{
	freed_close(&self->freed);
}

enum found {
	FOUND_NOTHING,
	FOUND_LINE,
	FOUND_TRACE,	/* and the driver's function in it */
};

/* Looks for the message of one page, with this type, and the trace behind it. */
static enum found find_message(struct freed *freed, uint64_t pfn, int type)
{
	enum found found = FOUND_NOTHING;
	char text[1024];

	while (found < FOUND_TRACE &&
	       next_message(&freed->row, text, sizeof(text), 500)) {
		uint64_t which;
		int as;

		if (parse_freed(text, &which, &as))
			found = which == pfn && as == type ? FOUND_LINE :
							     FOUND_NOTHING;
		else if (found == FOUND_LINE && strstr(text, "[pat_free]") &&
			 strstr(text, "pat_free_now"))
			found = FOUND_TRACE;
	}
	return found;
}

TEST_F(message, names_page_type_and_caller)
{
	struct freed *freed = &self->freed;
	uint64_t deadline = now_ms() + MESSAGE_PATIENCE_MS;
	enum found found;
	unsigned int tries = 0;
	struct pages pages;

	do {
		if (tries++)
			pat_sleep_ms(BETWEEN_TRIES_MS);
		allocate(_metadata, freed, &pages, variant->kind, variant->nr);
		set(_metadata, freed, &pages, variant->api, variant->odd, 1);
		ASSERT_LE(0, lseek(freed->row.kmsg, 0, SEEK_END));
		give_away(_metadata, freed, &pages, variant->way,
			  variant->context);
		found = find_message(freed, pages.pfns[variant->odd],
				     gives(freed, variant->api));
		claim_back(_metadata, freed, &pages);
		repair(_metadata, freed, &pages);
		/* What is not even caught is not told of either. */
	} while (freed->is_caught && !freed->row.broken &&
		 found == FOUND_NOTHING && now_ms() < deadline);

	if (!freed->row.pat_is_on)
		ROW_CLAIM(&freed->row, found == FOUND_NOTHING,
			  "a message, and PAT is off");
	else
		ROW_CLAIM(&freed->row, found == FOUND_TRACE, "%s (%u tries)",
			  found == FOUND_LINE ?
			  "a message without a trace that shows who it was" :
			  "no message that names page and type", tries);
	verdict(_metadata, freed);
}

/* --- mappings that are left ---------------------------------------------------------- */

FIXTURE(mapping) {
	struct freed freed;
};

FIXTURE_VARIANT(mapping) {
	uint32_t kind;
	uint32_t way;
	uint32_t api;
	bool devmem;
};

FIXTURE_VARIANT_ADD(mapping, of_the_driver) {
	PAT_FREE_SINGLES, PAT_FREE_BY_PAGE, PAT_TEST_SET_PAGES_ARRAY_WC, false,
};

FIXTURE_VARIANT_ADD(mapping, of_the_driver_uncached) {
	PAT_FREE_SINGLES, PAT_FREE_BY_RELEASE, PAT_TEST_SET_PAGES_ARRAY_UC, false,
};

FIXTURE_VARIANT_ADD(mapping, of_a_block) {
	PAT_FREE_BLOCK, PAT_FREE_BY_ORDER, PAT_TEST_SET_MEMORY_WC, false,
};

FIXTURE_VARIANT_ADD(mapping, of_vmalloc) {
	PAT_FREE_VMALLOC, PAT_FREE_BY_VFREE, PAT_TEST_SET_PAGES_ARRAY_WC, false,
};

FIXTURE_VARIANT_ADD(mapping, devmem) {
	PAT_FREE_BLOCK, PAT_FREE_BY_ORDER, PAT_TEST_SET_MEMORY_WC, true,
};

#define MAPPED_PAGES 4U

FIXTURE_SETUP(mapping)
{
	freed_open(_metadata, &self->freed);
}

FIXTURE_TEARDOWN(mapping)
{
	freed_close(&self->freed);
}

/* NULL if that cannot be mapped, which is a broken claim. */
static char *map(struct __test_metadata *_metadata, struct freed *freed,
		 const struct pages *pages, bool devmem)
{
	uint64_t offset = devmem ? pages->pfns[0] * PAT_PAGE :
			  PAT_FREE_OFFSET(pages->handle, PAT_FREE_REMAP);
	char *at;

	if (devmem)
		use_devmem(freed);
	at = mmap(NULL, MAPPED_PAGES * PAT_PAGE, PROT_READ, MAP_SHARED,
		  devmem ? freed->row.devmem : freed->driver, offset);
	ROW_CLAIM(&freed->row, at != MAP_FAILED, "no mapping: %s",
		  strerror(errno));
	return at == MAP_FAILED ? NULL : at;
}

static void claim_entries(struct __test_metadata *_metadata,
			  struct freed *freed, const char *at,
			  const struct pages *pages, int type)
{
	for (unsigned int i = 0; i < MAPPED_PAGES; i++)
		row_claim_entry(_metadata, &freed->row, at + i * PAT_PAGE,
				pages->pfns[i] * PAT_PAGE, type);
}

/* What is left in a mapping of pages that have come back. */
static int type_left(const struct freed *freed, uint32_t api)
{
	return freed->row.pat_is_on ? PAT_TEST_WB : gives(freed, api);
}

TEST_F(mapping, follows)
{
	struct freed *freed = &self->freed;
	struct pages pages;
	char *at;

	allocate(_metadata, freed, &pages, variant->kind, MAPPED_PAGES);
	set(_metadata, freed, &pages, variant->api, 0, MAPPED_PAGES);
	at = map(_metadata, freed, &pages, variant->devmem);
	if (at)
		claim_entries(_metadata, freed, at, &pages,
			      gives(freed, variant->api));
	give_away(_metadata, freed, &pages, variant->way, PAT_FREE_IN_PROCESS);
	claim_back(_metadata, freed, &pages);
	if (at) {
		/* When the pages are back it has happened. */
		claim_entries(_metadata, freed, at, &pages,
			      type_left(freed, variant->api));
		ASSERT_EQ(0, munmap(at, MAPPED_PAGES * PAT_PAGE));
	}
	repair(_metadata, freed, &pages);
	verdict(_metadata, freed);
}

/* Entries that nobody can use at the moment have a type, too. */
TEST_F(mapping, follows_without_access)
{
	struct freed *freed = &self->freed;
	const size_t size = MAPPED_PAGES * PAT_PAGE;
	struct pages pages;
	char *at;

	allocate(_metadata, freed, &pages, variant->kind, MAPPED_PAGES);
	set(_metadata, freed, &pages, variant->api, 0, MAPPED_PAGES);
	at = map(_metadata, freed, &pages, variant->devmem);
	if (at)
		ASSERT_EQ(0, mprotect(at, size, PROT_NONE));
	give_away(_metadata, freed, &pages, variant->way, PAT_FREE_IN_PROCESS);
	claim_back(_metadata, freed, &pages);
	if (at) {
		ASSERT_EQ(0, mprotect(at, size, PROT_READ));
		claim_entries(_metadata, freed, at, &pages,
			      type_left(freed, variant->api));
		ASSERT_EQ(0, munmap(at, size));
	}
	repair(_metadata, freed, &pages);
	verdict(_metadata, freed);
}

/* A child has inherited the mapping; it tells what its entries are. */
TEST_F(mapping, follows_in_every_process)
{
	struct freed *freed = &self->freed;
	const size_t size = MAPPED_PAGES * PAT_PAGE;
	int types[MAPPED_PAGES];
	int ask[2], answer[2];
	struct pages pages;
	int status;
	pid_t child;
	char *at;

	allocate(_metadata, freed, &pages, variant->kind, MAPPED_PAGES);
	set(_metadata, freed, &pages, variant->api, 0, MAPPED_PAGES);
	at = map(_metadata, freed, &pages, variant->devmem);
	ASSERT_EQ(0, pipe(ask));
	ASSERT_EQ(0, pipe(answer));
	child = fork();
	if (!child) {
		close(ask[1]);
		close(answer[0]);
		/* The end of the file is the question. */
		if (read(ask[0], types, 1))
			_exit(1);
		for (unsigned int i = 0; i < MAPPED_PAGES; i++) {
			struct pat_test_pte pte = {
				.addr = (uintptr_t)at + i * PAT_PAGE,
			};

			types[i] = PAT_TEST_NOT_MAPPED;
			if (at && !ioctl(freed->row.driver, PAT_TEST_READ_PTE,
					 &pte))
				types[i] = pte.got;
		}
		_exit(write(answer[1], types, sizeof(types)) != sizeof(types));
	}
	ASSERT_LT(0, child);
	close(ask[0]);
	close(answer[1]);

	give_away(_metadata, freed, &pages, variant->way, PAT_FREE_IN_PROCESS);
	claim_back(_metadata, freed, &pages);
	close(ask[1]);
	ASSERT_EQ(sizeof(types), read(answer[0], types, sizeof(types)));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_EQ(0, status);
	for (unsigned int i = 0; at && i < MAPPED_PAGES; i++)
		ROW_CLAIM(&freed->row,
			  types[i] == type_left(freed, variant->api),
			  "page %u is %s in a child", i,
			  pat_type_word(types[i]));
	close(answer[0]);
	if (at) {
		claim_entries(_metadata, freed, at, &pages,
			      type_left(freed, variant->api));
		ASSERT_EQ(0, munmap(at, size));
	}
	repair(_metadata, freed, &pages);
	verdict(_metadata, freed);
}

/* --- a mapping that is made meanwhile --------------------------------------------------- */

#define MADE_MAPPINGS 64

struct mapper {
	struct freed *freed;
	const struct pages *pages;
	volatile bool stop;
	volatile unsigned int made;
	int failed_with;	/* errno */
	char *at[MADE_MAPPINGS];
};

/* Maps the pages over and over, and then once more. */
static void *mapper_runs(void *data)
{
	struct mapper *mapper = data;

	while (mapper->made < MADE_MAPPINGS && !mapper->failed_with) {
		bool last = mapper->stop;
		char *at = mmap(NULL, MAPPED_PAGES * PAT_PAGE, PROT_READ,
				MAP_SHARED, mapper->freed->row.devmem,
				mapper->pages->pfns[0] * PAT_PAGE);

		if (at == MAP_FAILED)
			mapper->failed_with = errno;
		else
			mapper->at[mapper->made++] = at;
		if (last)
			break;
	}
	return NULL;
}

/*
 * A mapping may be made just when the pages become write-back: with which type it
 * began must not matter in the end.
 */
TEST_F(many, mapped_while_freed)
{
	struct freed *freed = &self->freed;

	use_devmem(freed);
	for (unsigned int round = 0; round < 20; round++) {
		struct pages pages;
		struct mapper mapper = { .freed = freed, .pages = &pages };
		pthread_t thread;

		allocate(_metadata, freed, &pages, PAT_FREE_BLOCK, MAPPED_PAGES);
		set(_metadata, freed, &pages, PAT_TEST_SET_MEMORY_WC, 0,
		    MAPPED_PAGES);
		ASSERT_EQ(0, pthread_create(&thread, NULL, mapper_runs,
					    &mapper));
		/* Some mappings are there before, and some not. */
		while (mapper.made < round && !mapper.failed_with)
			sched_yield();
		give_away(_metadata, freed, &pages, PAT_FREE_BY_ORDER,
			  PAT_FREE_IN_PROCESS);
		claim_back(_metadata, freed, &pages);
		mapper.stop = true;
		ASSERT_EQ(0, pthread_join(thread, NULL));
		ROW_CLAIM(&freed->row, !mapper.failed_with, "no mapping: %s",
			  strerror(mapper.failed_with));
		for (unsigned int i = 0; i < mapper.made; i++) {
			/* Without PAT they are what the pages were asked to be. */
			if (freed->row.pat_is_on)
				claim_entries(_metadata, freed, mapper.at[i],
					      &pages, PAT_TEST_WB);
			ASSERT_EQ(0, munmap(mapper.at[i],
					    MAPPED_PAGES * PAT_PAGE));
		}
		repair(_metadata, freed, &pages);
	}
	verdict(_metadata, freed);
}

/*
 * Mapped through its struct page, a page lives as long as the mapping: the driver
 * lets go first, and it is munmap() that frees the pages.
 */
TEST_F(many, freed_by_munmap)
{
	struct freed *freed = &self->freed;
	const uint32_t nr = 100;
	struct pages pages;
	char *at;

	allocate(_metadata, freed, &pages, PAT_FREE_SINGLES, nr);
	set(_metadata, freed, &pages, PAT_TEST_SET_PAGES_ARRAY_WC, 0, nr);
	at = mmap(NULL, nr * PAT_PAGE, PROT_READ, MAP_SHARED, freed->driver,
		  PAT_FREE_OFFSET(pages.handle, PAT_FREE_INSERT));
	ASSERT_NE(MAP_FAILED, at) TH_LOG("mmap: %s", strerror(errno));
	give_away(_metadata, freed, &pages, PAT_FREE_BY_PAGE,
		  PAT_FREE_IN_PROCESS);
	for (uint32_t i = 0; i < nr; i++) {
		struct pat_free_page page = { .pfn = pages.pfns[i] };

		ASSERT_EQ(0, ioctl(freed->driver, PAT_FREE_PAGE, &page));
		ASSERT_EQ(1u, page.refs) TH_LOG("page %u", i);
		ASSERT_FALSE(page.is_wb) TH_LOG("page %u", i);
	}
	ASSERT_EQ(0, munmap(at, nr * PAT_PAGE));
	claim_back(_metadata, freed, &pages);
	repair(_metadata, freed, &pages);
	verdict(_metadata, freed);
}

/* --- and who gets the page next ------------------------------------------------------- */

FIXTURE(next) {
	struct freed freed;
};

FIXTURE_VARIANT(next) {
	uint32_t kind;
	uint32_t nr;
	uint32_t way;
	uint32_t probed;	/* blocks that are allocated then, and their order */
	uint32_t order;
	bool drain;		/* not from the CPU's list to which they were freed */
};

FIXTURE_VARIANT_ADD(next, page) {
	PAT_FREE_SINGLES, 8, PAT_FREE_BY_PAGE, 1024, 0, false,
};

FIXTURE_VARIANT_ADD(next, page_of_block) {
	PAT_FREE_BLOCK, 8, PAT_FREE_BY_ORDER, 4096, 0, true,
};

FIXTURE_VARIANT_ADD(next, block) {
	PAT_FREE_BLOCK, 8, PAT_FREE_BY_ORDER, 256, 3, false,
};

FIXTURE_VARIANT_ADD(next, block_of_pages) {
	PAT_FREE_SINGLES, 64, PAT_FREE_BY_RELEASE, 2048, 1, true,
};

FIXTURE_VARIANT_ADD(next, large_block) {
	PAT_FREE_COMPOUND, 512, PAT_FREE_BY_PUT, 4, 9, false,
};

FIXTURE_SETUP(next)
{
	freed_open(_metadata, &self->freed);
}

FIXTURE_TEARDOWN(next)
{
	freed_close(&self->freed);
}

TEST_F(next, gets_write_back)
{
	struct freed *freed = &self->freed;

	/* The allocator may have other pages to give than those. */
	freed->row.stock = ROW_STOCK_VARIES;

	for (unsigned int round = 0; round < 20; round++) {
		struct pat_free_probe probe = {
			.nr = variant->probed,
			.order = variant->order,
			.drain = variant->drain,
		};
		struct pages pages;

		allocate(_metadata, freed, &pages, variant->kind, variant->nr);
		ASSERT_EQ(0, try_set(freed->driver, &pages,
				     PAT_TEST_SET_PAGES_ARRAY_WC, 0, pages.nr));
		give_away(_metadata, freed, &pages, variant->way,
			  PAT_FREE_IN_PROCESS);
		ASSERT_EQ(0, ioctl(freed->driver, PAT_FREE_PROBE, &probe));
		ASSERT_LT(0u, probe.got);
		if (freed->row.pat_is_on)
			ROW_CLAIM(&freed->row, !probe.odd,
				  "page 0x%llx was allocated, not write-back",
				  (unsigned long long)probe.odd_pfn);
		repair(_metadata, freed, &pages);
	}
	verdict(_metadata, freed);
}

/* --- from all sides ---------------------------------------------------------------------- */

#define NR_FREERS 8
#define NR_PROBERS 2
#define ROUNDS 24

struct thread {
	pthread_t thread;
	struct freed *freed;
	unsigned int nr;
	volatile bool *stop;
	int failed_at;
	unsigned int rounds;
	unsigned int odd;	/* pages that were allocated, not write-back */
};

/* Spread over the CPUs there are; where there is one only that is fine, too. */
static void run_on(unsigned int nr)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(nr % sysconf(_SC_NPROCESSORS_ONLN), &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

static int probe_round(struct thread *thread, uint32_t nr, uint32_t order)
{
	struct pat_free_probe probe = { .nr = nr, .order = order };

	MUST(!ioctl(thread->freed->driver, PAT_FREE_PROBE, &probe));
	thread->odd += probe.odd;
	return 0;
}

static int free_round(struct thread *thread)
{
	static const struct {
		uint32_t kind, nr, way, context;
	} works[] = {
		{ PAT_FREE_SINGLES, 16, PAT_FREE_BY_PAGE, PAT_FREE_IN_PROCESS },
		{ PAT_FREE_BLOCK, 8, PAT_FREE_BY_ORDER, PAT_FREE_IRQS_OFF },
		{ PAT_FREE_COMPOUND, 32, PAT_FREE_BY_PUT, PAT_FREE_IN_SOFTIRQ },
		{ PAT_FREE_VMALLOC, 20, PAT_FREE_BY_VFREE, PAT_FREE_IN_PROCESS },
		{ PAT_FREE_KMALLOC, 4, PAT_FREE_BY_KFREE, PAT_FREE_IN_HARDIRQ },
		{ PAT_FREE_SINGLES, 40, PAT_FREE_BY_BATCH, PAT_FREE_IN_PROCESS },
		{ PAT_FREE_BLOCK, 64, PAT_FREE_BY_PIECES, PAT_FREE_LOCKED },
		{ PAT_FREE_EXACT, 9, PAT_FREE_BY_EXACT, PAT_FREE_IN_PROCESS },
	};
	unsigned int nr = (thread->nr + thread->rounds) % ARRAY_SIZE(works);
	int driver = thread->freed->driver;
	struct pages pages;
	int failed_at;

	failed_at = try_allocate(driver, &pages, works[nr].kind, works[nr].nr,
				 0, 0) ?:
		    try_set(driver, &pages, thread->rounds % 3 ?
			    PAT_TEST_SET_PAGES_ARRAY_WC :
			    PAT_TEST_SET_PAGES_ARRAY_UC, 0, works[nr].nr) ?:
		    try_free(driver, &pages, works[nr].way,
			     works[nr].context) ?:
		    probe_round(thread, 128, thread->rounds % 4);
	if (!failed_at && !thread->freed->is_caught)
		failed_at = try_repair(driver, &pages);
	return failed_at;
}

static void *freer_runs(void *data)
{
	struct thread *thread = data;

	run_on(thread->nr);
	for (; thread->rounds < ROUNDS && !thread->failed_at; thread->rounds++)
		thread->failed_at = free_round(thread);
	return NULL;
}

static void *prober_runs(void *data)
{
	struct thread *thread = data;

	run_on(thread->nr);
	for (; !*thread->stop && !thread->failed_at; thread->rounds++)
		thread->failed_at = probe_round(thread, 2000, 0);
	return NULL;
}

static void claim_thread(struct __test_metadata *_metadata,
			 struct freed *freed, struct thread *thread)
{
	ASSERT_EQ(0, pthread_join(thread->thread, NULL));
	EXPECT_EQ(0, thread->failed_at)
		TH_LOG("thread %u failed at line %d", thread->nr,
		       thread->failed_at);
	EXPECT_LT(0u, thread->rounds);
	if (freed->row.pat_is_on)
		ROW_CLAIM(&freed->row, !thread->odd,
			  "thread %u got %u pages that are not write-back",
			  thread->nr, thread->odd);
}

TEST_F(many, from_all_sides)
{
	struct freed *freed = &self->freed;
	struct thread freers[NR_FREERS] = {}, probers[NR_PROBERS] = {};
	volatile bool stop = false;
	long before = mem_free(_metadata), after;

	for (unsigned int i = 0; i < NR_FREERS + NR_PROBERS; i++) {
		bool frees = i < NR_FREERS;
		struct thread *thread = frees ? &freers[i] :
						&probers[i - NR_FREERS];

		thread->freed = freed;
		thread->nr = i;
		thread->stop = &stop;
		ASSERT_EQ(0, pthread_create(&thread->thread, NULL,
					    frees ? freer_runs : prober_runs,
					    thread));
	}
	for (unsigned int i = 0; i < NR_FREERS; i++)
		claim_thread(_metadata, freed, &freers[i]);
	stop = true;
	for (unsigned int i = 0; i < NR_PROBERS; i++)
		claim_thread(_metadata, freed, &probers[i]);

	/* What was put aside last may still be on its way. */
	for (uint64_t end = now_ms() + PATIENCE_MS; ; pat_sleep_ms(10)) {
		after = mem_free(_metadata);
		if (after > before - 16 * 1024 || now_ms() > end)
			break;
	}
	ROW_CLAIM(&freed->row, after > before - 16 * 1024,
		  "%ld kB were free, %ld are now", before, after);
	verdict(_metadata, freed);
}

TEST_HARNESS_MAIN
