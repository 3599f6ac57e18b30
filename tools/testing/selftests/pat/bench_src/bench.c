// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench SET ROUNDS: how long things take, by the TSC.
 *
 * Where QEMU counts instructions (-icount shift=0), a tick is an instruction.
 * Each operation runs once to warm up, and then in so many rounds, but for what
 * happens only once. A line for each round goes to standard output:
 *
 *	result OPERATION SIZE ROUND TICKS
 *
 * SIZE is the operation's (pages, mappings, records), TICKS is for one of it. Before
 * them, "times OPERATION SIZE N" says how many of it a round is. scripts/profile
 * looks at what is between two system calls that do nothing, and that nobody else
 * here makes: sched_get_priority_max() before each round, and _min() after it.
 * SET is one of those in cases[], or OPERATION:SIZE for one of them; "once" is none,
 * but says that a case is not repeated; "smp" is all of contention.c, which says
 * what it prints. Exit status: 0, or 1 and a message if an operation failed.
 */
#include "bench.h"

#include <sched.h>
#include <stdarg.h>

/* What there is to measure. */
static const struct bench_case cases[] = {
#define CASE(...) { __VA_ARGS__ }
	/* operation, size, records held, times a round, how, sets */
	CASE("boot", 0, 0, 1, bench_boot, "full boot once"),
	CASE("memory", 100000, 0, 100000, bench_memory, "full once"),
	CASE("nothing", 1, 0, 100000, bench_nothing, "full"),
	CASE("lookup_ram", 1000, 0, 100000, bench_lookup_ram, "full gate"),
	CASE("lookup_held", 10, 10, 100000, bench_lookup_held, "full"),
	CASE("lookup_held", 1000, 1000, 100000, bench_lookup_held, "full"),
	CASE("lookup_held", 10000, 10000, 100000, bench_lookup_held, "full gate"),
	CASE("lookup_held", 100000, 100000, 100000, bench_lookup_held, "full"),
	CASE("fault", 0, 0, 65536, bench_fault, "full gate"),
	CASE("fault", 1000, 1000, 65536, bench_fault, "full"),
	CASE("fault", 10000, 10000, 65536, bench_fault, "full devices"),
	CASE("fault", 100000, 100000, 65536, bench_fault, "full"),
	CASE("ioremap", 10, 10, 32768, bench_ioremap, "full gate"),
	CASE("ioremap", 100, 100, 32768, bench_ioremap, "full"),
	CASE("ioremap", 1000, 1000, 32768, bench_ioremap, "full gate"),
	CASE("ioremap", 10000, 10000, 32768, bench_ioremap, "full"),
	CASE("ioremap", 100000, 100000, 32768, bench_ioremap, "full gate"),
	CASE("array", 1, 0, 10000, bench_array, "full"),
	CASE("array", 8, 0, 5000, bench_array, "full"),
	CASE("array", 64, 0, 1000, bench_array, "full"),
	CASE("array", 512, 0, 100, bench_array, "full gate"),
	CASE("array", 4096, 0, 16, bench_array, "full"),
	CASE("array", 65536, 0, 1, bench_array, "full gate"),
	CASE("array_mixed", 512, 0, 100, bench_array_mixed, "full gate"),
	CASE("array_mixed", 65536, 0, 1, bench_array_mixed, "full gate"),
	CASE("set_memory", 1, 0, 10000, bench_set_memory, "full gate"),
	CASE("remap", 1, 0, 20000, bench_remap, "full gate"),
	CASE("remap", 16, 0, 15000, bench_remap, "full"),
	CASE("remap", 256, 0, 4000, bench_remap, "full gate"),
	CASE("remap", 4096, 0, 300, bench_remap, "full"),
	CASE("remap", 65536, 0, 20, bench_remap, "full"),
	CASE("fork_maps", 1, 0, 500, bench_fork_maps, "full gate"),
	CASE("fork_maps", 10, 0, 500, bench_fork_maps, "full"),
	CASE("fork_maps", 100, 0, 200, bench_fork_maps, "full gate"),
	CASE("fork_maps", 1000, 0, 25, bench_fork_maps, "full"),
	CASE("fork_maps", 10000, 0, 3, bench_fork_maps, "full gate"),
	CASE("fork", 0, 0, 1000, bench_fork, "full"),
	CASE("exec", 0, 0, 500, bench_exec, "full"),
	CASE("mmap", 0, 0, 4000, bench_mmap, "full"),
	CASE("munmap", 0, 0, 4000, bench_munmap, "full"),
	CASE("page_fault", 0, 0, 16384, bench_page_fault, "full gate"),
	CASE("exit", 0, 0, 1000, bench_exit, "full"),
	CASE("list", 100, 100, 1, bench_list, "full"),
	CASE("list", 1000, 1000, 1, bench_list, "full"),
	CASE("list", 10000, 10000, 1, bench_list, "full"),
	CASE("list", 100000, 100000, 1, bench_list, "full once"),
#undef CASE
};

static int driver;

void bench_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "bench: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(1);
}

int bench_driver(void)
{
	return driver;
}

static bool is_of_set(const struct bench_case *it, const char *set)
{
	char words[64], *rest = words, *word;

	snprintf(words, sizeof(words), "%s:%u", it->operation, it->size);
	if (!strcmp(words, set))
		return true;
	snprintf(words, sizeof(words), "%s", it->sets);
	while ((word = strsep(&rest, " ")))
		if (!strcmp(word, set))
			return true;
	return false;
}

static void run(const struct bench_case *it, unsigned int rounds)
{
	static unsigned int held;
	bool once = is_of_set(it, "once");

	if (it->held != held && ioctl(driver, PAT_BENCH_HOLD, (long)it->held))
		bench_die("holding %u pages: %s", it->held, strerror(errno));
	held = it->held;
	printf("times %s %u %u\n", it->operation, it->size, it->times);
	fflush(stdout);
	for (unsigned int round = 0; round <= rounds; round++) {
		bool counts = round || once;
		uint64_t ticks;

		if (counts)
			sched_get_priority_max(SCHED_OTHER);
		ticks = it->how(it);
		if (counts)
			sched_get_priority_min(SCHED_OTHER);
		if (counts)
			printf("result %s %u %u %.2f\n", it->operation, it->size,
			       round, (double)ticks / it->times);
		fflush(stdout);
		if (once)
			break;
	}
}

int main(int argc, char **argv)
{
	struct pat_bench_sizes sizes;
	unsigned int rounds = 0;

	if (argc == 2 && !strcmp(argv[1], "nothing"))
		return 0;
	if (argc == 3)
		rounds = atoi(argv[2]);
	if (rounds < 1 || rounds > 1000)
		bench_die("usage: bench full|gate|devices|boot|smp|OPERATION:SIZE ROUNDS");
	driver = open(PAT_BENCH_DEVICE, O_RDWR | O_CLOEXEC);
	if (driver < 0)
		bench_die("%s: %s: is pat_bench.ko loaded?", PAT_BENCH_DEVICE,
			  strerror(errno));
	if (!strcmp(argv[1], "smp")) {
		bench_contention(rounds);
		return 0;
	}
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (is_of_set(&cases[i], argv[1]))
			run(&cases[i], rounds);
	if (ioctl(driver, PAT_BENCH_SIZES, &sizes))
		bench_die("PAT_BENCH_SIZES: %s", strerror(errno));
	printf("result sizeof_vma 0 1 %llu\n", (unsigned long long)sizes.vma);
	return 0;
}
