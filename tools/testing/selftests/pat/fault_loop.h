/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs a path through the kernel with each of its allocations failing in turn:
 *
 *	for n = 1, 2, 3, ...
 *		setup		nothing fails; says what is mapped then
 *		call		its nth allocation fails
 *		check		did the call fail? all is as it was before
 *				did it not? all is as the path says, exactly,
 *				if need be a little later; and never is less
 *				recorded than is mapped
 *		undo		nothing fails; nothing is mapped any more
 *	until the call is through before its nth allocation
 *
 * A second test does the same, but that all later allocations of the call fail,
 * too: a path may try again.
 *
 * What is mapped is told by a struct fault_state, and checked in two places: the
 * page table entries are those, and the list of records is the one of before
 * the test and those. In between the kernel's own validator has its say.
 *
 * A program describes its paths with FAULT_PATH(), each a variant of the tests
 * that FAULT_FIXTURE() and FAULT_LASTING() make.
 */
#ifndef PAT_FAULT_LOOP_H
#define PAT_FAULT_LOOP_H

#include <time.h>

#include "pat_fault.h"
#include "row.h"

/* The paths' own pages of the BAR: from here on, so many for each. */
#define FAULT_PAGES 1536
#define FAULT_PAGES_EACH 8

#define FAULT_AREAS 40
#define FAULT_CALLS 10000

/* So long a worker may take to finish what lacked memory. */
#define FAULT_PATIENCE_MS 10000

enum fault_entries {
	FAULT_MAPPED,		/* the area's frames, with its type */
	FAULT_NOT_MAPPED,	/* nothing */
	FAULT_OWN_COPY,		/* a page of the process instead */
};

enum fault_how_long {
	FAULT_ONCE,
	FAULT_FROM_THEN_ON,
};

/* Frames, where the process has them mapped, and how often they are recorded. */
struct fault_area {
	char *at;		/* NULL: not in this address space */
	enum fault_entries entries;
	uint64_t phys;
	unsigned int nr;	/* pages */
	int type;
	unsigned int holders;
};

struct fault_state {
	unsigned int nr;
	struct fault_area areas[FAULT_AREAS];
};

struct fault_run {
	struct __test_metadata *_metadata;
	struct row *row;
	struct fault *fault;
	const struct fault_path *path;
	enum fault_how_long how_long;
	struct fault_state before;	/* setup() says: before the call */
	struct fault_state after;	/* after() says: once it is through */
	unsigned int injected;		/* failures, in all */
	unsigned int failed;		/* calls that failed */
	unsigned int late;		/* calls after which a worker finished */
	/* For the paths: */
	char *at, *to;
	int file;
	int pipe[2];
	pid_t child;
	struct pat_test_map map;
};

struct fault_path {
	void (*setup)(struct fault_run *run);
	bool (*call)(struct fault_run *run);	/* has it succeeded? */
	void (*after)(struct fault_run *run);
	void (*after_failure)(struct fault_run *run);	/* if not as before */
	void (*undo)(struct fault_run *run, bool succeeded);
	unsigned int at_least;		/* failures that there must be */
	bool must_succeed;
	const char *below;		/* only allocations of this function */
	const char *never_below;	/* none of this function */
	const char *never_lasting_below;	/* it may fail, not go on failing */
	enum row_stock stock;
	/* What setup() and the others need to know: */
	unsigned int page;		/* the first of its own in the BAR */
	unsigned int first;		/* a part of the mapping: first page */
	unsigned int nr;		/* and how many */
	int flags;			/* of mmap() */
	int api;			/* of the driver */
	int type;
};

#define FAULT_CLAIM(run, holds, ...)					\
	do {								\
		struct __test_metadata *_metadata = (run)->_metadata;	\
									\
		ROW_CLAIM((run)->row, holds, __VA_ARGS__);		\
	} while (0)

static inline void fault_add(struct fault_state *state, struct fault_area area)
{
	if (state->nr < FAULT_AREAS)
		state->areas[state->nr++] = area;
}

