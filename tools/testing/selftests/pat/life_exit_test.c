// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process that holds PFN mappings comes to its end.
 *
 *	exit, signals, at any moment of mmap, munmap, mremap, mprotect and fork
 *	the OOM killer
 *
 * As soon as its parent knows, nothing is held any more.
 *
 * Stock: right if all mappings are whole when the end comes.
 */
#include <pthread.h>

#include "life.h"
#include "life_cgroup.h"

#define NR 16
#define KILLS 60
#define LONGEST_LIFE_US 8000

FIXTURE(end) {
	struct life life;
	struct life_area area;
};

FIXTURE_VARIANT(end) {
	enum row_stock stock;
	bool pieces;
	unsigned int slice;
};

FIXTURE_VARIANT_ADD(end, whole) {
	.stock = ROW_STOCK_IS_RIGHT,
	.slice = 0,
};

FIXTURE_VARIANT_ADD(end, pieces) {
	.stock = ROW_STOCK_HAS_BUG,
	.pieces = true,
	.slice = 1,
};

FIXTURE_SETUP(end)
{
}

FIXTURE_TEARDOWN(end)
{
	life_close(&self->life);
}

/* Each test has frames of its own: stock leaks some. */
static void open_frames(struct __test_metadata *_metadata, struct life *life,
			struct life_area *area, enum row_stock stock,
			unsigned int slice, unsigned int test)
{
	life_open(_metadata, life, LIFE_EXIT_PAGES + (2 * test + slice) * NR, NR,
		  stock);
	life_area_open(_metadata, area, NR);
}

struct part {
	struct life *life;
	struct life_area *area;
	struct __test_metadata *metadata;
	bool pieces;
};

/* Maps, and if that is wanted takes pieces out of the middle. */
static void hold(struct part *part)
{
	struct __test_metadata *_metadata = part->metadata;

	life_map(_metadata, part->life, part->area, 0, LIFE_DEVMEM, 0, NR / 2);
	life_map(_metadata, part->life, part->area, NR / 2, LIFE_RESOURCE, NR / 2,
		 NR / 2);
	if (!part->pieces)
		return;
	munmap(part->area->at + 2 * PAT_PAGE, 3 * PAT_PAGE);
	mprotect(part->area->at + 6 * PAT_PAGE, 4 * PAT_PAGE, PROT_READ);
	munmap(part->area->at + 12 * PAT_PAGE, PAT_PAGE);
}

/* A child that runs @body; tells when it has come as far as that wants to. */
static pid_t start(struct __test_metadata *_metadata, struct part *part,
		   void (*body)(struct part *part, int tell), int *told)
{
	int pipes[2];
	pid_t child;

	ASSERT_EQ(0, pipe(pipes));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pipes[0]);
		body(part, pipes[1]);
		_exit(0);
	}
	close(pipes[1]);
	*told = pipes[0];
	return child;
}

static void holds_and_exits(struct part *part, int tell)
{
	hold(part);
	_exit(0);
}

static void holds_and_aborts(struct part *part, int tell)
{
	hold(part);
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
}

static void holds_and_waits(struct part *part, int tell)
{
	hold(part);
	if (write(tell, "", 1) == 1)
		pause();
}

static void runs_to_its_end(struct __test_metadata *_metadata, struct life *life,
			    struct life_area *area, bool pieces,
			    void (*body)(struct part *part, int tell), int signal)
{
	struct part part = { life, area, _metadata, pieces };
	int told, status;
	pid_t child = start(_metadata, &part, body, &told);
	char byte;

	/* It tells only if it is to be killed from here. */
	if (read(told, &byte, 1) == 1)
		kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(signal, WIFSIGNALED(status) ? WTERMSIG(status) : 0)
		TH_LOG("status 0x%x", status);
	EXPECT_TRUE(signal || !status);
	close(told);
	life_verdict(_metadata, life);
}

TEST_F(end, exit)
{
	open_frames(_metadata, &self->life, &self->area, variant->stock,
		    variant->slice, 0);
	runs_to_its_end(_metadata, &self->life, &self->area, variant->pieces,
			holds_and_exits, 0);
}

TEST_F(end, segv)
{
	open_frames(_metadata, &self->life, &self->area, variant->stock,
		    variant->slice, 1);
	runs_to_its_end(_metadata, &self->life, &self->area, variant->pieces,
			holds_and_aborts, SIGSEGV);
}

TEST_F(end, kill)
{
	open_frames(_metadata, &self->life, &self->area, variant->stock,
		    variant->slice, 2);
	runs_to_its_end(_metadata, &self->life, &self->area, variant->pieces,
			holds_and_waits, SIGKILL);
}

/* --- at any moment ------------------------------------------------------------- */

/* Where the child gets its frames from; opened before, so that it only maps. */
struct play {
	int fd;
	uint64_t offset;
	char *at;		/* 3 * NR pages of addresses */
	bool pieces;
	bool forks;
};

static struct play play;

static void play_whole(void)
{
	char *got = mmap(play.at, NR * PAT_PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, play.fd, play.offset);

	if (got == MAP_FAILED)
		_exit(1);
	*(volatile char *)got = 1;
	if (mremap(got, NR * PAT_PAGE, NR * PAT_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		   play.at + 2 * NR * PAT_PAGE) == MAP_FAILED)
		_exit(2);
	if (munmap(play.at + 2 * NR * PAT_PAGE, NR * PAT_PAGE))
		_exit(3);
}

