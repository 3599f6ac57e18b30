// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several processes hold one mapping: fork, exec, threads.
 *
 *	fork			each frame is held twice
 *	either unmaps a piece	frames of the piece are held once
 *	either ends, or execs	what the other has is held
 *	vfork, CLONE_VM		one address space: held once
 *	MADV_DONTFORK		the child has no such piece
 *
 * Stock: right as long as nobody unmaps a piece.
 */
#include <pthread.h>
#include <sched.h>

#include "life.h"

#define NR 8
#define CHAIN 40
#define LEAVES 4		/* of each process in the chain */
#define THREADS 4
#define THREAD_ROUNDS 40

/* --- whole mappings --------------------------------------------------------- */

FIXTURE(forks) {
	struct life life;
	struct life_area area;
};

FIXTURE_VARIANT(forks) {
	enum life_source source;
};

FIXTURE_VARIANT_ADD(forks, devmem) { .source = LIFE_DEVMEM };
FIXTURE_VARIANT_ADD(forks, resource_wc) { .source = LIFE_RESOURCE_WC };
FIXTURE_VARIANT_ADD(forks, driver) { .source = LIFE_DRIVER };

FIXTURE_SETUP(forks)
{
	life_open(_metadata, &self->life, LIFE_FORK_PAGES, NR,
		  ROW_STOCK_IS_RIGHT);
	life_area_open(_metadata, &self->area, NR);
	life_map(_metadata, &self->life, &self->area, 0, variant->source, 0, NR);
}

FIXTURE_TEARDOWN(forks)
{
	life_close(&self->life);
}

/* Orders for children: their copy of the model is not looked at. */
static bool order_protect(struct life *life, struct life_area *area, int piece)
{
	return !mprotect(area->at + (piece >> 8) * PAT_PAGE,
			 (piece & 0xff) * PAT_PAGE, PROT_READ);
}

static bool order_touch(struct life *life, struct life_area *area, int page)
{
	volatile char *byte = area->at + page * PAT_PAGE;

	*byte = *byte;
	return true;
}

static void fork_one(struct __test_metadata *_metadata, struct life *life,
		     struct life_area *area, struct life_child *child)
{
	ASSERT_TRUE(life_child_fork(life, area, child))
		TH_LOG("fork: %s", strerror(errno));
	life_fork_counts(life, area, 1);
}

static void unmap_all(struct __test_metadata *_metadata, struct life *life,
		      struct life_area *area)
{
	life_munmap(_metadata, life, area, 0, NR);
	life_verdict(_metadata, life);
}

TEST_F(forks, child_exits)
{
	struct life_child child;

	fork_one(_metadata, &self->life, &self->area, &child);
	life_claim(_metadata, &self->life, &self->area, "fork");
	EXPECT_TRUE(life_child_do(&child, order_touch, 3));
	EXPECT_TRUE(life_child_end(&child, 0));
	life_fork_counts(&self->life, &self->area, -1);
	life_claim(_metadata, &self->life, &self->area, "the child's exit");
	unmap_all(_metadata, &self->life, &self->area);
}

TEST_F(forks, child_is_killed)
{
	struct life_child child;

	fork_one(_metadata, &self->life, &self->area, &child);
	EXPECT_TRUE(life_child_end(&child, SIGKILL));
	life_fork_counts(&self->life, &self->area, -1);
	life_claim(_metadata, &self->life, &self->area, "the child's death");
	unmap_all(_metadata, &self->life, &self->area);
}

TEST_F(forks, child_unmaps)
{
	struct life_child child;

	fork_one(_metadata, &self->life, &self->area, &child);
	EXPECT_TRUE(life_child_do(&child, life_order_unmap, LIFE_PIECE(0, NR)));
	life_fork_counts(&self->life, &self->area, -1);
	life_claim(_metadata, &self->life, &self->area, "the child's munmap");
	EXPECT_TRUE(life_child_end(&child, 0));
	life_claim(_metadata, &self->life, &self->area, "the child's exit");
	unmap_all(_metadata, &self->life, &self->area);
}

/* Nobody but the child has the frames, and they are held as before. */
TEST_F(forks, parent_unmaps_first)
{
	struct life_area childs = self->area;
	struct life_child child;

	fork_one(_metadata, &self->life, &self->area, &child);
	life_munmap(_metadata, &self->life, &self->area, 0, NR);
	life_claim(_metadata, &self->life, &self->area, "the parent's munmap");
	EXPECT_TRUE(life_child_do(&child, order_touch, NR - 1));
	EXPECT_TRUE(life_child_end(&child, 0));
	life_fork_counts(&self->life, &childs, -1);
	life_verdict(_metadata, &self->life);
}

