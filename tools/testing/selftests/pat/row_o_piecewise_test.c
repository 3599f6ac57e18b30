// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver's mmap() calls remap_pfn_range() more than once.
 *
 *	remap_pfn_range(half of the VMA)	not the whole VMA: is not recorded,
 *						takes the type a look-up finds
 *	remap_pfn_range(the other half)		so does it
 *
 * A driver that asks for WC silently gets UC-, and nothing keeps anybody else
 * from mapping the frames with another type. (Or, where the first call's record
 * counts as the VMA's only one, the second call fails.) Each piece must be
 * recorded with the type it asks for, pieces of different types too, and be
 * released with its own part of the VMA.
 *
 * Stock: WC is UC-, and there are no records.
 */
#include "row.h"

#define MANY 1000

FIXTURE(piecewise) {
	struct row row;
};

FIXTURE_SETUP(piecewise)
{
	row_open(_metadata, &self->row, ROW_STOCK_HAS_BUG);
}

FIXTURE_TEARDOWN(piecewise)
{
	row_close(&self->row);
}

/* Has the driver map @nr chunks that follow one another in the VMA. */
static char *driver_maps(struct __test_metadata *_metadata, struct row *row,
			 struct pat_test_chunk *chunks, unsigned int nr)
{
	struct pat_test_program program = {
		.chunks = (uintptr_t)chunks,
		.nr = nr,
	};
	struct pat_test_result result;
	uint64_t size = chunks[nr - 1].offset + chunks[nr - 1].size;
	char *at;

	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_PROGRAM, &program));
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, row->driver, 0);
	ASSERT_NE(MAP_FAILED, at) TH_LOG("mmap: %s", strerror(errno));
	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_RESULT, &result));
	ASSERT_EQ(nr, result.done);
	return at;
}

/* Claims that each page of each chunk is mapped and held with the chunk's type. */
static void claim_chunks(struct __test_metadata *_metadata, struct row *row,
			 const char *at, const struct pat_test_chunk *chunks,
			 unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		const struct pat_test_chunk *c = &chunks[i];

		for (uint64_t byte = 0; byte < c->size; byte += PAT_PAGE) {
			uint64_t phys = c->pfn * PAT_PAGE + byte;

			row_claim_entry(_metadata, row, at + c->offset + byte,
					phys, c->type);
			row_claim_records(_metadata, row, phys, 1, c->type);
		}
	}
}

static void claim_chunks_free(struct __test_metadata *_metadata,
			      struct row *row,
			      const struct pat_test_chunk *chunks,
			      unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		for (uint64_t byte = 0; byte < chunks[i].size; byte += PAT_PAGE)
			row_claim_free(_metadata, row,
				       chunks[i].pfn * PAT_PAGE + byte);
}

/* Two chunks of two pages each; the frames in between belong to nobody. */
static void two_chunks(struct row *row, struct pat_test_chunk *chunks,
		       unsigned int page, int type, int other_type)
{
	chunks[0] = (struct pat_test_chunk) {
		.offset = 0,
		.pfn = row_phys(row, page) / PAT_PAGE,
		.size = 2 * PAT_PAGE,
		.type = type,
		.method = PAT_TEST_REMAP_PFN_RANGE,
	};
	chunks[1] = (struct pat_test_chunk) {
		.offset = 2 * PAT_PAGE,
		.pfn = row_phys(row, page + 4) / PAT_PAGE,
		.size = 2 * PAT_PAGE,
		.type = other_type,
		.method = PAT_TEST_REMAP_PFN_RANGE,
	};
}

static void map_two_chunks(struct __test_metadata *_metadata, struct row *row,
			   unsigned int page, int type, int other_type)
{
	struct pat_test_chunk chunks[2];
	char *at;

	two_chunks(row, chunks, page, type, other_type);
	at = driver_maps(_metadata, row, chunks, 2);
	claim_chunks(_metadata, row, at, chunks, 2);

	/* The second chunk's half goes; the first stays as it was. */
	ASSERT_EQ(0, munmap(at + chunks[1].offset, chunks[1].size));
	claim_chunks(_metadata, row, at, chunks, 1);
	claim_chunks_free(_metadata, row, &chunks[1], 1);

	ASSERT_EQ(0, munmap(at, chunks[0].size));
	claim_chunks_free(_metadata, row, chunks, 2);
	row_verdict(_metadata, row);
}

