// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation of what happens to a PFN mapping later fails in turn: of
 * munmap, mprotect, madvise, mremap, fork, exit, and of an mmap on top of it.
 * What splits the VMA may lack memory, and then changes nothing. Dropping the
 * records may not.
 *
 * Needs fault injection.
 */
#include <sys/wait.h>

#include "fault_loop.h"

#define NR 6

FAULT_FIXTURE(life_fault)
FAULT_LASTING(life_fault)

/* --- parts of one mapping ------------------------------------------------------ */

static void setup_mapped(struct fault_run *run)
{
	run->at = fault_free_address(run, NR / 2);
	fault_mmap(run, run->at, NR, run->path->flags, run->row->devmem,
		   fault_phys(run, 0));
	fault_add_pages(run, &run->before, run->at, 0, NR);
}

static void undo_mapped(struct fault_run *run, bool succeeded)
{
	fault_munmap(run, run->at, NR);
}

static char *part(struct fault_run *run)
{
	return run->at + run->path->first * PAT_PAGE;
}

static bool call_munmap(struct fault_run *run)
{
	return !munmap(part(run), run->path->nr * PAT_PAGE);
}

static bool call_mprotect(struct fault_run *run)
{
	return !mprotect(part(run), run->path->nr * PAT_PAGE, PROT_READ);
}

static bool call_madvise(struct fault_run *run)
{
	return !madvise(part(run), run->path->nr * PAT_PAGE, MADV_DONTFORK);
}

static void after_as_before(struct fault_run *run)
{
	run->after = run->before;
}

static void after_without_part(struct fault_run *run)
{
	fault_add_rest(run, &run->after, NR);
}

#define MAPPED								\
	.setup = setup_mapped, .undo = undo_mapped, .flags = MAP_SHARED, \
	.type = PAT_TEST_UC_MINUS
#define MUNMAP MAPPED, .call = call_munmap, .after = after_without_part
/* No allocation for the records may decide whether munmap() succeeds. */
#define MUNMAP_ZAP MUNMAP, .below = "unmap_vmas", .must_succeed = true
#define MPROTECT MAPPED, .call = call_mprotect, .after = after_as_before
#define MADVISE MAPPED, .call = call_madvise, .after = after_as_before
#define HEAD .first = 0, .nr = 2
#define MIDDLE .first = 2, .nr = 2
#define TAIL .first = 4, .nr = 2
#define WHOLE .first = 0, .nr = NR

FAULT_PATH(life_fault, munmap_head, 10, MUNMAP, HEAD, .at_least = 3,
	   .stock = ROW_STOCK_HAS_BUG);
FAULT_PATH(life_fault, munmap_middle, 11, MUNMAP, MIDDLE, .at_least = 6,
	   .stock = ROW_STOCK_HAS_BUG);
FAULT_PATH(life_fault, munmap_tail, 12, MUNMAP, TAIL, .at_least = 3,
	   .stock = ROW_STOCK_IS_RIGHT);
FAULT_PATH(life_fault, munmap_whole, 13, MUNMAP, WHOLE,
	   .stock = ROW_STOCK_IS_RIGHT);
FAULT_PATH(life_fault, munmap_middle_zap, 14, MUNMAP_ZAP, MIDDLE,
	   .stock = ROW_STOCK_HAS_BUG);
FAULT_PATH(life_fault, munmap_whole_zap, 15, MUNMAP_ZAP, WHOLE,
	   .stock = ROW_STOCK_IS_RIGHT);
FAULT_PATH(life_fault, mprotect_head, 16, MPROTECT, HEAD, .at_least = 3,
	   .stock = ROW_STOCK_HAS_BUG);
FAULT_PATH(life_fault, mprotect_middle, 17, MPROTECT, MIDDLE, .at_least = 6,
	   .stock = ROW_STOCK_HAS_BUG);
