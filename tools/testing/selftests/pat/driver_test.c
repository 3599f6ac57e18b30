// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test driver itself: bad requests get clean errors, and it leaves nothing
 * behind. The other tests rely on that.
 */
#include <signal.h>
#include <sys/wait.h>

#include "contract.h"

PAT_FIXTURE(driver)

#define BAD_POINTER ((void *)8)

#define EXPECT_ERROR(errno_, call)						\
	do {									\
		EXPECT_EQ(-1, call);						\
		EXPECT_EQ(errno_, errno);					\
	} while (0)

static uint32_t allocate(struct __test_metadata *_metadata, int driver,
			 unsigned int nr, unsigned int order, uint64_t *pfns)
{
	struct pat_test_alloc alloc = {
		.nr = nr,
		.order = order,
		.pfns = (uintptr_t)pfns,
	};

	ASSERT_EQ(0, ioctl(driver, PAT_TEST_ALLOC, &alloc));
	return alloc.handle;
}

static void *map_pages(int driver, unsigned int pages, int flags)
{
	return mmap(NULL, pages * PAT_PAGE, PROT_READ | PROT_WRITE, flags,
		    driver, 0);
}

/* --- requests ------------------------------------------------------------- */

TEST_F(driver, unknown_request)
{
	EXPECT_ERROR(ENOTTY, ioctl(self->driver, _IO('P', 0x3f)));
	EXPECT_ERROR(ENOTTY, ioctl(self->driver, _IO('P', 0x4f)));
}

TEST_F(driver, bad_pointers)
{
	static const unsigned long requests[] = {
		PAT_TEST_INFO, PAT_TEST_MAP, PAT_TEST_ALLOC, PAT_TEST_SET_TYPE,
		PAT_TEST_DIRECT_MAP, PAT_TEST_READ_PTE, PAT_TEST_LOOKUP,
		PAT_TEST_PGPROT, PAT_TEST_PROGRAM, PAT_TEST_RESULT, PAT_TEST_ZAP,
		PAT_TEST_REMAP, PAT_TEST_CLAIM, PAT_TEST_ADOPT,
		PAT_TEST_DIRECT_MAP_RUN, PAT_TEST_READ_PTES,
	};

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		EXPECT_ERROR(EFAULT, ioctl(self->driver, requests[i],
					   BAD_POINTER));
}

TEST_F(driver, bad_handles)
{
	struct pat_test_set set = { .count = 1 };
	uint64_t pfn;
	uint32_t pages = allocate(_metadata, self->driver, 1, 0, &pfn);

	EXPECT_ERROR(ENOENT, ioctl(self->driver, PAT_TEST_UNMAP, 0));
	EXPECT_ERROR(ENOENT, ioctl(self->driver, PAT_TEST_UNMAP, 77));
	EXPECT_ERROR(ENOENT, ioctl(self->driver, PAT_TEST_UNMAP, pages));
	EXPECT_ERROR(ENOENT, ioctl(self->driver, PAT_TEST_FREE, 77));
	EXPECT_ERROR(ENOENT, ioctl(self->driver, PAT_TEST_UNCLAIM, 77));
	EXPECT_ERROR(ENOENT, ioctl(self->driver, PAT_TEST_UNCLAIM, pages));
	set.handle = 77;
	EXPECT_ERROR(ENOENT, ioctl(self->driver, PAT_TEST_SET_TYPE, &set));
	EXPECT_EQ(0, ioctl(self->driver, PAT_TEST_FREE, pages));
	EXPECT_ERROR(ENOENT, ioctl(self->driver, PAT_TEST_FREE, pages));
}

TEST_F(driver, bad_maps)
{
	struct pat_test_map map = { .api = PAT_TEST_NR_MAP_APIS };

	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_MAP, &map));
	map.api = PAT_TEST_IOREMAP_PROT;
	map.type = PAT_TEST_NOT_MAPPED;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_MAP, &map));
	map.type = PAT_TEST_WP + 1;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_MAP, &map));
}

