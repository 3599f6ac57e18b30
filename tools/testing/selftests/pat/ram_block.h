/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A block of RAM that the test driver owns and changes the memory type of, and
 * who else has it mapped: processes, with PFN mappings that the driver makes.
 *
 * What a block is to be like is a struct ram_wish: all of its pages have one
 * type, but for a part that has another. Four witnesses must agree with it:
 *
 *	the entries of a process that has the block mapped
 *	the direct map
 *	the bits in the pages: what is looked up
 *	what somebody gets who maps the block now
 *
 * Where PAT is off there are no bits, nobody follows, and a process has what the
 * driver asked for: write-back.
 */
#ifndef PAT_RAM_BLOCK_H
#define PAT_RAM_BLOCK_H

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "row.h"

#define RAM_MAX_ORDER	PAT_TEST_MAX_ORDER
#define RAM_MAX_PAGES	(1U << RAM_MAX_ORDER)

struct ram_block {
	uint32_t handle;
	unsigned int nr;
	uint64_t pfn;		/* of the first page */
};

struct ram_wish {
	unsigned int first;	/* the part: [first, end) */
	unsigned int end;
	int inside;
	int outside;
};

static inline struct ram_wish ram_all(const struct ram_block *block, int type)
{
	return (struct ram_wish) {
		.end = block->nr,
		.inside = type,
	};
}

static inline int ram_wanted(const struct ram_wish *wish, unsigned int page)
{
	return page >= wish->first && page < wish->end ? wish->inside :
							 wish->outside;
}

/* The type that an API gives to RAM. */
static inline int ram_gives(unsigned int api)
{
	switch (api) {
	case PAT_TEST_SET_MEMORY_UC:
	case PAT_TEST_SET_PAGES_UC:
	case PAT_TEST_SET_PAGES_ARRAY_UC:
		return PAT_TEST_UC_MINUS;
	case PAT_TEST_SET_MEMORY_WC:
	case PAT_TEST_SET_PAGES_ARRAY_WC:
		return PAT_TEST_WC;
	}
	return PAT_TEST_WB;
}

static inline bool ram_takes_array(unsigned int api)
{
	return api >= PAT_TEST_SET_PAGES_ARRAY_UC;
}

/* False, with errno, if there is no such block. */
static inline bool ram_try_alloc(int driver, struct ram_block *block,
				 unsigned int order)
{
	static uint64_t pfns[RAM_MAX_PAGES];
	struct pat_test_alloc alloc = {
		.nr = 1U << order,
		.order = order,
		.pfns = (uintptr_t)pfns,
	};

	if (ioctl(driver, PAT_TEST_ALLOC, &alloc))
		return false;
	*block = (struct ram_block) {
		.handle = alloc.handle,
		.nr = alloc.nr,
		.pfn = pfns[0],
	};
	return true;
}

static inline struct ram_block ram_alloc(struct __test_metadata *_metadata,
					 struct row *row, unsigned int order)
{
	struct ram_block block;

	ASSERT_TRUE(ram_try_alloc(row->driver, &block, order))
		TH_LOG("a block of 1 << %u pages: %s", order, strerror(errno));
	return block;
}

/* Nobody may have anything of the driver's mapped any more. */
static inline void ram_free(struct __test_metadata *_metadata, struct row *row,
			    const struct ram_block *block)
{
	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_FREE, block->handle))
		TH_LOG("%s", strerror(errno));
}

/* What the API returns. */
static inline int ram_set(int driver, const struct ram_block *block,
			  unsigned int api, unsigned int first,
			  unsigned int count)
{
	struct pat_test_set set = {
		.handle = block->handle,
		.api = api,
		.first = first,
		.count = count,
	};

	/* An error of the driver's own, told from the API's by its size. */
	return ioctl(driver, PAT_TEST_SET_TYPE, &set) ? -10000 - errno : set.err;
}