FAULT_PATH(life_fault, madvise_middle, 18, MADVISE, MIDDLE, .at_least = 6,
	   .stock = ROW_STOCK_HAS_BUG);

/* --- mremap ------------------------------------------------------------------------ */

static void setup_to_move(struct fault_run *run)
{
	setup_mapped(run);
	run->to = fault_free_address(run, run->path->nr / 2);
}

static bool call_move(struct fault_run *run)
{
	return mremap(part(run), run->path->nr * PAT_PAGE,
		      run->path->nr * PAT_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		      run->to) == run->to;
}

static void after_move(struct fault_run *run)
{
	after_without_part(run);
	fault_add_pages(run, &run->after, run->to, run->path->first,
			run->path->nr);
}

/* What could not even be unmapped again after a failure is so now. */
static void undo_move(struct fault_run *run, bool succeeded)
{
	undo_mapped(run, succeeded);
	fault_munmap(run, run->to, run->path->nr);
}

static bool call_shrink(struct fault_run *run)
{
	return mremap(run->at, NR * PAT_PAGE, run->path->first * PAT_PAGE, 0) ==
	       run->at;
}

#define MOVE								\
	MAPPED, .setup = setup_to_move, .call = call_move,		\
	.after = after_move, .undo = undo_move
#define SHRINK MAPPED, .call = call_shrink, .after = after_without_part

FAULT_PATH(life_fault, mremap_whole, 19, MOVE, WHOLE, .at_least = 5,
	   .stock = ROW_STOCK_IS_RIGHT);
FAULT_PATH(life_fault, mremap_head, 20, MOVE, HEAD, .at_least = 5,
	   .stock = ROW_STOCK_HAS_BUG);
FAULT_PATH(life_fault, mremap_middle, 21, MOVE, MIDDLE, .at_least = 5,
	   .stock = ROW_STOCK_HAS_BUG);
FAULT_PATH(life_fault, mremap_tail, 22, MOVE, TAIL, .at_least = 5,
	   .stock = ROW_STOCK_HAS_BUG);
FAULT_PATH(life_fault, mremap_shrink, 23, SHRINK, TAIL, .at_least = 3,
	   .stock = ROW_STOCK_IS_RIGHT);

/* --- a VMA with a record for each page ----------------------------------------- */

/* Frames in descending order, so that none continues another. */
static void add_pieces(struct fault_run *run, struct fault_state *state, char *at)
{
	for (unsigned int i = 0; i < NR; i++)
		fault_add_pages(run, state, at + i * PAT_PAGE, NR - 1 - i, 1);
}

static void setup_pieces(struct fault_run *run)
{
	struct pat_test_chunk chunks[NR];

	for (unsigned int i = 0; i < NR; i++)
		chunks[i] = (struct pat_test_chunk) {
			.offset = i * PAT_PAGE,
			.pfn = fault_phys(run, NR - 1 - i) / PAT_PAGE,
			.size = PAT_PAGE,
			.type = run->path->type,
			.method = PAT_TEST_REMAP_PFN_RANGE,
		};
	run->at = fault_free_address(run, NR / 2);
	fault_program(run, chunks, NR, 0);
	fault_mmap(run, run->at, NR, MAP_SHARED, run->row->driver, 0);
	add_pieces(run, &run->before, run->at);
}

static void setup_pieces_to_move(struct fault_run *run)
{
	setup_pieces(run);
	run->to = fault_free_address(run, NR / 2);
}

static void after_move_of_pieces(struct fault_run *run)
{
	fault_add_rest(run, &run->after, NR);
	add_pieces(run, &run->after, run->to);
}

FAULT_PATH(life_fault, mremap_pieces, 46, MOVE, WHOLE,
	   .setup = setup_pieces_to_move, .after = after_move_of_pieces,
	   .at_least = 4 + NR, .stock = ROW_STOCK_HAS_BUG);

/* --- mmap on top ---------------------------------------------------------------------- */

