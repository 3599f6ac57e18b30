// SPDX-License-Identifier: GPL-2.0-only
/*
 * read() and write() of /dev/mem.
 *
 *	driver: set_memory_wc(page 1)	page 0 WB, page 1 WC, in the direct map
 *	process: read, write		the kernel copies, through the direct map
 *					for RAM, through a mapping of the moment
 *					for what is reserved
 *
 * The bytes are the right ones, whatever the page's type and wherever they begin
 * and end, and nothing is left behind: no mapping, no record, no other type.
 *
 * The driver's own mapping of the pages is what tells which bytes are there.
 *
 * Stock: right.
 */
#include "devmem.h"

#define NR DEVMEM_PAGES
#define SIZE (NR * PAT_PAGE)

/* --- what is left behind -------------------------------------------------------- */

/* How many kernel mappings of physical addresses in [phys, phys + size) there are. */
static unsigned int kernel_mappings(struct __test_metadata *_metadata,
				    uint64_t phys, uint64_t size)
{
	FILE *file = fopen("/proc/vmallocinfo", "r");
	unsigned int count = 0;
	char line[512];

	ASSERT_NE(NULL, file) TH_LOG("/proc/vmallocinfo: %s", strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		const char *at = strstr(line, " phys=0x");
		uint64_t start, length;

		/* The size has a guard page in it. */
		if (!at || sscanf(line, "%*s %" SCNu64, &length) != 1 ||
		    sscanf(at, " phys=%" SCNx64, &start) != 1)
			continue;
		if (start < phys + size && start + length - PAT_PAGE > phys)
			count++;
	}
	fclose(file);
	return count;
}

/* --- RAM ---------------------------------------------------------------------------- */

FIXTURE(ram) {
	struct devmem dm;
	struct devmem_block block;
	int types[NR];
	unsigned char *eye;	/* the driver's mapping, each page with its type */
	int fd;
	unsigned long records;
};

FIXTURE_VARIANT(ram) {
	bool sync;
	bool mixed;
	int type;		/* if not mixed */
};

#define RAM_VARIANT(name, with_sync, is_mixed, with_type)		\
	FIXTURE_VARIANT_ADD(ram, name) {				\
		.sync = with_sync,					\
		.mixed = is_mixed,					\
		.type = PAT_TEST_##with_type,				\
	}

RAM_VARIANT(wb, false, false, WB);
RAM_VARIANT(wb_sync, true, false, WB);
RAM_VARIANT(wc, false, false, WC);
RAM_VARIANT(wc_sync, true, false, WC);
RAM_VARIANT(uc_minus, false, false, UC_MINUS);
RAM_VARIANT(uc_minus_sync, true, false, UC_MINUS);
RAM_VARIANT(mixed, false, true, WB);
RAM_VARIANT(mixed_sync, true, true, WB);

/* Has the driver map frames, one type each, where @types says so. */
static unsigned char *map_eye(struct __test_metadata *_metadata, int driver,
			      const uint64_t *pfns, const int *types,
			      unsigned int nr)
{
	struct pat_test_chunk chunks[NR];
	struct pat_test_program program = {
		.chunks = (uintptr_t)chunks,
		.nr = nr,
	};
	unsigned char *at;

	for (unsigned int i = 0; i < nr; i++)
		chunks[i] = (struct pat_test_chunk) {
			.offset = i * PAT_PAGE,
			.pfn = pfns[i],
			.size = PAT_PAGE,
			.type = types[i],
			.method = PAT_TEST_REMAP_PFN_RANGE,
		};
	ASSERT_EQ(0, ioctl(driver, PAT_TEST_PROGRAM, &program));
	at = mmap(NULL, nr * PAT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		  driver, 0);
	ASSERT_NE(MAP_FAILED, at) TH_LOG("mmap: %s", strerror(errno));
	return at;
}

FIXTURE_SETUP(ram)
{
	struct devmem *dm = &self->dm;

	devmem_open(_metadata, dm, ROW_STOCK_IS_RIGHT);
	self->block = devmem_alloc(_metadata, dm);
	for (unsigned int i = 0; i < NR; i++)
		self->types[i] = variant->mixed ? devmem_mixed[i] : variant->type;
	devmem_set_types(_metadata, dm, &self->block, self->types,
			 DEVMEM_BY_ADDRESS);
	self->eye = map_eye(_metadata, dm->row.driver, self->block.pfns,
			    self->types, NR);
	self->fd = variant->sync ? dm->row.devmem : dm->plain;
	self->records = devmem_records(_metadata, dm);
}

FIXTURE_TEARDOWN(ram)
{
	munmap(self->eye, SIZE);
	devmem_close(&self->dm);
}