TEST_F(piecewise, two_chunks_of_one_type)
{
	map_two_chunks(_metadata, &self->row, ROW_O_PAGES,
		       PAT_TEST_WC, PAT_TEST_WC);
}

TEST_F(piecewise, two_chunks_wc_and_uc_minus)
{
	map_two_chunks(_metadata, &self->row, ROW_O_PAGES + 8,
		       PAT_TEST_WC, PAT_TEST_UC_MINUS);
}

TEST_F(piecewise, two_chunks_uc_minus_and_wt)
{
	map_two_chunks(_metadata, &self->row, ROW_O_PAGES + 16,
		       PAT_TEST_UC_MINUS, PAT_TEST_WT);
}

/* A child holds each piece as well, and what the parent unmaps stays the child's. */
TEST_F(piecewise, fork)
{
	struct row *row = &self->row;
	struct pat_test_chunk chunks[2];
	int wait[2], status;
	pid_t child;
	char *at;

	two_chunks(row, chunks, ROW_O_PAGES + 24, PAT_TEST_WC,
		   PAT_TEST_UC_MINUS);
	at = driver_maps(_metadata, row, chunks, 2);
	ASSERT_EQ(0, pipe(wait));
	child = fork();
	ASSERT_LE(0, child);
	if (child == 0) {
		char byte;

		close(wait[1]);
		_exit(read(wait[0], &byte, 1) ? KSFT_FAIL : KSFT_PASS);
	}
	for (unsigned int i = 0; i < 2; i++)
		row_claim_records(_metadata, row, chunks[i].pfn * PAT_PAGE, 2,
				  chunks[i].type);
	ASSERT_EQ(0, munmap(at, 4 * PAT_PAGE));
	for (unsigned int i = 0; i < 2; i++)
		row_claim_records(_metadata, row, chunks[i].pfn * PAT_PAGE, 1,
				  chunks[i].type);
	close(wait[1]);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	claim_chunks_free(_metadata, row, chunks, 2);
	row_verdict(_metadata, row);
}

/*
 * Page by page, as some drivers do. In descending order of frames no piece
 * continues the one before.
 */
static void map_many(struct __test_metadata *_metadata, struct row *row,
		     bool descending)
{
	struct pat_test_chunk *chunks = calloc(MANY, sizeof(*chunks));
	uint64_t first_pfn = row_phys(row, ROW_O_PAGES + 40) / PAT_PAGE;
	unsigned int held = 0, typed = 0, others = 0;
	struct pat_list now;
	char *at;

	ASSERT_NE(NULL, chunks);
	for (unsigned int i = 0; i < MANY; i++)
		chunks[i] = (struct pat_test_chunk) {
			.offset = i * PAT_PAGE,
			.pfn = first_pfn + (descending ? MANY - 1 - i : i),
			.size = PAT_PAGE,
			.type = PAT_TEST_WC,
			.method = PAT_TEST_REMAP_PFN_RANGE,
		};
	at = driver_maps(_metadata, row, chunks, MANY);

	now = pat_list_now(_metadata, row->pat_is_on);
	for (unsigned int i = 0; i < MANY; i++) {
		struct pat_test_pte pte = { .addr = (uintptr_t)at + i * PAT_PAGE };
		uint64_t phys = chunks[i].pfn * PAT_PAGE;

		ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_READ_PTE, &pte));
		ASSERT_EQ(chunks[i].pfn, pte.pfn);
		typed += pte.got == row_type(row, PAT_TEST_WC);
		held += pat_list_count(&now, phys, PAT_TEST_WC) == 1;
		others += pat_list_count_all(&now, phys) != 1;
	}
	pat_list_free(&now);
	ROW_CLAIM(row, typed == MANY, "only %u of %u pages are WC", typed, MANY);
	ROW_CLAIM(row, !row->pat_is_on || (held == MANY && !others),
		  "%u of %u pages are held once as WC", held, MANY);

	ASSERT_EQ(0, munmap(at, MANY * PAT_PAGE));
	free(chunks);
	row_verdict(_metadata, row);
}

TEST_F(piecewise, page_by_page)
{
	map_many(_metadata, &self->row, false);
}

TEST_F(piecewise, page_by_page_descending)
{
	map_many(_metadata, &self->row, true);
}

TEST_HARNESS_MAIN
