// SPDX-License-Identifier: GPL-2.0-only
/*
 * The type of a RAM page is changed while processes have it mapped.
 *
 *	a process		the owner of the page
 *
 *	mmap(), WB
 *				set_memory_uc(): its direct map is UC- now
 *	reads and writes it,
 *	WB: an alias
 *
 * What remap_pfn_range() has mapped, for /dev/mem or a driver, must follow in
 * every process: its entries get the new type and lose nothing else, neither
 * frame nor content, permissions or the CPU's bits. A private copy that a
 * process has made for itself is not the owner's page any more, and stays.
 *
 * Stock: with PAT, /dev/mem does not map RAM at all; mappings of drivers stay
 * as they were made.
 */
#include "ram.h"

#define PAGES 8

/* --- whatever is mapped, by each API and back ----------------------------- */

FIXTURE(change) {
	struct row row;
	struct ram_block block;
	struct ram_change by;
};

FIXTURE_VARIANT(change) {
	enum ram_source source;
	unsigned int by;
};

#define CHANGE(source_, name_, by_)						\
	FIXTURE_VARIANT_ADD(change, name_)					\
	{									\
		.source = source_, .by = by_					\
	}

CHANGE(RAM_DRIVER, driver_set_memory_uc, 0);
CHANGE(RAM_DRIVER, driver_set_memory_wc, 1);
CHANGE(RAM_DRIVER, driver_set_pages_uc, 2);
CHANGE(RAM_DRIVER, driver_set_pages_array_uc, 3);
CHANGE(RAM_DRIVER, driver_set_pages_array_wc, 4);
CHANGE(RAM_DEVMEM, devmem_set_memory_uc, 0);
CHANGE(RAM_DEVMEM, devmem_set_memory_wc, 1);
CHANGE(RAM_DEVMEM, devmem_set_pages_uc, 2);
CHANGE(RAM_DEVMEM, devmem_set_pages_array_uc, 3);
CHANGE(RAM_DEVMEM, devmem_set_pages_array_wc, 4);

FIXTURE_SETUP(change)
{
	static const struct ram_change changes[] = RAM_CHANGES;

	self->by = changes[variant->by];
	row_open(_metadata, &self->row, ROW_STOCK_HAS_BUG);
	if (_metadata->exit_code)
		return;
	ram_alloc(_metadata, &self->row, &self->block, PAGES, 3);
	/* Whoever maps a page that is not WB asked for something else. */
	ASSERT_TRUE(pat_expect_message(RAM_TYPE_MESSAGE));
}

FIXTURE_TEARDOWN(change)
{
	pat_expect_done();
	row_close(&self->row);
}

/* Maps pages; ends the test if the kernel does not let them be. */
#define MAP_OR_LEAVE(at, first, nr, prot, flags)				\
	do {									\
		at = ram_map(_metadata, &self->row, variant->source,		\
			     &self->block, first, nr, prot, flags);		\
		if (!at) {							\
			verdict(_metadata, &self->row);				\
			return;							\
		}								\
	} while (0)

#define PROT_RW (PROT_READ | PROT_WRITE)

static void verdict(struct __test_metadata *_metadata, struct row *row)
{
	row_claim_valid(_metadata, row, "at the end");
	row_claim_only(_metadata, row, RAM_TYPE_LINE, NULL, 0);
	row_verdict(_metadata, row);
}

/* Changes pages [first, first + nr), or back, and claims what they are now. */
#define SET_ON(block, first, nr)						\
	do {									\
		ram_must_set(_metadata, &self->row, block, self->by.api, first,	\
			     nr, "changed");					\
		ram_claim(_metadata, &self->row, block, first, nr,		\
			  self->by.type, "changed");				\
		row_claim_valid(_metadata, &self->row, "changed");		\
	} while (0)

#define SET_BACK_ON(block, first, nr)						\
	do {									\
		ram_must_set(_metadata, &self->row, block, self->by.back, first,\
			     nr, "back");					\
		ram_claim(_metadata, &self->row, block, first, nr, PAT_TEST_WB,	\
			  "back");						\
		row_claim_valid(_metadata, &self->row, "back");			\
	} while (0)

#define SET(first, nr) SET_ON(&self->block, first, nr)
#define SET_BACK(first, nr) SET_BACK_ON(&self->block, first, nr)

/* Claims that pages of a mapping have a type. */
#define CLAIM(child, at, first, nr, type, step)					\
	ram_claim_mapped(_metadata, &self->row, child, at, &self->block, first,	\
			 nr, type, step)
#define CLAIM_FILLED(child, at, first, nr, round, step)				\
	ram_claim_filled(_metadata, &self->row, child, at, first, nr, round, step)

TEST_F(change, mapping)
{
	char *at;

	MAP_OR_LEAVE(at, 0, PAGES, PROT_RW, MAP_SHARED);
	CLAIM(NULL, at, 0, PAGES, PAT_TEST_WB, "mapped");
	ram_fill(at, 0, PAGES, 0);

	SET(0, PAGES);
	CLAIM(NULL, at, 0, PAGES, self->by.type, "changed");
	CLAIM_FILLED(NULL, at, 0, PAGES, 0, "changed");
	ram_fill(at, 0, PAGES, 1);

	SET_BACK(0, PAGES);
	CLAIM(NULL, at, 0, PAGES, PAT_TEST_WB, "back");
	CLAIM_FILLED(NULL, at, 0, PAGES, 1, "back");
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	verdict(_metadata, &self->row);
}

/* Some of the pages, and back in two steps. */
TEST_F(change, some_pages)
{
	char *at;

	MAP_OR_LEAVE(at, 0, PAGES, PROT_RW, MAP_SHARED);
	ram_fill(at, 0, PAGES, 0);

	SET(2, 3);
	CLAIM(NULL, at, 0, 2, PAT_TEST_WB, "three changed");
	CLAIM(NULL, at + 2 * PAT_PAGE, 2, 3, self->by.type, "three changed");
	CLAIM(NULL, at + 5 * PAT_PAGE, 5, 3, PAT_TEST_WB, "three changed");
	ram_claim(_metadata, &self->row, &self->block, 0, 2, PAT_TEST_WB,
		  "before them");
	ram_claim(_metadata, &self->row, &self->block, 5, 3, PAT_TEST_WB,
		  "behind them");

	SET_BACK(3, 1);
	CLAIM(NULL, at + 2 * PAT_PAGE, 2, 1, self->by.type, "one back");
	CLAIM(NULL, at + 3 * PAT_PAGE, 3, 1, PAT_TEST_WB, "one back");
	CLAIM(NULL, at + 4 * PAT_PAGE, 4, 1, self->by.type, "one back");

	SET_BACK(0, PAGES);
	CLAIM(NULL, at, 0, PAGES, PAT_TEST_WB, "all back");
	CLAIM_FILLED(NULL, at, 0, PAGES, 0, "all back");
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	verdict(_metadata, &self->row);
}

