// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same on all processors at the same time, a process on each: how long it
 * takes, and which locks.
 *
 * For each round two kinds of lines, the second only where the kernel counts
 * locks (CONFIG_LOCK_STAT):
 *
 *	smp OPERATION SIZE ROUND PROCESSORS OPERATIONS NANOSECONDS
 *	lock OPERATION SIZE ROUND LINE
 *
 * OPERATIONS is how many there were in all, NANOSECONDS what one took its
 * processor, by the clock: this is no quiet measurement. LINE is one of
 * /proc/lock_stat, which counts from the moment when all processes are ready
 * until the last one is done.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <sched.h>
#include <signal.h>
#include <time.h>

#define MOST_CPUS	8
#define LOCK_STAT	"/proc/lock_stat"
#define LOCK_STAT_ON	"/proc/sys/kernel/lock_stat"

/* What one of the processes works with. */
struct lane {
	unsigned int nr, lanes;
	int fd;
	void *at;
};

struct contended {
	const char *operation;
	unsigned int size, held;
	unsigned int times;		/* on each processor */
	void (*prepare)(const struct contended *it, struct lane *lane);
	void (*work)(const struct contended *it, struct lane *lane);
	enum pat_bench_op op;		/* for in_kernel() and the like */
	unsigned int at_once;		/* so many in a system call; 0: all of them */
};

/* What a process says when it is ready, and when it is done. */
struct report {
	unsigned int nr;
	uint64_t ns;
};

static void in_kernel(const struct contended *it, struct lane *lane)
{
	struct pat_bench_run run = {
		.op = it->op,
		.nr = it->size,
		.times = it->at_once ?: it->times,
		.lane = lane->nr,
		.lanes = lane->lanes,
	};

	for (unsigned int done = 0; done < it->times; done += run.times) {
		if (ioctl(bench_driver(), PAT_BENCH_RUN, &run))
			bench_die("%s: %s", it->operation, strerror(errno));
		if (run.err)
			bench_die("%s: %s", it->operation, strerror(-run.err));
	}
}

/* The first processor maps and unmaps while the others ask. */
#define LOOKUPS_AN_IOREMAP	100

static void beside_ioremap(const struct contended *it, struct lane *lane)
{
	struct contended other = *it;

	if (!lane->nr) {
		other.op = PAT_BENCH_IOREMAP;
		other.at_once = 0;
		other.times = it->times / LOOKUPS_AN_IOREMAP;
	}
	in_kernel(&other, lane);
}

/* Each has frames of its own. */
static void prepare_fault(const struct contended *it, struct lane *lane)
{
	const size_t size = it->times * BENCH_PAGE;

	lane->fd = bench_open(PAT_BENCH_FAULT);
	lane->at = bench_map(lane->fd, size, lane->nr * size);
}

static void fault(const struct contended *it, struct lane *lane)
{
	volatile const char *at = lane->at;

	for (unsigned int i = 0; i < it->times; i++)
		(void)at[i * BENCH_PAGE];
}

static void prepare_remap(const struct contended *it, struct lane *lane)
{
	lane->fd = bench_open(PAT_BENCH_REMAP);
}

static void remap(const struct contended *it, struct lane *lane)
{
	const size_t size = it->size * BENCH_PAGE;

	for (unsigned int i = 0; i < it->times; i++)
		munmap(bench_map(lane->fd, size, lane->nr * size), size);
}

/* With so many mappings, each of a page, which do not touch. */
static void prepare_fork(const struct contended *it, struct lane *lane)
{
	lane->fd = bench_open(PAT_BENCH_REMAP);
	for (unsigned int i = 0; i < it->size; i++)
		bench_map(lane->fd, BENCH_PAGE,
			  (lane->nr * it->size + i) * 2 * BENCH_PAGE);
	bench_fork_once();
}

static void fork_and_exit(const struct contended *it, struct lane *lane)
{
	for (unsigned int i = 0; i < it->times; i++)
		bench_fork_once();
}

/*
 * A look-up takes some ten nanoseconds, but milliseconds where all wait for one
 * lock whose holder waits for the host: no system call may do so many that this
 * is too long.  Where locks are counted a tenth of what is done often has to do.
 */
#define OFTEN		1000
#define COUNTED_PART	10

static const struct contended cases[] = {
	/* operation, size, held, times, prepare, work, op, at_once */
	{ "nothing", 1, 0, 20000, NULL, in_kernel, PAT_BENCH_NOTHING, 1000 },
	{ "lookup_ram", 1000, 0, 20000, NULL, in_kernel, PAT_BENCH_LOOKUP_RAM, 1000 },
	{ "lookup_held", 1000, 1000, 20000, NULL, in_kernel, PAT_BENCH_LOOKUP_HELD, 1000 },
	{ "lookup_beside", 1000, 1000, 20000, NULL, beside_ioremap, PAT_BENCH_LOOKUP_HELD, 1000 },
	{ "fault", 0, 1000, 8192, prepare_fault, fault },
	{ "ioremap", 1000, 1000, 4000, NULL, in_kernel, PAT_BENCH_IOREMAP },
	{ "remap", 16, 1000, 3000, prepare_remap, remap },
	{ "fork_maps", 10, 0, 50, prepare_fork, fork_and_exit },
	{ "set_memory", 1, 0, 200, NULL, in_kernel, PAT_BENCH_SET_MEMORY },
	{ "array", 64, 0, 50, NULL, in_kernel, PAT_BENCH_ARRAY },
};

