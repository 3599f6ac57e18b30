// SPDX-License-Identifier: GPL-2.0-only
/*
 * RAM that somebody has mapped through its struct page cannot change its type.
 *
 * Such mappings are not recorded, and everybody makes them: anonymous memory,
 * the page cache, drivers with vm_insert_page(). Changing the direct map would
 * make an alias of each. So the call must fail with -EBUSY, say so once in the
 * log, and change nothing: not the page it is about, and no other that it was
 * called for, nor any mapping of these. When the mapping is gone it succeeds.
 *
 * Stock: the call succeeds, with PAT or without. Where PAT is off that is so
 * with any kernel.
 */
#include "ram.h"

#define MANY 512
#define PLACE 500		/* of the page that is mapped, among many */
#define PROT_RW (PROT_READ | PROT_WRITE)
#define HUGE (2UL << 20)

static const struct ram_change changes[] = RAM_CHANGES;

/* --- who maps it ----------------------------------------------------------- */

enum held_by {
	HELD_ANONYMOUS,
	HELD_COPY,		/* the private copy of a driver's page */
	HELD_TMPFS,
	HELD_TMPFS_READ_ONLY,
	HELD_ROOT_FILE,		/* of the file system that the test driver is in */
	HELD_INSERTED,		/* vm_insert_page() */
	HELD_FAULTED,		/* what ->fault() has returned */
	HELD_HUGE_PART,		/* a 4K page of a huge one */
	HELD_HUGETLB_PART,	/* of one of hugetlbfs */
};

struct held {
	enum held_by by;
	char *at;		/* the page's address */
	uint64_t pfn;
	char *area;		/* all that is to be unmapped */
	size_t size;
	char byte;		/* the page's first */
	bool writable;
};

static void hold_driver_page(struct __test_metadata *_metadata, struct row *row,
			     struct held *held, uint64_t pfn)
{
	bool fault = held->by == HELD_FAULTED;
	struct pat_test_chunk chunk = {
		.pfn = pfn,
		.size = PAT_PAGE,
		.type = PAT_TEST_WB,
		.method = fault ? PAT_TEST_FAULT_PAGE : PAT_TEST_VM_INSERT_PAGE,
	};
	struct pat_test_program program = {
		.chunks = (uintptr_t)&chunk,
		.nr = 1,
		.flags = fault ? PAT_TEST_AT_FAULT : 0,
	};

	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_PROGRAM, &program));
	held->area = mmap(NULL, PAT_PAGE, PROT_RW, MAP_SHARED, row->driver, 0);
	held->size = PAT_PAGE;
	held->at = held->area;
}

static void set_hugetlb_pool(struct __test_metadata *_metadata, unsigned int pages)
{
	FILE *file = fopen("/proc/sys/vm/nr_hugepages", "r+");
	unsigned int now = 0;

	ASSERT_NE(NULL, file) TH_LOG("%s", strerror(errno));
	ASSERT_LT(0, fprintf(file, "%u\n", pages));
	ASSERT_EQ(0, fflush(file));
	rewind(file);
	ASSERT_EQ(1, fscanf(file, "%u", &now));
	ASSERT_EQ(pages, now) TH_LOG("no memory for a huge page");
	fclose(file);
}

static void hold_hugetlb(struct __test_metadata *_metadata, struct held *held)
{
	set_hugetlb_pool(_metadata, 1);
	held->size = HUGE;
	held->area = mmap(NULL, HUGE, PROT_RW,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	held->at = held->area + PLACE * PAT_PAGE;
}

static void hold_huge(struct __test_metadata *_metadata, struct held *held)
{
	uintptr_t start;

	held->size = 2 * HUGE;
	held->area = mmap(NULL, held->size, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	ASSERT_NE(MAP_FAILED, held->area);
	ASSERT_EQ(0, madvise(held->area, held->size, MADV_HUGEPAGE))
		TH_LOG("madvise: %s", strerror(errno));
	start = ((uintptr_t)held->area + HUGE - 1) & -HUGE;
	held->at = (char *)start + PLACE * PAT_PAGE;
}

/* A file that no process has mapped. */
static int open_driver_file(struct __test_metadata *_metadata)
{
	char path[512];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 64);
	int fd;

	ASSERT_LT(0, length);
	path[length] = '\0';
	strcpy(strrchr(path, '/'), "/pat_test.ko");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd) TH_LOG("%s: %s", path, strerror(errno));
	return fd;
}

