/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the life of a PFN mapping (life_*_test.c) have in common.
 *
 * Each keeps a model beside the kernel: which frame lies at which page of an
 * area of addresses (struct life_area), and by how many records, of which type,
 * each frame must be held (struct life). Every step changes both in the same
 * way, and life_claim() compares: list, page table entries, and what another
 * mapper of each frame is given. The claims are row.h's, and so is the verdict.
 *
 *	life_map()	frame's count + 1	area's page := frame
 *	life_munmap()	frame's count - 1	area's page := none
 *	fork		life_fork_counts(+1)	the child has the same area
 */
#ifndef PAT_LIFE_H
#define PAT_LIFE_H

#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "row.h"

#define LIFE_MAX 256
#define LIFE_NONE (-1)

struct life_frame {
	unsigned int count;
	int type;
	bool unknown;		/* private: a copy may have taken its place */
};

struct life {
	struct row row;
	unsigned int page;	/* where in the BAR frame 0 is */
	unsigned int nr;
	struct life_frame frames[LIFE_MAX];
};

struct life_area {
	char *at;
	unsigned int nr;
	int frame[LIFE_MAX];	/* index into life.frames, LIFE_NONE */
};

enum life_source {
	LIFE_DEVMEM,		/* /dev/mem with O_SYNC: UC- */
	LIFE_RESOURCE,		/* PCI resource file: UC- */
	LIFE_RESOURCE_WC,	/* its sister file: WC */
	LIFE_DRIVER,		/* the test driver, remap_pfn_range(): UC- */
};

static inline int life_source_type(enum life_source source)
{
	return source == LIFE_RESOURCE_WC ? PAT_TEST_WC : PAT_TEST_UC_MINUS;
}

static inline uint64_t life_phys(const struct life *life, unsigned int frame)
{
	return row_phys(&life->row, life->page + frame);
}

static inline void life_open(struct __test_metadata *_metadata,
			     struct life *life, unsigned int page,
			     unsigned int nr, enum row_stock stock)
{
	memset(life, 0, sizeof(*life));
	life->page = page;
	life->nr = nr;
	row_open(_metadata, &life->row, stock);
}

static inline void life_close(struct life *life)
{
	row_close(&life->row);
}

/*
 * Fills pages that have nothing with inaccessible memory, so that nobody else's
 * mmap() takes the place.
 */