/* The test list as it must be: that of before the test, and the state's. */
static inline struct pat_list fault_list_wanted(struct fault_run *run,
						const struct fault_state *state)
{
	struct __test_metadata *_metadata = run->_metadata;
	const struct pat_list *before = &run->row->before;
	struct pat_list list = { .nr = before->nr };
	size_t room = before->nr;

	for (unsigned int i = 0; i < state->nr; i++)
		room += state->areas[i].holders;
	list.records = calloc(room + 1, sizeof(*list.records));
	ASSERT_NE(NULL, list.records);
	if (before->nr)
		memcpy(list.records, before->records,
		       before->nr * sizeof(*list.records));
	for (unsigned int i = 0; i < state->nr; i++) {
		const struct fault_area *area = &state->areas[i];

		for (unsigned int h = 0; h < area->holders; h++)
			list.records[list.nr++] = (struct pat_record) {
				.start = area->phys,
				.end = area->phys + area->nr * PAT_PAGE,
				.type = area->type,
			};
	}
	return list;
}

/*
 * Claims that the list is what @state says. With @patience more may be recorded
 * for a while; never less.
 */
static inline void fault_claim_list(struct fault_run *run,
				    const struct fault_state *state,
				    bool patience)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000000 };
	struct pat_list want, now;
	uint64_t lacks, differs;
	bool covers, same;
	int waited = 0;

	if (!run->row->pat_is_on)
		return;
	want = fault_list_wanted(run, state);
	for (;; waited += 20) {
		now = pat_list_now(run->_metadata, true);
		covers = pat_list_covers(&now, &want, &lacks);
		same = pat_list_same(&now, &want, &differs);
		pat_list_free(&now);
		if (same || !covers || !patience || waited >= FAULT_PATIENCE_MS)
			break;
		nanosleep(&pause, NULL);
	}
	run->late += same && waited;
	pat_list_free(&want);
	FAULT_CLAIM(run, covers, "less is recorded than mapped at 0x%llx",
		  (unsigned long long)lacks);
	FAULT_CLAIM(run, same, "the list is not as it must be at 0x%llx",
		  (unsigned long long)differs);
}

static inline struct pat_test_pte fault_entry(struct fault_run *run,
					      const char *at)
{
	struct __test_metadata *_metadata = run->_metadata;
	struct pat_test_pte pte = { .addr = (uintptr_t)at };

	ASSERT_EQ(0, ioctl(run->row->driver, PAT_TEST_READ_PTE, &pte));
	return pte;
}

static inline void fault_claim_entry(struct fault_run *run,
				     const struct fault_area *area,
				     unsigned int page)
{
	struct pat_test_pte pte = fault_entry(run, area->at + page * PAT_PAGE);
	uint64_t pfn = area->phys / PAT_PAGE + page;
	int type = row_type(run->row, area->type);
	bool right = false;

	switch (area->entries) {
	case FAULT_MAPPED:
		right = pte.got == type && pte.pfn == pfn;
		break;
	case FAULT_NOT_MAPPED:
		right = pte.got == PAT_TEST_NOT_MAPPED;
		break;
	case FAULT_OWN_COPY:
		/* mm maps it with the protection of the VMA, type and all. */
		right = pte.got != PAT_TEST_NOT_MAPPED && pte.pfn != pfn;
		break;
	}
	FAULT_CLAIM(run, right,
		  "page %u of frame 0x%llx %s: its entry has 0x%llx %s", page,
		  (unsigned long long)pfn, pat_type_word(type),
		  (unsigned long long)pte.pfn, pat_type_word(pte.got));
}

static inline void fault_claim_state(struct fault_run *run,
				     const struct fault_state *state,
				     bool patience)
{
	for (unsigned int i = 0; i < state->nr; i++)
		for (unsigned int page = 0; page < state->areas[i].nr; page++)
			if (state->areas[i].at)
				fault_claim_entry(run, &state->areas[i], page);
	row_claim_valid(run->_metadata, run->row, "a failure injected");
	fault_claim_list(run, state, patience);
}

/* All entries of a state, as they are: one array, for free(). */
static inline struct pat_test_pte *fault_entries(struct fault_run *run,
						 const struct fault_state *state,
						 size_t *size)
{
	struct __test_metadata *_metadata = run->_metadata;
	struct pat_test_pte *entries;
	size_t nr = 0;

	for (unsigned int i = 0; i < state->nr; i++)
		nr += state->areas[i].nr;
	entries = calloc(nr + 1, sizeof(*entries));
	ASSERT_NE(NULL, entries);
	*size = nr * sizeof(*entries);

	nr = 0;
	for (unsigned int i = 0; i < state->nr; i++) {
		const struct fault_area *area = &state->areas[i];

		for (unsigned int page = 0; area->at && page < area->nr; page++) {
			entries[nr] = fault_entry(run, area->at + page * PAT_PAGE);
			/* Every fork, also in vain, has it copied on write. */
			if (area->entries == FAULT_OWN_COPY)
				entries[nr].writable = 0;
			nr++;
		}
	}
	return entries;
}