/* A result that cannot be delivered must not leave the mapping behind. */
TEST_F(driver, undeliverable_map)
{
	struct pat_test_map *map = mmap(NULL, PAT_PAGE, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, map);
	map->api = PAT_TEST_IOREMAP_WC;
	map->phys = pat_bar(_metadata)->start;
	map->size = PAT_PAGE;
	ASSERT_EQ(0, mprotect(map, PAT_PAGE, PROT_READ));
	EXPECT_ERROR(EFAULT, ioctl(self->driver, PAT_TEST_MAP, map));
	ASSERT_EQ(0, munmap(map, PAT_PAGE));
}

TEST_F(driver, bad_allocations)
{
	uint64_t pfns[2];
	struct pat_test_alloc alloc = { .pfns = (uintptr_t)pfns };

	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_ALLOC, &alloc));
	alloc.nr = 3;
	alloc.order = 1;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_ALLOC, &alloc));
	alloc.nr = PAT_TEST_MAX_PAGES + 1;
	alloc.order = 0;
	EXPECT_ERROR(E2BIG, ioctl(self->driver, PAT_TEST_ALLOC, &alloc));
	alloc.nr = 1;
	alloc.order = PAT_TEST_MAX_ORDER + 1;
	EXPECT_ERROR(E2BIG, ioctl(self->driver, PAT_TEST_ALLOC, &alloc));
	alloc.nr = 2;
	alloc.order = 0;
	alloc.pfns = (uintptr_t)BAD_POINTER;
	EXPECT_ERROR(EFAULT, ioctl(self->driver, PAT_TEST_ALLOC, &alloc));
}

TEST_F(driver, bad_page_ranges)
{
	uint64_t pfns[4];
	struct pat_test_set set = {
		.handle = allocate(_metadata, self->driver, 4, 2, pfns),
	};

	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_SET_TYPE, &set));
	set.count = 5;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_SET_TYPE, &set));
	set.first = 4;
	set.count = 1;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_SET_TYPE, &set));
	set.first = 1;
	set.count = UINT32_MAX;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_SET_TYPE, &set));
	set.count = 1;
	set.api = PAT_TEST_NR_SET_APIS;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_SET_TYPE, &set));

	/* Scattered pages have no common address. */
	set.handle = allocate(_metadata, self->driver, 4, 0, pfns);
	set.api = PAT_TEST_SET_MEMORY_UC;
	set.first = 0;
	set.count = 2;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_SET_TYPE, &set));
}

TEST_F(driver, bad_look_ups)
{
	struct pat_test_pte pte = { .addr = UINT64_MAX };
	struct pat_test_lookup lookup = { .pfn = UINT64_MAX };
	struct pat_test_direct direct = { .pfn = UINT64_MAX };
	int8_t types[2] = { PAT_TEST_WB, PAT_TEST_WB };
	struct pat_test_direct_run run = {
		.pfn = UINT64_MAX - 1,
		.nr = ARRAY_SIZE(types),
	};
	struct pat_test_pgprot pgprot = { .api = PAT_TEST_NR_PGPROT_APIS };

	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_READ_PTE, &pte));
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_LOOKUP, &lookup));
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_PGPROT, &pgprot));
	EXPECT_EQ(0, ioctl(self->driver, PAT_TEST_DIRECT_MAP, &direct));
	EXPECT_EQ(PAT_TEST_NOT_MAPPED, direct.got);
	EXPECT_ERROR(EFAULT, ioctl(self->driver, PAT_TEST_DIRECT_MAP_RUN, &run));
	run.types = (uintptr_t)types;
	EXPECT_EQ(0, ioctl(self->driver, PAT_TEST_DIRECT_MAP_RUN, &run));
	EXPECT_EQ(PAT_TEST_NOT_MAPPED, types[0]);
	EXPECT_EQ(PAT_TEST_NOT_MAPPED, types[1]);

	pte.addr = 0;
	EXPECT_EQ(0, ioctl(self->driver, PAT_TEST_READ_PTE, &pte));
	EXPECT_EQ(PAT_TEST_NOT_MAPPED, pte.got);
}