static inline void life_area_keep(struct __test_metadata *_metadata,
				  struct life_area *area, unsigned int first,
				  unsigned int nr)
{
	ASSERT_NE(MAP_FAILED,
		  mmap(area->at + first * PAT_PAGE, nr * PAT_PAGE, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	for (unsigned int i = first; i < first + nr; i++)
		area->frame[i] = LIFE_NONE;
}

static inline void life_area_open(struct __test_metadata *_metadata,
				  struct life_area *area, unsigned int nr)
{
	ASSERT_GE(LIFE_MAX, nr);
	area->nr = nr;
	area->at = mmap(NULL, nr * PAT_PAGE, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, area->at);
	life_area_keep(_metadata, area, 0, nr);
}

/* A file of which the byte at @offset is byte 0 of @frame. */
static inline int life_source_open(struct __test_metadata *_metadata,
				   struct life *life, enum life_source source,
				   unsigned int frame, unsigned int nr,
				   uint64_t *offset)
{
	struct pat_test_chunk chunk = {
		.pfn = life_phys(life, frame) / PAT_PAGE,
		.size = nr * PAT_PAGE,
		.type = PAT_TEST_UC_MINUS,
		.method = PAT_TEST_REMAP_PFN_RANGE,
	};
	struct pat_test_program program = {
		.chunks = (uintptr_t)&chunk,
		.nr = 1,
	};
	char path[320];
	int fd;

	*offset = life_phys(life, frame) - life->row.bar;
	switch (source) {
	case LIFE_DEVMEM:
		*offset += life->row.bar;
		return dup(life->row.devmem);
	case LIFE_DRIVER:
		EXPECT_EQ(0, ioctl(life->row.driver, PAT_TEST_PROGRAM, &program));
		return dup(life->row.driver);
	default:
		/* Without PAT there is no file for WC. */
		snprintf(path, sizeof(path), "%s/resource2%s",
			 pat_bar(_metadata)->dir,
			 source == LIFE_RESOURCE_WC && life->row.pat_is_on ?
			 "_wc" : "");
		fd = open(path, O_RDWR | O_CLOEXEC);
		EXPECT_LE(0, fd) TH_LOG("%s: %s", path, strerror(errno));
		return fd;
	}
}

/* Maps frames [frame, frame + nr) at page @at of the area. */
static inline void life_map_flags(struct __test_metadata *_metadata,
				  struct life *life, struct life_area *area,
				  unsigned int at, enum life_source source,
				  unsigned int frame, unsigned int nr, int flags)
{
	uint64_t offset;
	int fd = life_source_open(_metadata, life, source, frame, nr, &offset);
	char *where = area->at + at * PAT_PAGE;

	ASSERT_LE(0, fd);
	ASSERT_EQ(where, mmap(where, nr * PAT_PAGE, PROT_READ | PROT_WRITE,
			      flags | MAP_FIXED, fd, offset))
		TH_LOG("mmap: %s", strerror(errno));
	close(fd);
	for (unsigned int i = 0; i < nr; i++) {
		struct life_frame *f = &life->frames[frame + i];

		f->type = life_source_type(source);
		f->count++;
		area->frame[at + i] = frame + i;
	}
}

static inline void life_map(struct __test_metadata *_metadata,
			    struct life *life, struct life_area *area,
			    unsigned int at, enum life_source source,
			    unsigned int frame, unsigned int nr)
{
	life_map_flags(_metadata, life, area, at, source, frame, nr, MAP_SHARED);
}

/* The model's half of an unmap of pages [first, first + nr). */
static inline void life_forget(struct life *life, struct life_area *area,
			       unsigned int first, unsigned int nr)
{
	for (unsigned int i = first; i < first + nr; i++) {
		if (area->frame[i] != LIFE_NONE)
			life->frames[area->frame[i]].count--;
		area->frame[i] = LIFE_NONE;
	}
}

static inline void life_munmap(struct __test_metadata *_metadata,
			       struct life *life, struct life_area *area,
			       unsigned int first, unsigned int nr)
{
	ASSERT_EQ(0, munmap(area->at + first * PAT_PAGE, nr * PAT_PAGE));
	life_forget(life, area, first, nr);
	life_area_keep(_metadata, area, first, nr);
}

/* The model's half of an mremap() of @nr pages to another place, for @new_nr. */
static inline void life_moved(struct life *life, struct life_area *from,
			      unsigned int first, unsigned int nr,
			      struct life_area *to, unsigned int at,
			      unsigned int new_nr)
{
	life_forget(life, to, at, new_nr);
	for (unsigned int i = 0; i < new_nr; i++) {
		to->frame[at + i] = from->frame[first + i];
		from->frame[first + i] = LIFE_NONE;
	}
	life_forget(life, from, first, nr);
}

static inline void life_mremap(struct __test_metadata *_metadata,
			       struct life *life, struct life_area *from,
			       unsigned int first, unsigned int nr,
			       struct life_area *to, unsigned int at,
			       unsigned int new_nr)
{
	char *where = to->at + at * PAT_PAGE;

	ASSERT_EQ(where, mremap(from->at + first * PAT_PAGE, nr * PAT_PAGE,
				new_nr * PAT_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
				where))
		TH_LOG("mremap: %s", strerror(errno));
	life_moved(life, from, first, nr, to, at, new_nr);
	life_area_keep(_metadata, from, first, nr);
}

/* So many mappings of every frame more, or fewer. */
static inline void life_count(struct life *life, int type, int change)
{
	for (unsigned int i = 0; i < life->nr; i++) {
		life->frames[i].type = type;
		life->frames[i].count += change;
	}
}

/* Another process gets (+1) or has lost (-1) all that @area has. */
static inline void life_fork_counts(struct life *life,
				    const struct life_area *area, int change)
{
	for (unsigned int i = 0; i < area->nr; i++)
		if (area->frame[i] != LIFE_NONE)
			life->frames[area->frame[i]].count += change;
}

/* --- claims ------------------------------------------------------------------ */

/* Claims that the list has what the model has. */
static inline void life_claim_records(struct __test_metadata *_metadata,
				      struct life *life, const char *step)
{
	struct pat_list now;

	if (!life->row.pat_is_on)
		return;
	ASSERT_TRUE(pat_list_read(&now));
	for (unsigned int i = 0; i < life->nr; i++) {
		const struct life_frame *f = &life->frames[i];
		uint64_t phys = life_phys(life, i);
		unsigned int typed = pat_list_count(&now, phys, f->type);
		unsigned int all = pat_list_count_all(&now, phys);

		if (f->unknown)
			continue;
		ROW_CLAIM(&life->row, typed == f->count && all == f->count,
			  "%s: frame %u: wanted %u records %s, has %u of %u",
			  step, i, f->count, pat_type_word(f->type), typed, all);
	}
	pat_list_free(&now);
}

/*
 * Claims what the kernel gets who maps a frame: the type it asks for if nobody
 * holds the frame, the holder's otherwise. It asks for one that the holder's
 * will do for and that is another.
 */
static inline void life_claim_given(struct __test_metadata *_metadata,
				    struct life *life, unsigned int frame,
				    const char *step)
{
	const struct life_frame *f = &life->frames[frame];
	bool wc_held = f->count && f->type == PAT_TEST_WC;
	struct pat_test_map map = {
		.api = wc_held ? PAT_TEST_IOREMAP : PAT_TEST_IOREMAP_WC,
		.phys = life_phys(life, frame),
		.size = PAT_PAGE,
	};
	int asked = wc_held ? PAT_TEST_UC_MINUS : PAT_TEST_WC;
	/* Without PAT nobody holds a type against others. */
	bool held = f->count && life->row.pat_is_on;
	int want = row_type(&life->row, held ? f->type : asked);

	if (f->unknown)
		return;
	ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_MAP, &map));
	if (map.err)
		map.got = PAT_TEST_NOT_MAPPED;
	else
		ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_UNMAP, map.handle));
	ROW_CLAIM(&life->row, map.got == want,
		  "%s: frame %u, held %u times: another mapper is given %s, wanted %s",
		  step, frame, f->count, pat_type_word(map.got),
		  pat_type_word(want));
}