/* A child that does not outlive its parent. */
static pid_t fork_to_die_with_us(void)
{
	pid_t pid = fork();

	if (pid < 0)
		_exit(1);
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* All processes of the chain: each makes its leaves, the next one, and waits. */
static void chain(int ready, int gate)
{
	bool is_leaf = false;
	char byte;

	for (unsigned int link = 1; ; link++) {
		for (unsigned int i = 0; i < LEAVES && !is_leaf; i++)
			is_leaf = !fork_to_die_with_us();
		if (is_leaf || link == CHAIN || fork_to_die_with_us())
			break;
	}
	if (write(ready, "", 1) != 1 || read(gate, &byte, 1))
		_exit(1);
	while (wait(NULL) > 0)
		;
	_exit(0);
}

/*
 * A chain of processes, each with some more children. They end on a word, or
 * by the first one's death, which kills generation after generation.
 */
static void many_generations(struct __test_metadata *_metadata,
			     struct life *life, struct life_area *area, bool kill_them)
{
	const unsigned int nr = CHAIN * (1 + LEAVES);
	int ready[2], gate[2], status;
	unsigned int told = 0;
	pid_t first;
	char byte;

	/* Orphans are to be waited for here. */
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(gate));
	first = fork();
	ASSERT_LE(0, first);
	if (!first) {
		close(gate[1]);
		chain(ready[1], gate[0]);
	}
	close(ready[1]);
	while (told < nr && read(ready[0], &byte, 1) == 1)
		told++;
	ASSERT_EQ(nr, told);
	for (unsigned int i = 0; i < nr; i++)
		life_fork_counts(life, area, 1);
	life_claim(_metadata, life, area, "all are there");

	if (kill_them)
		kill(first, SIGKILL);
	else
		close(gate[1]);
	while (waitpid(-1, &status, 0) > 0)
		;
	EXPECT_EQ(ECHILD, errno);
	for (unsigned int i = 0; i < nr; i++)
		life_fork_counts(life, area, -1);
	life_claim(_metadata, life, area, "all are gone");
	unmap_all(_metadata, life, area);
}

TEST_F(forks, many_generations_exit)
{
	many_generations(_metadata, &self->life, &self->area, false);
}

TEST_F(forks, many_generations_are_killed)
{
	many_generations(_metadata, &self->life, &self->area, true);
}

/* A shell that says so when it runs, and ends with its input. */
static void exec_shell(int input, int output)
{
	if (dup2(input, 0) == 0 && dup2(output, 1) == 1)
		execl("/bin/sh", "sh", "-c", "echo; read x", NULL);
	_exit(127);
}

static void child_execs(struct __test_metadata *_metadata, struct life *life,
			struct life_area *area, bool use_vfork)
{
	int in[2], out[2], status;
	pid_t child;
	char byte;

