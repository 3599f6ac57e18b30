// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that owns RAM pages, changes their memory type, and maps them to a
 * process while they have it.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "../pat_list.h"
#include "frames.h"
#include "oracle.h"

#define MAX_BLOCKS	6
#define MAX_PAGES	64

static struct block {
	unsigned int handle;		/* 0: unused */
	unsigned int nr;
	bool contiguous;
	uint64_t pfns[MAX_PAGES];
	int types[MAX_PAGES];
} blocks[MAX_BLOCKS];

static const struct {
	unsigned int api;
	int type;
	bool array;
} sets[] = {
	{ PAT_TEST_SET_MEMORY_UC,	PAT_TEST_UC_MINUS, false },
	{ PAT_TEST_SET_MEMORY_WC,	PAT_TEST_WC, false },
	{ PAT_TEST_SET_MEMORY_WB,	PAT_TEST_WB, false },
	{ PAT_TEST_SET_PAGES_UC,	PAT_TEST_UC_MINUS, false },
	{ PAT_TEST_SET_PAGES_WB,	PAT_TEST_WB, false },
	{ PAT_TEST_SET_PAGES_ARRAY_UC,	PAT_TEST_UC_MINUS, true },
	{ PAT_TEST_SET_PAGES_ARRAY_WC,	PAT_TEST_WC, true },
	{ PAT_TEST_SET_PAGES_ARRAY_WB,	PAT_TEST_WB, true },
};

#define SETS (sizeof(sets) / sizeof(sets[0]))

static void allocate(struct worker *w, struct block *block)
{
	struct pat_test_alloc alloc = { .pfns = (uintptr_t)block->pfns };

	block->contiguous = random_one_in(&w->random, 2);
	if (block->contiguous) {
		alloc.order = random_from(&w->random, 1, 6);
		alloc.nr = 1 << alloc.order;
	} else {
		alloc.nr = random_from(&w->random, 1, MAX_PAGES);
	}
	if (!driver_do(PAT_TEST_ALLOC, &alloc)) {
		if (errno != ENOMEM)
			worker_failed(w, "PAT_TEST_ALLOC: %s", strerror(errno));
		return;
	}
	block->handle = alloc.handle;
	block->nr = alloc.nr;
	memset(block->types, 0, sizeof(block->types));	/* write-back */
}

/* The driver sets back to write-back itself. */
static void release(struct worker *w, struct block *block)
{
	if (!driver_drop(PAT_TEST_FREE, block->handle))
		worker_failed(w, "PAT_TEST_FREE: %s", strerror(errno));
	block->handle = 0;
}

/* A type must be set from write-back, and back, by the same pages' owner. */
static bool may_set(const struct block *block, unsigned int first,
		    unsigned int count, int type)
{
	for (unsigned int i = first; type != PAT_TEST_WB && i < first + count; i++)
		if (block->types[i] != PAT_TEST_WB)
			return false;
	return true;
}

static void set(struct worker *w, struct block *block)
{
	unsigned int s = random_below(&w->random, SETS);
	struct pat_test_set req = { .handle = block->handle, .api = sets[s].api };

	req.first = random_below(&w->random, block->nr);
	req.count = random_from(&w->random, 1, block->nr - req.first);
	if (!block->contiguous && !sets[s].array)
		req.count = 1;
	if (!may_set(block, req.first, req.count, sets[s].type))
		return;
	if (!driver_do(PAT_TEST_SET_TYPE, &req)) {
		worker_failed(w, "PAT_TEST_SET_TYPE: %s", strerror(errno));
		return;
	}
	if (req.err) {
		if (req.err != -ENOMEM)
			worker_failed(w, "setting pages, API %u: error %d", req.api, req.err);
		return;
	}
	for (unsigned int i = 0; i < req.count; i++)
		block->types[req.first + i] = sets[s].type;
}

static void check_direct_map(struct worker *w, const struct block *block)
{
	for (unsigned int i = 0; i < block->nr; i++) {
		struct pat_test_direct direct = { .pfn = block->pfns[i] };

		if (!driver_do(PAT_TEST_DIRECT_MAP, &direct))
			worker_failed(w, "PAT_TEST_DIRECT_MAP: %s", strerror(errno));
		else if (direct.got != block->types[i])
			worker_failed(w, "the direct map of RAM page 0x%llx is %s, not %s",
				      (unsigned long long)block->pfns[i],
				      pat_type_word(direct.got),
				      pat_type_word(block->types[i]));
	}
}

static void check_entry(struct worker *w, const char *addr, uint64_t pfn, int type)
{
	struct pat_test_pte pte = { .addr = (uintptr_t)addr };

	if (!driver_do(PAT_TEST_READ_PTE, &pte))
		worker_failed(w, "PAT_TEST_READ_PTE: %s", strerror(errno));
	else if (pte.got != type || pte.pfn != pfn)
		worker_failed(w, "RAM page 0x%llx, set %s, is mapped 0x%llx %s",
			      (unsigned long long)pfn, pat_type_word(type),
			      (unsigned long long)pte.pfn, pat_type_word(pte.got));
}

/* Whatever the driver asks for, the process gets the pages' types. */
static void map_to_process(struct worker *w, const struct block *block)
{
	static const int types[] = { PAT_TEST_WB, PAT_TEST_WC, PAT_TEST_UC_MINUS };
	unsigned int nr = block->contiguous ? block->nr : 1;
	struct pat_test_chunk chunk = {
		.pfn = block->pfns[0],
		.size = nr * PAGE,
		.type = types[random_below(&w->random, 3)],
		.method = PAT_TEST_REMAP_PFN_RANGE,
	};
	struct pat_test_program program = {
		.chunks = (uintptr_t)&chunk,
		.nr = 1,
	};
	char *at;

	if (!driver_do(PAT_TEST_PROGRAM, &program)) {
		worker_failed(w, "PAT_TEST_PROGRAM: %s", strerror(errno));
		return;
	}
	at = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		  frames_file(SOURCE_DRIVER),
		  frames_offset(SOURCE_DRIVER, frames_own(w->number)));
	if (at == MAP_FAILED) {
		if (errno != ENOMEM)
			worker_failed(w, "mmap of RAM pages: %s", strerror(errno));
		return;
	}
	for (unsigned int i = 0; i < nr; i++)
		check_entry(w, at + i * PAGE, block->pfns[i], block->types[i]);
	if (munmap(at, nr * PAGE))
		worker_failed(w, "munmap of RAM pages: %s", strerror(errno));
}

static void operation(struct worker *w)
{
	struct block *any = &blocks[random_below(&w->random, MAX_BLOCKS)];

	if (!any->handle)
		allocate(w, any);
	else if (random_one_in(&w->random, 2))
		set(w, any);
	else if (random_one_in(&w->random, 3))
		check_direct_map(w, any);
	else if (random_one_in(&w->random, 2))
		map_to_process(w, any);
	else
		release(w, any);
}

void ram_run(struct worker *w)
{
	worker_repeat(w, operation);
	for (int b = 0; b < MAX_BLOCKS; b++)
		if (blocks[b].handle)
			release(w, &blocks[b]);
}