/* Claims that this process has mapped what the area says, and nothing else. */
static inline void life_claim_entries(struct __test_metadata *_metadata,
				      struct life *life,
				      const struct life_area *area,
				      const char *step)
{
	for (unsigned int i = 0; i < area->nr; i++) {
		struct pat_test_pte pte = {
			.addr = (uintptr_t)area->at + i * PAT_PAGE,
		};
		int frame = area->frame[i], type = PAT_TEST_NOT_MAPPED;
		uint64_t pfn = 0;

		if (frame != LIFE_NONE) {
			if (life->frames[frame].unknown)
				continue;
			type = row_type(&life->row, life->frames[frame].type);
			pfn = life_phys(life, frame) / PAT_PAGE;
		}
		ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_READ_PTE, &pte));
		ROW_CLAIM(&life->row, pte.got == type && pte.pfn == pfn,
			  "%s: page %u: entry has pfn 0x%llx %s, wanted 0x%llx %s",
			  step, i, (unsigned long long)pte.pfn,
			  pat_type_word(pte.got), (unsigned long long)pfn,
			  pat_type_word(type));
	}
}

/* All claims about frames; @area may be NULL. */
static inline void life_claim(struct __test_metadata *_metadata,
			      struct life *life, const struct life_area *area,
			      const char *step)
{
	life_claim_records(_metadata, life, step);
	for (unsigned int i = 0; i < life->nr; i++)
		life_claim_given(_metadata, life, i, step);
	if (area)
		life_claim_entries(_metadata, life, area, step);
	row_claim_valid(_metadata, &life->row, step);
}