TEST_F(driver, bad_readings)
{
	struct pat_test_pte pte;
	struct pat_test_ptes ptes = {
		.addr = UINT64_MAX - PAT_PAGE + 1,
		.ptes = (uintptr_t)&pte,
		.nr = 2,
		.pid = getpid(),
	};

	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_READ_PTES, &ptes));
	ptes.nr = 1;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_READ_PTES, &ptes));
	/* A process's addresses are not the kernel's. */
	ptes.addr = (uintptr_t)&pte & ~(PAT_PAGE - 1);
	ptes.pid = 0;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_READ_PTES, &ptes));
	ptes.pid = INT32_MAX;
	EXPECT_ERROR(ESRCH, ioctl(self->driver, PAT_TEST_READ_PTES, &ptes));
	/* A kernel thread has no memory. */
	ptes.pid = 2;
	EXPECT_ERROR(ESRCH, ioctl(self->driver, PAT_TEST_READ_PTES, &ptes));
	ptes.pid = getpid();
	ptes.ptes = (uintptr_t)BAD_POINTER;
	EXPECT_ERROR(EFAULT, ioctl(self->driver, PAT_TEST_READ_PTES, &ptes));
}

/* What another process has mapped, page by page, and what the kernel has. */
TEST_F(driver, entries_of_others)
{
	struct pat_test_chunk chunk = {
		.pfn = pat_bar(_metadata)->start / PAT_PAGE,
		.size = 2 * PAT_PAGE,
		.type = PAT_TEST_WC,
		.method = PAT_TEST_REMAP_PFN_RANGE,
	};
	struct pat_test_map map = {
		.api = PAT_TEST_IOREMAP_WC,
		.phys = pat_bar(_metadata)->start,
		.size = 2 * PAT_PAGE,
	};
	struct pat_test_pte got[2] = {};
	struct pat_test_ptes ptes = { .ptes = (uintptr_t)got, .nr = 2 };
	int wc = pat_get_info(_metadata, self->driver).pat_enabled ?
		 PAT_TEST_WC : pat_type_without_pat(PAT_TEST_WC);
	char *at;

	pat_set_program(_metadata, self->driver, &chunk, 1, 0);
	at = map_pages(self->driver, 2, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, at) TH_LOG("%s", strerror(errno));
	ptes.addr = (uintptr_t)at;
	ptes.pid = fork();
	if (!ptes.pid) {
		pause();
		_exit(1);
	}
	ASSERT_LT(0, ptes.pid);
	/* The child keeps what this process has no more. */
	ASSERT_EQ(0, munmap(at, 2 * PAT_PAGE));
	EXPECT_EQ(0, ioctl(self->driver, PAT_TEST_READ_PTES, &ptes));
	for (unsigned int i = 0; i < 2; i++) {
		EXPECT_EQ(chunk.pfn + i, got[i].pfn);
		EXPECT_EQ(wc, got[i].got);
	}
	ptes.addr = 0;
	EXPECT_EQ(0, ioctl(self->driver, PAT_TEST_READ_PTES, &ptes));
	EXPECT_EQ(PAT_TEST_NOT_MAPPED, got[0].got);
	kill(ptes.pid, SIGKILL);
	ASSERT_EQ(ptes.pid, waitpid(ptes.pid, NULL, 0));

	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_MAP, &map));
	ASSERT_EQ(0, map.err);
	ptes = (struct pat_test_ptes){
		.addr = map.vaddr,
		.ptes = (uintptr_t)got,
		.nr = 2,
	};
	EXPECT_EQ(0, ioctl(self->driver, PAT_TEST_READ_PTES, &ptes));
	for (unsigned int i = 0; i < 2; i++) {
		EXPECT_EQ(chunk.pfn + i, got[i].pfn);
		EXPECT_EQ(wc, got[i].got);
	}
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_UNMAP, map.handle));
}