static inline void fault_claim_failure(struct fault_run *run, int error,
				       const struct pat_test_pte *before)
{
	struct pat_test_pte *now;
	size_t size;

	run->failed++;
	FAULT_CLAIM(run, error == ENOMEM || error == EAGAIN, "fails with %s",
		    strerror(error));
	if (run->path->after_failure) {
		run->path->after_failure(run);
		fault_claim_state(run, &run->after, true);
		return;
	}
	now = fault_entries(run, &run->before, &size);
	FAULT_CLAIM(run, !memcmp(before, now, size),
		    "it failed, and page table entries have changed");
	free(now);
	/* A failure that lasts may also meet what takes back the first steps. */
	fault_claim_state(run, &run->before, run->how_long == FAULT_FROM_THEN_ON);
}

/* One call, its nth allocation failing. Has that happened? */
static inline bool fault_attempt(struct fault_run *run, unsigned int n)
{
	struct __test_metadata *_metadata = run->_metadata;
	static const struct fault_state nothing;
	struct pat_test_pte *before;
	bool succeeded, happened;
	size_t size;
	int error;

	run->before.nr = 0;
	run->after.nr = 0;
	run->path->setup(run);
	if (n == 1)
		fault_claim_state(run, &run->before, false);
	before = fault_entries(run, &run->before, &size);

	ASSERT_TRUE(fault_arm(run->fault, n));
	if (run->how_long == FAULT_FROM_THEN_ON)
		ASSERT_TRUE(fault_lasting(run->fault, true));
	succeeded = run->path->call(run);
	error = errno;
	if (run->how_long == FAULT_FROM_THEN_ON)
		ASSERT_TRUE(fault_lasting(run->fault, false));
	happened = fault_happened(run->fault);

	if (succeeded) {
		run->path->after(run);
		fault_claim_state(run, &run->after, happened);
	} else {
		FAULT_CLAIM(run, happened, "fails for no reason: %s",
			    strerror(error));
		fault_claim_failure(run, error, before);
	}
	free(before);

	run->path->undo(run, succeeded);
	fault_claim_list(run, &nothing, happened);
	if (run->row->broken)
		TH_LOG("with allocation %u failing", n);
	return happened;
}

static inline void fault_run_path(struct __test_metadata *_metadata,
				  struct row *row, struct fault *fault,
				  const struct fault_path *path,
				  enum fault_how_long how_long)
{
	const char *never_below = how_long == FAULT_FROM_THEN_ON &&
				  path->never_lasting_below ?
				  path->never_lasting_below : path->never_below;
	struct fault_run run = {
		._metadata = _metadata,
		.row = row,
		.fault = fault,
		.path = path,
		.how_long = how_long,
	};

	ASSERT_TRUE(!path->below || fault_only_below(path->below));
	ASSERT_TRUE(!never_below || fault_never_below(never_below));

	for (unsigned int n = 1; fault_attempt(&run, n); n++) {
		run.injected++;
		ASSERT_GT(FAULT_CALLS, n);
		if (row->broken)
			break;
	}
	TH_LOG("%u failures injected, %u calls failed, %u finished later",
	       run.injected, run.failed, run.late);
	ROW_CLAIM(row, run.injected >= path->at_least,
		  "%u failures injected, must be %u", run.injected,
		  path->at_least);
	ROW_CLAIM(row, !path->must_succeed || !run.failed,
		  "%u calls failed, none may", run.failed);
	row_verdict(_metadata, row);
}