/* The change reaches over both ends of what is mapped. */
TEST_F(change, part_of_the_pages_mapped)
{
	char *at;

	MAP_OR_LEAVE(at, 3, 2, PROT_RW, MAP_SHARED);
	ram_fill(at, 3, 2, 0);
	SET(0, PAGES);
	CLAIM(NULL, at, 3, 2, self->by.type, "changed");
	SET_BACK(0, PAGES);
	CLAIM(NULL, at, 3, 2, PAT_TEST_WB, "back");
	CLAIM_FILLED(NULL, at, 3, 2, 0, "back");
	ASSERT_EQ(0, munmap(at, 2 * PAT_PAGE));
	verdict(_metadata, &self->row);
}

/* One process has the pages at three places. */
TEST_F(change, mapped_three_times)
{
	char *at[3];

	for (unsigned int i = 0; i < 3; i++)
		MAP_OR_LEAVE(at[i], i, PAGES - i, PROT_RW, MAP_SHARED);
	ram_fill(at[0], 0, PAGES, 0);

	SET(0, PAGES);
	for (unsigned int i = 0; i < 3; i++)
		CLAIM(NULL, at[i], i, PAGES - i, self->by.type, "changed");
	/* What one writes the others read. */
	ram_fill(at[1], 1, PAGES - 1, 3);
	CLAIM_FILLED(NULL, at[2], 2, PAGES - 2, 3, "changed");

	ASSERT_EQ(0, munmap(at[1], (PAGES - 1) * PAT_PAGE));
	SET_BACK(0, PAGES);
	CLAIM(NULL, at[0], 0, PAGES, PAT_TEST_WB, "back");
	CLAIM(NULL, at[2], 2, PAGES - 2, PAT_TEST_WB, "back");
	ASSERT_EQ(0, munmap(at[0], PAGES * PAT_PAGE));
	ASSERT_EQ(0, munmap(at[2], (PAGES - 2) * PAT_PAGE));
	verdict(_metadata, &self->row);
}

TEST_F(change, parent_and_child)
{
	struct ram_child child;
	char *at;

	MAP_OR_LEAVE(at, 0, PAGES, PROT_RW, MAP_SHARED);
	ram_fill(at, 0, PAGES, 0);
	ram_child_fork(_metadata, &self->row, &child);

	SET(0, PAGES);
	CLAIM(NULL, at, 0, PAGES, self->by.type, "changed");
	CLAIM(&child, at, 0, PAGES, self->by.type, "changed");
	CLAIM_FILLED(&child, at, 0, PAGES, 0, "changed");
	SET_BACK(0, PAGES);
	CLAIM(NULL, at, 0, PAGES, PAT_TEST_WB, "back");
	CLAIM(&child, at, 0, PAGES, PAT_TEST_WB, "back");

	/* The child alone has them. */
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	SET(0, PAGES);
	CLAIM(&child, at, 0, PAGES, self->by.type, "parent unmapped");
	SET_BACK(0, PAGES);
	CLAIM(&child, at, 0, PAGES, PAT_TEST_WB, "parent unmapped, back");
	CLAIM_FILLED(&child, at, 0, PAGES, 0, "parent unmapped, back");
	ram_child_end(_metadata, &child);

	/* Nobody has. */
	SET(0, PAGES);
	SET_BACK(0, PAGES);
	verdict(_metadata, &self->row);
}

/* fork() copies entries that have been changed. */
TEST_F(change, child_born_later)
{
	struct ram_child child, grandchild;
	char *at;

	MAP_OR_LEAVE(at, 0, PAGES, PROT_RW, MAP_SHARED);
	ram_fill(at, 0, PAGES, 0);
	SET(0, PAGES);
	ram_child_fork(_metadata, &self->row, &child);
	CLAIM(&child, at, 0, PAGES, self->by.type, "changed");
	SET_BACK(0, PAGES);
	ram_child_fork(_metadata, &self->row, &grandchild);
	CLAIM(&child, at, 0, PAGES, PAT_TEST_WB, "back");
	CLAIM(&grandchild, at, 0, PAGES, PAT_TEST_WB, "back");
	SET(1, 4);
	CLAIM(NULL, at + PAT_PAGE, 1, 4, self->by.type, "changed again");
	CLAIM(&child, at + PAT_PAGE, 1, 4, self->by.type, "changed again");
	CLAIM(&grandchild, at + PAT_PAGE, 1, 4, self->by.type, "changed again");
	ram_child_end(_metadata, &child);
	SET_BACK(1, 4);
	CLAIM(&grandchild, at, 0, PAGES, PAT_TEST_WB, "back again");
	CLAIM_FILLED(&grandchild, at, 0, PAGES, 0, "back again");
	ram_child_end(_metadata, &grandchild);
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	verdict(_metadata, &self->row);
}