/* --- programs ------------------------------------------------------------- */

TEST_F(driver, bad_programs)
{
	const struct pat_test_chunk good = {
		.pfn = pat_bar(_metadata)->start / PAT_PAGE,
		.size = PAT_PAGE,
		.method = PAT_TEST_VMF_INSERT_PFN,
	};
	struct pat_test_chunk chunks[2] = { good, good };
	struct pat_test_program program = {
		.chunks = (uintptr_t)chunks,
		.nr = 2,
	};

	EXPECT_EQ(0, ioctl(self->driver, PAT_TEST_PROGRAM, &program));

	program.flags = 2;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_PROGRAM, &program));
	program.flags = 0;
	program.nr = PAT_TEST_MAX_CHUNKS + 1;
	EXPECT_ERROR(E2BIG, ioctl(self->driver, PAT_TEST_PROGRAM, &program));
	program.nr = 2;
	program.chunks = (uintptr_t)BAD_POINTER;
	EXPECT_ERROR(EFAULT, ioctl(self->driver, PAT_TEST_PROGRAM, &program));
	program.chunks = (uintptr_t)chunks;

	chunks[1].method = PAT_TEST_NR_METHODS;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_PROGRAM, &program));
	chunks[1].method = PAT_TEST_VM_INSERT_PAGE;	/* of the other kind */
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_PROGRAM, &program));
	chunks[1] = good;
	chunks[1].type = PAT_TEST_MIXED;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_PROGRAM, &program));
	chunks[1] = good;
	chunks[1].offset = 1;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_PROGRAM, &program));
	chunks[1] = good;
	chunks[1].size = 0;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_PROGRAM, &program));
	chunks[1].size = UINT64_MAX;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_PROGRAM, &program));
	chunks[1] = good;
	chunks[1].method = PAT_TEST_REMAP_PFN_RANGE;
	EXPECT_EQ(0, ioctl(self->driver, PAT_TEST_PROGRAM, &program));
	program.flags = PAT_TEST_AT_FAULT;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_PROGRAM, &program));

	/* What takes a range and what answers a fault are never the other. */
	program.nr = 1;
	chunks[0].method = PAT_TEST_VM_INSERT_PAGES;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_PROGRAM, &program));
	chunks[0].method = PAT_TEST_VM_MAP_PAGES;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_PROGRAM, &program));
	chunks[0].method = PAT_TEST_FAULT_PAGE;
	EXPECT_EQ(0, ioctl(self->driver, PAT_TEST_PROGRAM, &program));
	program.flags = 0;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_PROGRAM, &program));
}

TEST_F(driver, mmap_without_program)
{
	EXPECT_EQ(MAP_FAILED, map_pages(self->driver, 1, MAP_SHARED));
	EXPECT_EQ(ENODATA, errno);
	pat_set_program(_metadata, self->driver, NULL, 0, 0);
	EXPECT_EQ(MAP_FAILED, map_pages(self->driver, 1, MAP_SHARED));
	EXPECT_EQ(ENODATA, errno);
}

/* Chunks that do not fit fail the mmap(), and all before them is undone. */
TEST_F(driver, chunk_outside_of_vma)
{
	uint64_t pfn = pat_bar(_metadata)->start / PAT_PAGE;
	struct pat_test_chunk chunks[] = {
		{ .pfn = pfn, .size = PAT_PAGE },
		{ .pfn = pfn, .size = 2 * PAT_PAGE, .offset = PAT_PAGE },
	};
	struct pat_test_result result;

	pat_set_program(_metadata, self->driver, chunks, 2, 0);
	EXPECT_EQ(MAP_FAILED, map_pages(self->driver, 2, MAP_SHARED));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_RESULT, &result));
	EXPECT_EQ(1, result.done);
	EXPECT_EQ(-EINVAL, result.err);
}