/* Where reads and writes begin and end: within a page, at and across its borders. */
static const struct piece {
	unsigned int offset;
	unsigned int length;
} pieces[] = {
	{ 0, PAT_PAGE },
	{ 0, SIZE },
	{ 100, 10 },
	{ PAT_PAGE - 1, 1 },
	{ PAT_PAGE - 1, 2 },
	{ PAT_PAGE - 5, 12 },
	{ 1, SIZE - 2 },
	{ 3 * PAT_PAGE - 7, 2 * PAT_PAGE + 20 },
	{ SIZE - 1, 1 },
};

/* Differs from page to page, and from one round to the next. */
static unsigned char byte_at(unsigned int offset, unsigned int round)
{
	return offset + offset / PAT_PAGE * 7 + round * 31 + 1;
}

static void claim_no_trace(struct __test_metadata *_metadata, struct devmem *dm,
			   const struct devmem_block *block, const int *types,
			   unsigned long records, const char *when)
{
	unsigned int mappings = kernel_mappings(_metadata,
						block->pfns[0] * PAT_PAGE, SIZE);

	ROW_CLAIM(&dm->row, !mappings, "%s: the kernel has %u mappings of the pages",
		  when, mappings);
	ROW_CLAIM(&dm->row, devmem_records(_metadata, dm) == records,
		  "%s: there are other records than before", when);
	row_claim_list_as_before(_metadata, &dm->row);
	devmem_claim_direct(_metadata, dm, block->pfns, types, NR, when);
}

#define CLAIM_NO_TRACE(when)						\
	claim_no_trace(_metadata, &self->dm, &self->block, self->types,	\
		       self->records, when)

TEST_F(ram, read)
{
	struct devmem *dm = &self->dm;
	/* Not aligned, as a buffer may be. */
	static unsigned char space[SIZE + 3], *buffer = space + 3;

	for (unsigned int n = 0; n < ARRAY_SIZE(pieces); n++) {
		const struct piece *piece = &pieces[n];
		unsigned int wrong = 0;

		for (unsigned int i = 0; i < SIZE; i++)
			self->eye[i] = byte_at(i, n);
		memset(buffer, 0, SIZE);
		ASSERT_EQ((ssize_t)piece->length,
			  pread(self->fd, buffer, piece->length,
				self->block.pfns[0] * PAT_PAGE + piece->offset))
			TH_LOG("read of %u from %u: %s", piece->length,
			       piece->offset, strerror(errno));
		for (unsigned int i = 0; i < piece->length; i++)
			wrong += buffer[i] != byte_at(piece->offset + i, n);
		ROW_CLAIM(&dm->row, !wrong, "read of %u from %u: %u bytes are wrong",
			  piece->length, piece->offset, wrong);
	}
	CLAIM_NO_TRACE("read");
	devmem_verdict(_metadata, dm);
}

TEST_F(ram, write)
{
	struct devmem *dm = &self->dm;
	static unsigned char space[SIZE + 3], *buffer = space + 3;

	for (unsigned int n = 0; n < ARRAY_SIZE(pieces); n++) {
		const struct piece *piece = &pieces[n];
		unsigned int wrong = 0;

		for (unsigned int i = 0; i < SIZE; i++) {
			self->eye[i] = byte_at(i, n);
			buffer[i] = ~byte_at(piece->offset + i, n);
		}
		ASSERT_EQ((ssize_t)piece->length,
			  pwrite(self->fd, buffer, piece->length,
				 self->block.pfns[0] * PAT_PAGE + piece->offset))
			TH_LOG("write of %u from %u: %s", piece->length,
			       piece->offset, strerror(errno));
		for (unsigned int i = 0; i < SIZE; i++) {
			unsigned char want = byte_at(i, n);

			if (i >= piece->offset && i - piece->offset < piece->length)
				want = ~want;
			wrong += self->eye[i] != want;
		}
		ROW_CLAIM(&dm->row, !wrong, "write of %u from %u: %u bytes are wrong",
			  piece->length, piece->offset, wrong);
	}
	CLAIM_NO_TRACE("write");
	devmem_verdict(_metadata, dm);
}

/* The file has a position, which goes on by what was read or written. */
TEST_F(ram, position)
{
	struct devmem *dm = &self->dm;
	const off_t start = self->block.pfns[0] * PAT_PAGE + PAT_PAGE - 3;
	unsigned char buffer[6];

	for (unsigned int i = 0; i < SIZE; i++)
		self->eye[i] = byte_at(i, 0);
	ASSERT_EQ(start, lseek(self->fd, start, SEEK_SET));
	ASSERT_EQ(6, read(self->fd, buffer, 6));
	ROW_CLAIM(&dm->row, lseek(self->fd, 0, SEEK_CUR) == start + 6,
		  "read: the position is wrong");
	ASSERT_EQ(6, write(self->fd, buffer, 6));
	ROW_CLAIM(&dm->row, lseek(self->fd, 0, SEEK_CUR) == start + 12,
		  "write: the position is wrong");
	ROW_CLAIM(&dm->row, !memcmp(self->eye + PAT_PAGE + 3, buffer, 6),
		  "write: the bytes are elsewhere");
	CLAIM_NO_TRACE("read and write");
	devmem_verdict(_metadata, dm);
}

