// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fork fails midway in a process with a PFN mapping.
 *
 *	the child's VMA is made		and its record
 *	a page table for it is not	out of memory: undo the record
 *	the undo reads the child's	page table to see what to release, where
 *					nothing was copied yet
 *
 * which warns, and releases nothing or the wrong range (CVE-2025-22090). The
 * teardown of the half-made address space may undo the same a second time.
 * Here every allocation of the fork fails in turn; whatever the fork comes to,
 * the parent's records are all that is left.
 *
 * A mapping made in pieces has many records, which are copied all or none.
 *
 * Stock: right, since that CVE was fixed; pieces it does not record at all.
 *
 * Needs fault injection.
 */
#include "pat_fault.h"
#include "row.h"

#define NR 8
#define MANY_ALLOCATIONS 100000

FIXTURE(fork_fault) {
	struct row row;
	struct fault fault;
	char *at;
};

FIXTURE_VARIANT(fork_fault) {
	unsigned int pieces;
	enum row_stock stock;
	unsigned int pages_from;
};

FIXTURE_VARIANT_ADD(fork_fault, one_range) {
	.pieces = 1,
	.stock = ROW_STOCK_IS_RIGHT,
	.pages_from = ROW_A_PAGES,
};

FIXTURE_VARIANT_ADD(fork_fault, pieces) {
	.pieces = NR,
	.stock = ROW_STOCK_HAS_BUG,
	.pages_from = ROW_A_PAGES + NR,
};

/*
 * Pieces in descending order of frames, so that none continues another. They
 * lie across the border of two page tables, so that the second of them can fail
 * when entries stand in the first.
 */
static char *driver_maps(struct __test_metadata *_metadata, struct row *row,
			 unsigned int pages_from, unsigned int pieces)
{
	char *want = fault_address(NR / 2);
	unsigned int nr = NR / pieces;
	struct pat_test_chunk chunks[NR];
	struct pat_test_program program = {
		.chunks = (uintptr_t)chunks,
		.nr = pieces,
	};

	for (unsigned int i = 0; i < pieces; i++) {
		unsigned int page = pages_from + (pieces - 1 - i) * nr;

		chunks[i] = (struct pat_test_chunk) {
			.offset = i * nr * PAT_PAGE,
			.pfn = row_phys(row, page) / PAT_PAGE,
			.size = nr * PAT_PAGE,
			.type = PAT_TEST_UC_MINUS,
			.method = PAT_TEST_REMAP_PFN_RANGE,
		};
	}
	ASSERT_NE(NULL, want);
	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_PROGRAM, &program));
	ASSERT_EQ(want, mmap(want, NR * PAT_PAGE, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_FIXED_NOREPLACE, row->driver, 0));
	return want;
}

FIXTURE_SETUP(fork_fault)
{
	row_open(_metadata, &self->row, variant->stock);
	if (_metadata->exit_code)
		return;
	self->at = driver_maps(_metadata, &self->row, variant->pages_from,
			       variant->pieces);
	ASSERT_TRUE(fault_setup(&self->fault))
		TH_LOG("fault injection: %s", strerror(errno));
}

FIXTURE_TEARDOWN(fork_fault)
{
	fault_teardown(&self->fault);
	row_close(&self->row);
}

/* Forks with each allocation failing in turn; how often the fork failed. */
static unsigned int fork_again_and_again(struct __test_metadata *_metadata,
					 struct row *row, struct fault *fault,
					 unsigned int pages_from)
{
	unsigned int failed = 0;

	for (unsigned int n = 1; n < MANY_ALLOCATIONS; n++) {
		bool happened;
		pid_t child;
		int status;

		ASSERT_TRUE(fault_arm(fault, n));
		child = fork();
		if (child == 0)
			_exit(0);
		happened = fault_happened(fault);
		if (child < 0) {
			EXPECT_TRUE(happened) TH_LOG("fork: %s", strerror(errno));
			failed++;
		} else {
			ASSERT_EQ(child, waitpid(child, &status, 0));
		}
		for (unsigned int i = 0; i < NR; i++)
			row_claim_records(_metadata, row,
					  row_phys(row, pages_from + i), 1,
					  PAT_TEST_UC_MINUS);
		if (row->broken)
			TH_LOG("with allocation %u failing", n);
		if (!happened || row->broken)
			break;
	}
	TH_LOG("%u forks failed", failed);
	return failed;
}

static void unmap_and_judge(struct __test_metadata *_metadata, struct row *row,
			    char *at, unsigned int pages_from)
{
	ASSERT_EQ(0, munmap(at, NR * PAT_PAGE));
	for (unsigned int i = 0; i < NR; i++)
		row_claim_free(_metadata, row, row_phys(row, pages_from + i));
	row_verdict(_metadata, row);
}

/*
 * All of the fork, but for the stack of the new task: the kernel reports its
 * failure in the log.
 */
TEST_F(fork_fault, any_allocation)
{
	unsigned int failed;

	ASSERT_TRUE(fault_never_below("__vmalloc_node_range_noprof"));
	failed = fork_again_and_again(_metadata, &self->row, &self->fault,
				      variant->pages_from);
	ROW_CLAIM(&self->row, failed >= 10, "only %u forks failed", failed);
	unmap_and_judge(_metadata, &self->row, self->at, variant->pages_from);
}

/* Only what copying the mappings allocates: records and page tables. */
TEST_F(fork_fault, copying_page_tables)
{
	unsigned int failed;

	ASSERT_TRUE(fault_only_below("copy_page_range"));
	failed = fork_again_and_again(_metadata, &self->row, &self->fault,
				      variant->pages_from);
	ROW_CLAIM(&self->row, failed >= 3, "only %u forks failed", failed);
	unmap_and_judge(_metadata, &self->row, self->at, variant->pages_from);
}

TEST_HARNESS_MAIN
