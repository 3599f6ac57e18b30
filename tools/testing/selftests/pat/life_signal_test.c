// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process is killed at each allocation in turn that it makes on a path through
 * the life of a PFN mapping:
 *
 *	for n = 1, 2, 3, ...
 *		a child walks the path, and gets SIGKILL when it allocates memory
 *		for the nth time
 *		once it is gone, nothing of it is recorded any more
 *	until a child comes to the end of the path unharmed
 *
 * Whatever a system call does when it finds a signal pending, half way: the exit
 * has to clean up after it.
 *
 * Needs pat_signal.ko, which needs KPROBES.
 */
#include <sys/prctl.h>
#include <sys/wait.h>

#include "pat_fault.h"
#include "row.h"

#define SIGNAL_PAGES 1408
#define PAGES_EACH 8
#define NR 6
#define MANY_ALLOCATIONS 10000

struct walk {
	struct row *row;
	unsigned int page;
	int signal;		/* the child's own */
	int driver;		/* the child's own: exit closes it */
	char *at, *to;
};

FIXTURE(life_signal) {
	struct row row;
	int signal;		/* open, so that the probes stay */
};

FIXTURE_VARIANT(life_signal) {
	bool (*prepare)(struct walk *walk);	/* not killed in here */
	bool (*path)(struct walk *walk);
	unsigned int slice;
	unsigned int at_least;		/* allocations */
	enum row_stock stock;
};

FIXTURE_SETUP(life_signal)
{
	row_open(_metadata, &self->row, variant->stock);
	if (_metadata->exit_code)
		return;
	self->signal = pat_open_device(_metadata, "pat_signal");
	/* Grandchildren that outlive a killed child are waited for here. */
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
}

FIXTURE_TEARDOWN(life_signal)
{
	close(self->signal);
	row_close(&self->row);
}

/* --- the paths; nothing in here may fail a test but by its return value ------- */

static uint64_t walk_phys(const struct walk *walk, unsigned int page)
{
	return row_phys(walk->row, walk->page + page);
}

static bool walk_map(struct walk *walk, int flags)
{
	return mmap(walk->at, NR * PAT_PAGE, PROT_READ | PROT_WRITE,
		    flags | MAP_FIXED_NOREPLACE, walk->row->devmem,
		    walk_phys(walk, 0)) == walk->at;
}

static bool prepare_nothing(struct walk *walk)
{
	return true;
}

static bool prepare_shared(struct walk *walk)
{
	return walk_map(walk, MAP_SHARED);
}

/* Page 0 is the process's own copy. */
static bool prepare_copied(struct walk *walk)
{
	if (!walk_map(walk, MAP_PRIVATE))
		return false;
	walk->at[0] = 1;
	return true;
}

static bool prepare_move(struct walk *walk)
{
	walk->to = walk_map(walk, MAP_SHARED) ? fault_address(1) : NULL;
	return walk->to;
}

/* A driver's mapping, in pieces none of which continues another. */
static bool prepare_program(struct walk *walk)
{
	struct pat_test_chunk chunks[NR];
	struct pat_test_program program = {
		.chunks = (uintptr_t)chunks,
		.nr = NR,
	};

	for (unsigned int i = 0; i < NR; i++)
		chunks[i] = (struct pat_test_chunk) {
			.offset = i * PAT_PAGE,
			.pfn = walk_phys(walk, NR - 1 - i) / PAT_PAGE,
			.size = PAT_PAGE,
			.type = PAT_TEST_UC_MINUS,
			.method = PAT_TEST_REMAP_PFN_RANGE,
		};
	return !ioctl(walk->driver, PAT_TEST_PROGRAM, &program);
}

static bool path_map_pieces(struct walk *walk)
{
	return mmap(walk->at, NR * PAT_PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_FIXED_NOREPLACE, walk->driver, 0) == walk->at;
}

static bool prepare_pieces(struct walk *walk)
{
	return prepare_program(walk) && path_map_pieces(walk);
}

static bool path_map(struct walk *walk)
{
	return walk_map(walk, MAP_SHARED);
}

static bool path_munmap_head(struct walk *walk)
{
	return !munmap(walk->at, 2 * PAT_PAGE);
}

static bool path_munmap_middle(struct walk *walk)
{
	return !munmap(walk->at + 2 * PAT_PAGE, 2 * PAT_PAGE);
}

static bool path_mprotect_middle(struct walk *walk)
{
	return !mprotect(walk->at + 2 * PAT_PAGE, 2 * PAT_PAGE, PROT_READ);
}

static bool path_move_middle(struct walk *walk)
{
	return mremap(walk->at + 2 * PAT_PAGE, 2 * PAT_PAGE, 2 * PAT_PAGE,
		      MREMAP_MAYMOVE | MREMAP_FIXED, walk->to) == walk->to;
}

static bool path_fork(struct walk *walk)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(0);
	return child > 0 && waitpid(child, &status, 0) == child && !status;
}

static bool path_ioremap(struct walk *walk)
{
	struct pat_test_map map = {
		.api = PAT_TEST_IOREMAP_WC,
		.phys = walk_phys(walk, 0),
		.size = NR * PAT_PAGE,
	};

	return !ioctl(walk->driver, PAT_TEST_MAP, &map) && !map.err &&
	       !ioctl(walk->driver, PAT_TEST_UNMAP, map.handle);
}