/* The kernel's vmf_insert_pfn*() would BUG() on a private mapping. */
TEST_F(driver, private_mapping)
{
	struct pat_test_chunk chunk = {
		.pfn = pat_bar(_metadata)->start / PAT_PAGE,
		.size = PAT_PAGE,
		.method = PAT_TEST_VMF_INSERT_PFN,
	};

	pat_set_program(_metadata, self->driver, &chunk, 1, 0);
	EXPECT_EQ(MAP_FAILED, map_pages(self->driver, 1, MAP_PRIVATE));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(driver, foreign_page)
{
	struct pat_test_chunk chunk = {
		.size = PAT_PAGE,
		.method = PAT_TEST_VM_INSERT_PAGE,
	};
	uint64_t pfn;
	uint32_t pages = allocate(_metadata, self->driver, 1, 0, &pfn);

	chunk.pfn = pfn;
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_FREE, pages));
	pat_set_program(_metadata, self->driver, &chunk, 1, 0);
	EXPECT_EQ(MAP_FAILED, map_pages(self->driver, 1, MAP_SHARED));
	EXPECT_EQ(EFAULT, errno);
}

/* The methods that take several pages at once, or answer a fault with one. */
TEST_F(driver, struct_pages)
{
	static const struct {
		uint32_t method;
		uint32_t flags;
	} ways[] = {
		{ PAT_TEST_VM_INSERT_PAGE,	0 },
		{ PAT_TEST_VM_INSERT_PAGE,	PAT_TEST_AT_FAULT },
		{ PAT_TEST_VM_INSERT_PAGES,	0 },
		{ PAT_TEST_VM_MAP_PAGES,	0 },
		{ PAT_TEST_FAULT_PAGE,		PAT_TEST_AT_FAULT },
	};
	struct pat_test_chunk chunk = { .size = 3 * PAT_PAGE };
	uint64_t pfns[4];
	uint32_t pages = allocate(_metadata, self->driver, 4, 2, pfns);

	for (size_t way = 0; way < ARRAY_SIZE(ways); way++) {
		char *at;

		chunk.pfn = pfns[1];
		chunk.method = ways[way].method;
		pat_set_program(_metadata, self->driver, &chunk, 1,
				ways[way].flags);
		at = map_pages(self->driver, 3, MAP_SHARED);
		ASSERT_NE(MAP_FAILED, at) TH_LOG("way %zu: %s", way, strerror(errno));
		for (unsigned int page = 0; page < 3; page++) {
			struct pat_test_pte pte = {
				.addr = (uintptr_t)at + page * PAT_PAGE,
			};

			EXPECT_EQ(way ? page + 4 * way + 92 : 0, at[page * PAT_PAGE]);
			at[page * PAT_PAGE] = page + 4 * way + 96;
			ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_READ_PTE, &pte));
			EXPECT_EQ(pfns[1 + page], pte.pfn) TH_LOG("way %zu", way);
			EXPECT_FALSE(pte.special);
			EXPECT_TRUE(pte.accessed);
			EXPECT_TRUE(pte.dirty);
		}
		EXPECT_ERROR(EBUSY, ioctl(self->driver, PAT_TEST_FREE, pages));
		ASSERT_EQ(0, munmap(at, 3 * PAT_PAGE));

		/* A page that is nobody's, or not there, ends it. */
		chunk.pfn = pat_bar(_metadata)->start / PAT_PAGE;
		pat_set_program(_metadata, self->driver, &chunk, 1,
				ways[way].flags);
		at = map_pages(self->driver, 3, MAP_SHARED);
		if (ways[way].flags & PAT_TEST_AT_FAULT) {
			int pipes[2];

			ASSERT_NE(MAP_FAILED, at);
			ASSERT_EQ(0, pipe(pipes));
			EXPECT_ERROR(EFAULT, write(pipes[1], at, 1));
			ASSERT_EQ(0, munmap(at, 3 * PAT_PAGE));
			close(pipes[0]);
			close(pipes[1]);
		} else {
			EXPECT_EQ(MAP_FAILED, at);
			EXPECT_EQ(EFAULT, errno);
		}
	}
	EXPECT_EQ(0, ioctl(self->driver, PAT_TEST_FREE, pages));
}

