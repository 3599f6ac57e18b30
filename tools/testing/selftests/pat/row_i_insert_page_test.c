// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver makes its page WC and hands it to a process as a struct page.
 *
 *	set_pages_array_wc(page)	the direct map is WC
 *	vm_insert_page(page)		the entry has the type of vma->vm_page_prot:
 *					WB, if the driver does not set it
 *
 * Nobody asks the page. It must be asked, whichever way the page comes into the
 * page table: vm_insert_page() and its relatives, or as what ->fault() returns.
 * Nor can a driver have a WB page mapped with another type.
 *
 * Such a page cannot have its type changed as long as it is mapped.
 *
 * Stock: the entry has the type that the driver asks for.
 */
#include "ram.h"

#define PAGES 4
#define PROT_RW (PROT_READ | PROT_WRITE)

FIXTURE(insert) {
	struct row row;
	struct ram_block block;
};

FIXTURE_VARIANT(insert) {
	enum pat_test_method method;
	unsigned int flags;
};

#define INSERT(name_, method_, flags_)						\
	FIXTURE_VARIANT_ADD(insert, name_)					\
	{									\
		.method = method_, .flags = flags_				\
	}

INSERT(vm_insert_page, PAT_TEST_VM_INSERT_PAGE, 0);
INSERT(vm_insert_page_at_fault, PAT_TEST_VM_INSERT_PAGE, PAT_TEST_AT_FAULT);
INSERT(vm_insert_pages, PAT_TEST_VM_INSERT_PAGES, 0);
INSERT(vm_map_pages, PAT_TEST_VM_MAP_PAGES, 0);
INSERT(page_of_fault, PAT_TEST_FAULT_PAGE, PAT_TEST_AT_FAULT);

/* What the pages of most tests are made. */
static const int types[PAGES] = {
	PAT_TEST_WB, PAT_TEST_WC, PAT_TEST_UC_MINUS, PAT_TEST_WB,
};

FIXTURE_SETUP(insert)
{
	row_open(_metadata, &self->row, ROW_STOCK_HAS_BUG);
	if (_metadata->exit_code)
		return;
	ram_alloc(_metadata, &self->row, &self->block, PAGES, 2);
	ASSERT_TRUE(pat_expect_message(RAM_TYPE_MESSAGE "|" RAM_BUSY_MESSAGE));
}

FIXTURE_TEARDOWN(insert)
{
	pat_expect_done();
	row_close(&self->row);
}

/* Gives page 1 and 2 the types of the table. */
static void set_types(struct __test_metadata *_metadata, struct row *row,
		      const struct ram_block *block)
{
	ram_must_set(_metadata, row, block, PAT_TEST_SET_PAGES_ARRAY_WC, 1, 1,
		     "before the mapping");
	ram_must_set(_metadata, row, block, PAT_TEST_SET_PAGES_ARRAY_UC, 2, 1,
		     "before the mapping");
	for (unsigned int i = 0; i < PAGES; i++)
		ram_claim(_metadata, row, block, i, 1, types[i],
			  "before the mapping");
}

/* Has the driver map the block, asking for @type. */
static char *map_untouched(struct __test_metadata *_metadata, struct row *row,
			   const struct ram_block *block,
			   enum pat_test_method method, unsigned int flags,
			   int type, int mmap_flags)
{
	struct pat_test_chunk chunk = {
		.pfn = block->pfns[0],
		.size = block->nr * PAT_PAGE,
		.type = type,
		.method = method,
	};
	struct pat_test_program program = {
		.chunks = (uintptr_t)&chunk,
		.nr = 1,
		.flags = flags,
	};
	char *at;

	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_PROGRAM, &program));
	at = mmap(NULL, block->nr * PAT_PAGE, PROT_RW, mmap_flags, row->driver, 0);
	ASSERT_NE(MAP_FAILED, at) TH_LOG("mmap: %s", strerror(errno));
	return at;
}

/* The same, and what takes a fault is touched. */
static char *map_block(struct __test_metadata *_metadata, struct row *row,
		       const struct ram_block *block,
		       enum pat_test_method method, unsigned int flags, int type,
		       int mmap_flags)
{
	char *at = map_untouched(_metadata, row, block, method, flags, type,
				 mmap_flags);

	for (unsigned int i = 0; i < block->nr; i++)
		(void)*(volatile char *)(at + i * PAT_PAGE);
	return at;
}