#define FAULT_FIXTURE(name)						\
	FIXTURE(name)							\
	{								\
		struct row row;						\
		struct fault fault;					\
	};								\
									\
	FIXTURE_VARIANT(name)						\
	{								\
		struct fault_path path;					\
	};								\
									\
	FIXTURE_SETUP(name)						\
	{								\
		row_open(_metadata, &self->row, variant->path.stock);	\
		if (_metadata->exit_code)				\
			return;						\
		ASSERT_TRUE(fault_setup(&self->fault))			\
			TH_LOG("fault injection: %s", strerror(errno));	\
	}								\
									\
	FIXTURE_TEARDOWN(name)						\
	{								\
		fault_teardown(&self->fault);				\
		row_close(&self->row);					\
	}								\
									\
	TEST_F(name, each_allocation_fails)				\
	{								\
		fault_run_path(_metadata, &self->row, &self->fault,	\
			       &variant->path, FAULT_ONCE);		\
	}

#define FAULT_LASTING(name)						\
	TEST_F(name, all_allocations_fail_from_one_on)			\
	{								\
		fault_run_path(_metadata, &self->row, &self->fault,	\
			       &variant->path, FAULT_FROM_THEN_ON);	\
	}

/* FAULT_PATH(fixture, name, slice of the pages, .setup = ..., ...); */
#define FAULT_PATH(fixture, name, slice, ...)				\
	FIXTURE_VARIANT_ADD(fixture, name) {				\
		.path = {						\
			.page = FAULT_PAGES + (slice) * FAULT_PAGES_EACH, \
			__VA_ARGS__					\
		},							\
	}

/* --- what many paths have in common --------------------------------------- */

static inline uint64_t fault_phys(struct fault_run *run, unsigned int page)
{
	return row_phys(run->row, run->path->page + page);
}

static inline char *fault_free_address(struct fault_run *run, unsigned int half)
{
	struct __test_metadata *_metadata = run->_metadata;
	char *at = fault_address(half);

	ASSERT_NE(NULL, at);
	return at;
}

/* Pages of the path's own, mapped at @at and held, from @page on. */
static inline void fault_add_pages(struct fault_run *run,
				   struct fault_state *state, char *at,
				   unsigned int page, unsigned int nr)
{
	if (nr)
		fault_add(state, (struct fault_area) {
			.at = at,
			.phys = fault_phys(run, page),
			.nr = nr,
			.type = run->path->type,
			.holders = 1,
		});
}

/* The first @nr pages at run->at, but for the path's part, where nothing is. */
static inline void fault_add_rest(struct fault_run *run,
				  struct fault_state *state, unsigned int nr)
{
	unsigned int first = run->path->first, end = first + run->path->nr;

	fault_add_pages(run, state, run->at, 0, first);
	fault_add(state, (struct fault_area) {
		.at = run->at + first * PAT_PAGE,
		.entries = FAULT_NOT_MAPPED,
		.nr = run->path->nr,
	});
	fault_add_pages(run, state, run->at + end * PAT_PAGE, end, nr - end);
}

/* Opens a file that the kernel makes PFN mappings of. */
static inline int fault_open(struct fault_run *run, const char *path)
{
	struct __test_metadata *_metadata = run->_metadata;
	int fd = open(path, O_RDWR | O_SYNC | O_CLOEXEC);

	ASSERT_LE(0, fd) TH_LOG("%s: %s", path, strerror(errno));
	return fd;
}

static inline void fault_program(struct fault_run *run,
				 const struct pat_test_chunk *chunks,
				 unsigned int nr, unsigned int flags)
{
	struct __test_metadata *_metadata = run->_metadata;
	struct pat_test_program program = {
		.chunks = (uintptr_t)chunks,
		.nr = nr,
		.flags = flags,
	};

	ASSERT_EQ(0, ioctl(run->row->driver, PAT_TEST_PROGRAM, &program));
}

/* Maps @nr pages at @at, of the file from byte @offset on. */
static inline void fault_mmap(struct fault_run *run, char *at, unsigned int nr,
			      int flags, int fd, uint64_t offset)
{
	struct __test_metadata *_metadata = run->_metadata;

	ASSERT_EQ(at, mmap(at, nr * PAT_PAGE, PROT_READ | PROT_WRITE,
			   flags | MAP_FIXED_NOREPLACE, fd, offset))
		TH_LOG("mmap: %s", strerror(errno));
}

static inline void fault_munmap(struct fault_run *run, char *at, unsigned int nr)
{
	struct __test_metadata *_metadata = run->_metadata;

	ASSERT_EQ(0, munmap(at, nr * PAT_PAGE));
}

#endif
