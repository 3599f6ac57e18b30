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

/* From a child's last moment until the parent knows. */
uint64_t bench_exit(const struct bench_case *it)
{
	volatile uint64_t *last = mmap(NULL, BENCH_PAGE, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t ticks = 0;

	if (last == MAP_FAILED)
		bench_die("mmap: %s", strerror(errno));
	for (unsigned int i = 0; i < it->times; i++) {
		pid_t child = fork();

		if (!child) {
			*last = bench_ticks();
			_exit(0);
		}
		reap(child);
		ticks += bench_ticks() - *last;
	}
	munmap((void *)last, BENCH_PAGE);
	return ticks;
}

static void *map_anonymous(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		bench_die("mmap: %s", strerror(errno));
	return at;
}

/* Map and unmap four pages, all touched: the time of the one or the other. */
static uint64_t map_and_unmap(const struct bench_case *it, bool maps)
{
	const size_t size = 4 * BENCH_PAGE;
	uint64_t ticks = 0;

	for (unsigned int i = 0; i < it->times; i++) {
		uint64_t before = bench_ticks(), mapped, touched;
		char *at = map_anonymous(size);

		mapped = bench_ticks();
		for (size_t offset = 0; offset < size; offset += BENCH_PAGE)
			at[offset] = 1;
		touched = bench_ticks();
		munmap(at, size);
		ticks += maps ? mapped - before : bench_ticks() - touched;
	}
	return ticks;
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
	char *at = map_anonymous(size);
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
