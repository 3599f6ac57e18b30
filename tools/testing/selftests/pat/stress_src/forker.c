// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process with mappings of the BAR that has children, which unmap pieces of
 * what they inherit, have children themselves, execute something else, or just
 * end.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frames.h"
#include "oracle.h"

#define NR		8	/* pages mapped */
#define MAX_DEPTH	3

static char *at;
static unsigned int page;

/* A child that its parent's death ends, too. */
static pid_t fork_child(void)
{
	pid_t parent = getpid(), child = fork();

	if (!child && (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent))
		_exit(0);
	return child;
}

/* Waits for a child, and says of what it died. */
static void reap(struct worker *w, pid_t child)
{
	int status;

	if (child < 0) {
		if (errno != EAGAIN && errno != ENOMEM)
			worker_failed(w, "fork: %s", strerror(errno));
		return;
	}
	if (waitpid(child, &status, 0) != child)
		worker_failed(w, "waitpid: %s", strerror(errno));
	else if (!WIFEXITED(status) || WEXITSTATUS(status))
		worker_failed(w, "a child ended with status 0x%x", status);
}

static void descend(struct worker *w, unsigned int depth)
{
	unsigned int first = random_below(&w->random, NR);
	unsigned int nr = random_from(&w->random, 1, NR - first);
	pid_t child;

	if (random_one_in(&w->random, 2))
		munmap(at + first * PAGE, nr * PAGE);
	else if (random_one_in(&w->random, 2))
		mprotect(at + first * PAGE, nr * PAGE, PROT_READ);
	else
		oracle_entries(w, at, page, NR);
	if (depth == MAX_DEPTH || random_one_in(&w->random, 3))
		return;
	child = fork_child();
	if (!child) {
		descend(w, depth + 1);
		_exit(0);
	}
	reap(w, child);
}

static void execute(struct worker *w)
{
	pid_t child = vfork();

	if (!child) {
		execl("/proc/self/exe", "stress", FORKER_EXECUTED, NULL);
		_exit(errno == ENOMEM ? 0 : 1);
	}
	reap(w, child);
}

/* Ends with mappings of its own, in the middle of everything. */
int forker_executed(void)
{
	struct random random = { getpid() };

	if (!frames_find() || !frames_open())
		return 1;
	for (int i = 0; i < 3; i++)
		frames_map(&random, random_below(&random, NR_SOURCES),
			   random_below(&random, HOT_PAGES - NR), NR);
	return 0;
}

/* While the child is there both hold the frames, before and after only one. */
static void count_holders(struct worker *w)
{
	bool inherits = !random_one_in(&w->random, 4);
	unsigned char mapped[OWN_PAGES] = {};
	unsigned int first = page - frames_own(w->number);
	int go[2];
	pid_t child;

	memset(mapped + first, 1, NR);
	oracle_exact(w, mapped);
	if (pipe(go))
		return;
	if (!inherits && madvise(at, NR * PAGE, MADV_DONTFORK))
		worker_failed(w, "madvise: %s", strerror(errno));
	child = fork_child();
	if (!child) {
		char byte;

		close(go[1]);
		_exit(read(go[0], &byte, 1) != 0);
	}
	close(go[0]);
	if (child > 0) {
		memset(mapped + first, inherits ? 2 : 1, NR);
		oracle_exact(w, mapped);
	}
	close(go[1]);
	reap(w, child);
	memset(mapped + first, 1, NR);
	oracle_exact(w, mapped);
}

static void operation(struct worker *w)
{
	bool own = random_one_in(&w->random, 2);
	pid_t child;

	page = random_below(&w->random, HOT_PAGES - NR);
	if (own)
		page += frames_own(w->number);
	at = frames_map(&w->random, random_below(&w->random, SOURCE_DRIVER),
			page, NR);
	if (at == MAP_FAILED) {
		if (frames_may_fail(errno))
			worker_was_refused(w);
		else
			worker_failed(w, "mmap: %s", strerror(errno));
		return;
	}
	if (own && random_one_in(&w->random, 2)) {
		count_holders(w);
	} else if (random_one_in(&w->random, 3)) {
		execute(w);
	} else {
		child = fork_child();
		if (!child) {
			descend(w, 1);
			_exit(0);
		}
		reap(w, child);
	}
	if (munmap(at, NR * PAGE))
		worker_failed(w, "munmap: %s", strerror(errno));
}

void forker_run(struct worker *w)
{
	oracle_none(w);
	worker_repeat(w, operation);
}