/* What the next mmap() of the driver is to map: the pages with these types. */
static inline bool ram_program(int driver, const struct ram_block *block,
			       const struct ram_wish *wish)
{
	struct pat_test_chunk chunks[3];
	struct pat_test_program program = { .chunks = (uintptr_t)chunks };
	const unsigned int ends[3] = { wish->first, wish->end, block->nr };

	for (unsigned int i = 0, page = 0; i < 3; page = ends[i++]) {
		if (ends[i] <= page)
			continue;
		chunks[program.nr++] = (struct pat_test_chunk) {
			.offset = page * PAT_PAGE,
			.pfn = block->pfn + page,
			.size = (ends[i] - page) * PAT_PAGE,
			.type = ram_wanted(wish, page),
			.method = PAT_TEST_REMAP_PFN_RANGE,
		};
	}
	return !ioctl(driver, PAT_TEST_PROGRAM, &program);
}

/* MAP_FAILED, with errno, if that cannot be mapped. */
static inline char *ram_map(int driver, const struct ram_block *block,
			    const struct ram_wish *wish)
{
	if (!ram_program(driver, block, wish))
		return MAP_FAILED;
	return mmap(NULL, block->nr * PAT_PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED, driver, 0);
}

/* --- the witnesses --------------------------------------------------------- */

/* The first page of which a witness says something else than was wished. */
struct ram_odd {
	bool odd;
	unsigned int page;
	int want;
	int got;
};

static inline bool ram_odd(struct ram_odd *odd, unsigned int page, int want,
			   int got)
{
	*odd = (struct ram_odd) {
		.odd = want != got,
		.page = page,
		.want = want,
		.got = got,
	};
	return odd->odd;
}

/* What the calling process has mapped at @at, from page @first on, @nr of them. */
static inline struct ram_odd ram_odd_entries(const struct row *row,
					     const struct ram_block *block,
					     const struct ram_wish *wish,
					     const char *at, unsigned int first,
					     unsigned int nr)
{
	struct ram_odd odd = {};

	for (unsigned int page = first; page < first + nr; page++) {
		struct pat_test_pte pte = {
			.addr = (uintptr_t)at + (page - first) * PAT_PAGE,
		};
		int want = row->pat_is_on ? ram_wanted(wish, page) : PAT_TEST_WB;

		if (ioctl(row->driver, PAT_TEST_READ_PTE, &pte) ||
		    (pte.got != PAT_TEST_NOT_MAPPED &&
		     pte.pfn != block->pfn + page))
			pte.got = PAT_TEST_WRONG_FRAME;
		if (ram_odd(&odd, page, want, pte.got))
			break;
	}
	return odd;
}

static inline struct ram_odd ram_odd_direct_map(const struct row *row,
						const struct ram_block *block,
						const struct ram_wish *wish)
{
	struct ram_odd odd = {};

	for (unsigned int page = 0; page < block->nr; page++) {
		struct pat_test_direct direct = { .pfn = block->pfn + page };
		int want = row_type(row, ram_wanted(wish, page));

		if (ioctl(row->driver, PAT_TEST_DIRECT_MAP, &direct))
			direct.got = PAT_TEST_WRONG_FRAME;
		if (ram_odd(&odd, page, want, direct.got))
			break;
	}
	return odd;
}

/* The look-up tells write-back from the others only. */
static inline struct ram_odd ram_odd_bits(const struct row *row,
					  const struct ram_block *block,
					  const struct ram_wish *wish)
{
	struct ram_odd odd = {};

	for (unsigned int page = 0; row->pat_is_on && page < block->nr; page++) {
		struct pat_test_lookup lookup = { .pfn = block->pfn + page };
		int want = ram_wanted(wish, page), got;

		if (ioctl(row->driver, PAT_TEST_LOOKUP, &lookup) || lookup.err)
			got = PAT_TEST_WRONG_FRAME;
		else if (lookup.immune == (want != PAT_TEST_WB))
			got = want;
		else
			got = lookup.immune ? PAT_TEST_MIXED : PAT_TEST_WB;
		if (ram_odd(&odd, page, want, got))
			break;
	}
	return odd;
}