static void hold_file(struct __test_metadata *_metadata, struct held *held)
{
	bool root = held->by == HELD_ROOT_FILE;
	int fd = root ? open_driver_file(_metadata) :
			memfd_create("held", MFD_CLOEXEC);

	ASSERT_LE(0, fd) TH_LOG("%s", strerror(errno));
	held->size = PAT_PAGE;
	if (!root) {
		ASSERT_EQ(0, ftruncate(fd, PAT_PAGE));
		ASSERT_EQ(1, write(fd, "f", 1));
	}
	held->writable = held->by == HELD_TMPFS;
	held->area = mmap(NULL, PAT_PAGE, held->writable ? PROT_RW : PROT_READ,
			  MAP_SHARED, fd, 0);
	held->at = held->area;
	close(fd);
}

/* Maps a page. A driver's own is @pfn; any other's is found out. */
static void hold(struct __test_metadata *_metadata, struct row *row,
		 struct held *held, uint64_t pfn)
{
	struct pat_test_pte pte = {};

	held->writable = true;
	switch (held->by) {
	case HELD_ANONYMOUS:
		held->size = PAT_PAGE;
		held->area = mmap(NULL, PAT_PAGE, PROT_RW,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		held->at = held->area;
		break;
	case HELD_COPY:
		/* Not the first page: fork() would fail on stock (row B). */
		held->size = 2 * PAT_PAGE;
		held->area = ram_map(_metadata, row, RAM_DRIVER,
				     &(struct ram_block) { .pfns = { pfn } }, 0, 2,
				     PROT_RW, MAP_PRIVATE);
		ASSERT_NE(NULL, held->area);
		held->at = held->area + PAT_PAGE;
		break;
	case HELD_TMPFS:
	case HELD_TMPFS_READ_ONLY:
	case HELD_ROOT_FILE:
		hold_file(_metadata, held);
		break;
	case HELD_INSERTED:
	case HELD_FAULTED:
		hold_driver_page(_metadata, row, held, pfn);
		break;
	case HELD_HUGE_PART:
		hold_huge(_metadata, held);
		break;
	case HELD_HUGETLB_PART:
		hold_hugetlb(_metadata, held);
		break;
	}
	ASSERT_NE(MAP_FAILED, held->area) TH_LOG("mmap: %s", strerror(errno));
	if (held->writable)
		*held->at = 'h';
	held->byte = *(volatile char *)held->at;

	pte.addr = (uintptr_t)held->at;
	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_READ_PTE, &pte));
	ASSERT_EQ(PAT_TEST_WB, pte.got);
	ASSERT_FALSE(pte.special);
	if (held->by == HELD_HUGE_PART || held->by == HELD_HUGETLB_PART)
		ASSERT_EQ(2, pte.level) TH_LOG("the kernel gave no huge page");
	if (held->by == HELD_INSERTED || held->by == HELD_FAULTED)
		ASSERT_EQ(pfn, pte.pfn);
	held->pfn = pte.pfn;
}

static void let_go(struct __test_metadata *_metadata, struct held *held)
{
	ASSERT_EQ(0, munmap(held->area, held->size));
}

/* Claims that the page is mapped and works as before. */
static void claim_held(struct __test_metadata *_metadata, struct row *row,
		       struct held *held, const char *step)
{
	struct pat_test_pte pte = { .addr = (uintptr_t)held->at };

	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_READ_PTE, &pte));
	ROW_CLAIM(row, pte.got == PAT_TEST_WB && pte.pfn == held->pfn && !pte.special,
		  "%s: the entry has pfn 0x%llx %s, wanted 0x%llx write-back", step,
		  (unsigned long long)pte.pfn, pat_type_word(pte.got),
		  (unsigned long long)held->pfn);
	ROW_CLAIM(row, *(volatile char *)held->at == held->byte,
		  "%s: the page has lost its content", step);
	if (held->writable)
		*held->at = ++held->byte;
}

