// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation of a kernel mapping fails in turn: of ioremap and its like,
 * of memremap, of a reservation, and of an ioremap over what another type was
 * mapped to a moment ago. And each of reading the list.
 *
 * Needs fault injection.
 */
#include "fault_loop.h"

#define NR 4

FAULT_FIXTURE(kernel_fault)
FAULT_LASTING(kernel_fault)

static bool map(struct fault_run *run, int api)
{
	run->map = (struct pat_test_map) {
		.api = api,
		.phys = fault_phys(run, 0),
		.size = NR * PAT_PAGE,
	};

	if (ioctl(run->row->driver, PAT_TEST_MAP, &run->map))
		return false;
	errno = run->map.err == PAT_TEST_NULL ? ENOMEM : -run->map.err;
	return !run->map.err;
}

static void unmap(struct fault_run *run)
{
	struct __test_metadata *_metadata = run->_metadata;

	ASSERT_EQ(0, ioctl(run->row->driver, PAT_TEST_UNMAP, run->map.handle));
}

static void setup_nothing(struct fault_run *run)
{
}

/* The translations of what was unmapped are not flushed yet. */
static void setup_unmapped(struct fault_run *run)
{
	struct __test_metadata *_metadata = run->_metadata;

	ASSERT_TRUE(map(run, PAT_TEST_IOREMAP));
	unmap(run);
}

static bool call_map(struct fault_run *run)
{
	return map(run, run->path->api);
}

static void after_map(struct fault_run *run)
{
	int type = row_type(run->row, run->path->type);

	FAULT_CLAIM(run, run->map.got == type ||
			 run->path->api == PAT_TEST_RESERVE_WC,
		    "mapped %s instead of %s", pat_type_word(run->map.got),
		    pat_type_word(type));
	fault_add_pages(run, &run->after, NULL, 0, NR);
}

static void undo_map(struct fault_run *run, bool succeeded)
{
	if (succeeded)
		unmap(run);
}

/*
 * The MTRRs make the BAR uncached, so that nothing of it is write-back. vmalloc
 * warns if its spare and then its last resort both fail.
 */
#define MAP(api_, type_)						\
	.setup = setup_nothing, .call = call_map, .after = after_map,	\
	.undo = undo_map, .api = PAT_TEST_##api_, .type = PAT_TEST_##type_, \
	.at_least = 3, .never_lasting_below = "alloc_vmap_area",	\
	.stock = ROW_STOCK_IS_RIGHT

FAULT_PATH(kernel_fault, ioremap, 48, MAP(IOREMAP, UC_MINUS));
FAULT_PATH(kernel_fault, ioremap_uc, 49, MAP(IOREMAP_UC, UC));
FAULT_PATH(kernel_fault, ioremap_wc, 50, MAP(IOREMAP_WC, WC));
FAULT_PATH(kernel_fault, ioremap_wt, 51, MAP(IOREMAP_WT, WT));
FAULT_PATH(kernel_fault, ioremap_cache, 52, MAP(IOREMAP_CACHE, UC_MINUS));
FAULT_PATH(kernel_fault, memremap_wb, 53, MAP(MEMREMAP_WB, UC_MINUS));
FAULT_PATH(kernel_fault, memremap_wc, 54, MAP(MEMREMAP_WC, WC));
FAULT_PATH(kernel_fault, reserve_wc, 55, MAP(RESERVE_WC, WC));
FAULT_PATH(kernel_fault, ioremap_wc_after_iounmap, 56, MAP(IOREMAP_WC, WC),
	   .setup = setup_unmapped);

/* --- reading the list ------------------------------------------------------------ */

struct text {
	size_t length;
	char bytes[1 << 16];
};

static struct text reference, seen;

/* Without stdio, which allocates, too. */
static bool read_list(struct text *text)
{
	int fd = open(PAT_LIST_FILE, O_RDONLY), error;
	ssize_t got = -1;

	text->length = 0;
	while (fd >= 0 && text->length < sizeof(text->bytes) &&
	       (got = read(fd, text->bytes + text->length,
			   sizeof(text->bytes) - text->length)) > 0)
		text->length += got;
	error = errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	return got == 0;
}

static void setup_list(struct fault_run *run)
{
	struct __test_metadata *_metadata = run->_metadata;

	ASSERT_TRUE(!run->row->pat_is_on || read_list(&reference));
	/* Nothing to be faulted in during the call. */
	memset(&seen, 0, sizeof(seen));
}

static bool call_list(struct fault_run *run)
{
	return !run->row->pat_is_on || read_list(&seen);
}

static void after_list(struct fault_run *run)
{
	FAULT_CLAIM(run, !run->row->pat_is_on ||
			 (seen.length == reference.length &&
			  !memcmp(seen.bytes, reference.bytes, seen.length)),
		    "the list is not what it was");
}

static void undo_list(struct fault_run *run, bool succeeded)
{
}

FAULT_PATH(kernel_fault, reading_the_list, 57, .setup = setup_list,
	   .call = call_list, .after = after_list, .undo = undo_list,
	   .at_least = 2, .stock = ROW_STOCK_IS_RIGHT);

TEST_HARNESS_MAIN
