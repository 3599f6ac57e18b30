// SPDX-License-Identifier: GPL-2.0-only
/*
 * RAM of other people through /dev/mem: much of it, all of it, and by ways that
 * lead through the mapping to the pages.
 *
 *	mmap(/dev/mem, 2 MiB of a driver)	follows as one page does
 *	mmap(/dev/mem, all RAM from 1 MiB on)	each page as the direct map has it
 *	a page of a process			is seen, not held
 *	ptrace, vmsplice and so on		do not get at the struct pages
 *
 * Stock: any mmap() with a page of RAM above 1 MiB in it fails with EINVAL.
 */
#include <sys/uio.h>

#include "devmem.h"

FIXTURE(others) {
	struct devmem dm;
};

FIXTURE_SETUP(others)
{
	devmem_open(_metadata, &self->dm, ROW_STOCK_HAS_BUG);
}

FIXTURE_TEARDOWN(others)
{
	devmem_close(&self->dm);
}

/* --- much ----------------------------------------------------------------------- */

#define MANY 512

TEST_F(others, block_of_2_mib)
{
	static const unsigned int apis[] = {
		PAT_TEST_SET_MEMORY_WC, PAT_TEST_SET_MEMORY_WB,
		PAT_TEST_SET_PAGES_ARRAY_UC, PAT_TEST_SET_PAGES_ARRAY_WB,
	};
	static const int gives[] = {
		PAT_TEST_WC, PAT_TEST_WB, PAT_TEST_UC_MINUS, PAT_TEST_WB,
	};
	static uint64_t pfns[MANY];
	static int types[MANY];
	struct devmem *dm = &self->dm;
	struct pat_test_alloc alloc = {
		.nr = MANY,
		.order = 9,
		.pfns = (uintptr_t)pfns,
	};
	/* All, and all but the first and the last. */
	static const unsigned int edges[] = { 0, 1 };
	char *at;

	ASSERT_EQ(0, ioctl(dm->row.driver, PAT_TEST_ALLOC, &alloc));
	at = devmem_map(_metadata, dm, false, pfns[0], MANY,
			PROT_READ | PROT_WRITE, MAP_SHARED);
	for (size_t e = 0; e < ARRAY_SIZE(edges); e++) {
		struct pat_test_set set = {
			.handle = alloc.handle,
			.first = edges[e],
			.count = MANY - 2 * edges[e],
		};

		for (size_t step = 0; step < ARRAY_SIZE(apis); step++) {
			set.api = apis[step];
			ASSERT_EQ(0, ioctl(dm->row.driver, PAT_TEST_SET_TYPE, &set));
			ASSERT_EQ(0, set.err);
			for (unsigned int i = 0; i < set.count; i++)
				types[set.first + i] = gives[step];
			if (at)
				devmem_claim(_metadata, dm, false, at, pfns, types,
					     MANY, "change");
			devmem_claim_direct(_metadata, dm, pfns, types, MANY,
					    "change");
			row_claim_valid(_metadata, &dm->row, "change");
		}
	}
	if (at) {
		ASSERT_EQ(0, munmap(at, MANY * PAT_PAGE));
	}
	devmem_verdict(_metadata, dm);
}

/* --- all ------------------------------------------------------------------------ */

/* The range of RAM from 1 MiB on, where there is most of it. */
static bool main_ram_visit(unsigned int depth, uint64_t start, uint64_t end,
			   const char *name, void *data)
{
	struct pat_range *range = data;

	if (depth || strcmp(name, "System RAM") || start < 1 << 20)
		return false;
	range->start = start;
	range->size = (end & ~(PAT_PAGE - 1)) - start;
	return true;
}

/* So many pages are left out between two that are looked at. */
#define STEP 61

/*
 * Each page has the type that the direct map has. Pages whose owner changes them
 * just now are not looked at again.
 */