/* --- calls ----------------------------------------------------------------------- */

/*
 * One call on pages that somebody has mapped: refused, at most one line, all
 * pages WB as before. Where PAT is off nothing is refused.
 */
static void claim_refused(struct __test_metadata *_metadata, struct row *row,
			  const struct ram_block *block,
			  const struct ram_change *by, unsigned int first,
			  unsigned int count)
{
	unsigned int lines;
	int err;

	row_claim_only(_metadata, row, NULL, NULL, 0);
	err = ram_set(_metadata, row, block, by->api, first, count);
	lines = row_claim_only(_metadata, row, RAM_BUSY_LINE, NULL, 0);
	if (row->pat_is_on) {
		ROW_CLAIM(row, err == -EBUSY,
			  "%s of mapped pages says %d", by->name, err);
		/* None, if there were many before. */
		ROW_CLAIM(row, lines <= 1, "%s: %u lines in the log", by->name,
			  lines);
		ram_claim(_metadata, row, block, first, count, PAT_TEST_WB, by->name);
	} else {
		ROW_CLAIM(row, !err && !lines,
			  "nothing knows types: %s says %d, with %u lines",
			  by->name, err, lines);
		ram_claim(_metadata, row, block, first, count, by->type, by->name);
	}
	row_claim_valid(_metadata, row, by->name);
	if (!err)
		ram_must_set(_metadata, row, block, by->back, first, count,
			     "set back");
	ram_claim(_metadata, row, block, first, count, PAT_TEST_WB, "set back");
}

/* One call, and back, on pages that nobody has mapped any more. */
static void claim_granted(struct __test_metadata *_metadata, struct row *row,
			  const struct ram_block *block,
			  const struct ram_change *by, unsigned int first,
			  unsigned int count)
{
	ram_must_set(_metadata, row, block, by->api, first, count, by->name);
	ram_claim(_metadata, row, block, first, count, by->type, by->name);
	ram_must_set(_metadata, row, block, by->back, first, count, "set back");
	ram_claim(_metadata, row, block, first, count, PAT_TEST_WB, "set back");
	row_claim_valid(_metadata, row, by->name);
}

static void verdict(struct __test_metadata *_metadata, struct row *row)
{
	row_claim_valid(_metadata, row, "at the end");
	row_verdict(_metadata, row);
}

/* --- each holder, alone and in an array --------------------------------------------- */

FIXTURE(held) {
	struct row row;
	struct held held;
	struct ram_block own;		/* the driver's pages, if it is one of them */
};

FIXTURE_VARIANT(held) {
	enum held_by by;
};

#define HELD(name_, by_)							\
	FIXTURE_VARIANT_ADD(held, name_) { .by = by_ }

HELD(anonymous, HELD_ANONYMOUS);
HELD(private_copy, HELD_COPY);
HELD(tmpfs, HELD_TMPFS);
HELD(tmpfs_read_only, HELD_TMPFS_READ_ONLY);
HELD(root_file, HELD_ROOT_FILE);
HELD(vm_insert_page, HELD_INSERTED);
HELD(page_of_fault, HELD_FAULTED);
HELD(part_of_huge_page, HELD_HUGE_PART);
HELD(part_of_hugetlb_page, HELD_HUGETLB_PART);

FIXTURE_SETUP(held)
{
	row_open(_metadata, &self->row, ROW_STOCK_HAS_BUG);
	if (_metadata->exit_code)
		return;
	ASSERT_TRUE(pat_expect_message(RAM_BUSY_MESSAGE));
	ram_alloc(_metadata, &self->row, &self->own, 2, 1);
	self->held.by = variant->by;
	hold(_metadata, &self->row, &self->held, self->own.pfns[0]);
}