static bool counts_locks(void)
{
	return !access(LOCK_STAT, W_OK);
}

static void tell(const char *path, const char *what)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, what, strlen(what)) < 0)
		bench_die("%s: %s", path, strerror(errno));
	close(fd);
}

static void print_locks(const struct contended *it, unsigned int round)
{
	FILE *file = fopen(LOCK_STAT, "r");
	char line[512];

	if (!file)
		bench_die(LOCK_STAT ": %s", strerror(errno));
	while (fgets(line, sizeof(line), file))
		if (strlen(line) > 1)
			printf("lock %s %u %u %s", it->operation, it->size, round, line);
	fclose(file);
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

/* Wait until the other end of a pipe is closed. */
static void await(int fd)
{
	char byte;

	while (read(fd, &byte, 1) > 0)
		;
}

static void report(int fd, unsigned int nr, uint64_t ns)
{
	const struct report it = { .nr = nr, .ns = ns };

	if (write(fd, &it, sizeof(it)) != sizeof(it))
		bench_die("a pipe: %s", strerror(errno));
}

/* Nobody may, before all are done: the others would be waited for in vain. */
static void ended_early(int signal)
{
	static const char text[] = "bench: a process ended early\n";
	ssize_t written = write(STDERR_FILENO, text, sizeof(text) - 1);

	_exit(written ? 1 : 2);
}

static void work(const struct contended *it, struct lane *lane, int begin,
		 int end, int to_parent)
{
	cpu_set_t cpus;
	uint64_t start;

	signal(SIGCHLD, SIG_DFL);
	CPU_ZERO(&cpus);
	CPU_SET(lane->nr, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		bench_die("processor %u: %s", lane->nr, strerror(errno));
	if (it->prepare)
		it->prepare(it, lane);
	report(to_parent, lane->nr, 0);
	await(begin);
	start = now();
	it->work(it, lane);
	report(to_parent, lane->nr, now() - start);
	/* What it leaves is taken away when nobody counts any more. */
	await(end);
	_exit(0);
}

/* From each of the processes one report, whose times are added up. */
static uint64_t gather(const struct contended *it, int fd, unsigned int lanes)
{
	bool leaves_out_first = it->work == beside_ioremap;
	uint64_t ns = 0;
	struct report got;

	for (unsigned int i = 0; i < lanes; i++) {
		if (read(fd, &got, sizeof(got)) != sizeof(got))
			bench_die("%s: a process says nothing", it->operation);
		if (got.nr || !leaves_out_first)
			ns += got.ns;
	}
	return ns;
}

/* Both ends of three pipes: that closes when it begins, at the end, reports. */
struct pipes {
	int begin[2], end[2], reports[2];
};

static void start(const struct contended *it, unsigned int lanes, struct pipes *pipes)
{
	if (pipe(pipes->begin) || pipe(pipes->end) || pipe(pipes->reports))
		bench_die("pipe: %s", strerror(errno));
	fflush(stdout);
	signal(SIGCHLD, ended_early);
	for (unsigned int nr = 0; nr < lanes; nr++) {
		struct lane lane = { .nr = nr, .lanes = lanes };
		pid_t child = fork();

		if (child < 0)
			bench_die("fork: %s", strerror(errno));
		if (!child) {
			close(pipes->begin[1]);
			close(pipes->end[1]);
			close(pipes->reports[0]);
			work(it, &lane, pipes->begin[0], pipes->end[0], pipes->reports[1]);
		}
	}
	close(pipes->begin[0]);
	close(pipes->end[0]);
	close(pipes->reports[1]);
}

static void finish(const struct contended *it, struct pipes *pipes)
{
	int status;

	signal(SIGCHLD, SIG_DFL);
	close(pipes->end[1]);
	close(pipes->reports[0]);
	while (wait(&status) > 0)
		if (status)
			bench_die("%s: a process ended with status %d", it->operation, status);
}

static void run(const struct contended *it, unsigned int round, unsigned int lanes)
{
	unsigned int workers = it->work == beside_ioremap ? lanes - 1 : lanes;
	bool counted = counts_locks();
	struct pipes pipes;
	uint64_t ns;

	start(it, lanes, &pipes);
	gather(it, pipes.reports[0], lanes);
	if (counted) {
		tell(LOCK_STAT, "0");
		tell(LOCK_STAT_ON, "1");
	}
	close(pipes.begin[1]);
	ns = gather(it, pipes.reports[0], lanes);
	if (counted)
		tell(LOCK_STAT_ON, "0");
	finish(it, &pipes);
	if (!round)
		return;
	printf("smp %s %u %u %u %u %.1f\n", it->operation, it->size, round, lanes,
	       it->times * workers, (double)ns / workers / it->times);
	if (counted)
		print_locks(it, round);
}

void bench_contention(unsigned int rounds)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (cpus < 2 || cpus > MOST_CPUS)
		bench_die("smp wants 2 to %d processors, here are %ld", MOST_CPUS, cpus);
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct contended it = cases[i];

		if (it.times >= OFTEN && counts_locks()) {
			it.times /= COUNTED_PART;
			it.at_once /= COUNTED_PART;
		}
		if (ioctl(bench_driver(), PAT_BENCH_HOLD, (long)it.held))
			bench_die("holding %u pages: %s", it.held, strerror(errno));
		for (unsigned int round = 0; round <= rounds; round++)
			run(&it, round, cpus);
		fflush(stdout);
	}
}
