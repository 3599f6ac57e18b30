/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of RAM that changes its type (rows I, J and Q) share: pages
 * that the test driver owns, or has adopted, mappings of them, and processes
 * that have some, too.
 *
 * A page of RAM has one type: its direct map's, that of each mapping, and what a
 * look-up finds. ram_claim() and ram_claim_mapped() claim that after each step.
 *
 * Where PAT is off nothing knows types: the direct map is what was asked for
 * last, and a mapping what its own maker asked for, here always WB.
 */
#ifndef PAT_RAM_H
#define PAT_RAM_H

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "row.h"

#define RAM_MAX 512

/* Lines of the kernel that are provoked, as kmsg and the verdict know them. */
#define RAM_TYPE_LINE		"map pfn RAM "
#define RAM_TYPE_MESSAGE	"map pfn RAM (range|page) req"
#define RAM_BUSY_LINE		" cannot become "
#define RAM_BUSY_MESSAGE	"x86/PAT: RAM page 0x[0-9a-f]+ cannot become"

/* --- pages --------------------------------------------------------------- */

/* The driver's handle for some pages. */
struct ram_block {
	uint32_t handle;
	unsigned int nr;
	uint64_t pfns[RAM_MAX];
};

/* One block of 1 << @order pages, or @nr single ones if @order is 0. */
static inline void ram_alloc(struct __test_metadata *_metadata,
			     const struct row *row, struct ram_block *block,
			     unsigned int nr, unsigned int order)
{
	struct pat_test_alloc alloc = {
		.nr = nr,
		.order = order,
		.pfns = (uintptr_t)block->pfns,
	};

	ASSERT_GE(RAM_MAX, nr);
	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_ALLOC, &alloc))
		TH_LOG("%u pages of order %u: %s", nr, order, strerror(errno));
	block->handle = alloc.handle;
	block->nr = nr;
}

/* The driver gets the pages that block->pfns has, whosever they are. */
static inline void ram_adopt(struct __test_metadata *_metadata,
			     const struct row *row, struct ram_block *block,
			     unsigned int nr)
{
	struct pat_test_adopt adopt = {
		.pfns = (uintptr_t)block->pfns,
		.nr = nr,
	};

	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_ADOPT, &adopt))
		TH_LOG("%u pages: %s", nr, strerror(errno));
	block->handle = adopt.handle;
	block->nr = nr;
}

static inline void ram_free(struct __test_metadata *_metadata,
			    const struct row *row, struct ram_block *block)
{
	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_FREE, block->handle))
		TH_LOG("%s", strerror(errno));
}

/* The types that RAM can be given, by which API, and by which back to WB. */
struct ram_change {
	const char *name;
	unsigned int api;
	unsigned int back;
	int type;
	bool array;
};

#define RAM_CHANGES {								\
	{ "set_memory_uc", PAT_TEST_SET_MEMORY_UC, PAT_TEST_SET_MEMORY_WB,	\
	  PAT_TEST_UC_MINUS, false },						\
	{ "set_memory_wc", PAT_TEST_SET_MEMORY_WC, PAT_TEST_SET_MEMORY_WB,	\
	  PAT_TEST_WC, false },							\
	{ "set_pages_uc", PAT_TEST_SET_PAGES_UC, PAT_TEST_SET_PAGES_WB,		\
	  PAT_TEST_UC_MINUS, false },						\
	{ "set_pages_array_uc", PAT_TEST_SET_PAGES_ARRAY_UC,			\
	  PAT_TEST_SET_PAGES_ARRAY_WB, PAT_TEST_UC_MINUS, true },		\
	{ "set_pages_array_wc", PAT_TEST_SET_PAGES_ARRAY_WC,			\
	  PAT_TEST_SET_PAGES_ARRAY_WB, PAT_TEST_WC, true },			\
}

#define RAM_NR_CHANGES 5

