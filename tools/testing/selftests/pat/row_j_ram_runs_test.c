// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mapping of RAM pages that do not all have one type.
 *
 *	set_pages_array_wc(second page)
 *	remap_pfn_range(both)		asks for the first page's type, and maps
 *					the second WB, too
 *
 * Each page must be mapped with the type it has. And of a range that is RAM only
 * in part the rest must be recorded like any reserved range.
 *
 * Stock: remap_pfn_range() looks at the first page only, and records nothing of a
 * range with RAM in it; with PAT, /dev/mem does not map RAM. What is inserted
 * page by page is right.
 */
#include "ram.h"

#define PAGES 32
#define PROT_RW (PROT_READ | PROT_WRITE)

FIXTURE(runs) {
	struct row row;
	struct ram_block block;
	int types[PAGES];
};

FIXTURE_VARIANT(runs) {
	enum pat_test_method method;
	unsigned int flags;
	bool devmem;
	enum row_stock stock;
};

#define RUNS(name_, method_, flags_, stock_)					\
	FIXTURE_VARIANT_ADD(runs, name_)					\
	{									\
		.method = method_, .flags = flags_, .stock = stock_		\
	}

RUNS(remap_pfn_range, PAT_TEST_REMAP_PFN_RANGE, 0, ROW_STOCK_HAS_BUG);
RUNS(io_remap_pfn_range, PAT_TEST_IO_REMAP_PFN_RANGE, 0, ROW_STOCK_HAS_BUG);
RUNS(vmf_insert_pfn, PAT_TEST_VMF_INSERT_PFN, 0, ROW_STOCK_IS_RIGHT);
RUNS(vmf_insert_pfn_at_fault, PAT_TEST_VMF_INSERT_PFN, PAT_TEST_AT_FAULT,
     ROW_STOCK_IS_RIGHT);
RUNS(vmf_insert_pfn_prot, PAT_TEST_VMF_INSERT_PFN_PROT, PAT_TEST_AT_FAULT,
     ROW_STOCK_IS_RIGHT);
RUNS(vmf_insert_mixed, PAT_TEST_VMF_INSERT_MIXED, PAT_TEST_AT_FAULT,
     ROW_STOCK_IS_RIGHT);
FIXTURE_VARIANT_ADD(runs, devmem) {
	.devmem = true, .stock = ROW_STOCK_HAS_BUG
};

FIXTURE_SETUP(runs)
{
	row_open(_metadata, &self->row, variant->stock);
	if (_metadata->exit_code)
		return;
	ram_alloc(_metadata, &self->row, &self->block, PAGES, 5);
	ASSERT_TRUE(pat_expect_message(RAM_TYPE_MESSAGE));
}

FIXTURE_TEARDOWN(runs)
{
	pat_expect_done();
	row_close(&self->row);
}

static void verdict(struct __test_metadata *_metadata, struct row *row)
{
	row_claim_valid(_metadata, row, "at the end");
	row_claim_only(_metadata, row, RAM_TYPE_LINE, NULL, 0);
	row_verdict(_metadata, row);
}

/* Gives each page the type that the letters say, over and over. */
static void set_types(struct __test_metadata *_metadata, struct row *row,
		      const struct ram_block *block, int *types,
		      const char *letters)
{
	for (unsigned int i = 0; i < block->nr; i++) {
		unsigned int api = PAT_TEST_SET_PAGES_ARRAY_WB;

		types[i] = PAT_TEST_WB;
		switch (letters[i % strlen(letters)]) {
		case 'c':
			types[i] = PAT_TEST_WC;
			api = PAT_TEST_SET_PAGES_ARRAY_WC;
			break;
		case 'u':
			types[i] = PAT_TEST_UC_MINUS;
			api = PAT_TEST_SET_PAGES_ARRAY_UC;
			break;
		}
		ram_must_set(_metadata, row, block, api, i, 1, letters);
		ram_claim(_metadata, row, block, i, 1, types[i], letters);
	}
}

