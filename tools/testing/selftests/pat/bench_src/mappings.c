// SPDX-License-Identifier: GPL-2.0-only
/* PFN mappings of a process: faults, whole mappings, and their fork. */
#include "bench.h"

void *bench_map(int fd, size_t size, off_t offset)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);

	if (at == MAP_FAILED)
		bench_die("mmap: %s", strerror(errno));
	return at;
}

int bench_open(unsigned long maps)
{
	int fd = open(PAT_BENCH_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, PAT_BENCH_MAPS, maps))
		bench_die("%s: %s", PAT_BENCH_DEVICE, strerror(errno));
	return fd;
}

/* As many faults as there are times: each is of another page. */
uint64_t bench_fault(const struct bench_case *it)
{
	const size_t size = it->times * BENCH_PAGE;
	int fd = bench_open(PAT_BENCH_FAULT);
	volatile const char *at = bench_map(fd, size, 0);
	uint64_t start, ticks;

	start = bench_ticks();
	for (size_t offset = 0; offset < size; offset += BENCH_PAGE)
		(void)at[offset];
	ticks = bench_ticks() - start;
	munmap((void *)at, size);
	close(fd);
	return ticks;
}

/* Map it and unmap it; nobody touches it. */
uint64_t bench_remap(const struct bench_case *it)
{
	const size_t size = it->size * BENCH_PAGE;
	int fd = bench_open(PAT_BENCH_REMAP);
	uint64_t start, ticks;

	start = bench_ticks();
	for (unsigned int i = 0; i < it->times; i++)
		munmap(bench_map(fd, size, 0), size);
	ticks = bench_ticks() - start;
	close(fd);
	return ticks;
}

/* Of a process with so many mappings, each of a page of its own. */
uint64_t bench_fork_maps(const struct bench_case *it)
{
	int fd = bench_open(PAT_BENCH_REMAP);
	void **at = calloc(it->size, sizeof(*at));
	uint64_t start, ticks;

	for (unsigned int i = 0; i < it->size; i++)
		at[i] = bench_map(fd, BENCH_PAGE, i * 2 * BENCH_PAGE);
	bench_fork_once();
	start = bench_ticks();
	for (unsigned int i = 0; i < it->times; i++)
		bench_fork_once();
	ticks = bench_ticks() - start;
	for (unsigned int i = 0; i < it->size; i++)
		munmap(at[i], BENCH_PAGE);
	free(at);
	close(fd);
	return ticks;
}