/* What the API answers for pages [first, first + count). */
static inline int ram_set(struct __test_metadata *_metadata,
			  const struct row *row, const struct ram_block *block,
			  unsigned int api, unsigned int first,
			  unsigned int count)
{
	struct pat_test_set set = {
		.handle = block->handle,
		.api = api,
		.first = first,
		.count = count,
	};

	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_SET_TYPE, &set))
		TH_LOG("%s", strerror(errno));
	return set.err;
}

/* The same, where nothing is in the way. */
static inline void ram_must_set(struct __test_metadata *_metadata,
				struct row *row, const struct ram_block *block,
				unsigned int api, unsigned int first,
				unsigned int count, const char *step)
{
	int err = ram_set(_metadata, row, block, api, first, count);

	ROW_CLAIM(row, !err, "%s: pages %u to %u cannot be changed: %d", step,
		  first, first + count - 1, err);
}

/* --- claims about pages ------------------------------------------------------ */

/* Claims that the direct map, and a look-up, have @type for this frame. */
static inline void ram_claim_pfn(struct __test_metadata *_metadata,
				 struct row *row, uint64_t pfn, int type,
				 const char *step)
{
	struct pat_test_direct direct = { .pfn = pfn };
	struct pat_test_lookup lookup = { .pfn = pfn };

	type = row_type(row, type);
	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_DIRECT_MAP, &direct));
	ROW_CLAIM(row, direct.got == type,
		  "%s: the direct map has pfn 0x%llx %s, wanted %s", step,
		  (unsigned long long)pfn, pat_type_word(direct.got),
		  pat_type_word(type));
	if (!row->pat_is_on)
		return;
	ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_LOOKUP, &lookup));
	ROW_CLAIM(row, lookup.immune == (type != PAT_TEST_WB),
		  "%s: a look-up of pfn 0x%llx does not find it %s", step,
		  (unsigned long long)pfn, pat_type_word(type));
}

/* The same for pages [first, first + nr) of a block. */
static inline void ram_claim(struct __test_metadata *_metadata,
			     struct row *row, const struct ram_block *block,
			     unsigned int first, unsigned int nr, int type,
			     const char *step)
{
	for (unsigned int i = first; i < first + nr; i++)
		ram_claim_pfn(_metadata, row, block->pfns[i], type, step);
}

/* --- other processes ----------------------------------------------------------- */

/* A child, with what its parent has mapped, that does what it is asked to. */
struct ram_child {
	pid_t pid;
	int ask;
	int answer;
};

enum ram_order {
	RAM_ENTRY,		/* read the entry for addr */
	RAM_LOAD,		/* the byte at addr */
	RAM_STORE,		/* arg, at addr */
	RAM_UNMAP,		/* size bytes from addr on */
	RAM_MOVE,		/* size bytes from addr on, somewhere else */
	RAM_PROTECT,		/* with PROT_ flags arg */
	RAM_EXIT,
};

struct ram_letter {
	enum ram_order order;
	const char *addr;
	size_t size;
	int arg;
};

struct ram_answer {
	int err;
	char byte;
	char *addr;
	struct pat_test_pte pte;
};