/* The last claim: nobody holds anything. */
static inline void life_verdict(struct __test_metadata *_metadata,
				struct life *life)
{
	for (unsigned int i = 0; i < life->nr; i++) {
		life->frames[i].unknown = false;
		ASSERT_EQ(0, life->frames[i].count) TH_LOG("the test's model is wrong");
	}
	life_claim(_metadata, life, NULL, "at the end");
	row_verdict(_metadata, &life->row);
}

/* --- random sequences -------------------------------------------------------- */

/*
 * PAT_SEED in the environment repeats an earlier run.
 *
 * xorshift32: small, and the same everywhere.
 */
static inline uint32_t life_seed(struct __test_metadata *_metadata)
{
	const char *given = getenv("PAT_SEED");
	struct timespec now;
	uint32_t seed;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = given ? strtoul(given, NULL, 0) : now.tv_nsec ^ now.tv_sec;
	seed = seed ?: 1;
	TH_LOG("PAT_SEED=%u", seed);
	return seed;
}

static inline uint32_t life_random(uint32_t *state, uint32_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state % below;
}

/* --- other processes ------------------------------------------------------------ */

/*
 * Children that wait for orders: life_child_do() has the child call a function
 * and returns when that is done.
 */
struct life_child {
	pid_t pid;
	int order;
	int report;
};

typedef bool (*life_order)(struct life *life, struct life_area *area, int arg);

struct life_letter {
	life_order order;
	int arg;
};

static inline void life_child_serves(struct life *life, struct life_area *area,
				     int order, int report)
{
	struct life_letter letter;

	/* Not a parent's death away from holding frames for good. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(order, &letter, sizeof(letter)) == sizeof(letter)) {
		char good = letter.order(life, area, letter.arg);

		if (write(report, &good, 1) != 1)
			break;
	}
	_exit(0);
}

/* False, with errno, if fork() fails. Says nothing to the model. */
static inline bool life_child_fork(struct life *life, struct life_area *area,
				   struct life_child *child)
{
	int order[2], report[2], err;

	if (pipe(order) || pipe(report))
		return false;
	child->pid = fork();
	err = errno;
	if (!child->pid) {
		close(order[1]);
		close(report[0]);
		life_child_serves(life, area, order[0], report[1]);
	}
	close(order[0]);
	close(report[1]);
	child->order = order[1];
	child->report = report[0];
	errno = err;
	return child->pid > 0;
}

static inline bool life_child_do(struct life_child *child, life_order order,
				 int arg)
{
	struct life_letter letter = { order, arg };
	char good = 0;

	return write(child->order, &letter, sizeof(letter)) == sizeof(letter) &&
	       read(child->report, &good, 1) == 1 && good;
}

/* The argument of an order for pages [first, first + nr) of the area. */
#define LIFE_PIECE(first, nr) ((first) << 8 | (nr))

static inline bool life_order_unmap(struct life *life, struct life_area *area,
				    int piece)
{
	return !munmap(area->at + (piece >> 8) * PAT_PAGE,
		       (piece & 0xff) * PAT_PAGE);
}

static inline bool life_order_exit(struct life *life, struct life_area *area,
				   int status)
{
	_exit(status);
}

/* Ends a child by @signal, or 0: by an exit. */
static inline bool life_child_end(struct life_child *child, int signal)
{
	int status = 0;

	if (signal)
		kill(child->pid, signal);
	else
		life_child_do(child, life_order_exit, 0);
	close(child->order);
	close(child->report);
	if (waitpid(child->pid, &status, 0) != child->pid)
		return false;
	return signal ? WIFSIGNALED(status) && WTERMSIG(status) == signal :
			WIFEXITED(status) && !WEXITSTATUS(status);
}

#endif