FIXTURE_TEARDOWN(held)
{
	if (variant->by == HELD_HUGETLB_PART)
		set_hugetlb_pool(_metadata, 0);
	pat_expect_done();
	row_close(&self->row);
}

TEST_F(held, alone)
{
	struct row *row = &self->row;
	struct ram_block page = { .pfns = { self->held.pfn } };

	ram_adopt(_metadata, row, &page, 1);
	for (unsigned int i = 0; i < RAM_NR_CHANGES; i++) {
		claim_refused(_metadata, row, &page, &changes[i], 0, 1);
		claim_held(_metadata, row, &self->held, changes[i].name);

		/* It is write-back: who asks for that changes nothing. */
		ram_must_set(_metadata, row, &page, changes[i].back, 0, 1, "WB");
		row_claim_only(_metadata, row, NULL, NULL, 0);
		claim_held(_metadata, row, &self->held, "WB");
	}
	let_go(_metadata, &self->held);
	for (unsigned int i = 0; i < RAM_NR_CHANGES; i++)
		claim_granted(_metadata, row, &page, &changes[i], 0, 1);
	ram_free(_metadata, row, &page);
	verdict(_metadata, row);
}

/* Page 500 of an array of 512; the others' recorded mappings stay as well. */
TEST_F(held, in_array)
{
	struct row *row = &self->row;
	struct ram_block pages, array, mapped;
	char *at;

	ram_alloc(_metadata, row, &mapped, 8, 3);
	at = ram_map(_metadata, row, RAM_DRIVER, &mapped, 0, 8, PROT_RW, MAP_SHARED);
	ASSERT_NE(NULL, at);
	ram_fill(at, 0, 8, 0);
	ram_alloc(_metadata, row, &pages, MANY - 9, 0);
	memcpy(array.pfns, mapped.pfns, 4 * sizeof(uint64_t));
	memcpy(array.pfns + 4, pages.pfns, (PLACE - 4) * sizeof(uint64_t));
	array.pfns[PLACE] = self->held.pfn;
	memcpy(array.pfns + PLACE + 1, pages.pfns + PLACE - 4,
	       (MANY - 9 - (PLACE - 4)) * sizeof(uint64_t));
	memcpy(array.pfns + MANY - 4, mapped.pfns + 4, 4 * sizeof(uint64_t));
	ram_adopt(_metadata, row, &array, MANY);

	for (unsigned int i = 0; i < RAM_NR_CHANGES; i++) {
		if (!changes[i].array)
			continue;
		claim_refused(_metadata, row, &array, &changes[i], 0, MANY);
		claim_held(_metadata, row, &self->held, changes[i].name);
		ram_claim_mapped(_metadata, row, NULL, at, &mapped, 0, 8,
				 PAT_TEST_WB, changes[i].name);
		/* All but that one. */
		claim_granted(_metadata, row, &array, &changes[i], 0, PLACE);
		claim_granted(_metadata, row, &array, &changes[i], PLACE + 1,
			      MANY - PLACE - 1);
		ram_claim_mapped(_metadata, row, NULL, at, &mapped, 0, 8,
				 PAT_TEST_WB, "set back");
	}
	let_go(_metadata, &self->held);
	for (unsigned int i = 0; i < RAM_NR_CHANGES; i++) {
		if (!changes[i].array)
			continue;
		ram_must_set(_metadata, row, &array, changes[i].api, 0, MANY,
			     "unmapped");
		ram_claim(_metadata, row, &array, 0, MANY, changes[i].type,
			  "unmapped");
		ram_claim_mapped(_metadata, row, NULL, at, &mapped, 0, 8,
				 changes[i].type, "unmapped");
		ram_must_set(_metadata, row, &array, changes[i].back, 0, MANY,
			     "set back");
		ram_claim(_metadata, row, &array, 0, MANY, PAT_TEST_WB, "set back");
		ram_claim_mapped(_metadata, row, NULL, at, &mapped, 0, 8,
				 PAT_TEST_WB, "set back");
	}
	ram_claim_filled(_metadata, row, NULL, at, 0, 8, 0, "set back");
	ASSERT_EQ(0, munmap(at, 8 * PAT_PAGE));
	ram_free(_metadata, row, &array);
	verdict(_metadata, row);
}