/* A child moves its mapping, as a whole and in part. */
TEST_F(change, moved)
{
	struct ram_child child;
	char *at, *whole, *part;

	MAP_OR_LEAVE(at, 0, PAGES, PROT_RW, MAP_SHARED);
	ram_fill(at, 0, PAGES, 0);
	ram_child_fork(_metadata, &self->row, &child);
	whole = ram_ask(_metadata, &self->row, &child, (struct ram_letter) {
		.order = RAM_MOVE, .addr = at, .size = PAGES * PAT_PAGE,
	}).addr;

	SET(0, PAGES);
	CLAIM(NULL, at, 0, PAGES, self->by.type, "child moved");
	CLAIM(&child, whole, 0, PAGES, self->by.type, "child moved");
	ram_claim_unmapped(_metadata, &self->row, &child, at, PAGES, "child moved");

	/* The second half goes on, with the type it has now. */
	part = ram_ask(_metadata, &self->row, &child, (struct ram_letter) {
		.order = RAM_MOVE,
		.addr = whole + PAGES / 2 * PAT_PAGE,
		.size = PAGES / 2 * PAT_PAGE,
	}).addr;
	CLAIM(&child, part, PAGES / 2, PAGES / 2, self->by.type, "half moved");
	SET_BACK(0, PAGES);
	CLAIM(NULL, at, 0, PAGES, PAT_TEST_WB, "back");
	CLAIM(&child, whole, 0, PAGES / 2, PAT_TEST_WB, "back");
	CLAIM(&child, part, PAGES / 2, PAGES / 2, PAT_TEST_WB, "back");
	CLAIM_FILLED(&child, part, PAGES / 2, PAGES / 2, 0, "back");
	ram_child_end(_metadata, &child);
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	verdict(_metadata, &self->row);
}

/* Head, middle and tail go, here and in a child. */
TEST_F(change, partly_unmapped)
{
	struct ram_child child;
	char *at;

	MAP_OR_LEAVE(at, 0, PAGES, PROT_RW, MAP_SHARED);
	ram_fill(at, 0, PAGES, 0);
	ram_child_fork(_metadata, &self->row, &child);
	ASSERT_EQ(0, munmap(at, PAT_PAGE));
	ASSERT_EQ(0, munmap(at + 3 * PAT_PAGE, 2 * PAT_PAGE));
	ram_ask(_metadata, &self->row, &child, (struct ram_letter) {
		.order = RAM_UNMAP,
		.addr = at + 6 * PAT_PAGE,
		.size = 2 * PAT_PAGE,
	});

	SET(0, PAGES);
	ram_claim_unmapped(_metadata, &self->row, NULL, at, 1, "changed");
	CLAIM(NULL, at + PAT_PAGE, 1, 2, self->by.type, "changed");
	ram_claim_unmapped(_metadata, &self->row, NULL, at + 3 * PAT_PAGE, 2,
			   "changed");
	CLAIM(NULL, at + 5 * PAT_PAGE, 5, 3, self->by.type, "changed");
	CLAIM(&child, at, 0, 6, self->by.type, "changed");
	ram_claim_unmapped(_metadata, &self->row, &child, at + 6 * PAT_PAGE, 2,
			   "changed");

	SET_BACK(0, PAGES);
	CLAIM(NULL, at + PAT_PAGE, 1, 2, PAT_TEST_WB, "back");
	CLAIM(NULL, at + 5 * PAT_PAGE, 5, 3, PAT_TEST_WB, "back");
	CLAIM(&child, at, 0, 6, PAT_TEST_WB, "back");
	CLAIM_FILLED(&child, at, 0, 6, 0, "back");
	ram_child_end(_metadata, &child);
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	verdict(_metadata, &self->row);
}

/* Of a private mapping, a page that was written to is a copy: not the owner's. */
TEST_F(change, private_copy)
{
	struct pat_test_pte copy = {};
	struct ram_child child;
	char *shared, *at;

	MAP_OR_LEAVE(shared, 0, PAGES, PROT_RW, MAP_SHARED);
	ram_fill(shared, 0, PAGES, 0);
	MAP_OR_LEAVE(at, 0, PAGES, PROT_RW, MAP_PRIVATE);
	ram_fill(at + PAT_PAGE, 1, 1, 5);
	copy.addr = (uintptr_t)at + PAT_PAGE;
	ASSERT_EQ(0, ioctl(self->row.driver, PAT_TEST_READ_PTE, &copy));
	ASSERT_NE(self->block.pfns[1], copy.pfn);
	ram_child_fork(_metadata, &self->row, &child);

	for (unsigned int round = 0; round < 2; round++) {
		const char *step = round ? "changed again" : "changed";

		SET(0, PAGES);
		CLAIM(NULL, shared, 0, PAGES, self->by.type, step);
		CLAIM(NULL, at, 0, 1, self->by.type, step);
		CLAIM(NULL, at + 2 * PAT_PAGE, 2, PAGES - 2, self->by.type, step);
		CLAIM(&child, at, 0, 1, self->by.type, step);
		CLAIM(&child, at + 2 * PAT_PAGE, 2, PAGES - 2, self->by.type, step);
		ram_claim_entry(_metadata, &self->row, NULL, at + PAT_PAGE,
				copy.pfn, PAT_TEST_WB, false, step);
		ram_claim_entry(_metadata, &self->row, &child, at + PAT_PAGE,
				copy.pfn, PAT_TEST_WB, false, step);
		ram_claim_pfn(_metadata, &self->row, copy.pfn, PAT_TEST_WB, step);
		CLAIM_FILLED(NULL, at + PAT_PAGE, 1, 1, 5, step);
		CLAIM_FILLED(NULL, shared + PAT_PAGE, 1, 1, 0, step);

		SET_BACK(0, PAGES);
		CLAIM(NULL, at, 0, 1, PAT_TEST_WB, "back");
		CLAIM(&child, at + 2 * PAT_PAGE, 2, PAGES - 2, PAT_TEST_WB, "back");
		CLAIM_FILLED(&child, at + PAT_PAGE, 1, 1, 5, "back");
		CLAIM_FILLED(&child, at + 2 * PAT_PAGE, 2, PAGES - 2, 0, "back");
	}
	ram_child_end(_metadata, &child);
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	ASSERT_EQ(0, munmap(shared, PAGES * PAT_PAGE));
	verdict(_metadata, &self->row);
}