static bool call_mmap_on_top(struct fault_run *run)
{
	return mmap(part(run), run->path->nr * PAT_PAGE, PROT_READ,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == part(run);
}

/* The part shows the last pages of the path's own, which nobody else has. */
static bool call_devmem_on_top(struct fault_run *run)
{
	return mmap(part(run), run->path->nr * PAT_PAGE, PROT_READ,
		    MAP_SHARED | MAP_FIXED, run->row->devmem,
		    fault_phys(run, NR)) == part(run);
}

static void after_devmem_on_top(struct fault_run *run)
{
	unsigned int end = run->path->first + run->path->nr;

	fault_add_pages(run, &run->after, run->at, 0, run->path->first);
	fault_add_pages(run, &run->after, part(run), NR, run->path->nr);
	fault_add_pages(run, &run->after, run->at + end * PAT_PAGE, end,
			NR - end);
}

/* The part may have been unmapped already when memory ran out. */
static void after_failure_on_top(struct fault_run *run)
{
	if (fault_entry(run, part(run)).got == PAT_TEST_NOT_MAPPED)
		after_without_part(run);
	else
		after_as_before(run);
}

#define ON_TOP MAPPED, MIDDLE, .after_failure = after_failure_on_top

FAULT_PATH(life_fault, mmap_anonymous_on_top, 24, ON_TOP,
	   .call = call_mmap_on_top, .after = after_without_part, .at_least = 6,
	   .stock = ROW_STOCK_HAS_BUG);
FAULT_PATH(life_fault, mmap_devmem_on_top, 25, ON_TOP,
	   .call = call_devmem_on_top, .after = after_devmem_on_top,
	   .at_least = 6, .stock = ROW_STOCK_HAS_BUG);

/* --- fork --------------------------------------------------------------------------------- */

/* Until a byte, or the end, comes through the pipe. */
static void wait_for(int fd)
{
	char byte;

	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		;
}

static void make_pipe(struct fault_run *run)
{
	struct __test_metadata *_metadata = run->_metadata;

	ASSERT_EQ(0, pipe(run->pipe));
}

static void setup_fork(struct fault_run *run)
{
	setup_mapped(run);
	make_pipe(run);
}

/* Page 0 is a copy of the process's own before it forks. */
static void setup_fork_copied(struct fault_run *run)
{
	setup_fork(run);
	run->at[0] = 1;
	run->before.nr = 0;
	fault_add_pages(run, &run->before, run->at, 0, 1);
	run->before.areas[0].entries = FAULT_OWN_COPY;
	fault_add_pages(run, &run->before, run->at + PAT_PAGE, 1, NR - 1);
}

/* VMAs of one page, with a page between them. */
#define MANY 12

static void setup_fork_many(struct fault_run *run)
{
	run->at = fault_free_address(run, MANY);
	for (unsigned int i = 0; i < MANY; i++) {
		char *at = run->at + 2 * i * PAT_PAGE;

		fault_mmap(run, at, 1, run->path->flags, run->row->devmem,
			   fault_phys(run, i % NR));
		fault_add_pages(run, &run->before, at, i % NR, 1);
	}
	make_pipe(run);
}

static void setup_fork_pieces(struct fault_run *run)
{
	setup_pieces(run);
	make_pipe(run);
}

static bool call_fork(struct fault_run *run)
{
	run->child = fork();
	if (run->child == 0) {
		close(run->pipe[1]);
		wait_for(run->pipe[0]);
		_exit(0);
	}
	return run->child > 0;
}

/* Parent and child hold what the parent held. */
static void after_fork(struct fault_run *run)
{
	run->after = run->before;
	for (unsigned int i = 0; i < run->after.nr; i++)
		run->after.areas[i].holders *= 2;
}

static void let_child_exit(struct fault_run *run, bool child)
{
	struct __test_metadata *_metadata = run->_metadata;
	int status;

	close(run->pipe[1]);
	if (child) {
		ASSERT_EQ(run->child, waitpid(run->child, &status, 0));
		ASSERT_EQ(0, status);
	}
	close(run->pipe[0]);
}

static void undo_fork(struct fault_run *run, bool succeeded)
{
	let_child_exit(run, succeeded);
	fault_munmap(run, run->at, NR);
}

static void undo_fork_many(struct fault_run *run, bool succeeded)
{
	let_child_exit(run, succeeded);
	fault_munmap(run, run->at, 2 * MANY);
}

/* The failure of the new task's stack would be reported in the log. */
#define FORK								\
	.call = call_fork, .after = after_fork, .undo = undo_fork,	\
	.type = PAT_TEST_UC_MINUS, .never_below = "__vmalloc_node_range_noprof"

FAULT_PATH(life_fault, fork_shared, 26, FORK, .setup = setup_fork,
	   .flags = MAP_SHARED, .at_least = 20, .stock = ROW_STOCK_IS_RIGHT);
FAULT_PATH(life_fault, fork_private, 27, FORK, .setup = setup_fork,
	   .flags = MAP_PRIVATE, .at_least = 20, .stock = ROW_STOCK_IS_RIGHT);
FAULT_PATH(life_fault, fork_private_copied, 28, FORK,
	   .setup = setup_fork_copied, .flags = MAP_PRIVATE, .at_least = 20,
	   .stock = ROW_STOCK_HAS_BUG);
FAULT_PATH(life_fault, fork_many, 29, FORK, .setup = setup_fork_many,
	   .undo = undo_fork_many, .flags = MAP_SHARED, .at_least = 20 + 2 * MANY,
	   .stock = ROW_STOCK_IS_RIGHT);
FAULT_PATH(life_fault, fork_pieces, 30, FORK, .setup = setup_fork_pieces,
	   .at_least = 20 + NR, .stock = ROW_STOCK_HAS_BUG);

/* --- exit ------------------------------------------------------------------------------------ */

/* A child has the mapping; it is the child's allocations that fail. */
static void setup_exit(struct fault_run *run)
{
	struct __test_metadata *_metadata = run->_metadata;
	char pid[16];
	int ready[2];

	run->at = fault_free_address(run, NR / 2);
	make_pipe(run);
	ASSERT_EQ(0, pipe(ready));
	run->child = fork();
	ASSERT_LE(0, run->child);
	if (run->child == 0) {
		close(run->pipe[1]);
		if (mmap(run->at, NR * PAT_PAGE, PROT_READ | PROT_WRITE,
			 run->path->flags, run->row->devmem,
			 fault_phys(run, 0)) == MAP_FAILED ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		wait_for(run->pipe[0]);
		_exit(0);
	}
	close(ready[1]);
	wait_for(ready[0]);
	close(ready[0]);

	snprintf(pid, sizeof(pid), "%d", run->child);
	fault_close_task(run->fault);
	ASSERT_TRUE(fault_open_task(run->fault, pid));
	fault_add_pages(run, &run->before, NULL, 0, NR);
}

/* Leaves a zombie, which still can tell whether it had its failure. */
static bool call_exit(struct fault_run *run)
{
	siginfo_t info;

	close(run->pipe[1]);
	run->pipe[1] = -1;
	return !waitid(P_PID, run->child, &info, WEXITED | WNOWAIT);
}

static void after_exit(struct fault_run *run)
{
}

static void undo_exit(struct fault_run *run, bool succeeded)
{
	let_child_exit(run, true);
}

FAULT_PATH(life_fault, exit, 31, .setup = setup_exit, .call = call_exit,
	   .after = after_exit, .undo = undo_exit, .flags = MAP_SHARED,
	   .type = PAT_TEST_UC_MINUS, .must_succeed = true,
	   .stock = ROW_STOCK_IS_RIGHT);

TEST_HARNESS_MAIN