/* --- other people's pages ------------------------------------------------- */

static uint64_t pfn_of(struct __test_metadata *_metadata, int driver,
		       const void *at)
{
	struct pat_test_pte pte = { .addr = (uintptr_t)at };

	ASSERT_EQ(0, ioctl(driver, PAT_TEST_READ_PTE, &pte));
	ASSERT_EQ(PAT_TEST_WB, pte.got);
	return pte.pfn;
}

TEST_F(driver, bad_adoptions)
{
	uint64_t pfns[2];
	struct pat_test_adopt adopt = { .pfns = (uintptr_t)pfns };

	allocate(_metadata, self->driver, 1, 0, pfns);
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_ADOPT, &adopt));
	adopt.nr = PAT_TEST_MAX_PAGES + 1;
	EXPECT_ERROR(E2BIG, ioctl(self->driver, PAT_TEST_ADOPT, &adopt));
	adopt.nr = 2;
	adopt.pfns = (uintptr_t)BAD_POINTER;
	EXPECT_ERROR(EFAULT, ioctl(self->driver, PAT_TEST_ADOPT, &adopt));
	adopt.pfns = (uintptr_t)pfns;
	pfns[1] = pat_bar(_metadata)->start / PAT_PAGE;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_ADOPT, &adopt));
	pfns[1] = UINT64_MAX;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_ADOPT, &adopt));
	adopt.nr = 1;
	EXPECT_EQ(0, ioctl(self->driver, PAT_TEST_ADOPT, &adopt));
	EXPECT_EQ(0, ioctl(self->driver, PAT_TEST_FREE, adopt.handle));
	EXPECT_ERROR(ENOENT, ioctl(self->driver, PAT_TEST_FREE, adopt.handle));
}

/* Adopted pages outlive their owner, and go back to it write-back. */
TEST_F(driver, adoption)
{
	uint64_t pfns[3], own[2];
	uint32_t pages = allocate(_metadata, self->driver, 2, 1, own);
	struct pat_test_adopt adopt = { .pfns = (uintptr_t)pfns, .nr = 3 };
	struct pat_test_set set = {
		.api = PAT_TEST_SET_PAGES_ARRAY_UC,
		.count = 3,
	};
	char *at = mmap(NULL, PAT_PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, at);
	*at = 'x';
	pfns[0] = own[1];
	pfns[1] = pfn_of(_metadata, self->driver, at);
	pfns[2] = own[0];
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_ADOPT, &adopt));
	ASSERT_EQ(0, munmap(at, PAT_PAGE));
	EXPECT_EQ(0, ioctl(self->driver, PAT_TEST_FREE, pages));

	/* Neither in order nor side by side: an array it can be only. */
	set.handle = adopt.handle;
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_SET_TYPE, &set));
	EXPECT_EQ(0, set.err);
	set.api = PAT_TEST_SET_MEMORY_WB;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_SET_TYPE, &set));
	for (unsigned int i = 0; i < 3; i++) {
		struct pat_test_direct direct = { .pfn = pfns[i] };

		ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_DIRECT_MAP, &direct));
		EXPECT_EQ(PAT_TEST_UC_MINUS, direct.got);
	}
	EXPECT_EQ(0, ioctl(self->driver, PAT_TEST_FREE, adopt.handle));
	for (unsigned int i = 0; i < 3; i++) {
		struct pat_test_direct direct = { .pfn = pfns[i] };

		ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_DIRECT_MAP, &direct));
		EXPECT_EQ(PAT_TEST_WB, direct.got);
	}
}

