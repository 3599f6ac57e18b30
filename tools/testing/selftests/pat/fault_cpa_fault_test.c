// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory type of RAM cannot be changed, for lack of memory, half way.
 *
 * The direct map has large pages, and who changes a part of one needs a page
 * table for it: that is what fails. Each call here needs two, one for the large
 * page that it begins in the middle of and one for that in which it ends, so that
 * the second failure comes when half of the pages have been changed.
 *
 *	large page	|       .       |       .       |
 *	changed			<--------------->
 *
 * A large page that is split stays so, and the next call needs no memory. So
 * every call is made on memory that is still whole.
 *
 * The pages are mapped in this process and in a child. Nobody may see that the
 * call was made and failed; and made again, without failure, it succeeds for all
 * of them.
 *
 * Stock leaves the first half changed, and says of all pages what was before.
 * It does not change mappings of processes at all, which is another row: there are
 * none on stock, where they would hide this one.
 *
 * Needs fault injection.
 */
#include "fault_loop.h"
#include "ram_block.h"

#define LARGE		512	/* pages */

/* Blocks that are held while a whole one is looked for. */
#define SEARCHED	128

FAULT_FIXTURE(cpa_fault)
FAULT_LASTING(cpa_fault)

/* One path at a time. */
static struct {
	struct ram_block block;
	struct ram_wish before;
	struct ram_wish after;
	struct ram_child child;
} now;

enum {
	FROM_WC = 1,		/* path->flags: the block is WC to begin with */
};

/* Is each large page that the block has in the direct map whole? */
static bool is_whole(struct fault_run *run, const struct ram_block *block)
{
	struct __test_metadata *_metadata = run->_metadata;

	for (unsigned int page = 0; page < block->nr; page += LARGE) {
		struct pat_test_direct direct = { .pfn = block->pfn + page };

		ASSERT_EQ(0, ioctl(run->row->driver, PAT_TEST_DIRECT_MAP,
				   &direct));
		if (direct.level < 2)
			return false;
	}
	return true;
}

/* The allocator gives what was freed last: that is held back during the search. */
static struct ram_block whole_block(struct fault_run *run, unsigned int order)
{
	struct __test_metadata *_metadata = run->_metadata;
	struct ram_block blocks[SEARCHED];
	unsigned int nr = 0;

	for (;;) {
		ASSERT_GT(SEARCHED, nr);
		ASSERT_TRUE(ram_try_alloc(run->row->driver, &blocks[nr], order))
			TH_LOG("no memory left that has large pages in the direct map (%u blocks have not): %s",
			       nr, strerror(errno));
		if (is_whole(run, &blocks[nr]))
			break;
		nr++;
	}
	for (unsigned int i = 0; i < nr; i++)
		ram_free(_metadata, run->row, &blocks[i]);
	return blocks[nr];
}

static void claim_all(struct fault_run *run, const struct ram_wish *wish,
		      const char *when)
{
	struct __test_metadata *_metadata = run->_metadata;
	struct row *row = run->row;

	ram_claim_block(_metadata, row, &now.block, wish, when);
	if (run->at) {
		ram_claim_entries(_metadata, row, &now.block, wish, run->at, when);
		ram_claim_child(_metadata, row, &now.child, &now.block, wish,
				run->at, when);
	}
	ram_claim_new_mapping(_metadata, row, &now.block, wish, when);
}

static void setup_block(struct fault_run *run)
{
	struct __test_metadata *_metadata = run->_metadata;
	const struct fault_path *path = run->path;
	unsigned int order = path->first + path->nr > LARGE ? 10 : 9;

	now.block = whole_block(run, order);
	now.before = ram_all(&now.block, PAT_TEST_WB);
	if (path->flags & FROM_WC) {
		/* All of a large page is changed: it stays whole. */
		ASSERT_EQ(0, ram_set(run->row->driver, &now.block,
				     PAT_TEST_SET_MEMORY_WC, 0, now.block.nr));
		ASSERT_TRUE(is_whole(run, &now.block));
		now.before = ram_all(&now.block, PAT_TEST_WC);
	}
	now.after = (struct ram_wish) {
		.first = path->first,
		.end = path->first + path->nr,
		.inside = ram_gives(path->api),
		.outside = now.before.inside,
	};

	run->at = NULL;
	if (!pat_on_stock()) {
		run->at = ram_map(run->row->driver, &now.block, &now.before);
		ASSERT_NE(MAP_FAILED, run->at)
			TH_LOG("mmap: %s", strerror(errno));
		now.child = ram_child_start(_metadata, run->row);
	}
	claim_all(run, &now.before, "before");
}