#define MAP(type, mmap_flags)							\
	map_block(_metadata, &self->row, &self->block, variant->method,		\
		  variant->flags, type, mmap_flags)

/*
 * Claims that pages [first, first + nr) are mapped with these types. Without PAT
 * the entries have what the driver asked for.
 */
static void claim_pages(struct __test_metadata *_metadata, struct row *row,
			const struct ram_child *child, const char *at,
			const struct ram_block *block, unsigned int first,
			unsigned int nr, const int *want, int asked,
			const char *step)
{
	for (unsigned int i = first; i < first + nr; i++) {
		struct ram_letter letter = {
			.order = RAM_ENTRY,
			.addr = at + i * PAT_PAGE,
		};
		int type = row->pat_is_on ? want[i] : pat_type_without_pat(asked);
		struct pat_test_pte pte = ram_ask(_metadata, row, child,
						  letter).pte;

		ROW_CLAIM(row, pte.got == type && pte.pfn == block->pfns[i],
			  "%s: page %u has an entry with pfn 0x%llx %s, wanted 0x%llx %s",
			  step, i, (unsigned long long)pte.pfn,
			  pat_type_word(pte.got),
			  (unsigned long long)block->pfns[i], pat_type_word(type));
		ROW_CLAIM(row, !pte.special,
			  "%s: page %u is not mapped as a struct page", step, i);
	}
}

#define CLAIM_TYPES(child, at, want, asked, step)				\
	claim_pages(_metadata, &self->row, child, at, &self->block, 0, PAGES,	\
		    want, asked, step)

static void set_back(struct __test_metadata *_metadata, struct row *row,
		     const struct ram_block *block)
{
	ram_must_set(_metadata, row, block, PAT_TEST_SET_MEMORY_WB, 0, block->nr,
		     "at the end");
	ram_claim(_metadata, row, block, 0, block->nr, PAT_TEST_WB, "at the end");
}

static void verdict(struct __test_metadata *_metadata, struct row *row)
{
	row_claim_valid(_metadata, row, "at the end");
	row_claim_only(_metadata, row, RAM_TYPE_LINE, NULL, 0);
	row_verdict(_metadata, row);
}

TEST_F(insert, driver_sets_no_type)
{
	char *at;

	set_types(_metadata, &self->row, &self->block);
	at = MAP(PAT_TEST_WB, MAP_SHARED);
	CLAIM_TYPES(NULL, at, types, PAT_TEST_WB, "mapped");
	ram_fill(at, 0, PAGES, 0);
	ram_claim_filled(_metadata, &self->row, NULL, at, 0, PAGES, 0, "mapped");

	/* Again, at another place, while the first lives. */
	CLAIM_TYPES(NULL, MAP(PAT_TEST_WB, MAP_SHARED), types, PAT_TEST_WB,
		    "mapped twice");
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	at = MAP(PAT_TEST_WB, MAP_SHARED);
	CLAIM_TYPES(NULL, at, types, PAT_TEST_WB, "mapped again");
	ram_claim_filled(_metadata, &self->row, NULL, at, 0, PAGES, 0, "mapped again");
	verdict(_metadata, &self->row);
}

/* A type that not all of the pages have. */
TEST_F(insert, driver_wants_wc)
{
	char *at;

	set_types(_metadata, &self->row, &self->block);
	at = MAP(PAT_TEST_WC, MAP_SHARED);
	CLAIM_TYPES(NULL, at, types, PAT_TEST_WC, "mapped");
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	set_back(_metadata, &self->row, &self->block);
	verdict(_metadata, &self->row);
}

/* Pages that nobody has made anything: a driver cannot have an alias of them. */
TEST_F(insert, driver_wants_uc_of_wb_pages)
{
	static const int wb[PAGES] = {};
	char *at = MAP(PAT_TEST_UC_MINUS, MAP_SHARED);

	CLAIM_TYPES(NULL, at, wb, PAT_TEST_UC_MINUS, "mapped");
	ram_claim(_metadata, &self->row, &self->block, 0, PAGES, PAT_TEST_WB,
		  "mapped");
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	verdict(_metadata, &self->row);
}