/*
 * The one line says which page, what it should have become, and who has it
 * mapped if that can be known. The kernel lets ten lines through in five seconds
 * and then waits for the next five.
 */
TEST_F(held, log_line)
{
	struct row *row = &self->row;
	struct ram_block page = { .pfns = { self->held.pfn } };
	char line[256] = "", type[64] = "", holder[192] = "", me[64];
	bool known = variant->by != HELD_INSERTED && variant->by != HELD_FAULTED;
	unsigned long long phys = 0;
	unsigned int lines = 0;

	ram_adopt(_metadata, row, &page, 1);
	for (unsigned int tries = 0; !lines && tries < 100; tries++) {
		int err;

		if (tries)
			usleep(100000);
		row_claim_only(_metadata, row, NULL, NULL, 0);
		err = ram_set(_metadata, row, &page, PAT_TEST_SET_PAGES_ARRAY_WC, 0, 1);
		lines = row_claim_only(_metadata, row, RAM_BUSY_LINE, line,
				       sizeof(line));
		if (!err) {
			ram_must_set(_metadata, row, &page,
				     PAT_TEST_SET_PAGES_ARRAY_WB, 0, 1, "set back");
			break;
		}
	}
	if (row->pat_is_on) {
		ROW_CLAIM(row, lines == 1, "%u lines in the log", lines);
		ROW_CLAIM(row, sscanf(line, "x86/PAT: RAM page %llx cannot become %63[^:]: %191[^\n]",
				      &phys, type, holder) == 3,
			  "not understood: %s", line);
		ROW_CLAIM(row, phys == self->held.pfn * PAT_PAGE,
			  "not page 0x%llx: %s",
			  (unsigned long long)self->held.pfn * PAT_PAGE, line);
		ROW_CLAIM(row, !strcmp(type, "write-combining"),
			  "not write-combining: %s", line);
		snprintf(me, sizeof(me), "ram_refuse_test:%d", getpid());
		ROW_CLAIM(row, !known || strstr(holder, me), "not by %s: %s", me, line);
	} else {
		ROW_CLAIM(row, !lines, "nothing knows types: %s", line);
	}
	claim_held(_metadata, row, &self->held, "asked");
	let_go(_metadata, &self->held);
	ram_free(_metadata, row, &page);
	verdict(_metadata, row);
}

/* A child that has inherited the mapping is a holder like any. */
TEST_F(held, by_a_child)
{
	struct row *row = &self->row;
	struct ram_block page = { .pfns = { self->held.pfn } };
	struct ram_child child;
	struct ram_letter letter = {
		.order = RAM_ENTRY,
		.addr = self->held.at,
	};

	ram_child_fork(_metadata, row, &child);
	/* What fork() leaves out, the child's touch brings. */
	letter.order = RAM_LOAD;
	ram_ask(_metadata, row, &child, letter);
	ram_adopt(_metadata, row, &page, 1);
	let_go(_metadata, &self->held);
	for (unsigned int i = 0; i < RAM_NR_CHANGES; i++) {
		struct pat_test_pte pte;

		claim_refused(_metadata, row, &page, &changes[i], 0, 1);
		letter.order = RAM_ENTRY;
		pte = ram_ask(_metadata, row, &child, letter).pte;
		ROW_CLAIM(row, pte.got == PAT_TEST_WB && pte.pfn == self->held.pfn,
			  "%s: a child's entry has pfn 0x%llx %s", changes[i].name,
			  (unsigned long long)pte.pfn, pat_type_word(pte.got));
		letter.order = RAM_LOAD;
		ROW_CLAIM(row, ram_ask(_metadata, row, &child, letter).byte ==
			       self->held.byte,
			  "%s: a child's page has lost its content",
			  changes[i].name);
	}
	ram_child_end(_metadata, &child);
	for (unsigned int i = 0; i < RAM_NR_CHANGES; i++)
		claim_granted(_metadata, row, &page, &changes[i], 0, 1);
	ram_free(_metadata, row, &page);
	verdict(_metadata, row);
}