static int set(struct fault_run *run)
{
	return ram_set(run->row->driver, &now.block, run->path->api,
		       run->path->first, run->path->nr);
}

static bool call_set(struct fault_run *run)
{
	int err = set(run);

	/* Stock has one error for all that happens to arrays. */
	if (err == -EINVAL && pat_on_stock() && ram_takes_array(run->path->api))
		err = -ENOMEM;
	errno = -err;
	return !err;
}

static void after_set(struct fault_run *run)
{
	claim_all(run, &now.after, "after success");
}

static void after_failure(struct fault_run *run)
{
	claim_all(run, &now.before, "after failure");
}

/* What failed is tried again, and all is set back. */
static void undo_set(struct fault_run *run, bool succeeded)
{
	struct __test_metadata *_metadata = run->_metadata;
	struct ram_wish wb = ram_all(&now.block, PAT_TEST_WB);
	int err;

	if (!succeeded) {
		err = set(run);
		FAULT_CLAIM(run, !err, "fails again: error %d", err);
		claim_all(run, &now.after, "after success the second time");
	}
	err = ram_set(run->row->driver, &now.block, PAT_TEST_SET_MEMORY_WB, 0,
		      now.block.nr);
	FAULT_CLAIM(run, !err, "cannot be set back: error %d", err);
	claim_all(run, &wb, "set back");
	if (run->at) {
		ram_child_end(_metadata, &now.child);
		fault_munmap(run, run->at, now.block.nr);
	}
	ram_free(_metadata, run->row, &now.block);
}

#define SET(api_, pages_, tables_, stock_)				\
	.setup = setup_block, .call = call_set, .after = after_set,	\
	.after_failure = after_failure, .undo = undo_set,		\
	.api = PAT_TEST_SET_##api_, pages_, .at_least = tables_,	\
	.stock = ROW_STOCK_##stock_

#define IN_TWO	.first = LARGE / 2, .nr = LARGE
#define IN_ONE	.first = 100, .nr = 200

FAULT_PATH(cpa_fault, memory_uc, 0, SET(MEMORY_UC, IN_TWO, 2, HAS_BUG));
FAULT_PATH(cpa_fault, memory_wc, 0, SET(MEMORY_WC, IN_TWO, 2, HAS_BUG));
FAULT_PATH(cpa_fault, pages_uc, 0, SET(PAGES_UC, IN_TWO, 2, HAS_BUG));
FAULT_PATH(cpa_fault, array_uc, 0, SET(PAGES_ARRAY_UC, IN_TWO, 2, HAS_BUG));
FAULT_PATH(cpa_fault, array_wc, 0, SET(PAGES_ARRAY_WC, IN_TWO, 2, HAS_BUG));
FAULT_PATH(cpa_fault, memory_wb, 0, SET(MEMORY_WB, IN_TWO, 2, HAS_BUG),
	   .flags = FROM_WC);
FAULT_PATH(cpa_fault, array_wb, 0, SET(PAGES_ARRAY_WB, IN_TWO, 2, HAS_BUG),
	   .flags = FROM_WC);
/* The first page table is the only one: nothing has been changed yet. */
FAULT_PATH(cpa_fault, memory_wc_in_one, 0, SET(MEMORY_WC, IN_ONE, 1, IS_RIGHT));
FAULT_PATH(cpa_fault, array_uc_in_one, 0,
	   SET(PAGES_ARRAY_UC, IN_ONE, 1, IS_RIGHT));
FAULT_PATH(cpa_fault, memory_wb_in_one, 0, SET(MEMORY_WB, IN_ONE, 1, IS_RIGHT),
	   .flags = FROM_WC);

TEST_HARNESS_MAIN