/* A copy that is made of a page while it has another type. */
TEST_F(change, private_copy_made_later)
{
	struct pat_test_pte copy = {};
	char *shared, *at;

	MAP_OR_LEAVE(shared, 0, PAGES, PROT_RW, MAP_SHARED);
	ram_fill(shared, 0, PAGES, 0);
	MAP_OR_LEAVE(at, 0, PAGES, PROT_RW, MAP_PRIVATE);
	SET(0, PAGES);
	CLAIM_FILLED(NULL, at, 0, PAGES, 0, "changed");
	at[PAT_PAGE + 1] = 'x';
	copy.addr = (uintptr_t)at + PAT_PAGE;
	ASSERT_EQ(0, ioctl(self->row.driver, PAT_TEST_READ_PTE, &copy));
	ASSERT_NE(self->block.pfns[1], copy.pfn);
	CLAIM_FILLED(NULL, at, 0, PAGES, 0, "copied");
	CLAIM(NULL, at + 2 * PAT_PAGE, 2, PAGES - 2, self->by.type, "copied");
	/* What type a copy is mapped with depends on its own page only. */
	ram_claim_entry(_metadata, &self->row, NULL, at + PAT_PAGE, copy.pfn,
			PAT_TEST_WB, false, "copied");
	ram_claim_pfn(_metadata, &self->row, copy.pfn, PAT_TEST_WB, "copied");
	SET_BACK(0, PAGES);
	CLAIM(NULL, at, 0, 1, PAT_TEST_WB, "back");
	ram_claim_entry(_metadata, &self->row, NULL, at + PAT_PAGE, copy.pfn,
			PAT_TEST_WB, false, "back");
	CLAIM(NULL, at + 2 * PAT_PAGE, 2, PAGES - 2, PAT_TEST_WB, "back");
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	ASSERT_EQ(0, munmap(shared, PAGES * PAT_PAGE));
	verdict(_metadata, &self->row);
}

/* What may not be touched for now comes back with the type of now. */
TEST_F(change, prot_none)
{
	struct ram_letter protect = {
		.order = RAM_PROTECT,
		.size = 4 * PAT_PAGE,
		.arg = PROT_NONE,
	};
	struct ram_child child;
	char *at;

	MAP_OR_LEAVE(at, 0, PAGES, PROT_RW, MAP_SHARED);
	ram_fill(at, 0, PAGES, 0);
	ram_child_fork(_metadata, &self->row, &child);
	protect.addr = at + 2 * PAT_PAGE;
	ram_ask(_metadata, &self->row, NULL, protect);

	SET(0, PAGES);
	CLAIM(NULL, at, 0, 2, self->by.type, "changed");
	CLAIM(NULL, at + 6 * PAT_PAGE, 6, 2, self->by.type, "changed");
	ram_claim_unmapped(_metadata, &self->row, NULL, at + 2 * PAT_PAGE, 4,
			   "changed");
	ram_ask(_metadata, &self->row, &child, protect);
	protect.arg = PROT_RW;
	ram_ask(_metadata, &self->row, NULL, protect);
	CLAIM(NULL, at, 0, PAGES, self->by.type, "accessible again");
	CLAIM_FILLED(NULL, at, 0, PAGES, 0, "accessible again");

	/* The way back, while the child may not. */
	SET_BACK(0, PAGES);
	CLAIM(NULL, at, 0, PAGES, PAT_TEST_WB, "back");
	ram_ask(_metadata, &self->row, &child, protect);
	CLAIM(&child, at, 0, PAGES, PAT_TEST_WB, "back");
	CLAIM_FILLED(&child, at, 0, PAGES, 0, "back");
	ram_child_end(_metadata, &child);
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	verdict(_metadata, &self->row);
}

/* Who may not write cannot after the change, either. */
TEST_F(change, read_only)
{
	struct ram_child child;
	char *rw, *at;
	int pipes[2];

	MAP_OR_LEAVE(rw, 0, PAGES, PROT_RW, MAP_SHARED);
	ram_fill(rw, 0, PAGES, 0);
	MAP_OR_LEAVE(at, 0, PAGES, PROT_READ, MAP_SHARED);
	ram_child_fork(_metadata, &self->row, &child);
	ASSERT_EQ(0, pipe(pipes));

	for (unsigned int back = 0; back < 2; back++) {
		const char *step = back ? "back" : "changed";
		int type = back ? PAT_TEST_WB : self->by.type;

		if (back)
			SET_BACK(0, PAGES);
		else
			SET(0, PAGES);
		for (unsigned int i = 0; i < PAGES; i++) {
			struct pat_test_pte pte =
				ram_claim_entry(_metadata, &self->row, NULL,
						at + i * PAT_PAGE,
						self->block.pfns[i], type, true,
						step);
			ROW_CLAIM(&self->row, !pte.writable,
				  "%s: page %u can be written to", step, i);
			pte = ram_claim_entry(_metadata, &self->row, &child,
					      at + i * PAT_PAGE,
					      self->block.pfns[i], type, true,
					      step);
			ROW_CLAIM(&self->row, !pte.writable,
				  "%s: page %u can be written to by a child", step, i);
			pte = ram_claim_entry(_metadata, &self->row, NULL,
					      rw + i * PAT_PAGE,
					      self->block.pfns[i], type, true,
					      step);
			ROW_CLAIM(&self->row, pte.writable,
				  "%s: page %u cannot be written to", step, i);
		}
		/* The kernel's copy turns the SIGSEGV into an error. */
		ASSERT_EQ(1, write(pipes[1], "x", 1));
		ROW_CLAIM(&self->row, read(pipes[0], at, 1) == -1 && errno == EFAULT,
			  "%s: a read-only page was written to", step);
		CLAIM_FILLED(NULL, at, 0, PAGES, 0, step);
	}
	ram_child_end(_metadata, &child);
	close(pipes[0]);
	close(pipes[1]);
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	ASSERT_EQ(0, munmap(rw, PAGES * PAT_PAGE));
	verdict(_metadata, &self->row);
}

/*
 * What the CPU notes in an entry is not lost, nor made up. fork() gives the
 * child entries that are neither accessed nor dirty, and reading an entry is no
 * access.
 */
