// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation fails in turn while a driver takes a part of its mapping away
 * from user space. That cannot fail. What is recorded may lag behind, by holding
 * more than is mapped, until there is memory again.
 *
 * Needs fault injection.
 */
#include "fault_loop.h"

#define NR 6

FAULT_FIXTURE(zap_fault)
FAULT_LASTING(zap_fault)

/* A driver may have mapped its pages at once, or in two pieces. */
static void setup_driver(struct fault_run *run, unsigned int pieces)
{
	unsigned int nr = NR / pieces;
	struct pat_test_chunk chunks[2];

	for (unsigned int i = 0; i < pieces; i++) {
		chunks[i] = (struct pat_test_chunk) {
			.offset = i * nr * PAT_PAGE,
			.pfn = fault_phys(run, i * nr) / PAT_PAGE,
			.size = nr * PAT_PAGE,
			.type = run->path->type,
			.method = PAT_TEST_REMAP_PFN_RANGE,
		};
	}
	run->at = fault_free_address(run, NR / 2);
	fault_program(run, chunks, pieces, 0);
	fault_mmap(run, run->at, NR, MAP_SHARED, run->row->driver,
		   run->path->page * PAT_PAGE);
	fault_add_pages(run, &run->before, run->at, 0, NR);
}

static void setup_whole(struct fault_run *run)
{
	setup_driver(run, 1);
}

static void setup_pieces(struct fault_run *run)
{
	setup_driver(run, 2);
}

static bool zap(struct fault_run *run, unsigned int first, unsigned int nr)
{
	struct pat_test_zap zap = {
		.method = run->path->api,
		.start = first * PAT_PAGE,
		.size = nr * PAT_PAGE,
	};

	if (zap.method == PAT_TEST_ZAP_VMA_PTES)
		zap.start += (uintptr_t)run->at;
	else
		zap.start += run->path->page * PAT_PAGE;
	return !ioctl(run->row->driver, PAT_TEST_ZAP, &zap);
}

static bool call_zap(struct fault_run *run)
{
	return zap(run, run->path->first, run->path->nr);
}

/* Two holes: pages 1 and 4, with two between them that stay. */
static bool call_zap_twice(struct fault_run *run)
{
	return zap(run, 1, 1) && zap(run, 4, 1);
}

/* The second hole is the first, and the pages around it. */
static bool call_zap_wider(struct fault_run *run)
{
	return zap(run, run->path->first + 1, run->path->nr - 2) &&
	       call_zap(run);
}

static void after_zap(struct fault_run *run)
{
	fault_add_rest(run, &run->after, NR);
}

static void after_zap_twice(struct fault_run *run)
{
	for (unsigned int page = 0; page < NR; page++) {
		fault_add_pages(run, &run->after, run->at + page * PAT_PAGE,
				page, 1);
		if (page == 1 || page == 4) {
			run->after.areas[page].entries = FAULT_NOT_MAPPED;
			run->after.areas[page].holders = 0;
		}
	}
}

static void undo(struct fault_run *run, bool succeeded)
{
	fault_munmap(run, run->at, NR);
}

#define ZAP								\
	.setup = setup_whole, .call = call_zap, .after = after_zap,	\
	.undo = undo, .must_succeed = true, .type = PAT_TEST_UC_MINUS,	\
	.stock = ROW_STOCK_HAS_BUG
#define VMA_PTES ZAP, .api = PAT_TEST_ZAP_VMA_PTES
#define MAPPING_RANGE ZAP, .api = PAT_TEST_UNMAP_MAPPING_RANGE
#define HEAD .first = 0, .nr = 2
#define MIDDLE .first = 1, .nr = 4, .at_least = 1
#define TAIL .first = 4, .nr = 2
#define WHOLE .first = 0, .nr = NR

FAULT_PATH(zap_fault, zap_vma_ptes_head, 32, VMA_PTES, HEAD);
FAULT_PATH(zap_fault, zap_vma_ptes_middle, 33, VMA_PTES, MIDDLE);
FAULT_PATH(zap_fault, zap_vma_ptes_tail, 34, VMA_PTES, TAIL);
FAULT_PATH(zap_fault, zap_vma_ptes_whole, 35, VMA_PTES, WHOLE,
	   .stock = ROW_STOCK_IS_RIGHT);
FAULT_PATH(zap_fault, zap_vma_ptes_twice, 36, VMA_PTES, .at_least = 2,
	   .call = call_zap_twice, .after = after_zap_twice);
FAULT_PATH(zap_fault, zap_vma_ptes_wider, 37, VMA_PTES, MIDDLE,
	   .call = call_zap_wider);
FAULT_PATH(zap_fault, zap_vma_ptes_of_pieces, 38, VMA_PTES, MIDDLE,
	   .setup = setup_pieces);
FAULT_PATH(zap_fault, unmap_mapping_range_head, 39, MAPPING_RANGE, HEAD);
FAULT_PATH(zap_fault, unmap_mapping_range_middle, 40, MAPPING_RANGE, MIDDLE);
FAULT_PATH(zap_fault, unmap_mapping_range_tail, 41, MAPPING_RANGE, TAIL);
FAULT_PATH(zap_fault, unmap_mapping_range_whole, 42, MAPPING_RANGE, WHOLE,
	   .stock = ROW_STOCK_IS_RIGHT);
FAULT_PATH(zap_fault, unmap_mapping_range_twice, 43, MAPPING_RANGE,
	   .at_least = 2, .call = call_zap_twice, .after = after_zap_twice);
FAULT_PATH(zap_fault, unmap_mapping_range_wider, 44, MAPPING_RANGE, MIDDLE,
	   .call = call_zap_wider);

TEST_HARNESS_MAIN
