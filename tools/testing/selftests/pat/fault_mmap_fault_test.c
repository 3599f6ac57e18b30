// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation of making a PFN mapping fails in turn: the VMA, the records,
 * the page tables. A mapping that fails half way takes back the entries and the
 * records that were made before.
 *
 * Needs fault injection.
 */
#include <setjmp.h>

#include "fault_loop.h"

#define NR 4

FAULT_FIXTURE(mmap_fault)
FAULT_LASTING(mmap_fault)

/* --- files ------------------------------------------------------------------ */

static void setup_devmem(struct fault_run *run)
{
	run->file = run->row->devmem;
	run->at = fault_free_address(run, NR / 2);
}

static bool call_mmap(struct fault_run *run, uint64_t offset)
{
	return mmap(run->at, NR * PAT_PAGE, PROT_READ | PROT_WRITE,
		    run->path->flags | MAP_FIXED_NOREPLACE, run->file,
		    offset) == run->at;
}

static bool call_devmem(struct fault_run *run)
{
	return call_mmap(run, fault_phys(run, 0));
}

static void after_file(struct fault_run *run)
{
	fault_add_pages(run, &run->after, run->at, 0, NR);
}

static void undo_mmap(struct fault_run *run, bool succeeded)
{
	if (succeeded)
		fault_munmap(run, run->at, NR);
}

static void setup_resource(struct fault_run *run)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/resource2%s",
		 pat_bar(run->_metadata)->dir,
		 run->path->type == PAT_TEST_WC ? "_wc" : "");
	run->file = fault_open(run, path);
	run->at = fault_free_address(run, NR / 2);
}

static bool call_resource(struct fault_run *run)
{
	return call_mmap(run, run->path->page * PAT_PAGE);
}

static void undo_resource(struct fault_run *run, bool succeeded)
{
	undo_mmap(run, succeeded);
	close(run->file);
}

#define DEVMEM								\
	.setup = setup_devmem, .call = call_devmem, .after = after_file, \
	.undo = undo_mmap, .type = PAT_TEST_UC_MINUS, .at_least = 3

#define RESOURCE							\
	.setup = setup_resource, .call = call_resource, .after = after_file, \
	.undo = undo_resource, .flags = MAP_SHARED, .at_least = 3

FAULT_PATH(mmap_fault, devmem_shared, 0, DEVMEM, .flags = MAP_SHARED,
	   .stock = ROW_STOCK_HAS_BUG);
FAULT_PATH(mmap_fault, devmem_private, 1, DEVMEM, .flags = MAP_PRIVATE,
	   .stock = ROW_STOCK_HAS_BUG);
FAULT_PATH(mmap_fault, resource, 2, RESOURCE, .type = PAT_TEST_UC_MINUS,
	   .stock = ROW_STOCK_HAS_BUG);
FAULT_PATH(mmap_fault, resource_wc, 3, RESOURCE, .type = PAT_TEST_WC,
	   .stock = ROW_STOCK_HAS_BUG);

/* --- a driver's calls of remap_pfn_range() ------------------------------------ */

static void setup_driver(struct fault_run *run,
			 const struct pat_test_chunk *chunks, unsigned int nr,
			 unsigned int flags)
{
	fault_program(run, chunks, nr, flags);
	run->file = run->row->driver;
	run->at = fault_free_address(run, NR / 2);
}

static bool call_driver(struct fault_run *run)
{
	return call_mmap(run, 0);
}

static void setup_whole(struct fault_run *run)
{
	struct pat_test_chunk chunk = {
		.pfn = fault_phys(run, 0) / PAT_PAGE,
		.size = NR * PAT_PAGE,
		.type = run->path->type,
		.method = PAT_TEST_REMAP_PFN_RANGE,
	};

	setup_driver(run, &chunk, 1, 0);
}

/* The last frame first, so that no piece continues another. */
static uint64_t piece_phys(struct fault_run *run, unsigned int piece)
{
	return fault_phys(run, NR - 1 - piece);
}

static int piece_type(unsigned int piece)
{
	static const int types[NR] = {
		PAT_TEST_UC_MINUS, PAT_TEST_WC, PAT_TEST_UC_MINUS, PAT_TEST_WT,
	};

	return types[piece];
}

static void setup_pieces(struct fault_run *run)
{
	struct pat_test_chunk chunks[NR];

	for (unsigned int i = 0; i < NR; i++)
		chunks[i] = (struct pat_test_chunk) {
			.offset = i * PAT_PAGE,
			.pfn = piece_phys(run, i) / PAT_PAGE,
			.size = PAT_PAGE,
			.type = piece_type(i),
			.method = PAT_TEST_REMAP_PFN_RANGE,
		};
	setup_driver(run, chunks, NR, 0);
}

static void after_pieces(struct fault_run *run)
{
	for (unsigned int i = 0; i < NR; i++)
		fault_add(&run->after, (struct fault_area) {
			.at = run->at + i * PAT_PAGE,
			.phys = piece_phys(run, i),
			.nr = 1,
			.type = piece_type(i),
			.holders = 1,
		});
}

