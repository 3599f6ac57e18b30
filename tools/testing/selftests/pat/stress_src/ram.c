// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that owns RAM pages and changes their memory type, and a process that
 * has them mapped meanwhile, through a driver or /dev/mem. Its entries always
 * have the types of the pages, and so have those of a child.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

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
	/* Pages [first, first + mapped) are mapped at @at. */
	char *at;
	unsigned int first;
	unsigned int mapped;		/* 0: none */
} blocks[MAX_BLOCKS];

/* Who maps: another open file, as the one that has pages mapped frees none. */
static int mapper;

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
	block->mapped = 0;
	memset(block->types, 0, sizeof(block->types));	/* write-back */
}

static void unmap(struct worker *w, struct block *block, unsigned int nr)
{
	if (nr && munmap(block->at, nr * PAGE))
		worker_failed(w, "munmap of RAM pages: %s", strerror(errno));
	block->at += nr * PAGE;
	block->first += nr;
	block->mapped -= nr;
}

/* The driver sets back to write-back itself. */
static void release(struct worker *w, struct block *block)
{
	unmap(w, block, block->mapped);
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

static void check_mapping(struct worker *w, const struct block *block)
{
	for (unsigned int i = 0; i < block->mapped; i++)
		check_entry(w, block->at + i * PAGE,
			    block->pfns[block->first + i],
			    block->types[block->first + i]);
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
	if (req.err && req.err != -ENOMEM)
		worker_failed(w, "setting pages, API %u: error %d", req.api, req.err);
	for (unsigned int i = 0; !req.err && i < req.count; i++)
		block->types[req.first + i] = sets[s].type;
	check_mapping(w, block);
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

static bool map_by_driver(struct worker *w, struct block *block)
{
	static const int types[] = { PAT_TEST_WB, PAT_TEST_WC, PAT_TEST_UC_MINUS };
	struct pat_test_chunk chunks[MAX_PAGES];
	unsigned int each = block->contiguous && random_one_in(&w->random, 2) ?
			    block->mapped : 1;
	struct pat_test_program program = {
		.chunks = (uintptr_t)chunks,
		.nr = block->mapped / each,
	};

	for (unsigned int i = 0; i < program.nr; i++)
		chunks[i] = (struct pat_test_chunk) {
			.offset = i * each * PAGE,
			.pfn = block->pfns[block->first + i * each],
			.size = each * PAGE,
			.type = types[random_below(&w->random, 3)],
			.method = PAT_TEST_REMAP_PFN_RANGE,
		};
	if (ioctl(mapper, PAT_TEST_PROGRAM, &program)) {
		worker_failed(w, "PAT_TEST_PROGRAM: %s", strerror(errno));
		return false;
	}
	block->at = mmap(NULL, block->mapped * PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED, mapper,
			 frames_offset(SOURCE_DRIVER, frames_own(w->number)));
	return block->at != MAP_FAILED;
}

static bool map_by_devmem(struct worker *w, struct block *block)
{
	enum source source = random_below(&w->random, 2) ? SOURCE_DEVMEM_SYNC :
							   SOURCE_DEVMEM;

	if (!block->contiguous)
		block->mapped = 1;
	block->at = mmap(NULL, block->mapped * PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED, frames_file(source),
			 block->pfns[block->first] * PAGE);
	return block->at != MAP_FAILED;
}

/* Whatever it asks for, the process gets the pages' types. */
static void map_to_process(struct worker *w, struct block *block)
{
	bool mapped;

	block->first = random_below(&w->random, block->nr);
	block->mapped = random_from(&w->random, 1, block->nr - block->first);
	if (random_one_in(&w->random, 2))
		mapped = map_by_driver(w, block);
	else
		mapped = map_by_devmem(w, block);
	if (!mapped) {
		/*
		 * /dev/mem says EAGAIN whatever the reason is, and EPERM where
		 * STRICT_DEVMEM keeps RAM from it.
		 */
		if (errno != ENOMEM && errno != EAGAIN && errno != EPERM)
			worker_failed(w, "mmap of RAM pages: %s", strerror(errno));
		block->mapped = 0;
	}
	check_mapping(w, block);
}

static void move(struct worker *w, struct block *block)
{
	size_t size = block->mapped * PAGE;
	char *to = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *at;

	if (to == MAP_FAILED)
		return;
	at = mremap(block->at, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	if (at != MAP_FAILED) {
		block->at = at;
		return;
	}
	if (errno != ENOMEM)
		worker_failed(w, "mremap of RAM pages: %s", strerror(errno));
	munmap(to, size);
}

/* Who has no access has entries all the same. */
static void set_without_access(struct worker *w, struct block *block)
{
	size_t size = block->mapped * PAGE;
	bool protected = !mprotect(block->at, size, PROT_NONE);
	unsigned int mapped = block->mapped;

	/* Not to be seen by the driver meanwhile. */
	block->mapped = protected ? 0 : mapped;
	set(w, block);
	block->mapped = mapped;
	if (protected && mprotect(block->at, size, PROT_READ | PROT_WRITE)) {
		if (errno != ENOMEM)
			worker_failed(w, "mprotect of RAM pages: %s", strerror(errno));
		unmap(w, block, mapped);
	}
}

/* A child that inherits the mapping, and is told of what is changed then. */
static void set_with_child(struct worker *w, struct block *block)
{
	int told[2], status;
	pid_t child;

	if (pipe(told))
		return;
	child = fork();
	if (!child) {
		close(told[1]);
		if (read(told[0], block->types, sizeof(block->types)) ==
		    sizeof(block->types))
			check_mapping(w, block);
		_exit(0);
	}
	close(told[0]);
	set(w, block);
	if (child > 0 &&
	    write(told[1], block->types, sizeof(block->types)) !=
	    sizeof(block->types))
		worker_failed(w, "a child with RAM pages: %s", strerror(errno));
	close(told[1]);
	if (child > 0 && (waitpid(child, &status, 0) != child || status))
		worker_failed(w, "a child with RAM pages ended with 0x%x", status);
}

static void use_mapping(struct worker *w, struct block *block)
{
	switch (random_below(&w->random, 5)) {
	case 0:
		unmap(w, block, random_from(&w->random, 1, block->mapped));
		break;
	case 1:
		move(w, block);
		break;
	case 2:
		set_without_access(w, block);
		break;
	case 3:
		set_with_child(w, block);
		break;
	default:
		break;
	}
	check_mapping(w, block);
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
	else if (random_one_in(&w->random, 4))
		release(w, any);
	else if (any->mapped)
		use_mapping(w, any);
	else
		map_to_process(w, any);
}

void ram_run(struct worker *w)
{
	mapper = open(PAT_TEST_DEVICE, O_RDWR | O_CLOEXEC);
	if (mapper < 0) {
		worker_failed(w, "%s: %s", PAT_TEST_DEVICE, strerror(errno));
		return;
	}
	worker_repeat(w, operation);
	for (int b = 0; b < MAX_BLOCKS; b++)
		if (blocks[b].handle)
			release(w, &blocks[b]);
}