	ASSERT_EQ(0, pipe2(in, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(out, O_CLOEXEC));
	child = use_vfork ? vfork() : fork();
	if (!child)
		exec_shell(in[0], out[1]);
	ASSERT_LE(0, child);
	ASSERT_EQ(1, read(out[0], &byte, 1));
	life_claim(_metadata, life, area, "exec");
	close(in[1]);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	life_claim(_metadata, life, area, "the shell's exit");
	unmap_all(_metadata, life, area);
}

TEST_F(forks, child_execs)
{
	child_execs(_metadata, &self->life, &self->area, false);
}

TEST_F(forks, vfork_child_execs)
{
	child_execs(_metadata, &self->life, &self->area, true);
}

/* The other half of an address space: waits, and ends. */
static int waits_for_byte(void *gate)
{
	char byte;

	return read(*(int *)gate, &byte, 1) == 1 ? 0 : 1;
}

/* A process that shares the address space holds nothing of its own. */
TEST_F(forks, address_space_is_shared)
{
	static char stack[64 * 1024] __attribute__((aligned(16)));
	int gate[2], status;
	pid_t child;

	ASSERT_EQ(0, pipe(gate));
	child = clone(waits_for_byte, stack + sizeof(stack), CLONE_VM | SIGCHLD,
		      &gate[0]);
	ASSERT_LE(0, child);
	life_claim(_metadata, &self->life, &self->area, "clone");
	ASSERT_EQ(1, write(gate[1], "", 1));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	life_claim(_metadata, &self->life, &self->area, "its exit");
	unmap_all(_metadata, &self->life, &self->area);
}

/* The child may not have it: no record for it there. */
TEST_F(forks, dontfork)
{
	struct life_child child;

	ASSERT_EQ(0, madvise(self->area.at, NR * PAT_PAGE, MADV_DONTFORK));
	/* For device memory that is for good. */
	ASSERT_EQ(-1, madvise(self->area.at, NR * PAT_PAGE, MADV_DOFORK));
	ASSERT_TRUE(life_child_fork(&self->life, &self->area, &child));
	life_claim(_metadata, &self->life, &self->area, "fork");
	EXPECT_TRUE(life_child_end(&child, 0));
	life_claim(_metadata, &self->life, &self->area, "the child's exit");
	unmap_all(_metadata, &self->life, &self->area);
}

/* --- pieces ------------------------------------------------------------------- */

FIXTURE(pieces) {
	struct life life;
	struct life_area area;
};

FIXTURE_VARIANT(pieces) {
	enum life_source source;
	unsigned int slice;
};

FIXTURE_VARIANT_ADD(pieces, devmem) { .source = LIFE_DEVMEM, .slice = 0 };
FIXTURE_VARIANT_ADD(pieces, resource_wc) { .source = LIFE_RESOURCE_WC, .slice = 1 };

#define NR_PIECES_TESTS 6

/* On stock, what one test leaves would be in the way of the next. */
static void open_pieces(struct __test_metadata *_metadata, struct life *life,
			struct life_area *area, enum life_source source,
			unsigned int slice, unsigned int test)
{
	life_open(_metadata, life,
		  LIFE_FORK_PAGES + (1 + slice * NR_PIECES_TESTS + test) * NR,
		  NR, ROW_STOCK_HAS_BUG);
	life_area_open(_metadata, area, NR);
	life_map(_metadata, life, area, 0, source, 0, NR);
}

FIXTURE_SETUP(pieces)
{
}

FIXTURE_TEARDOWN(pieces)
{
	life_close(&self->life);
}

TEST_F(pieces, child_unmaps_one)
{
	struct life_area childs;
	struct life_child child;

	open_pieces(_metadata, &self->life, &self->area, variant->source,
		    variant->slice, 0);
	fork_one(_metadata, &self->life, &self->area, &child);
	childs = self->area;
	EXPECT_TRUE(life_child_do(&child, life_order_unmap, LIFE_PIECE(2, 3)));
	life_forget(&self->life, &childs, 2, 3);
	life_claim(_metadata, &self->life, &self->area, "the child's munmap");
	EXPECT_TRUE(life_child_end(&child, 0));
	life_forget(&self->life, &childs, 0, NR);
	life_claim(_metadata, &self->life, &self->area, "the child's exit");
	unmap_all(_metadata, &self->life, &self->area);
}

/* Both unmap pieces that overlap in part; then the parent goes first. */
TEST_F(pieces, both_unmap_some)
{
	struct life_area childs;
	struct life_child child;

	open_pieces(_metadata, &self->life, &self->area, variant->source,
		    variant->slice, 1);
	fork_one(_metadata, &self->life, &self->area, &child);
	childs = self->area;
	EXPECT_TRUE(life_child_do(&child, life_order_unmap, LIFE_PIECE(3, 2)));
	life_forget(&self->life, &childs, 3, 2);
	life_munmap(_metadata, &self->life, &self->area, 4, 3);
	life_claim(_metadata, &self->life, &self->area, "both munmaps");
	life_munmap(_metadata, &self->life, &self->area, 0, NR);
	life_claim(_metadata, &self->life, &self->area, "the parent's munmap");
	EXPECT_TRUE(life_child_do(&child, life_order_unmap, LIFE_PIECE(0, 1)));
	life_forget(&self->life, &childs, 0, 1);
	life_claim(_metadata, &self->life, &self->area, "the child's munmap");
	EXPECT_TRUE(life_child_end(&child, SIGKILL));
	life_forget(&self->life, &childs, 0, NR);
	life_verdict(_metadata, &self->life);
}

/* What is in pieces already is inherited in pieces. */
TEST_F(pieces, fork_after_munmap)
{
	struct life_area childs;
	struct life_child child;

	open_pieces(_metadata, &self->life, &self->area, variant->source,
		    variant->slice, 2);
	life_munmap(_metadata, &self->life, &self->area, 3, 1);
	life_munmap(_metadata, &self->life, &self->area, 0, 1);
	fork_one(_metadata, &self->life, &self->area, &child);
	childs = self->area;
	life_claim(_metadata, &self->life, &self->area, "fork");
	EXPECT_TRUE(life_child_do(&child, order_protect, LIFE_PIECE(5, 2)));
	EXPECT_TRUE(life_child_do(&child, life_order_unmap, LIFE_PIECE(6, 2)));
	life_forget(&self->life, &childs, 6, 2);
	life_claim(_metadata, &self->life, &self->area, "the child's munmap");
	EXPECT_TRUE(life_child_end(&child, 0));
	life_forget(&self->life, &childs, 0, NR);
	life_claim(_metadata, &self->life, &self->area, "the child's exit");
	unmap_all(_metadata, &self->life, &self->area);
}

TEST_F(pieces, dontfork_of_one)
{
	struct life_area childs;
	struct life_child child;

	open_pieces(_metadata, &self->life, &self->area, variant->source,
		    variant->slice, 3);
	ASSERT_EQ(0, madvise(self->area.at + 2 * PAT_PAGE, 3 * PAT_PAGE,
			     MADV_DONTFORK));
	fork_one(_metadata, &self->life, &self->area, &child);
	childs = self->area;
	life_forget(&self->life, &childs, 2, 3);
	life_claim(_metadata, &self->life, &self->area, "fork");
	life_munmap(_metadata, &self->life, &self->area, 0, NR);
	life_claim(_metadata, &self->life, &self->area, "the parent's munmap");
	EXPECT_TRUE(life_child_end(&child, 0));
	life_forget(&self->life, &childs, 0, NR);
	life_verdict(_metadata, &self->life);
}

/* Another process of the same address space unmaps a piece, and ends. */
static int unmaps_a_piece(void *at)
{
	return munmap((char *)at + 2 * PAT_PAGE, 2 * PAT_PAGE);
}

TEST_F(pieces, of_a_shared_address_space)
{
	static char stack[64 * 1024] __attribute__((aligned(16)));
	int status;
	pid_t child;

	open_pieces(_metadata, &self->life, &self->area, variant->source,
		    variant->slice, 4);
	child = clone(unmaps_a_piece, stack + sizeof(stack), CLONE_VM | SIGCHLD,
		      self->area.at);
	ASSERT_LE(0, child);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	life_forget(&self->life, &self->area, 2, 2);
	life_area_keep(_metadata, &self->area, 2, 2);
	life_claim(_metadata, &self->life, &self->area, "the other's munmap");
	unmap_all(_metadata, &self->life, &self->area);
}

/* Threads unmap, move and map pieces, each its own frames, all at the same time. */
struct thread {
	pthread_t thread;
	int fd;
	uint64_t offset;
	unsigned int failures;
};

static void *thread_plays(void *data)
{
	const unsigned int nr = NR / THREADS;
	struct thread *t = data;

	for (unsigned int i = 0; i < THREAD_ROUNDS; i++) {
		char *at = mmap(NULL, nr * PAT_PAGE, PROT_READ | PROT_WRITE,
				MAP_SHARED, t->fd, t->offset);

		if (at == MAP_FAILED) {
			t->failures++;
			break;
		}
		*(volatile char *)at = i;
		t->failures += munmap(at + (i % nr) * PAT_PAGE, PAT_PAGE) != 0;
		t->failures += munmap(at + ((i + 1) % nr) * PAT_PAGE, PAT_PAGE) != 0;
	}
	return NULL;
}

TEST_F(pieces, of_threads)
{
	struct thread threads[THREADS];
	struct life *life = &self->life;

	open_pieces(_metadata, life, &self->area, variant->source,
		    variant->slice, 5);
	for (unsigned int i = 0; i < THREADS; i++) {
		struct thread *t = &threads[i];

		t->failures = 0;
		t->fd = life_source_open(_metadata, life, variant->source,
					 i * NR / THREADS, NR / THREADS, &t->offset);
		ASSERT_LE(0, t->fd);
		ASSERT_EQ(0, pthread_create(&t->thread, NULL, thread_plays, t));
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(threads[i].thread, NULL));
		EXPECT_EQ(0, threads[i].failures);
		close(threads[i].fd);
	}
	life_claim(_metadata, life, &self->area, "the threads' end");
	unmap_all(_metadata, life, &self->area);
}

TEST_HARNESS_MAIN