TEST_F(change, accessed_and_dirty)
{
	struct ram_child child;
	char *at;

	MAP_OR_LEAVE(at, 0, PAGES, PROT_RW, MAP_SHARED);
	/* Even pages are written to. */
	for (unsigned int i = 0; i < PAGES; i += 2)
		ram_fill(at + i * PAT_PAGE, i, 1, 0);
	ram_child_fork(_metadata, &self->row, &child);

	for (unsigned int back = 0; back < 2; back++) {
		const char *step = back ? "back" : "changed";
		int type = back ? PAT_TEST_WB : self->by.type;

		if (back)
			SET_BACK(0, PAGES);
		else
			SET(0, PAGES);
		for (unsigned int i = 0; i < PAGES; i++) {
			struct pat_test_pte pte =
				ram_claim_entry(_metadata, &self->row, NULL,
						at + i * PAT_PAGE,
						self->block.pfns[i], type, true,
						step);

			ROW_CLAIM(&self->row, pte.dirty == (i % 2 == 0),
				  "%s: page %u is %sdirty", step, i,
				  pte.dirty ? "" : "not ");
			pte = ram_claim_entry(_metadata, &self->row, &child,
					      at + i * PAT_PAGE,
					      self->block.pfns[i], type, true,
					      step);
			ROW_CLAIM(&self->row, !pte.dirty && !pte.accessed,
				  "%s: page %u is %s in a child", step, i,
				  pte.dirty ? "dirty" : "accessed");
		}
	}
	for (unsigned int i = 0; i < PAGES; i += 2)
		CLAIM_FILLED(NULL, at + i * PAT_PAGE, i, 1, 0, "back");
	ram_child_end(_metadata, &child);
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	verdict(_metadata, &self->row);
}

/* Who maps a page gets the type it has by then. */
TEST_F(change, mapped_later)
{
	char *before, *at;

	MAP_OR_LEAVE(before, 0, PAGES, PROT_RW, MAP_SHARED);
	ram_fill(before, 0, PAGES, 0);
	SET(2, 4);
	MAP_OR_LEAVE(at, 0, PAGES, PROT_RW, MAP_SHARED);
	CLAIM(NULL, at, 0, 2, PAT_TEST_WB, "mapped later");
	CLAIM(NULL, at + 2 * PAT_PAGE, 2, 4, self->by.type, "mapped later");
	CLAIM(NULL, at + 6 * PAT_PAGE, 6, 2, PAT_TEST_WB, "mapped later");
	CLAIM_FILLED(NULL, at, 0, PAGES, 0, "mapped later");

	/* Away and there again. */
	ASSERT_EQ(0, munmap(before, PAGES * PAT_PAGE));
	MAP_OR_LEAVE(before, 2, 4, PROT_RW, MAP_SHARED);
	CLAIM(NULL, before, 2, 4, self->by.type, "mapped again");
	SET_BACK(0, PAGES);
	CLAIM(NULL, at, 0, PAGES, PAT_TEST_WB, "back");
	CLAIM(NULL, before, 2, 4, PAT_TEST_WB, "back");
	ASSERT_EQ(0, munmap(before, 4 * PAT_PAGE));
	MAP_OR_LEAVE(before, 0, PAGES, PROT_RW, MAP_SHARED);
	CLAIM(NULL, before, 0, PAGES, PAT_TEST_WB, "mapped a third time");
	CLAIM_FILLED(NULL, before, 0, PAGES, 0, "mapped a third time");
	ASSERT_EQ(0, munmap(before, PAGES * PAT_PAGE));
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	verdict(_metadata, &self->row);
}

/* Two pages of 512 are mapped, and they are neither first nor last. */
TEST_F(change, two_of_512)
{
	struct ram_block large;
	char *at;

	ram_alloc(_metadata, &self->row, &large, 512, 9);
	at = ram_map(_metadata, &self->row, variant->source, &large, 100, 2,
		     PROT_RW, MAP_SHARED);
	if (!at) {
		verdict(_metadata, &self->row);
		return;
	}
	ram_fill(at, 100, 2, 0);
	SET_ON(&large, 0, 512);
	ram_claim_mapped(_metadata, &self->row, NULL, at, &large, 100, 2,
			 self->by.type, "changed");
	SET_BACK_ON(&large, 0, 512);
	ram_claim_mapped(_metadata, &self->row, NULL, at, &large, 100, 2,
			 PAT_TEST_WB, "back");

	/* The first of them only, then the second. */
	SET_ON(&large, 0, 101);
	ram_claim_mapped(_metadata, &self->row, NULL, at, &large, 100, 1,
			 self->by.type, "half");
	ram_claim_mapped(_metadata, &self->row, NULL, at + PAT_PAGE, &large, 101,
			 1, PAT_TEST_WB, "half");
	SET_ON(&large, 101, 411);
	ram_claim_mapped(_metadata, &self->row, NULL, at, &large, 100, 2,
			 self->by.type, "both halves");
	SET_BACK_ON(&large, 0, 512);
	ram_claim_mapped(_metadata, &self->row, NULL, at, &large, 100, 2,
			 PAT_TEST_WB, "back again");
	ram_claim_filled(_metadata, &self->row, NULL, at, 100, 2, 0, "back again");
	ASSERT_EQ(0, munmap(at, 2 * PAT_PAGE));
	verdict(_metadata, &self->row);
}

/* All of it at once. */
TEST_F(change, many_processes)
{
	char *shared, *read_only, *hidden, *private, *partly;
	struct ram_child children[3];
	char *moved[3];

	MAP_OR_LEAVE(shared, 0, PAGES, PROT_RW, MAP_SHARED);
	ram_fill(shared, 0, PAGES, 0);
	MAP_OR_LEAVE(read_only, 0, PAGES, PROT_READ, MAP_SHARED);
	MAP_OR_LEAVE(hidden, 0, PAGES, PROT_RW, MAP_SHARED);
	MAP_OR_LEAVE(private, 0, PAGES, PROT_RW, MAP_PRIVATE);
	MAP_OR_LEAVE(partly, 0, PAGES, PROT_RW, MAP_SHARED);
	ASSERT_EQ(0, mprotect(hidden, PAGES * PAT_PAGE, PROT_NONE));
	private[(PAGES - 1) * PAT_PAGE] = 'x';
	ASSERT_EQ(0, munmap(partly + PAT_PAGE, 2 * PAT_PAGE));

	for (unsigned int i = 0; i < 3; i++) {
		ram_child_fork(_metadata, &self->row, &children[i]);
		moved[i] = ram_ask(_metadata, &self->row, &children[i],
				   (struct ram_letter) {
			.order = RAM_MOVE,
			.addr = shared + i * PAT_PAGE,
			.size = (PAGES - i) * PAT_PAGE,
		}).addr;
	}
	for (unsigned int back = 0; back < 2; back++) {
		const char *step = back ? "back" : "changed";
		int type = back ? PAT_TEST_WB : self->by.type;

		if (back)
			SET_BACK(0, PAGES);
		else
			SET(0, PAGES);
		CLAIM(NULL, shared, 0, PAGES, type, step);
		for (int i = -1; i < 3; i++) {
			struct ram_child *who = i < 0 ? NULL : &children[i];

			CLAIM(who, read_only, 0, PAGES, type, step);
			CLAIM(who, private, 0, PAGES - 1, type, step);
			CLAIM(who, partly, 0, 1, type, step);
			CLAIM(who, partly + 3 * PAT_PAGE, 3, PAGES - 3, type, step);
			ram_ask(_metadata, &self->row, who, (struct ram_letter) {
				.order = RAM_PROTECT, .addr = hidden,
				.size = PAGES * PAT_PAGE, .arg = PROT_READ,
			});
			CLAIM(who, hidden, 0, PAGES, type, step);
			ram_ask(_metadata, &self->row, who, (struct ram_letter) {
				.order = RAM_PROTECT, .addr = hidden,
				.size = PAGES * PAT_PAGE, .arg = PROT_NONE,
			});
			if (who)
				CLAIM(who, moved[i], i, PAGES - i, type, step);
		}
		CLAIM_FILLED(NULL, shared, 0, PAGES, 0, step);
	}
	for (unsigned int i = 0; i < 3; i++)
		ram_child_end(_metadata, &children[i]);
	ASSERT_EQ(0, munmap(shared, PAGES * PAT_PAGE));
	ASSERT_EQ(0, munmap(read_only, PAGES * PAT_PAGE));
	ASSERT_EQ(0, munmap(hidden, PAGES * PAT_PAGE));
	ASSERT_EQ(0, munmap(private, PAGES * PAT_PAGE));
	ASSERT_EQ(0, munmap(partly, PAGES * PAT_PAGE));
	verdict(_metadata, &self->row);
}