TEST_F(others, all_ram)
{
	unsigned int wrong = 0, seen = 0;
	struct devmem *dm = &self->dm;
	struct pat_range ram = {};
	char *at;

	ASSERT_TRUE(pat_iomem_find(main_ram_visit, &ram));
	at = devmem_map(_metadata, dm, false, ram.start / PAT_PAGE,
			ram.size / PAT_PAGE, PROT_READ, MAP_SHARED);
	if (!at) {
		devmem_verdict(_metadata, dm);
		return;
	}
	for (uint64_t offset = 0; offset < ram.size; offset += STEP * PAT_PAGE) {
		struct pat_test_direct direct = {
			.pfn = (ram.start + offset) / PAT_PAGE,
		};
		struct pat_test_pte pte = { .addr = (uintptr_t)at + offset };
		int before;

		ASSERT_EQ(0, ioctl(dm->row.driver, PAT_TEST_DIRECT_MAP, &direct));
		before = direct.got;
		ASSERT_EQ(0, ioctl(dm->row.driver, PAT_TEST_READ_PTE, &pte));
		ASSERT_EQ(0, ioctl(dm->row.driver, PAT_TEST_DIRECT_MAP, &direct));
		if (direct.got != before)
			continue;
		seen++;
		if (pte.pfn == direct.pfn &&
		    pte.got == devmem_type(dm, false, direct.got))
			continue;
		if (!wrong++)
			TH_LOG("0x%llx is %s, in the direct map %s",
			       (unsigned long long)(ram.start + offset),
			       pat_type_word(pte.got), pat_type_word(direct.got));
	}
	ROW_CLAIM(&dm->row, !wrong, "%u of %u pages are wrong", wrong, seen);
	EXPECT_LT(ram.size / PAT_PAGE / STEP / 2, seen);
	row_claim_valid(_metadata, &dm->row, "all of RAM");
	row_claim_list_as_before(_metadata, &dm->row);
	ASSERT_EQ(0, munmap(at, ram.size));
	devmem_verdict(_metadata, dm);
}

/* --- a page of a process ------------------------------------------------------------ */

#define PAGEMAP_PRESENT	(1ULL << 63)
#define PAGEMAP_PFN	((1ULL << 55) - 1)

static uint64_t own_pfn(struct __test_metadata *_metadata, const void *at)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	ASSERT_LE(0, fd);
	ASSERT_EQ(sizeof(entry), pread(fd, &entry, sizeof(entry),
				       (uintptr_t)at / PAT_PAGE * sizeof(entry)));
	close(fd);
	ASSERT_TRUE(entry & PAGEMAP_PRESENT);
	return entry & PAGEMAP_PFN;
}

