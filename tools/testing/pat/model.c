// SPDX-License-Identifier: GPL-2.0-only
/*
 * model [SEED [OPS]]: random operations in episodes, each from boot to an empty
 * machine and each with a seed of its own, so that one that fails is repeated
 * alone.
 * model -f FILE...: the operations in files, as the fuzzer keeps them.
 */

#include "ops.h"
#include "report.h"
#include "regressions/regression.h"

#include <time.h>
#include <unistd.h>

#define EPISODE_BYTES	32768
#define PROGRESS_SECONDS	5

static uint8_t bytes[EPISODE_BYTES];

/* splitmix64 */
static uint64_t random64(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static void fill(uint64_t seed)
{
	size_t i;

	for (i = 0; i < sizeof(bytes); i += sizeof(seed)) {
		uint64_t word = random64(&seed);

		memcpy(bytes + i, &word, sizeof(word));
	}
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void show_progress(unsigned long done, unsigned long wanted,
			  double seconds)
{
	printf(isatty(1) ? "\r\033[Kmodel: %lu of %lu operations, %.0f s" :
	       "model: %lu of %lu operations, %.0f s\n", done, wanted, seconds);
	fflush(stdout);
}

static void run_files(int argc, char **argv)
{
	unsigned long done = 0;
	int i;

	for (i = 0; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		size_t size;

		if (!f) {
			fprintf(stderr, "model: error: cannot read %s\n", argv[i]);
			exit(1);
		}
		snprintf(report_again, sizeof(report_again), "in %s", argv[i]);
		report_watchdog();
		size = fread(bytes, 1, sizeof(bytes), f);
		fclose(f);
		done += ops_run(bytes, size, ULONG_MAX);
	}
	printf("model: %d inputs, %lu operations: all as they should be\n",
	       argc, done);
}

static void run_random(uint64_t seed, unsigned long wanted)
{
	double started = now(), shown = started;
	unsigned long done = 0;
	uint64_t episode;

	for (episode = seed; done < wanted; episode++) {
		snprintf(report_again, sizeof(report_again),
			 "again with SEED=%llu OPS=1",
			 (unsigned long long)episode);
		report_watchdog();
		fill(episode);
		done += ops_run(bytes, sizeof(bytes), ULONG_MAX);
		if (now() - shown >= PROGRESS_SECONDS) {
			shown = now();
			show_progress(done, wanted, shown - started);
		}
	}
	if (isatty(1))
		printf("\r\033[K");
	printf("model: %lu operations, %lu failures injected, seed %llu, %.0f s: all as they should be\n",
	       done, shim_failures, (unsigned long long)seed, now() - started);
}

int main(int argc, char **argv)
{
	uint64_t seed = time(NULL);
	unsigned long wanted = 10000000;

	report_init();
	ops_thorough = getenv("THOROUGH");
	ops_init();
	if (argc > 2 && !strcmp(argv[1], "-f")) {
		run_files(argc - 2, argv + 2);
		return 0;
	}
	if (argc > 1)
		seed = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		wanted = strtoul(argv[2], NULL, 10);
	printf("model: %lu operations, seed %llu\n", wanted,
	       (unsigned long long)seed);
	fflush(stdout);
	regressions_run();
	run_random(seed, wanted);
	return 0;
}