/* As it should be done: the driver wants what it has made of the pages. */
TEST_F(insert, driver_is_right)
{
	static const int wc[PAGES] = {
		PAT_TEST_WC, PAT_TEST_WC, PAT_TEST_WC, PAT_TEST_WC,
	};
	char *at;

	self->row.stock = ROW_STOCK_IS_RIGHT;
	ram_must_set(_metadata, &self->row, &self->block,
		     PAT_TEST_SET_PAGES_ARRAY_WC, 0, PAGES, "before the mapping");
	at = MAP(PAT_TEST_WC, MAP_SHARED);
	CLAIM_TYPES(NULL, at, wc, PAT_TEST_WC, "mapped");
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	set_back(_metadata, &self->row, &self->block);

	/* Nobody was asked for anything he has not, so nothing is to be said. */
	row_claim_valid(_metadata, &self->row, "at the end");
	row_verdict(_metadata, &self->row);
}

/* A child gets the same entries. */
TEST_F(insert, fork)
{
	struct ram_child child;
	char *at;

	set_types(_metadata, &self->row, &self->block);
	at = MAP(PAT_TEST_WB, MAP_SHARED);
	ram_child_fork(_metadata, &self->row, &child);
	for (unsigned int i = 0; i < PAGES; i++)
		ram_ask(_metadata, &self->row, &child, (struct ram_letter) {
			.order = RAM_LOAD, .addr = at + i * PAT_PAGE,
		});
	CLAIM_TYPES(&child, at, types, PAT_TEST_WB, "in the child");
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	CLAIM_TYPES(&child, at, types, PAT_TEST_WB, "the child's alone");
	ram_child_end(_metadata, &child);
	set_back(_metadata, &self->row, &self->block);
	verdict(_metadata, &self->row);
}

/* mprotect() and mremap() leave the type alone. */
TEST_F(insert, protected_and_moved)
{
	char *at, *to;

	set_types(_metadata, &self->row, &self->block);
	at = MAP(PAT_TEST_WB, MAP_SHARED);
	ASSERT_EQ(0, mprotect(at, PAGES * PAT_PAGE, PROT_READ));
	CLAIM_TYPES(NULL, at, types, PAT_TEST_WB, "read-only");
	to = mmap(NULL, PAGES * PAT_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		  -1, 0);
	ASSERT_NE(MAP_FAILED, to);
	ASSERT_EQ(to, mremap(at, PAGES * PAT_PAGE, PAGES * PAT_PAGE,
			     MREMAP_MAYMOVE | MREMAP_FIXED, to));
	CLAIM_TYPES(NULL, to, types, PAT_TEST_WB, "moved");
	ASSERT_EQ(0, mprotect(to, PAGES * PAT_PAGE, PROT_RW));
	CLAIM_TYPES(NULL, to, types, PAT_TEST_WB, "writable again");
	ASSERT_EQ(0, munmap(to, PAGES * PAT_PAGE));
	set_back(_metadata, &self->row, &self->block);
	verdict(_metadata, &self->row);
}

/* What a process that writes to its private mapping has then is a page like any. */
TEST_F(insert, private)
{
	struct pat_test_pte copy = {};
	char *at;

	set_types(_metadata, &self->row, &self->block);
	at = MAP(PAT_TEST_WB, MAP_PRIVATE);
	CLAIM_TYPES(NULL, at, types, PAT_TEST_WB, "mapped");
	at[PAT_PAGE] = 'x';
	copy.addr = (uintptr_t)at + PAT_PAGE;
	ASSERT_EQ(0, ioctl(self->row.driver, PAT_TEST_READ_PTE, &copy));
	ROW_CLAIM(&self->row, copy.pfn != self->block.pfns[1],
		  "a write to a private mapping went to the driver's page");
	ROW_CLAIM(&self->row, copy.got == PAT_TEST_WB,
		  "the copy of a write-combining page is mapped %s",
		  pat_type_word(copy.got));
	ram_claim_pfn(_metadata, &self->row, copy.pfn, PAT_TEST_WB, "copied");
	ASSERT_EQ('x', at[PAT_PAGE]);
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	set_back(_metadata, &self->row, &self->block);
	verdict(_metadata, &self->row);
}

/*
 * So it is where the driver wants WC of its WC pages: the copy is not one of them.
 * Page 0 is written to before anything else, page 1 when it is mapped already.
 */