/* It can be seen and written; and it is free to go, and to be mapped no more. */
TEST_F(others, page_of_a_process)
{
	struct devmem *dm = &self->dm;
	volatile uint32_t *page = mmap(NULL, PAT_PAGE, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile uint32_t *seen;
	uint64_t pfn;

	ASSERT_NE(MAP_FAILED, page);
	*page = 0xabcd;
	pfn = own_pfn(_metadata, (void *)page);
	seen = (void *)devmem_map(_metadata, dm, false, pfn, 1,
				  PROT_READ | PROT_WRITE, MAP_SHARED);
	if (!seen) {
		devmem_verdict(_metadata, dm);
		return;
	}
	devmem_claim(_metadata, dm, false, (char *)seen, &pfn, devmem_all_wb, 1,
		     "mmap");
	ROW_CLAIM(&dm->row, *seen == 0xabcd, "another page is seen");
	*seen = 0xdcba;
	ROW_CLAIM(&dm->row, *page == 0xdcba, "another page is written");

	ASSERT_EQ(0, munmap((void *)page, PAT_PAGE));
	devmem_claim(_metadata, dm, false, (char *)seen, &pfn, devmem_all_wb, 1,
		     "munmap");
	row_claim_valid(_metadata, &dm->row, "munmap");
	ASSERT_EQ(0, munmap((void *)seen, PAT_PAGE));
	devmem_verdict(_metadata, dm);
}

/* --- through the mapping -------------------------------------------------------------- */

/*
 * Who wants to hold the pages behind an address (direct I/O, vmsplice(), another
 * process's memory) cannot: they are not this mapping's to give away.
 */
TEST_F(others, cannot_be_pinned)
{
	struct devmem *dm = &self->dm;
	struct devmem_block block = devmem_alloc(_metadata, dm);
	char *at = devmem_map(_metadata, dm, false, block.pfns[0], DEVMEM_PAGES,
			      PROT_READ | PROT_WRITE, MAP_SHARED);
	struct iovec iov = { .iov_base = at, .iov_len = PAT_PAGE };
	int ends[2];

	if (!at) {
		devmem_verdict(_metadata, dm);
		return;
	}
	ASSERT_EQ(0, pipe(ends));
	ROW_CLAIM(&dm->row, vmsplice(ends[1], &iov, 1, 0) == -1 &&
			    errno == EFAULT, "vmsplice takes the page");
	/* A copy is fine. */
	ROW_CLAIM(&dm->row, write(ends[1], at, 16) == 16,
		  "write to a pipe: %s", strerror(errno));
	close(ends[0]);
	close(ends[1]);
	ROW_CLAIM(&dm->row, madvise(at, PAT_PAGE, MADV_DONTNEED) == -1 &&
			    errno == EINVAL, "MADV_DONTNEED is granted");
	devmem_claim(_metadata, dm, false, at, block.pfns, devmem_all_wb,
		     DEVMEM_PAGES, "after all that");
	devmem_free(_metadata, dm, &block);
	ASSERT_EQ(0, munmap(at, DEVMEM_PAGES * PAT_PAGE));
	devmem_verdict(_metadata, dm);
}

/*
 * A debugger reads a mapping like this through vm_operations_struct::access,
 * which makes a mapping of the frame for it, and cannot do so with RAM. It may
 * see the page, or get an error and have the kernel warn, once a boot.
 */
TEST_F(others, debugger)
{
	struct devmem *dm = &self->dm;
	struct devmem_block block = devmem_alloc(_metadata, dm);
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	char *at;

	ASSERT_LE(0, mem);
	pat_expect_message("ioremap on RAM");
	devmem_set_types(_metadata, dm, &block, devmem_mixed, DEVMEM_BY_ADDRESS);
	at = devmem_map(_metadata, dm, false, block.pfns[0], DEVMEM_PAGES,
			PROT_READ | PROT_WRITE, MAP_SHARED);
	for (unsigned int i = 0; at && i < DEVMEM_PAGES; i++) {
		volatile uint32_t *word = (void *)(at + i * PAT_PAGE);
		uint32_t bytes;
		ssize_t got;

		*word = 0xfeed + i;
		got = pread(mem, &bytes, sizeof(bytes), (uintptr_t)word);
		ROW_CLAIM(&dm->row, got < 0 ? errno == EIO :
			  got == sizeof(bytes) && bytes == 0xfeed + i,
			  "page %u: %zd bytes are read, 0x%x", i, got, bytes);
		bytes = 0xbeef + i;
		got = pwrite(mem, &bytes, sizeof(bytes), (uintptr_t)word);
		ROW_CLAIM(&dm->row, got < 0 ? errno == EIO && *word == 0xfeed + i :
			  got == sizeof(bytes) && *word == 0xbeef + i,
			  "page %u: %zd bytes are written, 0x%x", i, got, *word);
	}
	/* Whether it has warned depends on what ran before. */
	ASSERT_LE(0, lseek(dm->row.kmsg, 0, SEEK_END));
	if (at) {
		devmem_claim(_metadata, dm, false, at, block.pfns, devmem_mixed,
			     DEVMEM_PAGES, "debugger");
		ASSERT_EQ(0, munmap(at, DEVMEM_PAGES * PAT_PAGE));
	}
	devmem_claim_direct(_metadata, dm, block.pfns, devmem_mixed, DEVMEM_PAGES,
			    "debugger");
	close(mem);
	devmem_verdict(_metadata, dm);
}

TEST_HARNESS_MAIN