/* Pages stay while anything is mapped; fork() and split VMAs count, too. */
TEST_F(driver, mapped_pages_are_not_freed)
{
	struct pat_test_chunk chunk = {
		.size = 2 * PAT_PAGE,
		.method = PAT_TEST_REMAP_PFN_RANGE,
	};
	uint64_t pfns[2];
	uint32_t pages = allocate(_metadata, self->driver, 2, 1, pfns);
	char *at;

	chunk.pfn = pfns[0];
	pat_set_program(_metadata, self->driver, &chunk, 1, 0);
	at = map_pages(self->driver, 2, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, at);
	strcpy(at + PAT_PAGE, "mapped");
	EXPECT_ERROR(EBUSY, ioctl(self->driver, PAT_TEST_FREE, pages));

	ASSERT_EQ(0, mprotect(at, PAT_PAGE, PROT_READ));
	ASSERT_EQ(0, munmap(at, PAT_PAGE));
	EXPECT_ERROR(EBUSY, ioctl(self->driver, PAT_TEST_FREE, pages));
	EXPECT_STREQ("mapped", at + PAT_PAGE);
	ASSERT_EQ(0, munmap(at + PAT_PAGE, PAT_PAGE));
	EXPECT_EQ(0, ioctl(self->driver, PAT_TEST_FREE, pages));
}

TEST_F(driver, fault_outside_of_chunks)
{
	struct pat_test_chunk chunk = {
		.pfn = pat_bar(_metadata)->start / PAT_PAGE,
		.size = PAT_PAGE,
		.method = PAT_TEST_VMF_INSERT_PFN,
	};
	char byte;
	char *at;
	int pipes[2];

	pat_set_program(_metadata, self->driver, &chunk, 1, PAT_TEST_AT_FAULT);
	at = map_pages(self->driver, 2, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, at);
	/* The kernel's copy turns the SIGBUS into an error. */
	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(1, write(pipes[1], at, 1));
	EXPECT_EQ(1, read(pipes[0], &byte, 1));
	EXPECT_ERROR(EFAULT, write(pipes[1], at + PAT_PAGE, 1));
	ASSERT_EQ(0, munmap(at, 2 * PAT_PAGE));
}

/* --- revocation ------------------------------------------------------------- */

TEST_F(driver, zap)
{
	struct pat_test_chunk chunk = {
		.pfn = pat_bar(_metadata)->start / PAT_PAGE,
		.size = 3 * PAT_PAGE,
		.method = PAT_TEST_VMF_INSERT_PFN,
	};
	struct pat_test_zap zap = { .size = PAT_PAGE };
	char *at;

	pat_set_program(_metadata, self->driver, &chunk, 1, 0);
	at = map_pages(self->driver, 3, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, at);

	zap.method = PAT_TEST_ZAP_VMA_PTES;
	zap.start = (uintptr_t)at + PAT_PAGE;
	EXPECT_EQ(0, ioctl(self->driver, PAT_TEST_ZAP, &zap));
	zap.method = PAT_TEST_UNMAP_MAPPING_RANGE;
	zap.start = 2 * PAT_PAGE;
	EXPECT_EQ(0, ioctl(self->driver, PAT_TEST_ZAP, &zap));

	for (unsigned int page = 0; page < 3; page++) {
		struct pat_test_pte pte = {
			.addr = (uintptr_t)at + page * PAT_PAGE,
		};

		ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_READ_PTE, &pte));
		EXPECT_EQ(page > 0, pte.got == PAT_TEST_NOT_MAPPED);
	}
	ASSERT_EQ(0, munmap(at, 3 * PAT_PAGE));
}

TEST_F(driver, bad_zaps)
{
	struct pat_test_zap zap = {
		.start = (uintptr_t)&zap & -PAT_PAGE,
		.size = PAT_PAGE,
		.method = PAT_TEST_ZAP_VMA_PTES,
	};

	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_ZAP, &zap));
	zap.start = 0;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_ZAP, &zap));
	zap.method = PAT_TEST_NR_ZAP_METHODS;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_ZAP, &zap));
	zap.method = PAT_TEST_UNMAP_MAPPING_RANGE;
	zap.size = 0;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_ZAP, &zap));
	zap.size = 1;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_ZAP, &zap));
	zap.start = UINT64_MAX & -PAT_PAGE;
	zap.size = PAT_PAGE;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_ZAP, &zap));
}

