// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many processes at a time map, unmap, fork, die, reserve and change memory
 * types, and watch each other. Run as root, with pat_test.ko loaded:
 *
 *	stress SECONDS [SEED]
 *
 * Exits with 0 only if all invariants held all the time, and in the end nothing
 * is held that was not held before.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "../demo_src/kmsg.h"
#include "../pat_list.h"
#include "crew.h"
#include "frames.h"
#include "oracle.h"

#define PROGRESS_SECONDS	10
#define VALIDATE_SECONDS	2
#define KILLS_PER_SECOND	4	/* on average */
#define TICK_MS			50
#define SETTLE_SECONDS		60
#define SHOWN			10	/* failures: more of them tell nothing new */

/* What requests that cannot be make the kernel say: nothing else may be said. */
#define TYPE "(write-[a-z]+|uncached(-minus)?)"
#define EXPECTED \
	"x86/PAT: [^ ]+:[0-9]+ (conflicting memory types [0-9a-f]+-[0-9a-f]+ " TYPE "<->" TYPE \
	"|map pfn RAM range req " TYPE " for .*, got " TYPE ")"

static unsigned int failures;		/* not of the workers */

static void failed(const char *what, const char *detail)
{
	if (failures++ < SHOWN)
		printf("FAILURE: %s: %s\n", what, detail);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static unsigned long validate(void)
{
	unsigned long records = 0;
	char said[160];

	if (!oracle_valid(said, sizeof(said), &records))
		failed("pat_validate", said);
	return records;
}

static unsigned int all_failures(void)
{
	return failures + crew_report_failures();
}

static void show_progress(double seconds)
{
	unsigned long records = validate();
	unsigned int sum = all_failures();

	printf("%5.0f s:", seconds);
	for (unsigned int kind = 0; kind < nr_kinds; kind++)
		printf(" %s %llu,", kinds[kind].name,
		       (unsigned long long)crew_operations(kind));
	printf(" refused %llu, lives %u; %lu records, %u failures\n",
	       (unsigned long long)crew_refused(), crew_lives(), records, sum);
}

static void run(double seconds, uint64_t seed)
{
	/* Workers' numbers are all below this one. */
	struct random random = random_stream(seed, MAX_WORKERS, 0);
	double start = now(), shown = start, validated = start;

	while (now() - start < seconds) {
		usleep(TICK_MS * 1000);
		crew_tend();
		if (random_one_in(&random, 1000 / TICK_MS / KILLS_PER_SECOND))
			crew_kill_any(&random);
		if (now() - validated >= VALIDATE_SECONDS) {
			validate();
			validated = now();
		}
		if (now() - shown >= PROGRESS_SECONDS) {
			show_progress(now() - start);
			shown = now();
		}
	}
	crew_end();
	show_progress(now() - start);
}

/* What is held goes with the last bit of the dead, and with what they left inexact. */
static void settle(const struct pat_list *before, unsigned long records)
{
	double start = now();
	struct pat_list list;
	uint64_t where = 0;
	bool same = false;
	char text[80];

	do {
		usleep(100000);
		if (!pat_list_read(&list)) {
			failed(PAT_LIST_FILE, strerror(errno));
			return;
		}
		same = pat_list_same(before, &list, &where) &&
		       validate() == records;
		pat_list_free(&list);
	} while (!same && now() - start < SETTLE_SECONDS);
	if (same)
		return;
	snprintf(text, sizeof(text), "%lu records, were %lu; differs from 0x%llx on",
		 validate(), records, (unsigned long long)where);
	failed("what was held before and what is held after", text);
}

/* A kind of worker that did nothing has tested nothing. */
static void check_all_worked(void)
{
	if (!crew_refused())
		failed("no request met a conflict", "nothing was tested");
	for (unsigned int kind = 0; kind < nr_kinds; kind++)
		if (!crew_operations(kind))
			failed("has done nothing", kinds[kind].name);
}

static bool parse(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	return !errno && end != text && !*end && *text != '-';
}

int main(int argc, char **argv)
{
	uint64_t seconds, seed;
	unsigned long records;
	struct pat_list before;

	if (argc == 2 && !strcmp(argv[1], FORKER_EXECUTED))
		return forker_executed();
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2 || argc > 3 || !parse(argv[1], &seconds) || !seconds ||
	    (argc == 3 && !parse(argv[2], &seed))) {
		fprintf(stderr, "usage: stress SECONDS [SEED]\n");
		return 2;
	}
	if (argc < 3) {
		uint32_t any = time(NULL);

		if (getrandom(&any, sizeof(any), 0) != sizeof(any))
			perror("stress: getrandom");
		seed = any;
	}
	if (!pat_list_read(&before)) {
		fprintf(stderr, "stress: %s cannot be read\n", PAT_LIST_FILE);
		return 1;
	}
	records = validate();
	printf("stress: %llu s, SEED=%llu, %lu records at the start\n",
	       (unsigned long long)seconds, (unsigned long long)seed, records);

	kmsg_expect(EXPECTED);
	if (crew_start(seed))
		run(seconds, seed);
	else
		failed("the workers", strerror(errno));
	check_all_worked();
	settle(&before, records);
	kmsg_done();
	pat_list_free(&before);

	printf("stress: SEED=%llu: %u failures\n", (unsigned long long)seed,
	       all_failures());
	return all_failures() != 0;
}