/* --- what only a driver can map ------------------------------------------------ */

FIXTURE(driver) {
	struct row row;
	struct ram_block block;
};

FIXTURE_SETUP(driver)
{
	row_open(_metadata, &self->row, ROW_STOCK_HAS_BUG);
	if (_metadata->exit_code)
		return;
	ASSERT_TRUE(pat_expect_message(RAM_TYPE_MESSAGE));
}

FIXTURE_TEARDOWN(driver)
{
	pat_expect_done();
	row_close(&self->row);
}

/* Has the driver map single pages of a block in a row. */
static char *map_scattered(struct __test_metadata *_metadata, struct row *row,
			   const uint64_t *pfns, unsigned int nr)
{
	struct pat_test_chunk chunks[RAM_MAX] = {};
	struct pat_test_program program = {
		.chunks = (uintptr_t)chunks,
		.nr = nr,
	};
	char *at;

	for (unsigned int i = 0; i < nr; i++) {
		chunks[i].offset = i * PAT_PAGE;
		chunks[i].pfn = pfns[i];
		chunks[i].size = PAT_PAGE;
		chunks[i].type = PAT_TEST_WB;
		chunks[i].method = PAT_TEST_REMAP_PFN_RANGE;
	}
	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_PROGRAM, &program));
	at = mmap(NULL, nr * PAT_PAGE, PROT_RW, MAP_SHARED, row->driver, 0);
	ASSERT_NE(MAP_FAILED, at) TH_LOG("mmap: %s", strerror(errno));
	return at;
}

/* An array of many single pages, mapped in another order, with holes. */
static void many_pages(struct __test_metadata *_metadata, struct row *row,
		       unsigned int api, int type, uint32_t seed)
{
	struct ram_block pages, array = { .nr = 0 };
	struct ram_block mapped = { .nr = 0 };
	bool in_array[RAM_MAX];
	char *at;

	ram_alloc(_metadata, row, &pages, RAM_MAX, 0);
	mapped.nr = RAM_MAX;
	memcpy(mapped.pfns, pages.pfns, sizeof(pages.pfns));
	for (unsigned int i = RAM_MAX - 1; i; i--) {
		unsigned int other;
		uint64_t pfn = mapped.pfns[i];

		seed = seed * 1664525 + 1013904223;
		other = (seed >> 8) % (i + 1);
		mapped.pfns[i] = mapped.pfns[other];
		mapped.pfns[other] = pfn;
	}
	at = map_scattered(_metadata, row, mapped.pfns, RAM_MAX);
	ram_fill(at, 0, RAM_MAX, 0);

	/* Two of three pages, from the last mapped one to the first. */
	for (unsigned int i = RAM_MAX; i-- > 0;) {
		in_array[i] = i % 3;
		if (in_array[i])
			array.pfns[array.nr++] = mapped.pfns[i];
	}
	ram_adopt(_metadata, row, &array, array.nr);
	for (unsigned int back = 0; back < 2; back++) {
		const char *step = back ? "back" : "changed";

		ram_must_set(_metadata, row, &array,
			     back ? PAT_TEST_SET_PAGES_ARRAY_WB : api, 0,
			     array.nr, step);
		for (unsigned int i = 0; i < RAM_MAX; i++) {
			int want = in_array[i] && !back ? type : PAT_TEST_WB;

			ram_claim_pfn(_metadata, row, mapped.pfns[i], want, step);
			ram_claim_entry(_metadata, row, NULL, at + i * PAT_PAGE,
					mapped.pfns[i], want, true, step);
		}
		row_claim_valid(_metadata, row, step);
	}
	ram_claim_filled(_metadata, row, NULL, at, 0, RAM_MAX, 0, "back");
	ASSERT_EQ(0, munmap(at, RAM_MAX * PAT_PAGE));
	ram_free(_metadata, row, &array);
	verdict(_metadata, row);
}

TEST_F(driver, unsorted_array_with_holes_uc)
{
	many_pages(_metadata, &self->row, PAT_TEST_SET_PAGES_ARRAY_UC,
		   PAT_TEST_UC_MINUS, 1);
}

TEST_F(driver, unsorted_array_with_holes_wc)
{
	many_pages(_metadata, &self->row, PAT_TEST_SET_PAGES_ARRAY_WC,
		   PAT_TEST_WC, 2);
}