/* --- as one page of a contiguous block ---------------------------------------------- */

FIXTURE(block) {
	struct row row;
	struct held held;
	struct ram_block own;
};

FIXTURE_VARIANT(block) {
	enum held_by by;
};

FIXTURE_VARIANT_ADD(block, vm_insert_page) {
	.by = HELD_INSERTED
};

FIXTURE_VARIANT_ADD(block, page_of_fault) {
	.by = HELD_FAULTED
};

/* All of its pages are mapped. */
FIXTURE_VARIANT_ADD(block, huge_page) {
	.by = HELD_HUGE_PART
};

FIXTURE_SETUP(block)
{
	row_open(_metadata, &self->row, ROW_STOCK_HAS_BUG);
	if (_metadata->exit_code)
		return;
	ASSERT_TRUE(pat_expect_message(RAM_BUSY_MESSAGE));
	self->held.by = variant->by;
	if (variant->by == HELD_HUGE_PART) {
		hold(_metadata, &self->row, &self->held, 0);
		for (unsigned int i = 0; i < MANY; i++)
			self->own.pfns[i] = self->held.pfn - PLACE + i;
		ram_adopt(_metadata, &self->row, &self->own, MANY);
	} else {
		ram_alloc(_metadata, &self->row, &self->own, MANY, 9);
		hold(_metadata, &self->row, &self->held, self->own.pfns[PLACE]);
	}
}

FIXTURE_TEARDOWN(block)
{
	pat_expect_done();
	row_close(&self->row);
}

TEST_F(block, of_512)
{
	struct row *row = &self->row;
	struct ram_block *own = &self->own;
	char *at = NULL;

	/* Recorded mappings of pages before and behind it. */
	if (variant->by != HELD_HUGE_PART) {
		at = ram_map(_metadata, row, RAM_DRIVER, own, PLACE - 10, 10,
			     PROT_RW, MAP_SHARED);
		ASSERT_NE(NULL, at);
		ram_fill(at, PLACE - 10, 10, 0);
	}
	for (unsigned int i = 0; i < RAM_NR_CHANGES; i++) {
		const char *name = changes[i].name;

		claim_refused(_metadata, row, own, &changes[i], 0, MANY);
		claim_held(_metadata, row, &self->held, name);
		claim_refused(_metadata, row, own, &changes[i], PLACE, MANY - PLACE);
		claim_refused(_metadata, row, own, &changes[i], 0, PLACE + 1);
		claim_held(_metadata, row, &self->held, name);
		if (!at)
			continue;
		ram_claim_mapped(_metadata, row, NULL, at, own, PLACE - 10, 10,
				 PAT_TEST_WB, name);
		/* Up to it, which the call must not touch. */
		ram_must_set(_metadata, row, own, changes[i].api, 0, PLACE, name);
		ram_claim(_metadata, row, own, 0, PLACE, changes[i].type, name);
		ram_claim(_metadata, row, own, PLACE, 1, PAT_TEST_WB, name);
		ram_claim_mapped(_metadata, row, NULL, at, own, PLACE - 10, 10,
				 changes[i].type, name);
		claim_held(_metadata, row, &self->held, name);
		ram_must_set(_metadata, row, own, changes[i].back, 0, PLACE,
			     "set back");
		ram_claim_mapped(_metadata, row, NULL, at, own, PLACE - 10, 10,
				 PAT_TEST_WB, "set back");
	}
	let_go(_metadata, &self->held);
	for (unsigned int i = 0; i < RAM_NR_CHANGES; i++)
		claim_granted(_metadata, row, own, &changes[i], 0, MANY);
	if (at) {
		ram_claim_filled(_metadata, row, NULL, at, PLACE - 10, 10, 0, "at last");
		ASSERT_EQ(0, munmap(at, 10 * PAT_PAGE));
	}
	verdict(_metadata, row);
}