static void play_pieces(void)
{
	char *got = mmap(play.at, NR * PAT_PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, play.fd, play.offset);

	if (got == MAP_FAILED)
		_exit(1);
	mprotect(got + 4 * PAT_PAGE, 6 * PAT_PAGE, PROT_READ);
	munmap(got + 2 * PAT_PAGE, PAT_PAGE);
	mremap(got + 6 * PAT_PAGE, 3 * PAT_PAGE, 2 * PAT_PAGE,
	       MREMAP_MAYMOVE | MREMAP_FIXED, play.at + 2 * NR * PAT_PAGE);
	munmap(got + 12 * PAT_PAGE, 2 * PAT_PAGE);
}

static void *plays(void *unused)
{
	for (;;) {
		if (play.pieces)
			play_pieces();
		else
			play_whole();
		if (play.forks) {
			pid_t child = fork();

			if (!child) {
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				_exit(0);
			}
			while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
				;
		}
	}
	return NULL;
}

static void plays_alone(struct part *part, int tell)
{
	if (write(tell, "", 1) == 1)
		plays(NULL);
}

/* Two threads in one another's way: what one has mapped the other unmaps. */
static void plays_with_thread(struct part *part, int tell)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, plays, NULL))
		plays_alone(part, tell);
}

static void is_killed_at_any_moment(struct __test_metadata *_metadata,
				    struct life *life, struct life_area *area,
				    void (*body)(struct part *part, int tell))
{
	struct part part = { life, area, _metadata };
	uint32_t random = life_seed(_metadata);
	int told, status;
	char byte;

	/* Children of the killed one are to be waited for here. */
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	play.fd = life_source_open(_metadata, life, LIFE_DEVMEM, 0, NR, &play.offset);
	ASSERT_LE(0, play.fd);
	play.at = mmap(NULL, 3 * NR * PAT_PAGE, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, play.at);

	for (unsigned int i = 0; i < KILLS; i++) {
		char text[32];
		pid_t child = start(_metadata, &part, body, &told);

		ASSERT_EQ(1, read(told, &byte, 1));
		usleep(life_random(&random, LONGEST_LIFE_US));
		kill(child, SIGKILL);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status)) TH_LOG("status 0x%x", status);
		close(told);
		while (waitpid(-1, &status, 0) > 0)
			;
		snprintf(text, sizeof(text), "kill %u", i);
		life_claim_records(_metadata, life, text);
		life_claim_given(_metadata, life, life_random(&random, NR), text);
		row_claim_valid(_metadata, &life->row, text);
	}
	life_claim(_metadata, life, area, "all kills");
	close(play.fd);
	life_verdict(_metadata, life);
}

TEST_F(end, kill_while_mapping)
{
	open_frames(_metadata, &self->life, &self->area, variant->stock,
		    variant->slice, 3);
	play.pieces = variant->pieces;
	is_killed_at_any_moment(_metadata, &self->life, &self->area, plays_alone);
}

TEST_F(end, kill_while_forking)
{
	open_frames(_metadata, &self->life, &self->area, variant->stock,
		    variant->slice, 4);
	play.pieces = variant->pieces;
	play.forks = true;
	is_killed_at_any_moment(_metadata, &self->life, &self->area, plays_alone);
}

FIXTURE(end_of_threads) {
	struct life life;
	struct life_area area;
};

FIXTURE_SETUP(end_of_threads)
{
	open_frames(_metadata, &self->life, &self->area, ROW_STOCK_HAS_BUG, 0, 5);
}

FIXTURE_TEARDOWN(end_of_threads)
{
	life_close(&self->life);
}

TEST_F(end_of_threads, kill_while_mapping)
{
	play.pieces = true;
	is_killed_at_any_moment(_metadata, &self->life, &self->area,
				plays_with_thread);
}

/* --- out of memory ---------------------------------------------------------------- */

#define OOM_LIMIT (24L << 20)

static struct cgroup group;

static void holds_and_eats(struct part *part, int tell)
{
	if (!cgroup_enter(&group))
		_exit(1);
	hold(part);
	for (;;) {
		char *more = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		if (more == MAP_FAILED)
			_exit(2);
		memset(more, 1, 1 << 20);
	}
}

/* The killer leaves PFN mappings to the victim's own exit. */
TEST_F(end, out_of_memory)
{
	open_frames(_metadata, &self->life, &self->area, variant->stock,
		    variant->slice, 6);
	cgroup_open(_metadata, &group, variant->pieces ? "oom_pieces" : "oom");
	cgroup_limit(_metadata, &group, OOM_LIMIT);
	/* The killer shows where the memory was asked for. */
	pat_expect_message("Call Trace");
	runs_to_its_end(_metadata, &self->life, &self->area, variant->pieces,
			holds_and_eats, SIGKILL);
	EXPECT_LE(1, cgroup_read(&group, "memory.events", "oom_kill"));
	cgroup_close(_metadata, &group);
	pat_expect_done();
}

TEST_HARNESS_MAIN
