// SPDX-License-Identifier: GPL-2.0-only
/* Tell a failure: what, where, after which operations, and how to repeat it. */

#include "ops.h"
#include "report.h"

#include <sanitizer/asan_interface.h>
#include <signal.h>
#include <unistd.h>

/* An episode takes a fraction of a second. */
#define WATCHDOG_SECONDS	20

char report_again[256] = "before the first operation";
static bool is_model;

const char *__asan_default_options(void)
{
	/* Freed memory waits long enough for a late user to be seen. */
	return "quarantine_size_mb=4:malloc_context_size=6:detect_stack_use_after_return=0";
}

const char *__ubsan_default_options(void)
{
	return "print_stacktrace=1";
}

/* Also after what the sanitizers find. */
static void report(void)
{
	static bool reported;

	if (reported || !is_model)
		return;
	reported = true;
	fprintf(stderr, "model: the last operations:\n");
	ops_trace();
	fprintf(stderr, "model: FAILED; %s\n", report_again);
}

static void bark(int signal)
{
	shim_fail("watchdog", WATCHDOG_SECONDS, "the model goes on");
}

void report_watchdog(void)
{
	alarm(WATCHDOG_SECONDS);
}

void report_init(void)
{
	is_model = true;
	signal(SIGALRM, bark);
	__asan_set_death_callback(report);
}

void shim_fail(const char *where, int line, const char *what)
{
	fprintf(stderr, "model: %s:%d: does not hold: %s\n", where, line, what);
	/* The fuzzer tells the rest itself, and keeps the input. */
	if (!is_model)
		abort();
	__sanitizer_print_stack_trace();
	report();
	_exit(1);
}