static inline void ram_claim(struct __test_metadata *_metadata, struct row *row,
			     const char *when, const char *witness,
			     struct ram_odd odd)
{
	ROW_CLAIM(row, !odd.odd, "%s, %s: page %u is %s, must be %s", when,
		  witness, odd.page, pat_type_word(odd.got),
		  pat_type_word(odd.want));
}

/* The direct map and the bits, which are there without any process. */
static inline void ram_claim_block(struct __test_metadata *_metadata,
				   struct row *row,
				   const struct ram_block *block,
				   const struct ram_wish *wish, const char *when)
{
	ram_claim(_metadata, row, when, "direct map",
		  ram_odd_direct_map(row, block, wish));
	ram_claim(_metadata, row, when, "bits", ram_odd_bits(row, block, wish));
}

static inline void ram_claim_entries(struct __test_metadata *_metadata,
				     struct row *row,
				     const struct ram_block *block,
				     const struct ram_wish *wish, const char *at,
				     const char *when)
{
	ram_claim(_metadata, row, when, "entries",
		  ram_odd_entries(row, block, wish, at, 0, block->nr));
}

/* Somebody who asks for the right types gets them, without a message. */
static inline void ram_claim_new_mapping(struct __test_metadata *_metadata,
					 struct row *row,
					 const struct ram_block *block,
					 const struct ram_wish *wish,
					 const char *when)
{
	const struct ram_wish asked = row->pat_is_on ?
				      *wish : ram_all(block, PAT_TEST_WB);
	char *at = ram_map(row->driver, block, &asked);

	ROW_CLAIM(row, at != MAP_FAILED, "%s, mmap: %s", when, strerror(errno));
	if (at == MAP_FAILED)
		return;
	ram_claim(_metadata, row, when, "new mapping",
		  ram_odd_entries(row, block, wish, at, 0, block->nr));
	ASSERT_EQ(0, munmap(at, block->nr * PAT_PAGE));
}

/* --- another process ----------------------------------------------------------- */

/* It has what the process had mapped that made it, and says what it sees. */
struct ram_child {
	pid_t pid;
	int ask;
	int answer;
};

struct ram_question {
	struct ram_block block;
	struct ram_wish wish;
	const char *at;
};

static inline void __attribute__((noreturn))
ram_child_runs(const struct row *row, int ask, int answer)
{
	struct ram_question q;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(ask, &q, sizeof(q)) == sizeof(q)) {
		struct ram_odd odd = ram_odd_entries(row, &q.block, &q.wish,
						     q.at, 0, q.block.nr);

		if (write(answer, &odd, sizeof(odd)) != sizeof(odd))
			break;
	}
	_exit(0);
}

static inline struct ram_child ram_child_start(struct __test_metadata *_metadata,
					       struct row *row)
{
	struct ram_child child;
	int ask[2], answer[2];

	ASSERT_EQ(0, pipe(ask));
	ASSERT_EQ(0, pipe(answer));
	child.pid = fork();
	ASSERT_LE(0, child.pid) TH_LOG("fork: %s", strerror(errno));
	if (!child.pid) {
		close(ask[1]);
		close(answer[0]);
		ram_child_runs(row, ask[0], answer[1]);
	}
	close(ask[0]);
	close(answer[1]);
	child.ask = ask[1];
	child.answer = answer[0];
	return child;
}

static inline void ram_claim_child(struct __test_metadata *_metadata,
				   struct row *row, const struct ram_child *child,
				   const struct ram_block *block,
				   const struct ram_wish *wish, const char *at,
				   const char *when)
{
	struct ram_question q = { .block = *block, .wish = *wish, .at = at };
	struct ram_odd odd;

	ASSERT_EQ(sizeof(q), write(child->ask, &q, sizeof(q)));
	ASSERT_EQ(sizeof(odd), read(child->answer, &odd, sizeof(odd)));
	ram_claim(_metadata, row, when, "the child's entries", odd);
}

static inline void ram_child_end(struct __test_metadata *_metadata,
				 struct ram_child *child)
{
	int status;

	close(child->ask);
	close(child->answer);
	ASSERT_EQ(child->pid, waitpid(child->pid, &status, 0));
	ASSERT_EQ(0, status);
}

#endif