TEST_F(insert, private_of_a_driver_that_wants_wc)
{
	static const int wc[PAGES] = {
		PAT_TEST_WC, PAT_TEST_WC, PAT_TEST_WC, PAT_TEST_WC,
	};
	struct row *row = &self->row;
	char *at;

	ram_must_set(_metadata, row, &self->block, PAT_TEST_SET_PAGES_ARRAY_WC, 0,
		     PAGES, "before the mapping");
	at = map_untouched(_metadata, row, &self->block, variant->method,
			   variant->flags, PAT_TEST_WC, MAP_PRIVATE);
	at[0] = 'x';
	for (unsigned int i = 1; i < PAGES; i++)
		(void)*(volatile char *)(at + i * PAT_PAGE);
	at[PAT_PAGE] = 'x';
	for (unsigned int i = 0; i < 2; i++) {
		struct pat_test_pte copy = { .addr = (uintptr_t)at + i * PAT_PAGE };
		struct pat_test_direct direct = {};

		ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_READ_PTE, &copy));
		direct.pfn = copy.pfn;
		ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_DIRECT_MAP, &direct));
		ROW_CLAIM(row, copy.pfn != self->block.pfns[i],
			  "a write to a private mapping went to the driver's page");
		/* Without PAT it is mapped as its VMA says. */
		ROW_CLAIM(row, direct.got == PAT_TEST_WB &&
			       (!row->pat_is_on || copy.got == PAT_TEST_WB),
			  "page %u: the copy is mapped %s, in the direct map %s", i,
			  pat_type_word(copy.got), pat_type_word(direct.got));
	}
	claim_pages(_metadata, row, NULL, at, &self->block, 2, 2, wc, PAT_TEST_WC,
		    "not written to");
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	set_back(_metadata, row, &self->block);
	verdict(_metadata, row);
}

/*
 * The direct map cannot leave the entries behind: not on the way to another
 * type, nor on the way back.
 */
TEST_F(insert, no_change_while_mapped)
{
	struct row *row = &self->row;
	char *at;
	int err;

	set_types(_metadata, row, &self->block);
	at = MAP(PAT_TEST_WB, MAP_SHARED);
	row_claim_only(_metadata, row, RAM_TYPE_LINE, NULL, 0);
	err = ram_set(_metadata, row, &self->block, PAT_TEST_SET_MEMORY_WB, 0, PAGES);
	if (row->pat_is_on) {
		ROW_CLAIM(row, err == -EBUSY,
			  "mapped pages cannot be set back, but the call says %d",
			  err);
		for (unsigned int i = 0; i < PAGES; i++)
			ram_claim(_metadata, row, &self->block, i, 1, types[i],
				  "refused");
	} else {
		ROW_CLAIM(row, !err, "nothing knows types: %d", err);
	}
	CLAIM_TYPES(NULL, at, types, PAT_TEST_WB, "refused");
	row_claim_only(_metadata, row, RAM_BUSY_LINE, NULL, 0);

	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	set_back(_metadata, row, &self->block);
	verdict(_metadata, row);
}

/* As graphics drivers do it: zap, change, and let the process fault again. */
TEST_F(insert, zapped_and_changed)
{
	static const int wb[PAGES] = {};
	struct pat_test_zap zap = {
		.size = PAGES * PAT_PAGE,
		.method = PAT_TEST_UNMAP_MAPPING_RANGE,
	};
	bool at_fault = variant->flags & PAT_TEST_AT_FAULT;
	char *at = MAP(PAT_TEST_WB, MAP_SHARED);

	ram_fill(at, 0, PAGES, 0);
	CLAIM_TYPES(NULL, at, wb, PAT_TEST_WB, "mapped");
	ASSERT_EQ(0, ioctl(self->row.driver, PAT_TEST_ZAP, &zap));
	ram_claim_unmapped(_metadata, &self->row, NULL, at, PAGES, "zapped");
	set_types(_metadata, &self->row, &self->block);
	if (!at_fault)
		at = MAP(PAT_TEST_WB, MAP_SHARED);
	ram_claim_filled(_metadata, &self->row, NULL, at, 0, PAGES, 0, "changed");
	CLAIM_TYPES(NULL, at, types, PAT_TEST_WB, "changed");

	ASSERT_EQ(0, ioctl(self->row.driver, PAT_TEST_ZAP, &zap));
	set_back(_metadata, &self->row, &self->block);
	if (!at_fault)
		at = MAP(PAT_TEST_WB, MAP_SHARED);
	ram_claim_filled(_metadata, &self->row, NULL, at, 0, PAGES, 0, "back");
	CLAIM_TYPES(NULL, at, wb, PAT_TEST_WB, "back");
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	verdict(_metadata, &self->row);
}

TEST_HARNESS_MAIN
