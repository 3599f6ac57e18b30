// SPDX-License-Identifier: GPL-2.0-only
/* What the driver does and times. */
#include "bench.h"

static long slab_bytes(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128];
	long kib = 0;

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "Slab: %ld kB", &kib);
	if (!kib)
		bench_die("/proc/meminfo says nothing of Slab");
	fclose(file);
	return kib * 1024;
}

/* Not a time: the bytes of what the kernel allocates for so many mappings. */
uint64_t bench_memory(const struct bench_case *it)
{
	long before, after;

	ioctl(bench_driver(), PAT_BENCH_HOLD, 0L);
	before = slab_bytes();
	if (ioctl(bench_driver(), PAT_BENCH_HOLD, (long)it->size))
		bench_die("holding %u pages: %s", it->size, strerror(errno));
	after = slab_bytes();
	ioctl(bench_driver(), PAT_BENCH_HOLD, 0L);
	return after > before ? after - before : 0;
}

static uint64_t run(const struct bench_case *it, enum pat_bench_op op)
{
	struct pat_bench_run run = {
		.op = op,
		.nr = it->size,
		.times = it->times,
	};

	if (ioctl(bench_driver(), PAT_BENCH_RUN, &run))
		bench_die("%s: %s", it->operation, strerror(errno));
	if (run.err)
		bench_die("%s: %s", it->operation, strerror(-run.err));
	return run.ticks;
}

uint64_t bench_nothing(const struct bench_case *it)
{
	return run(it, PAT_BENCH_NOTHING);
}

/* Without the loop and the call that asks. */
static uint64_t lookup(const struct bench_case *it, enum pat_bench_op op)
{
	return run(it, op) - run(it, PAT_BENCH_NOTHING);
}

uint64_t bench_lookup_ram(const struct bench_case *it)
{
	return lookup(it, PAT_BENCH_LOOKUP_RAM);
}

uint64_t bench_lookup_held(const struct bench_case *it)
{
	return lookup(it, PAT_BENCH_LOOKUP_HELD);
}

uint64_t bench_ioremap(const struct bench_case *it)
{
	return run(it, PAT_BENCH_IOREMAP);
}

uint64_t bench_array(const struct bench_case *it)
{
	return run(it, PAT_BENCH_ARRAY);
}

uint64_t bench_array_mixed(const struct bench_case *it)
{
	return run(it, PAT_BENCH_ARRAY_MIXED);
}

uint64_t bench_set_memory(const struct bench_case *it)
{
	return run(it, PAT_BENCH_SET_MEMORY);
}
