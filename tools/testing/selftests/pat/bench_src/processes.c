// SPDX-License-Identifier: GPL-2.0-only
/* What processes do that have no PFN mapping, the boot, and reading the list. */
#include "bench.h"

/* Since the reset, until this program asks. */
uint64_t bench_boot(const struct bench_case *it)
{
	return bench_ticks();
}

static void reap(pid_t child)
{
	int status;

	if (child < 0)
		bench_die("fork: %s", strerror(errno));
	if (waitpid(child, &status, 0) != child || status)
		bench_die("a child ended with status %d", status);
}

void bench_fork_once(void)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	reap(child);
}

uint64_t bench_fork(const struct bench_case *it)
{
	uint64_t start = bench_ticks();

	for (unsigned int i = 0; i < it->times; i++)
		bench_fork_once();
	return bench_ticks() - start;
}

/* This program, which does nothing then, in a child of vfork(). */
uint64_t bench_exec(const struct bench_case *it)
{
	uint64_t start = bench_ticks();

	for (unsigned int i = 0; i < it->times; i++) {
		pid_t child = vfork();

		if (!child) {
			execl("/proc/self/exe", "bench", "nothing", NULL);
			_exit(1);
		}
		reap(child);
	}
	return bench_ticks() - start;
}

#define CHILDREN 50

/*
 * From the end of a pipe on which a child waits until the parent knows that it has
 * ended.  So many at a time, since it is a matter of luck in which of many short
 * moments the kernel does what it has put off.
 */
uint64_t bench_exit(const struct bench_case *it)
{
	pid_t children[CHILDREN];
	uint64_t start, ticks = 0;
	int ends[2];
	char byte;

	for (unsigned int done = 0; done < it->times; done += CHILDREN) {
		if (pipe(ends))
			bench_die("pipe: %s", strerror(errno));
		for (unsigned int i = 0; i < CHILDREN; i++) {
			children[i] = fork();
			if (!children[i]) {
				close(ends[1]);
				_exit(read(ends[0], &byte, 1));
			}
		}
		/* Until all of them wait. */
		usleep(20000);
		start = bench_ticks();
		close(ends[1]);
		for (unsigned int i = 0; i < CHILDREN; i++)
			reap(children[i]);
		ticks += bench_ticks() - start;
		close(ends[0]);
	}
	return ticks;
}

static void *map_anonymous(size_t size, int more)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE | more,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		bench_die("mmap: %s", strerror(errno));
	return at;
}

/* Map and unmap four pages, all touched, so many times: the time of the one or the other. */
static uint64_t map_and_unmap(const struct bench_case *it, bool maps)
{
	const size_t size = 4 * BENCH_PAGE;
	char **at = calloc(it->times, sizeof(*at));
	uint64_t start, mapped, touched, end;

	if (!at)
		bench_die("out of memory");
	start = bench_ticks();
	/* Neighbours that are not alike are not merged. */
	for (unsigned int i = 0; i < it->times; i++)
		at[i] = map_anonymous(size, i % 2 ? PROT_EXEC : 0);
	mapped = bench_ticks();
	for (unsigned int i = 0; i < it->times; i++)
		for (size_t offset = 0; offset < size; offset += BENCH_PAGE)
			at[i][offset] = 1;
	touched = bench_ticks();
	for (unsigned int i = 0; i < it->times; i++)
		munmap(at[i], size);
	end = bench_ticks();
	free(at);
	return maps ? mapped - start : end - touched;
}

uint64_t bench_mmap(const struct bench_case *it)
{
	return map_and_unmap(it, true);
}

uint64_t bench_munmap(const struct bench_case *it)
{
	return map_and_unmap(it, false);
}

/* As many faults as there are times. */
uint64_t bench_page_fault(const struct bench_case *it)
{
	const size_t size = it->times * BENCH_PAGE;
	char *at = map_anonymous(size, 0);
	uint64_t start, ticks;

	start = bench_ticks();
	for (size_t offset = 0; offset < size; offset += BENCH_PAGE)
		at[offset] = 1;
	ticks = bench_ticks() - start;
	munmap(at, size);
	return ticks;
}

/* What cat does with pat_memtype_list. Without PAT there is none. */
uint64_t bench_list(const struct bench_case *it)
{
	static char buffer[128 << 10];
	uint64_t start = bench_ticks();
	int fd = open("/sys/kernel/debug/x86/pat_memtype_list", O_RDONLY);
	ssize_t got = 0;

	while (fd >= 0 && (got = read(fd, buffer, sizeof(buffer))) > 0)
		;
	if (got < 0 || (fd < 0 && errno != ENOENT))
		bench_die("pat_memtype_list: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return bench_ticks() - start;
}