/* A buffer that ends too early: read() fails, write() has written what there was. */
TEST_F(ram, bad_buffer)
{
	struct devmem *dm = &self->dm;
	const off_t phys = self->block.pfns[1] * PAT_PAGE;
	unsigned char *space = mmap(NULL, 2 * PAT_PAGE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *buffer = space + PAT_PAGE - 100;

	ASSERT_NE(MAP_FAILED, space);
	ASSERT_EQ(0, munmap(space + PAT_PAGE, PAT_PAGE));
	memset(self->eye, 0x11, SIZE);
	memset(buffer, 0x22, 100);
	ROW_CLAIM(&dm->row, pread(self->fd, buffer, 200, phys) == -1 &&
			    errno == EFAULT, "read into nowhere");
	memset(buffer, 0x33, 100);
	ROW_CLAIM(&dm->row, pwrite(self->fd, buffer, 200, phys) == 100,
		  "write from nowhere");
	ROW_CLAIM(&dm->row, !memcmp(self->eye + PAT_PAGE, buffer, 100) &&
			    self->eye[PAT_PAGE - 1] == 0x11,
		  "write from nowhere: the bytes are wrong");
	ROW_CLAIM(&dm->row, self->eye[PAT_PAGE + 200] == 0x11,
		  "write from nowhere: more is written than asked for");
	ASSERT_EQ(0, munmap(space, PAT_PAGE));
	CLAIM_NO_TRACE("bad buffer");
	devmem_verdict(_metadata, dm);
}

/* --- other memory --------------------------------------------------------------------- */

FIXTURE(other) {
	struct devmem dm;
};

FIXTURE_SETUP(other)
{
	devmem_open(_metadata, &self->dm, ROW_STOCK_IS_RIGHT);
}

FIXTURE_TEARDOWN(other)
{
	devmem_close(&self->dm);
}

static bool last_ram_visit(unsigned int depth, uint64_t start, uint64_t end,
			   const char *name, void *data)
{
	if (!depth && !strcmp(name, "System RAM"))
		*(uint64_t *)data = end;
	return false;
}

/* Where the last RAM ends, /dev/mem ends for read() and write(). */
static uint64_t end_of_ram(struct __test_metadata *_metadata)
{
	uint64_t end = 0;

	pat_iomem_find(last_ram_visit, &end);
	ASSERT_LT(0, end);
	return end & ~(PAT_PAGE - 1);
}

static void claim_no_access(struct __test_metadata *_metadata, struct devmem *dm,
			    uint64_t phys, unsigned int size)
{
	static char buffer[2 * PAT_PAGE];

	ROW_CLAIM(&dm->row, pread(dm->plain, buffer, size, phys) == -1 &&
			    errno == EFAULT, "0x%llx, %u bytes: can be read",
		  (unsigned long long)phys, size);
	ROW_CLAIM(&dm->row, pwrite(dm->plain, buffer, size, phys) == -1 &&
			    errno == EFAULT, "0x%llx, %u bytes: can be written",
		  (unsigned long long)phys, size);
}

TEST_F(other, beyond_ram)
{
	struct devmem *dm = &self->dm;
	uint64_t end = end_of_ram(_metadata);

	claim_no_access(_metadata, dm, end, 1);
	claim_no_access(_metadata, dm, end, 2 * PAT_PAGE);
	/* Not even the part that there is. */
	claim_no_access(_metadata, dm, end - PAT_PAGE, 2 * PAT_PAGE);
	claim_no_access(_metadata, dm, end - 1, 2);
	claim_no_access(_metadata, dm, 1ULL << 46, PAT_PAGE);
	devmem_verdict(_metadata, dm);
}

/* The ISA range, which is not tracked: read() and mmap() see the same. */
TEST_F(other, rom)
{
	const uint64_t phys = 0xf0000;
	const unsigned int size = 16 * PAT_PAGE;
	struct devmem *dm = &self->dm;
	static char read_bytes[16 * PAT_PAGE];
	unsigned int mappings = kernel_mappings(_metadata, phys, size);
	char *at;

	ASSERT_EQ(size, pread(dm->plain, read_bytes, size, phys))
		TH_LOG("read: %s", strerror(errno));
	at = mmap(NULL, size, PROT_READ, MAP_SHARED, dm->plain, phys);
	ASSERT_NE(MAP_FAILED, at) TH_LOG("mmap: %s", strerror(errno));
	ROW_CLAIM(&dm->row, !memcmp(at, read_bytes, size),
		  "what is read is not what is mapped");
	ASSERT_EQ(0, munmap(at, size));
	ROW_CLAIM(&dm->row, kernel_mappings(_metadata, phys, size) == mappings,
		  "the kernel has a mapping of it left");
	devmem_verdict(_metadata, dm);
}

FIXTURE(bar) {
	struct devmem dm;
};

FIXTURE_VARIANT(bar) {
	bool held;
	unsigned int api;
	int type;
};

/* A request for WB, which is what /dev/mem makes, takes any type that is held. */
FIXTURE_VARIANT_ADD(bar, free) {
	.type = PAT_TEST_UC_MINUS,
};

FIXTURE_VARIANT_ADD(bar, held_wc) {
	.held = true, .api = PAT_TEST_IOREMAP_WC, .type = PAT_TEST_WC,
};

FIXTURE_VARIANT_ADD(bar, held_wt) {
	.held = true, .api = PAT_TEST_IOREMAP_WT, .type = PAT_TEST_WT,
};

FIXTURE_VARIANT_ADD(bar, held_uc_minus) {
	.held = true, .api = PAT_TEST_IOREMAP, .type = PAT_TEST_UC_MINUS,
};

FIXTURE_SETUP(bar)
{
	devmem_open(_metadata, &self->dm, ROW_STOCK_IS_RIGHT);
}

FIXTURE_TEARDOWN(bar)
{
	devmem_close(&self->dm);
}

/*
 * A BAR can be read and written only where there is RAM beyond it. With
 * PAT_DEVMEM_BAR in the environment there must be some.
 */
TEST_F(bar, read_and_write)
{
	struct devmem *dm = &self->dm;
	struct pat_test_map map = {
		.api = variant->api,
		.phys = row_phys(&dm->row, 1040),
		.size = 2 * PAT_PAGE,
	};
	const unsigned int offset = PAT_PAGE - 8;
	struct pat_list held;
	uint64_t pfns[2];
	int types[2] = { variant->type, variant->type };
	unsigned int mappings;
	char buffer[16];
	char *eye;

	if (variant->held) {
		ASSERT_EQ(0, ioctl(dm->row.driver, PAT_TEST_MAP, &map));
		ASSERT_EQ(0, map.err);
	}
	for (unsigned int i = 0; i < 2; i++)
		pfns[i] = map.phys / PAT_PAGE + i;
	eye = (char *)map_eye(_metadata, dm->row.driver, pfns, types, 2);
	memcpy(eye + offset, "a BAR to be read", 16);
	if (!variant->held) {
		ASSERT_EQ(0, munmap(eye, 2 * PAT_PAGE));
	}
	held = pat_list_now(_metadata, dm->row.pat_is_on);
	mappings = kernel_mappings(_metadata, map.phys, map.size);

	if (end_of_ram(_metadata) < map.phys) {
		ASSERT_EQ(NULL, getenv("PAT_DEVMEM_BAR"))
			TH_LOG("there is no RAM beyond the BAR");
		claim_no_access(_metadata, dm, map.phys, PAT_PAGE);
	} else {
		ASSERT_EQ(16, pread(dm->plain, buffer, 16, map.phys + offset))
			TH_LOG("read: %s", strerror(errno));
		ROW_CLAIM(&dm->row, !memcmp(buffer, "a BAR to be read", 16),
			  "other bytes are read");
		ASSERT_EQ(16, pwrite(dm->plain, "one that is ours", 16,
				     map.phys + offset))
			TH_LOG("write: %s", strerror(errno));
		ASSERT_EQ(16, pread(dm->plain, buffer, 16, map.phys + offset));
		ROW_CLAIM(&dm->row, !memcmp(buffer, "one that is ours", 16),
			  "other bytes are written");
		if (variant->held) {
			ROW_CLAIM(&dm->row, !memcmp(eye + offset, buffer, 16),
				  "the holder sees other bytes");
		}
	}
	pat_expect_list(_metadata, dm->row.pat_is_on, &held);
	ROW_CLAIM(&dm->row, kernel_mappings(_metadata, map.phys, map.size) ==
			    mappings, "the kernel has a mapping of it left");
	if (!variant->held)
		row_claim_free(_metadata, &dm->row, map.phys);

	pat_list_free(&held);
	if (variant->held) {
		ASSERT_EQ(0, munmap(eye, 2 * PAT_PAGE));
		ASSERT_EQ(0, ioctl(dm->row.driver, PAT_TEST_UNMAP, map.handle));
	}
	devmem_verdict(_metadata, dm);
}

TEST_HARNESS_MAIN