/* The driver maps the second half of its VMA when the pages are not WB any more. */
TEST_F(driver, mapped_in_two_halves)
{
	struct pat_test_remap remap = {
		.size = PAGES / 2 * PAT_PAGE,
		.type = PAT_TEST_WB,
	};
	struct ram_block *block = &self->block;
	struct pat_test_chunk chunk = {
		.size = PAGES / 2 * PAT_PAGE,
		.type = PAT_TEST_WB,
		.method = PAT_TEST_REMAP_PFN_RANGE,
	};
	struct pat_test_program program = { .chunks = (uintptr_t)&chunk, .nr = 1 };
	char *at;

	ram_alloc(_metadata, &self->row, block, PAGES, 3);
	chunk.pfn = block->pfns[0];
	ASSERT_EQ(0, ioctl(self->row.driver, PAT_TEST_PROGRAM, &program));
	at = mmap(NULL, PAGES * PAT_PAGE, PROT_RW, MAP_SHARED, self->row.driver, 0);
	ASSERT_NE(MAP_FAILED, at);
	ram_must_set(_metadata, &self->row, block, PAT_TEST_SET_MEMORY_WC, 0,
		     PAGES, "changed");
	ram_claim_mapped(_metadata, &self->row, NULL, at, block, 0, PAGES / 2,
			 PAT_TEST_WC, "changed");

	remap.addr = (uintptr_t)at + PAGES / 2 * PAT_PAGE;
	remap.pfn = block->pfns[PAGES / 2];
	ASSERT_EQ(0, ioctl(self->row.driver, PAT_TEST_REMAP, &remap));
	ASSERT_EQ(0, remap.err);
	ram_claim_mapped(_metadata, &self->row, NULL, at, block, 0, PAGES,
			 PAT_TEST_WC, "second half mapped");
	ram_must_set(_metadata, &self->row, block, PAT_TEST_SET_MEMORY_WB, 0,
		     PAGES, "back");
	ram_claim_mapped(_metadata, &self->row, NULL, at, block, 0, PAGES,
			 PAT_TEST_WB, "back");
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	verdict(_metadata, &self->row);
}

/* The driver has taken pages out, and puts one back. */
TEST_F(driver, zapped)
{
	struct ram_block *block = &self->block;
	struct pat_test_remap remap = { .size = PAT_PAGE, .type = PAT_TEST_WB };
	struct pat_test_zap zap = {
		.size = 3 * PAT_PAGE,
		.method = PAT_TEST_ZAP_VMA_PTES,
	};
	char *at;

	ram_alloc(_metadata, &self->row, block, PAGES, 3);
	at = ram_map(_metadata, &self->row, RAM_DRIVER, block, 0, PAGES, PROT_RW,
		     MAP_SHARED);
	ASSERT_NE(NULL, at);
	ram_fill(at, 0, PAGES, 0);
	zap.start = (uintptr_t)at + 2 * PAT_PAGE;
	ASSERT_EQ(0, ioctl(self->row.driver, PAT_TEST_ZAP, &zap));

	ram_must_set(_metadata, &self->row, block, PAT_TEST_SET_MEMORY_UC, 0,
		     PAGES, "changed");
	ram_claim_mapped(_metadata, &self->row, NULL, at, block, 0, 2,
			 PAT_TEST_UC_MINUS, "changed");
	ram_claim_unmapped(_metadata, &self->row, NULL, at + 2 * PAT_PAGE, 3,
			   "changed");
	ram_claim_mapped(_metadata, &self->row, NULL, at + 5 * PAT_PAGE, block, 5,
			 3, PAT_TEST_UC_MINUS, "changed");

	/* Another frame than was there before. */
	remap.addr = (uintptr_t)at + 3 * PAT_PAGE;
	remap.pfn = block->pfns[0];
	ASSERT_EQ(0, ioctl(self->row.driver, PAT_TEST_REMAP, &remap));
	ASSERT_EQ(0, remap.err);
	ram_claim_mapped(_metadata, &self->row, NULL, at + 3 * PAT_PAGE, block, 0,
			 1, PAT_TEST_UC_MINUS, "one mapped again");
	ram_must_set(_metadata, &self->row, block, PAT_TEST_SET_MEMORY_WB, 0, 1,
		     "one back");
	ram_claim_mapped(_metadata, &self->row, NULL, at, block, 0, 1,
			 PAT_TEST_WB, "one back");
	ram_claim_mapped(_metadata, &self->row, NULL, at + 3 * PAT_PAGE, block, 0,
			 1, PAT_TEST_WB, "one back");
	ram_claim_mapped(_metadata, &self->row, NULL, at + PAT_PAGE, block, 1, 1,
			 PAT_TEST_UC_MINUS, "one back");
	ram_must_set(_metadata, &self->row, block, PAT_TEST_SET_MEMORY_WB, 0,
		     PAGES, "back");
	ram_claim_mapped(_metadata, &self->row, NULL, at + 5 * PAT_PAGE, block, 5,
			 3, PAT_TEST_WB, "back");
	ram_claim_filled(_metadata, &self->row, NULL, at + 5 * PAT_PAGE, 5, 3, 0,
			 "back");
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	verdict(_metadata, &self->row);
}

/* One page at every place of a VMA, and once more in another order of pages. */
TEST_F(driver, one_page_at_many_places)
{
	struct ram_block *block = &self->block;
	struct row *row = &self->row;
	uint64_t pfns[64];
	char *at;

	ram_alloc(_metadata, row, block, PAGES, 3);
	for (unsigned int i = 0; i < 64; i++)
		pfns[i] = i < 32 ? block->pfns[0] :
				   block->pfns[PAGES - 1 - i % PAGES];
	at = map_scattered(_metadata, row, pfns, 64);
	for (unsigned int back = 0; back < 2; back++) {
		const char *step = back ? "back" : "changed";
		int type = back ? PAT_TEST_WB : PAT_TEST_WC;

		ram_must_set(_metadata, row, block,
			     back ? PAT_TEST_SET_MEMORY_WB : PAT_TEST_SET_MEMORY_WC,
			     0, PAGES / 2, step);
		for (unsigned int i = 0; i < 64; i++)
			ram_claim_entry(_metadata, row, NULL, at + i * PAT_PAGE,
					pfns[i],
					pfns[i] < block->pfns[PAGES / 2] ?
					type : PAT_TEST_WB, true, step);
		row_claim_valid(_metadata, row, step);
	}
	ASSERT_EQ(0, munmap(at, 64 * PAT_PAGE));
	verdict(_metadata, row);
}

