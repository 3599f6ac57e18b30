// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crew.h"
#include "frames.h"

const struct kind kinds[] = {
	{ "map",	mapper_run,	4 },
	{ "fork",	forker_run,	2 },
	{ "ioremap",	ioremapper_run,	2 },
	{ "ram",	ram_run,	2 },
	{ "look",	looker_run,	1 },
	{ "fuzz",	fuzzer_run,	3 },
	{ "memory",	memory_run,	1 },
};

const unsigned int nr_kinds = sizeof(kinds) / sizeof(kinds[0]);

/* How long all of them may take to end, in steps of 10 ms. */
#define PATIENCE 6000

static struct shared *shared;
static uint64_t master_seed;
static unsigned int nr_workers;
static unsigned int kind_of[MAX_WORKERS];
static bool reported[MAX_WORKERS];
static unsigned int failures;		/* of the crew as a whole */

static void failed(const char *what, const char *who, int detail)
{
	printf("FAILURE: %s: %s %d\n", who, what, detail);
	failures++;
}

static void live(unsigned int number)
{
	struct worker w = {
		.number = number,
		.slot = &shared->slots[number],
		.shared = shared,
		.random = random_stream(master_seed, number,
					shared->slots[number].lives),
	};

	setpgid(0, 0);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() == 1)
		_exit(1);
	w.slot->pid = getpid();
	if (!frames_open()) {
		worker_failed(&w, "the files to map cannot be opened: %s", strerror(errno));
		_exit(0);
	}
	kinds[kind_of[number]].run(&w);
	_exit(0);
}

static bool start(unsigned int number)
{
	struct slot *slot = &shared->slots[number];
	pid_t pid;

	slot->lives++;
	slot->killed = false;
	fflush(stdout);
	pid = fork();
	if (!pid)
		live(number);
	slot->pid = pid > 0 ? pid : 0;
	return pid > 0;
}

bool crew_start(uint64_t seed)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || prctl(PR_SET_CHILD_SUBREAPER, 1) ||
	    !frames_find())
		return false;
	master_seed = seed;
	for (unsigned int kind = 0; kind < nr_kinds; kind++)
		for (unsigned int i = 0; i < kinds[kind].workers; i++)
			kind_of[nr_workers++] = kind;
	for (unsigned int i = 0; i < nr_workers; i++)
		if (!start(i))
			return false;
	return true;
}

static int find(pid_t pid)
{
	for (unsigned int i = 0; i < nr_workers; i++)
		if (shared->slots[i].pid == pid)
			return i;
	return -1;
}

/* Buries one of the dead; false if there is none (errno 0) or nobody is left. */
static bool bury(int *number)
{
	int status;
	pid_t pid = waitpid(-1, &status, WNOHANG);

	if (pid <= 0) {
		if (!pid)
			errno = 0;
		return false;
	}
	*number = find(pid);
	if (*number < 0)
		return true;	/* an orphan of one that was killed */
	shared->slots[*number].pid = 0;
	if (WIFSIGNALED(status) && !shared->slots[*number].killed)
		failed("died of signal", kinds[kind_of[*number]].name, WTERMSIG(status));
	else if (WIFEXITED(status) && WEXITSTATUS(status))
		failed("exited with status", kinds[kind_of[*number]].name, WEXITSTATUS(status));
	/* What it forked and did not live to wait for. */
	kill(-pid, SIGKILL);
	return true;
}

void crew_tend(void)
{
	int number;

	while (bury(&number))
		if (number >= 0 && !start(number))
			failed("cannot be started again: errno", kinds[kind_of[number]].name, errno);
}

void crew_kill_any(struct random *random)
{
	struct slot *slot = &shared->slots[random_below(random, nr_workers)];

	if (!slot->pid)
		return;
	slot->killed = true;
	kill(slot->pid, SIGKILL);
}

void crew_end(void)
{
	int number;

	shared->stop = true;
	for (int i = 0; i < PATIENCE; i++) {
		/* Most end of themselves. */
		for (unsigned int n = 0; i == PATIENCE / 2 && n < nr_workers; n++) {
			if (!shared->slots[n].pid)
				continue;
			shared->slots[n].killed = true;
			kill(-shared->slots[n].pid, SIGKILL);
		}
		while (bury(&number))
			;
		if (errno == ECHILD)
			return;
		usleep(10000);
	}
	for (unsigned int n = 0; n < nr_workers; n++)
		if (shared->slots[n].pid)
			failed("cannot be killed, pid", kinds[kind_of[n]].name, shared->slots[n].pid);
}

uint64_t crew_operations(unsigned int kind)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < nr_workers; i++)
		if (kind_of[i] == kind)
			sum += shared->slots[i].operations;
	return sum;
}

uint64_t crew_refused(void)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < nr_workers; i++)
		sum += shared->slots[i].refused;
	return sum;
}

unsigned int crew_lives(void)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < nr_workers; i++)
		sum += shared->slots[i].lives;
	return sum;
}

unsigned int crew_report_failures(void)
{
	unsigned int sum = failures;

	for (unsigned int i = 0; i < nr_workers; i++) {
		struct slot *slot = &shared->slots[i];

		sum += slot->failures;
		if (!slot->failures || reported[i])
			continue;
		reported[i] = true;
		printf("FAILURE: worker %u (%s), life %u: %s\n", i,
		       kinds[kind_of[i]].name, slot->lives, slot->first_failure);
	}
	return sum;
}