/* --- mappings made later, and claims ----------------------------------------------- */

TEST_F(driver, bad_remaps)
{
	struct pat_test_chunk chunk = {
		.pfn = pat_bar(_metadata)->start / PAT_PAGE,
		.size = 2 * PAT_PAGE,
		.type = PAT_TEST_UC_MINUS,
		.method = PAT_TEST_REMAP_PFN_RANGE,
	};
	struct pat_test_program program = { .chunks = (uintptr_t)&chunk, .nr = 1 };
	struct pat_test_remap remap = {
		.addr = (uintptr_t)&remap & -PAT_PAGE,
		.pfn = chunk.pfn,
		.size = PAT_PAGE,
		.type = PAT_TEST_UC_MINUS,
	};
	char *at;

	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_REMAP, &remap));
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_PROGRAM, &program));
	at = mmap(NULL, 3 * PAT_PAGE, PROT_READ, MAP_SHARED, self->driver, 0);
	ASSERT_NE(MAP_FAILED, at);
	remap.addr = (uintptr_t)at + PAT_PAGE;
	EXPECT_ERROR(EBUSY, ioctl(self->driver, PAT_TEST_REMAP, &remap));
	remap.size = 4 * PAT_PAGE;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_REMAP, &remap));
	remap.size = 0;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_REMAP, &remap));
	remap.size = PAT_PAGE;
	remap.type = PAT_TEST_MIXED;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_REMAP, &remap));
	remap.type = PAT_TEST_UC_MINUS;
	remap.addr = (uintptr_t)at + 2 * PAT_PAGE;
	EXPECT_EQ(0, ioctl(self->driver, PAT_TEST_REMAP, &remap));
	EXPECT_EQ(0, remap.err);
	ASSERT_EQ(0, munmap(at, 3 * PAT_PAGE));
}

static bool visit_claim(unsigned int depth, uint64_t start, uint64_t end,
			const char *name, void *data)
{
	return start == *(uint64_t *)data && !strcmp(name, "pat_test");
}

TEST_F(driver, claims)
{
	uint64_t start = pat_bar(_metadata)->start + PAT_PAGE;
	struct pat_test_claim claim = { .phys = start, .size = PAT_PAGE };
	struct pat_test_claim second = claim;

	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_CLAIM, &claim));
	ASSERT_EQ(0, claim.err);
	EXPECT_TRUE(pat_iomem_find(visit_claim, &start));
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_CLAIM, &second));
	EXPECT_EQ(PAT_TEST_NULL, second.err);
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_UNCLAIM, claim.handle));
	EXPECT_FALSE(pat_iomem_find(visit_claim, &start));
	second.size = 0;
	EXPECT_ERROR(EINVAL, ioctl(self->driver, PAT_TEST_CLAIM, &second));
}

/* --- the end -------------------------------------------------------------------- */

/* close() undoes whatever is left: the list is compared after it. */
TEST_F(driver, close_frees_all)
{
	int driver = pat_open_driver(_metadata);
	uint64_t pfns[4];
	struct pat_test_set set = {
		.api = PAT_TEST_SET_MEMORY_UC,
		.count = 4,
	};

	pat_request(_metadata, driver, IOREMAP_WC, pat_bar(_metadata)->start,
		    PAT_PAGE);
	pat_request(_metadata, driver, RESERVE_WC, pat_bar(_metadata)->start,
		    PAT_PAGE);
	set.handle = allocate(_metadata, driver, 4, 2, pfns);
	ASSERT_EQ(0, ioctl(driver, PAT_TEST_SET_TYPE, &set));
	EXPECT_EQ(0, set.err);
	ASSERT_EQ(0, close(driver));

	for (unsigned int i = 0; i < 4; i++) {
		struct pat_test_direct direct = { .pfn = pfns[i] };

		ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_DIRECT_MAP, &direct));
		EXPECT_EQ(PAT_TEST_WB, direct.got);
	}
}

TEST_HARNESS_MAIN