/* Does in this process what is asked. */
static inline struct ram_answer ram_do(int driver, const struct ram_letter *letter)
{
	struct ram_answer answer = {
		.addr = (char *)letter->addr,
		.pte.addr = (uintptr_t)letter->addr,
	};
	char *addr = answer.addr;
	int result = 0;

	switch (letter->order) {
	case RAM_ENTRY:
		result = ioctl(driver, PAT_TEST_READ_PTE, &answer.pte);
		break;
	case RAM_LOAD:
		answer.byte = *(volatile char *)addr;
		break;
	case RAM_STORE:
		*(volatile char *)addr = letter->arg;
		break;
	case RAM_UNMAP:
		result = munmap(addr, letter->size);
		break;
	case RAM_MOVE:
		answer.addr = mmap(NULL, letter->size, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		result = answer.addr == MAP_FAILED ||
			 mremap(addr, letter->size, letter->size,
				MREMAP_MAYMOVE | MREMAP_FIXED,
				answer.addr) != answer.addr;
		break;
	case RAM_PROTECT:
		result = mprotect(addr, letter->size, letter->arg);
		break;
	case RAM_EXIT:
		_exit(0);
	}
	answer.err = result ? -errno : 0;
	return answer;
}

static inline void ram_child_fork(struct __test_metadata *_metadata,
				  const struct row *row,
				  struct ram_child *child)
{
	int ask[2], answer[2];

	ASSERT_EQ(0, pipe(ask));
	ASSERT_EQ(0, pipe(answer));
	child->pid = fork();
	ASSERT_LE(0, child->pid) TH_LOG("fork: %s", strerror(errno));
	if (!child->pid) {
		struct ram_letter letter;

		/* Not a parent's death away from holding pages for good. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ask[1]);
		close(answer[0]);
		while (read(ask[0], &letter, sizeof(letter)) == sizeof(letter)) {
			struct ram_answer said = ram_do(row->driver, &letter);

			if (write(answer[1], &said, sizeof(said)) != sizeof(said))
				break;
		}
		_exit(0);
	}
	close(ask[0]);
	close(answer[1]);
	child->ask = ask[1];
	child->answer = answer[0];
}

/* @child may be NULL: this process. */
static inline struct ram_answer
ram_ask(struct __test_metadata *_metadata, const struct row *row,
	const struct ram_child *child, struct ram_letter letter)
{
	struct ram_answer answer = {};

	if (!child) {
		answer = ram_do(row->driver, &letter);
	} else {
		ASSERT_EQ((ssize_t)sizeof(letter),
			  write(child->ask, &letter, sizeof(letter)));
		ASSERT_EQ((ssize_t)sizeof(answer),
			  read(child->answer, &answer, sizeof(answer)))
			TH_LOG("a child has died");
	}
	ASSERT_EQ(0, answer.err) TH_LOG("%s", strerror(-answer.err));
	return answer;
}

static inline void ram_child_end(struct __test_metadata *_metadata,
				 struct ram_child *child)
{
	struct ram_letter letter = { .order = RAM_EXIT };
	int status;

	ASSERT_EQ((ssize_t)sizeof(letter),
		  write(child->ask, &letter, sizeof(letter)));
	ASSERT_EQ(child->pid, waitpid(child->pid, &status, 0));
	ASSERT_EQ(0, status);
	close(child->ask);
	close(child->answer);
}

/* --- mappings -------------------------------------------------------------------- */

enum ram_source {
	RAM_DRIVER,		/* the test driver's remap_pfn_range() */
	RAM_DEVMEM,		/* /dev/mem */
};

/*
 * Maps pages [first, first + nr) of a contiguous block, asking for WB. A kernel
 * that does not let them be mapped breaks a claim: NULL then.
 */
static inline char *ram_map(struct __test_metadata *_metadata, struct row *row,
			    enum ram_source source,
			    const struct ram_block *block, unsigned int first,
			    unsigned int nr, int prot, int flags)
{
	struct pat_test_chunk chunk = {
		.pfn = block->pfns[first],
		.size = nr * PAT_PAGE,
		.type = PAT_TEST_WB,
		.method = PAT_TEST_REMAP_PFN_RANGE,
	};
	struct pat_test_program program = {
		.chunks = (uintptr_t)&chunk,
		.nr = 1,
	};
	uint64_t offset = 0;
	char *at;
	int fd;

	if (source == RAM_DEVMEM) {
		fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
		offset = block->pfns[first] * PAT_PAGE;
	} else {
		ASSERT_EQ(0, ioctl(row->driver, PAT_TEST_PROGRAM, &program));
		fd = dup(row->driver);
	}
	ASSERT_LE(0, fd) TH_LOG("%s", strerror(errno));
	at = mmap(NULL, nr * PAT_PAGE, prot, flags, fd, offset);
	close(fd);
	ROW_CLAIM(row, at != MAP_FAILED, "RAM cannot be mapped: %s",
		  strerror(errno));
	return at == MAP_FAILED ? NULL : at;
}

/*
 * Claims that @child (NULL: this process) has page @addr mapped to this frame
 * with @type, as a PFN mapping or not. Returns the entry.
 */
static inline struct pat_test_pte
ram_claim_entry(struct __test_metadata *_metadata, struct row *row,
		const struct ram_child *child, const char *addr, uint64_t pfn,
		int type, bool special, const char *step)
{
	struct ram_letter letter = { .order = RAM_ENTRY, .addr = addr };
	struct pat_test_pte pte;

	/* Nothing knows about types there, and all is mapped WB. */
	if (!row->pat_is_on)
		type = PAT_TEST_WB;
	pte = ram_ask(_metadata, row, child, letter).pte;
	ROW_CLAIM(row, pte.got == type && pte.pfn == pfn,
		  "%s: %s's entry has pfn 0x%llx %s, wanted 0x%llx %s", step,
		  child ? "a child" : "the test", (unsigned long long)pte.pfn,
		  pat_type_word(pte.got), (unsigned long long)pfn,
		  pat_type_word(type));
	ROW_CLAIM(row, pte.got < 0 || !!pte.special == special,
		  "%s: pfn 0x%llx is %s a PFN mapping", step,
		  (unsigned long long)pfn, special ? "not" : "now");
	return pte;
}

/* The same for pages [first, first + nr) of a block in a row, as PFN mappings. */
static inline void ram_claim_mapped(struct __test_metadata *_metadata,
				    struct row *row,
				    const struct ram_child *child,
				    const char *at,
				    const struct ram_block *block,
				    unsigned int first, unsigned int nr,
				    int type, const char *step)
{
	for (unsigned int i = 0; i < nr; i++)
		ram_claim_entry(_metadata, row, child, at + i * PAT_PAGE,
				block->pfns[first + i], type, true, step);
}

/* Claims that nothing is mapped at these pages. */
static inline void ram_claim_unmapped(struct __test_metadata *_metadata,
				      struct row *row,
				      const struct ram_child *child,
				      const char *at, unsigned int nr,
				      const char *step)
{
	for (unsigned int i = 0; i < nr; i++) {
		struct ram_letter letter = {
			.order = RAM_ENTRY,
			.addr = at + i * PAT_PAGE,
		};
		struct pat_test_pte pte = ram_ask(_metadata, row, child,
						  letter).pte;

		ROW_CLAIM(row, pte.got == PAT_TEST_NOT_MAPPED,
			  "%s: pfn 0x%llx is mapped where nothing was", step,
			  (unsigned long long)pte.pfn);
	}
}

/* --- content ---------------------------------------------------------------------- */

static inline char ram_byte(unsigned int page, unsigned int round)
{
	return 'A' + (page * 7 + round * 13) % 57;
}

/* Writes what tells page @first + i from others at page i of a mapping. */
static inline void ram_fill(char *at, unsigned int first, unsigned int nr,
			    unsigned int round)
{
	for (unsigned int i = 0; i < nr; i++) {
		at[i * PAT_PAGE] = ram_byte(first + i, round);
		at[(i + 1) * PAT_PAGE - 1] = ram_byte(first + i, round + 1);
	}
}

static inline void ram_claim_filled(struct __test_metadata *_metadata,
				    struct row *row,
				    const struct ram_child *child,
				    const char *at, unsigned int first,
				    unsigned int nr, unsigned int round,
				    const char *step)
{
	for (unsigned int i = 0; i < nr; i++) {
		struct ram_letter letter = {
			.order = RAM_LOAD,
			.addr = at + i * PAT_PAGE,
		};
		char head = ram_ask(_metadata, row, child, letter).byte, tail;

		letter.addr += PAT_PAGE - 1;
		tail = ram_ask(_metadata, row, child, letter).byte;
		ROW_CLAIM(row, head == ram_byte(first + i, round) &&
			       tail == ram_byte(first + i, round + 1),
			  "%s: page %u has lost its content", step, first + i);
	}
}

#endif