/* A hole in the driver's mapping, which needs a second record. */
static bool path_zap_middle(struct walk *walk)
{
	struct pat_test_zap zap = {
		.method = PAT_TEST_ZAP_VMA_PTES,
		.start = (uintptr_t)walk->at + 2 * PAT_PAGE,
		.size = 2 * PAT_PAGE,
	};

	return !ioctl(walk->driver, PAT_TEST_ZAP, &zap);
}

/* One record of the driver's for all pages. */
static bool prepare_whole(struct walk *walk)
{
	struct pat_test_chunk chunk = {
		.pfn = walk_phys(walk, 0) / PAT_PAGE,
		.size = NR * PAT_PAGE,
		.type = PAT_TEST_UC_MINUS,
		.method = PAT_TEST_REMAP_PFN_RANGE,
	};
	struct pat_test_program program = {
		.chunks = (uintptr_t)&chunk,
		.nr = 1,
	};

	return !ioctl(walk->driver, PAT_TEST_PROGRAM, &program) &&
	       path_map_pieces(walk);
}

#define PATH(name, slice_, prepare_, path_, at_least_, stock_)		\
	FIXTURE_VARIANT_ADD(life_signal, name) {			\
		.prepare = prepare_,					\
		.path = path_,						\
		.slice = slice_,					\
		.at_least = at_least_,					\
		.stock = stock_,					\
	}

PATH(mmap, 0, prepare_nothing, path_map, 5, ROW_STOCK_IS_RIGHT);
PATH(mmap_pieces, 1, prepare_program, path_map_pieces, 5, ROW_STOCK_IS_RIGHT);
PATH(munmap_head, 2, prepare_shared, path_munmap_head, 2, ROW_STOCK_HAS_BUG);
PATH(munmap_middle, 3, prepare_shared, path_munmap_middle, 4, ROW_STOCK_HAS_BUG);
PATH(mprotect_middle, 4, prepare_shared, path_mprotect_middle, 4,
     ROW_STOCK_HAS_BUG);
PATH(mremap_middle, 5, prepare_move, path_move_middle, 5, ROW_STOCK_HAS_BUG);
PATH(fork, 6, prepare_shared, path_fork, 20, ROW_STOCK_IS_RIGHT);
PATH(fork_copied, 7, prepare_copied, path_fork, 20, ROW_STOCK_HAS_BUG);
PATH(fork_pieces, 8, prepare_pieces, path_fork, 20, ROW_STOCK_IS_RIGHT);
PATH(ioremap, 9, prepare_nothing, path_ioremap, 4, ROW_STOCK_IS_RIGHT);
PATH(zap_middle, 10, prepare_whole, path_zap_middle, 0, ROW_STOCK_IS_RIGHT);

/* --- one child after the other ---------------------------------------------------- */

static bool signal_arm(const struct walk *walk, unsigned int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", n);

	return write(walk->signal, text, length) == length;
}

enum walk_end {
	WALK_UNHARMED = 0,
	WALK_FAILED = 1,
	WALK_NOT_BEGUN = 2,
};

/*
 * The child's life. Writing 0 does not return to one that has had its signal,
 * so that who comes to the end has not met an nth allocation on the path.
 */
static enum walk_end walk_path(struct walk *walk,
			       const FIXTURE_VARIANT(life_signal) *variant,
			       unsigned int n)
{
	bool done;

	walk->driver = open(PAT_TEST_DEVICE, O_RDWR | O_CLOEXEC);
	walk->signal = open("/dev/pat_signal", O_RDWR | O_CLOEXEC);
	walk->at = fault_address(NR / 2);
	if (walk->driver < 0 || walk->signal < 0 || !walk->at ||
	    !variant->prepare(walk) || !signal_arm(walk, n))
		return WALK_NOT_BEGUN;
	done = variant->path(walk);
	return signal_arm(walk, 0) && done ? WALK_UNHARMED : WALK_FAILED;
}

TEST_F(life_signal, killed_at_each_allocation)
{
	struct row *row = &self->row;
	unsigned int killed = 0;
	int status = SIGKILL;

	for (unsigned int n = 1; !row->broken && WIFSIGNALED(status); n++) {
		struct walk walk = {
			.row = row,
			.page = SIGNAL_PAGES + variant->slice * PAGES_EACH,
		};
		pid_t child = fork();

		ASSERT_LE(0, child);
		if (child == 0)
			_exit(walk_path(&walk, variant, n));
		ASSERT_EQ(child, waitpid(child, &status, 0));
		while (waitpid(-1, NULL, 0) > 0)
			;
		ASSERT_GT(MANY_ALLOCATIONS, n);

		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
		row_claim_list_as_before(_metadata, row);
		row_claim_valid(_metadata, row, "killed");
		if (row->broken)
			TH_LOG("killed at allocation %u", n);
	}
	TH_LOG("killed at %u allocations", killed);
	ROW_CLAIM(row, row->broken || (WIFEXITED(status) && !WEXITSTATUS(status)),
		  "the path itself ended with status 0x%x", status);
	ROW_CLAIM(row, row->broken || killed >= variant->at_least,
		  "killed %u times, must be %u", killed, variant->at_least);
	row_verdict(_metadata, row);
}

TEST_HARNESS_MAIN
