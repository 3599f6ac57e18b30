// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fork after page 0 of a private PFN mapping was written.
 *
 * A private mapping of physical memory may copy on write like any other:
 *
 *	mmap /dev/mem, MAP_PRIVATE	entries point at frames 0 1 2 3
 *	write page 0			entry 0 points at a page of anonymous memory
 *	fork				needs the type of frames 0..3
 *
 * Who takes the first frame and the type of the whole VMA from entry 0 finds no
 * PFN there any more, and has nothing to give the child: the fork fails, for
 * this process for good. A record that knows its own frames and type does not
 * need the entry.
 *
 * Stock: fork() fails.
 */
#include <signal.h>

#include "row.h"

#define NR 4
#define BYTE_OF_PARENT 0x5a
#define BYTE_OF_CHILD 0xa5

FIXTURE(private_cow) {
	struct row row;
};

FIXTURE_SETUP(private_cow)
{
	row_open(_metadata, &self->row, ROW_STOCK_HAS_BUG);
}

FIXTURE_TEARDOWN(private_cow)
{
	row_close(&self->row);
}

/* The child's half: it inherits the mapping, and its own copy of page 0. */
static void child_looks(struct __test_metadata *_metadata, struct row *row,
			char *at, int tell, int wait)
{
	struct pat_test_pte pte = { .addr = (uintptr_t)at };
	char byte;

	row_claim_entry(_metadata, row, at + PAT_PAGE,
			row_phys(row, ROW_B_PAGES + 1), PAT_TEST_UC_MINUS);
	row_claim_entry(_metadata, row, at + 3 * PAT_PAGE,
			row_phys(row, ROW_B_PAGES + 3), PAT_TEST_UC_MINUS);
	ROW_CLAIM(row, at[0] == BYTE_OF_PARENT, "child reads 0x%x in page 0",
		  (unsigned char)at[0]);
	at[0] = (char)BYTE_OF_CHILD;
	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_READ_PTE, &pte));
	ROW_CLAIM(row, pte.pfn != row_phys(row, ROW_B_PAGES) / PAT_PAGE,
		  "child's page 0 is the frame itself");
	if (write(tell, "", 1) == 1 && read(wait, &byte, 1) >= 0)
		_exit(row->broken ? KSFT_FAIL : KSFT_PASS);
	_exit(KSFT_FAIL);
}

TEST_F(private_cow, fork)
{
	struct row *row = &self->row;
	int tell[2], wait[2], status;
	char byte, *at, *shared;
	pid_t child;

	ASSERT_EQ(0, pipe(tell));
	ASSERT_EQ(0, pipe(wait));

	shared = row_map(_metadata, row, ROW_B_PAGES, 1, MAP_SHARED);
	shared[0] = 0;
	ASSERT_EQ(0, munmap(shared, PAT_PAGE));

	at = row_map(_metadata, row, ROW_B_PAGES, NR, MAP_PRIVATE);
	at[0] = BYTE_OF_PARENT;

	child = fork();
	if (child == 0) {
		close(wait[1]);
		child_looks(_metadata, row, at, tell[1], wait[0]);
	}
	ROW_CLAIM(row, child > 0, "fork: %s", strerror(errno));
	if (child > 0) {
		close(tell[1]);
		EXPECT_EQ(1, read(tell[0], &byte, 1));
		/* Page 0 is left out: no entry maps its frame any more. */
		for (int i = 1; i < NR; i++)
			row_claim_records(_metadata, row,
					  row_phys(row, ROW_B_PAGES + i), 2,
					  PAT_TEST_UC_MINUS);
		close(wait[1]);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		ROW_CLAIM(row, WIFEXITED(status) && !WEXITSTATUS(status),
			  "child ended with status 0x%x", status);
		ROW_CLAIM(row, at[0] == BYTE_OF_PARENT,
			  "the child wrote into the parent's page");
	}
	for (int i = 1; i < NR; i++)
		row_claim_held(_metadata, row, row_phys(row, ROW_B_PAGES + i));

	ASSERT_EQ(0, munmap(at, NR * PAT_PAGE));
	for (int i = 0; i < NR; i++)
		row_claim_free(_metadata, row, row_phys(row, ROW_B_PAGES + i));

	shared = row_map(_metadata, row, ROW_B_PAGES, 1, MAP_SHARED);
	ROW_CLAIM(row, shared[0] == 0, "a private write reached the frame");
	ASSERT_EQ(0, munmap(shared, PAT_PAGE));

	row_verdict(_metadata, row);
}

TEST_HARNESS_MAIN