#define DRIVER								\
	.call = call_driver, .undo = undo_mmap, .flags = MAP_SHARED

FAULT_PATH(mmap_fault, driver_whole, 4, DRIVER, .setup = setup_whole,
	   .after = after_file, .type = PAT_TEST_WC, .at_least = 4,
	   .stock = ROW_STOCK_HAS_BUG);
/* Stock does not record pieces. */
FAULT_PATH(mmap_fault, driver_pieces, 5, DRIVER, .setup = setup_pieces,
	   .after = after_pieces, .at_least = 4, .stock = ROW_STOCK_HAS_BUG);

/* --- one range, RAM and reserved ------------------------------------------------ */

/* Where System RAM ends and a range begins that firmware keeps. */
static bool ram_end_visit(unsigned int depth, uint64_t start, uint64_t end,
			  const char *name, void *data)
{
	static uint64_t ram_end;
	uint64_t *found = data;

	if (depth)
		return false;
	if (!strcmp(name, "System RAM"))
		ram_end = end;
	if (strcmp(name, "Reserved") || start != ram_end || start < 1 << 20 ||
	    end - start < NR * PAT_PAGE)
		return false;
	*found = start;
	return true;
}

static uint64_t mixed_phys(struct fault_run *run)
{
	struct __test_metadata *_metadata = run->_metadata;
	static uint64_t border;

	if (!border) {
		ASSERT_TRUE(pat_iomem_find(ram_end_visit, &border))
			TH_LOG("no reserved range right behind System RAM");
	}
	return border - NR / 2 * PAT_PAGE;
}

static void setup_mixed(struct fault_run *run)
{
	struct pat_test_chunk chunk = {
		.pfn = mixed_phys(run) / PAT_PAGE,
		.size = NR * PAT_PAGE,
		.type = PAT_TEST_WB,
		.method = PAT_TEST_REMAP_PFN_RANGE,
	};

	setup_driver(run, &chunk, 1, 0);
}

/* The list shows reserved frames only. */
static void after_mixed(struct fault_run *run)
{
	struct fault_area area = {
		.at = run->at,
		.phys = mixed_phys(run),
		.nr = NR / 2,
		.type = PAT_TEST_WB,
	};

	fault_add(&run->after, area);
	area.at += NR / 2 * PAT_PAGE;
	area.phys += NR / 2 * PAT_PAGE;
	area.holders = 1;
	fault_add(&run->after, area);
}

/* Stock does not record a range that is not all reserved. */
FAULT_PATH(mmap_fault, driver_ram_and_reserved, 6, DRIVER, .setup = setup_mixed,
	   .after = after_mixed, .at_least = 5, .stock = ROW_STOCK_HAS_BUG);

/* --- in a page fault -------------------------------------------------------------- */

/* Not with a failure that lasts: the fault would be taken again for ever. */
FAULT_FIXTURE(insert_fault)

static sigjmp_buf fault_refused;

static void refuse(int signal)
{
	siglongjmp(fault_refused, signal);
}

static void setup_fault(struct fault_run *run)
{
	struct pat_test_chunk chunk = {
		.pfn = fault_phys(run, 0) / PAT_PAGE,
		.size = NR * PAT_PAGE,
		.type = PAT_TEST_UC_MINUS,
		.method = run->path->api,
	};

	setup_driver(run, &chunk, 1, PAT_TEST_AT_FAULT);
	fault_mmap(run, run->at, NR, MAP_SHARED, run->file, 0);
	fault_add(&run->before, (struct fault_area) {
		.at = run->at,
		.entries = FAULT_NOT_MAPPED,
		.nr = NR,
	});
	signal(SIGBUS, refuse);
}

/* A fault that lacks memory is taken again. */
static bool call_touch(struct fault_run *run)
{
	if (sigsetjmp(fault_refused, 1))
		return false;
	for (unsigned int i = 0; i < NR; i++)
		*(volatile char *)(run->at + i * PAT_PAGE);
	return true;
}

static void after_fault(struct fault_run *run)
{
	after_file(run);
	run->after.areas[0].holders = 0;
}

static void undo_fault(struct fault_run *run, bool succeeded)
{
	signal(SIGBUS, SIG_DFL);
	fault_munmap(run, run->at, NR);
}

#define AT_FAULT							\
	.setup = setup_fault, .call = call_touch, .after = after_fault,	\
	.undo = undo_fault, .type = PAT_TEST_UC_MINUS, .must_succeed = true, \
	.at_least = 3, .stock = ROW_STOCK_IS_RIGHT

FAULT_PATH(insert_fault, vmf_insert_pfn, 7, AT_FAULT,
	   .api = PAT_TEST_VMF_INSERT_PFN);
FAULT_PATH(insert_fault, vmf_insert_pfn_prot, 8, AT_FAULT,
	   .api = PAT_TEST_VMF_INSERT_PFN_PROT);
FAULT_PATH(insert_fault, vmf_insert_mixed, 9, AT_FAULT,
	   .api = PAT_TEST_VMF_INSERT_MIXED);

TEST_HARNESS_MAIN