/* --- recorded and not ------------------------------------------------------------------ */

/* One page mapped in both ways: one of them forbids what the other would allow. */
FIXTURE(both) {
	struct row row;
};

FIXTURE_SETUP(both)
{
	row_open(_metadata, &self->row, ROW_STOCK_HAS_BUG);
	if (_metadata->exit_code)
		return;
	ASSERT_TRUE(pat_expect_message(RAM_BUSY_MESSAGE));
}

FIXTURE_TEARDOWN(both)
{
	pat_expect_done();
	row_close(&self->row);
}

TEST_F(both, one_page)
{
	struct held held = { .by = HELD_INSERTED };
	struct row *row = &self->row;
	struct ram_block own;
	char *at;

	ram_alloc(_metadata, row, &own, 8, 3);
	hold(_metadata, row, &held, own.pfns[4]);
	at = ram_map(_metadata, row, RAM_DRIVER, &own, 0, 8, PROT_RW, MAP_SHARED);
	ASSERT_NE(NULL, at);
	for (unsigned int i = 0; i < RAM_NR_CHANGES; i++) {
		claim_refused(_metadata, row, &own, &changes[i], 0, 8);
		ram_claim_mapped(_metadata, row, NULL, at, &own, 0, 8,
				 PAT_TEST_WB, changes[i].name);
		claim_held(_metadata, row, &held, changes[i].name);
	}
	let_go(_metadata, &held);
	for (unsigned int i = 0; i < RAM_NR_CHANGES; i++) {
		ram_must_set(_metadata, row, &own, changes[i].api, 0, 8, "let go");
		ram_claim_mapped(_metadata, row, NULL, at, &own, 0, 8,
				 changes[i].type, "let go");
		ram_must_set(_metadata, row, &own, changes[i].back, 0, 8, "set back");
		ram_claim_mapped(_metadata, row, NULL, at, &own, 0, 8,
				 PAT_TEST_WB, "set back");
	}
	ASSERT_EQ(0, munmap(at, 8 * PAT_PAGE));
	verdict(_metadata, row);
}

/*
 * Of a huge page the process has given up all but one. The rest is of the same
 * folio, but nobody has it mapped.
 */
TEST_F(both, last_page_of_a_huge_one)
{
	struct held held = { .by = HELD_HUGE_PART };
	struct row *row = &self->row;
	struct ram_block all;
	char *huge;

	hold(_metadata, row, &held, 0);
	huge = held.at - PLACE * PAT_PAGE;
	all.nr = MANY;
	for (unsigned int i = 0; i < MANY; i++)
		all.pfns[i] = held.pfn - PLACE + i;
	ram_adopt(_metadata, row, &all, MANY);
	ASSERT_EQ(0, madvise(huge, PLACE * PAT_PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, madvise(huge + (PLACE + 1) * PAT_PAGE,
			     (MANY - PLACE - 1) * PAT_PAGE, MADV_DONTNEED));
	claim_held(_metadata, row, &held, "alone");
	for (unsigned int i = 0; i < RAM_NR_CHANGES; i++) {
		claim_refused(_metadata, row, &all, &changes[i], 0, MANY);
		claim_refused(_metadata, row, &all, &changes[i], PLACE, 1);
		claim_held(_metadata, row, &held, changes[i].name);
		claim_granted(_metadata, row, &all, &changes[i], 0, PLACE);
		claim_granted(_metadata, row, &all, &changes[i], PLACE + 1,
			      MANY - PLACE - 1);
	}
	let_go(_metadata, &held);
	for (unsigned int i = 0; i < RAM_NR_CHANGES; i++)
		claim_granted(_metadata, row, &all, &changes[i], 0, MANY);
	ram_free(_metadata, row, &all);
	verdict(_metadata, row);
}

TEST_HARNESS_MAIN