/* Maps pages [first, first + nr), asking for @type; NULL if that is refused. */
static char *map_pages(struct __test_metadata *_metadata, struct row *row,
		       const struct ram_block *block, unsigned int first,
		       unsigned int nr, enum pat_test_method method,
		       unsigned int flags, int type)
{
	struct pat_test_chunk chunk = {
		.pfn = block->pfns[first],
		.size = nr * PAT_PAGE,
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
	at = mmap(NULL, nr * PAT_PAGE, PROT_RW, MAP_SHARED, row->driver, 0);
	ASSERT_NE(MAP_FAILED, at) TH_LOG("mmap: %s", strerror(errno));
	return at;
}

#define MAP(first, nr, type)							\
	(variant->devmem ?							\
	 ram_map(_metadata, &self->row, RAM_DEVMEM, &self->block, first, nr,	\
		 PROT_RW, MAP_SHARED) :						\
	 map_pages(_metadata, &self->row, &self->block, first, nr,		\
		   variant->method, variant->flags, type))

/* Touches what a fault has to map. Without PAT it is all as it was asked for. */
static void claim_types(struct __test_metadata *_metadata, struct row *row,
			const struct ram_child *child, const char *at,
			const struct ram_block *block, unsigned int first,
			unsigned int nr, const int *types, int asked,
			const char *step)
{
	for (unsigned int i = 0; i < nr; i++) {
		struct ram_letter letter = {
			.order = RAM_LOAD,
			.addr = at + i * PAT_PAGE,
		};
		int type = row->pat_is_on ? types[first + i] :
					    pat_type_without_pat(asked);
		struct pat_test_pte pte;

		ram_ask(_metadata, row, child, letter);
		letter.order = RAM_ENTRY;
		pte = ram_ask(_metadata, row, child, letter).pte;
		ROW_CLAIM(row, pte.got == type &&
			       pte.pfn == block->pfns[first + i] && pte.special,
			  "%s: page %u has an entry with pfn 0x%llx %s, wanted 0x%llx %s",
			  step, first + i, (unsigned long long)pte.pfn,
			  pat_type_word(pte.got),
			  (unsigned long long)block->pfns[first + i],
			  pat_type_word(type));
	}
}

#define CLAIM_TYPES(child, at, first, nr, asked, step)				\
	claim_types(_metadata, &self->row, child, at, &self->block, first, nr,	\
		    self->types, asked, step)

static void set_back(struct __test_metadata *_metadata, struct row *row,
		     const struct ram_block *block)
{
	ram_must_set(_metadata, row, block, PAT_TEST_SET_PAGES_ARRAY_WB, 0,
		     block->nr, "at the end");
	ram_claim(_metadata, row, block, 0, block->nr, PAT_TEST_WB, "at the end");
}

static void map_sequence(struct __test_metadata *_metadata, struct row *row,
			 const struct ram_block *block, int *types,
			 char *at, unsigned int first, unsigned int nr,
			 const char *letters)
{
	struct ram_child child;

	if (!at)
		return;
	claim_types(_metadata, row, NULL, at, block, first, nr, types, PAT_TEST_WB,
		    letters);
	row_claim_valid(_metadata, row, letters);
	ram_child_fork(_metadata, row, &child);
	claim_types(_metadata, row, &child, at, block, first, nr, types,
		    PAT_TEST_WB, "in a child");

	/* A hole in the middle changes nothing for the rest. */
	if (nr > 4) {
		ASSERT_EQ(0, munmap(at + PAT_PAGE, 2 * PAT_PAGE));
		claim_types(_metadata, row, NULL, at + 3 * PAT_PAGE, block,
			    first + 3, nr - 3, types, PAT_TEST_WB, "with a hole");
		row_claim_valid(_metadata, row, "with a hole");
	}
	ASSERT_EQ(0, munmap(at, nr * PAT_PAGE));
	claim_types(_metadata, row, &child, at, block, first, nr, types,
		    PAT_TEST_WB, "the child's alone");
	ram_child_end(_metadata, &child);
}

#define SEQUENCE(first, nr, letters)						\
	do {									\
		char *at;							\
										\
		set_types(_metadata, &self->row, &self->block, self->types,	\
			  letters);						\
		at = MAP(first, nr, PAT_TEST_WB);				\
		map_sequence(_metadata, &self->row, &self->block, self->types,	\
			     at, first, nr, letters);				\
		set_back(_metadata, &self->row, &self->block);			\
		verdict(_metadata, &self->row);					\
	} while (0)

/* b: WB, c: WC, u: UC-. */
TEST_F(runs, second_page_wc)
{
	SEQUENCE(0, 2, "bc");
}

TEST_F(runs, first_page_wc)
{
	SEQUENCE(0, 2, "cb");
}

TEST_F(runs, one_uc_among_wb)
{
	SEQUENCE(0, PAGES, "bbbubbbb");
}

TEST_F(runs, every_page_another)
{
	SEQUENCE(0, PAGES, "bcu");
}

TEST_F(runs, pairs)
{
	SEQUENCE(1, PAGES - 2, "bbccuubbuucc");
}

TEST_F(runs, no_page_wb)
{
	SEQUENCE(0, PAGES, "uc");
}

TEST_F(runs, last_page_uc)
{
	SEQUENCE(0, 16, "bbbbbbbbbbbbbbbu");
}

/* For all of one type that is not WB, the driver's wish counts for nothing. */
TEST_F(runs, driver_wants_another)
{
	char *at;

	set_types(_metadata, &self->row, &self->block, self->types, "cccuuubbb");
	/* /dev/mem wants WB in any case. */
	at = MAP(0, PAGES, PAT_TEST_UC_MINUS);
	if (at) {
		CLAIM_TYPES(NULL, at, 0, PAGES,
			    variant->devmem ? PAT_TEST_WB : PAT_TEST_UC_MINUS,
			    "the driver wants UC-");
		ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	}
	set_back(_metadata, &self->row, &self->block);
	verdict(_metadata, &self->row);
}

/* --- where RAM ends, and where it begins ---------------------------------------- */

struct border {
	uint64_t ram_end;
	uint64_t at;
};

/* The first border where firmware keeps what follows RAM. */
static bool border_visit(unsigned int depth, uint64_t start, uint64_t end,
			 const char *name, void *data)
{
	struct border *border = data;

	if (depth)
		return false;
	if (start == border->ram_end && start > 1 << 20 &&
	    end - start >= 2 * PAT_PAGE &&
	    (!strcmp(name, "Reserved") || !strncmp(name, "ACPI ", 5))) {
		border->at = start;
		return true;
	}
	if (!strcmp(name, "System RAM"))
		border->ram_end = end;
	return false;
}

FIXTURE(border) {
	struct row row;
};

FIXTURE_VARIANT(border) {
	bool devmem;
	enum row_stock stock;
};

FIXTURE_VARIANT_ADD(border, driver) {
	.stock = ROW_STOCK_HAS_BUG
};

FIXTURE_VARIANT_ADD(border, devmem) {
	.devmem = true, .stock = ROW_STOCK_HAS_BUG
};

FIXTURE_SETUP(border)
{
	row_open(_metadata, &self->row, variant->stock);
	if (_metadata->exit_code)
		return;
	ASSERT_TRUE(pat_expect_message(RAM_TYPE_MESSAGE));
}

FIXTURE_TEARDOWN(border)
{
	pat_expect_done();
	row_close(&self->row);
}

/* Frames that nobody here owns: mapped to be looked at, never touched. */
static char *map_frames(struct __test_metadata *_metadata, struct row *row,
			bool devmem, uint64_t phys, unsigned int nr, int type)
{
	struct ram_block frames = { .pfns = { phys / PAT_PAGE } };

	if (devmem)
		return ram_map(_metadata, row, RAM_DEVMEM, &frames, 0, nr,
			       PROT_READ, MAP_SHARED);
	return map_pages(_metadata, row, &frames, 0, nr, PAT_TEST_REMAP_PFN_RANGE,
			 0, type);
}

static void claim_frame(struct __test_metadata *_metadata, struct row *row,
			const char *at, uint64_t phys, int type,
			const char *step)
{
	ram_claim_entry(_metadata, row, NULL, at, phys / PAT_PAGE, type, true, step);
}

TEST_F(border, end_of_ram)
{
	struct border border = {};
	unsigned int before[2] = {}, now;
	struct pat_list list;
	char *at;

	ASSERT_TRUE(pat_iomem_find(border_visit, &border))
		TH_LOG("no range reserved by firmware behind System RAM");
	for (unsigned int i = 0; i < 2; i++)
		before[i] = pat_list_count(&self->row.before,
					   border.at + i * PAT_PAGE, PAT_TEST_WB);
	at = map_frames(_metadata, &self->row, variant->devmem,
			border.at - 2 * PAT_PAGE, 4, PAT_TEST_WB);
	if (at) {
		for (unsigned int i = 0; i < 4; i++)
			claim_frame(_metadata, &self->row, at + i * PAT_PAGE,
				    border.at - 2 * PAT_PAGE + i * PAT_PAGE,
				    PAT_TEST_WB, "mapped");
		list = pat_list_now(_metadata, self->row.pat_is_on);
		for (unsigned int i = 0; i < 2 && self->row.pat_is_on; i++) {
			now = pat_list_count(&list, border.at + i * PAT_PAGE,
					     PAT_TEST_WB);
			ROW_CLAIM(&self->row, now == before[i] + 1,
				  "reserved page %u: %u records, %u before", i,
				  now, before[i]);
			now = pat_list_count_all(&list, border.at -
							(i + 1) * PAT_PAGE);
			ROW_CLAIM(&self->row, !now,
				  "RAM page %u before the end: %u records", i, now);
		}
		pat_list_free(&list);
		row_claim_valid(_metadata, &self->row, "mapped");

		/* One page on each side goes, from the middle. */
		ASSERT_EQ(0, munmap(at + PAT_PAGE, 2 * PAT_PAGE));
		list = pat_list_now(_metadata, self->row.pat_is_on);
		for (unsigned int i = 0; i < 2 && self->row.pat_is_on; i++) {
			now = pat_list_count(&list, border.at + i * PAT_PAGE,
					     PAT_TEST_WB);
			ROW_CLAIM(&self->row, now == before[i] + i,
				  "middle unmapped: reserved page %u: %u records, %u before",
				  i, now, before[i]);
		}
		pat_list_free(&list);
		row_claim_valid(_metadata, &self->row, "middle unmapped");
		ASSERT_EQ(0, munmap(at, 4 * PAT_PAGE));
	}
	verdict(_metadata, &self->row);
}

/* A page of the ISA range, which nothing tracks, and the first page of RAM. */
TEST_F(border, one_mebibyte)
{
	const uint64_t border = 1 << 20;
	char *at;

	if (!variant->devmem)
		self->row.stock = ROW_STOCK_IS_RIGHT;
	at = map_frames(_metadata, &self->row, variant->devmem,
			border - PAT_PAGE, 2, PAT_TEST_WB);
	if (at) {
		claim_frame(_metadata, &self->row, at, border - PAT_PAGE,
			    PAT_TEST_WB, "mapped");
		claim_frame(_metadata, &self->row, at + PAT_PAGE, border,
			    PAT_TEST_WB, "mapped");
		row_claim_valid(_metadata, &self->row, "mapped");
		ASSERT_EQ(0, munmap(at, 2 * PAT_PAGE));
	}
	verdict(_metadata, &self->row);
}

TEST_HARNESS_MAIN