/* The pages lie at the end of a mapping of 2000 that are others'. */
TEST_F(driver, inside_a_large_mapping)
{
	enum { BEFORE = 2000 };
	struct ram_block *block = &self->block, all = {};
	struct row *row = &self->row;
	struct ram_child child;
	char *at, *pages;

	ram_alloc(_metadata, row, block, PAGES, 3);
	ASSERT_LE(((1 << 20) / PAT_PAGE) + BEFORE, block->pfns[0]);
	all.pfns[0] = block->pfns[0] - BEFORE;
	at = ram_map(_metadata, row, RAM_DRIVER, &all, 0, BEFORE + PAGES, PROT_RW,
		     MAP_SHARED);
	ASSERT_NE(NULL, at);
	pages = at + BEFORE * PAT_PAGE;
	ram_fill(pages, 0, PAGES, 0);
	ram_child_fork(_metadata, row, &child);
	for (unsigned int back = 0; back < 2; back++) {
		const char *step = back ? "back" : "changed";
		int type = back ? PAT_TEST_WB : PAT_TEST_WC;

		ram_must_set(_metadata, row, block,
			     back ? PAT_TEST_SET_MEMORY_WB : PAT_TEST_SET_MEMORY_WC,
			     0, PAGES, step);
		ram_claim_mapped(_metadata, row, NULL, pages, block, 0, PAGES, type,
				 step);
		ram_claim_mapped(_metadata, row, &child, pages, block, 0, PAGES,
				 type, step);
		row_claim_valid(_metadata, row, step);
		/* What lies before goes; the child keeps it. */
		if (!back)
			ASSERT_EQ(0, munmap(at, BEFORE * PAT_PAGE));
	}
	ram_claim_filled(_metadata, row, &child, pages, 0, PAGES, 0, "back");
	ram_child_end(_metadata, &child);
	ASSERT_EQ(0, munmap(pages, PAGES * PAT_PAGE));
	verdict(_metadata, row);
}

/* Who has been killed has nothing mapped, and is in nobody's way. */
TEST_F(driver, killed_child)
{
	struct ram_block *block = &self->block;
	struct row *row = &self->row;
	struct ram_child child;
	int status;
	char *at;

	ram_alloc(_metadata, row, block, PAGES, 3);
	at = ram_map(_metadata, row, RAM_DRIVER, block, 0, PAGES, PROT_RW,
		     MAP_SHARED);
	ASSERT_NE(NULL, at);
	ram_child_fork(_metadata, row, &child);
	ram_must_set(_metadata, row, block, PAT_TEST_SET_MEMORY_WC, 0, PAGES,
		     "changed");
	ram_claim_mapped(_metadata, row, &child, at, block, 0, PAGES, PAT_TEST_WC,
			 "changed");
	ASSERT_EQ(0, kill(child.pid, SIGKILL));
	ASSERT_EQ(child.pid, waitpid(child.pid, &status, 0));
	ram_must_set(_metadata, row, block, PAT_TEST_SET_MEMORY_WB, 0, PAGES,
		     "killed");
	ram_claim(_metadata, row, block, 0, PAGES, PAT_TEST_WB, "killed");
	ram_claim_mapped(_metadata, row, NULL, at, block, 0, PAGES, PAT_TEST_WB,
			 "killed");
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	ram_must_set(_metadata, row, block, PAT_TEST_SET_MEMORY_WC, 0, PAGES,
		     "nobody has them");
	ram_claim(_metadata, row, block, 0, PAGES, PAT_TEST_WC, "nobody has them");
	ram_must_set(_metadata, row, block, PAT_TEST_SET_MEMORY_WB, 0, PAGES, "back");
	close(child.ask);
	close(child.answer);
	verdict(_metadata, row);
}

/*
 * A page that is not WB already refuses the call for all, and the mappings of
 * the others are WB as before.
 */
TEST_F(driver, refused_call_changes_nothing)
{
	struct ram_block *block = &self->block;
	char *at;
	int err;

	ram_alloc(_metadata, &self->row, block, PAGES, 3);
	at = ram_map(_metadata, &self->row, RAM_DRIVER, block, 0, PAGES, PROT_RW,
		     MAP_SHARED);
	ASSERT_NE(NULL, at);
	ram_must_set(_metadata, &self->row, block, PAT_TEST_SET_MEMORY_WC, 5, 1,
		     "one changed");
	ASSERT_TRUE(pat_expect_message("x86/PAT: (RAM page|reserve_ram_pages_type failed)"));
	err = ram_set(_metadata, &self->row, block, PAT_TEST_SET_MEMORY_UC, 0,
		      PAGES);
	row_claim_only(_metadata, &self->row,
		       pat_on_stock() ? "reserve_ram_pages_type failed" :
					"RAM page", NULL, 0);
	if (self->row.pat_is_on) {
		ROW_CLAIM(&self->row, err == -EBUSY,
			  "a page is write-combining, and set_memory_uc() says %d",
			  err);
		ram_claim(_metadata, &self->row, block, 0, 5, PAT_TEST_WB, "refused");
		ram_claim_mapped(_metadata, &self->row, NULL, at, block, 0, 5,
				 PAT_TEST_WB, "refused");
		ram_claim(_metadata, &self->row, block, 5, 1, PAT_TEST_WC, "refused");
		ram_claim_mapped(_metadata, &self->row, NULL, at + 5 * PAT_PAGE,
				 block, 5, 1, PAT_TEST_WC, "refused");
		ram_claim(_metadata, &self->row, block, 6, 2, PAT_TEST_WB, "refused");
		ram_claim_mapped(_metadata, &self->row, NULL, at + 6 * PAT_PAGE,
				 block, 6, 2, PAT_TEST_WB, "refused");
	} else {
		ROW_CLAIM(&self->row, !err, "nothing knows types: %d", err);
	}
	ram_must_set(_metadata, &self->row, block, PAT_TEST_SET_MEMORY_WB, 0,
		     PAGES, "back");
	ram_claim(_metadata, &self->row, block, 0, PAGES, PAT_TEST_WB, "back");
	ram_claim_mapped(_metadata, &self->row, NULL, at, block, 0, PAGES,
			 PAT_TEST_WB, "back");
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	verdict(_metadata, &self->row);
}

TEST_HARNESS_MAIN
