// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shows memory types at work in the running kernel, step by step, and checks
 * each step. Run as root; exits with 0 only if every step did what it should.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "driver.h"
#include "facts.h"
#include "screen.h"
#include "steps.h"

static const struct {
	const char *title;
	void (*run)(void);
} steps[] = {
	{ "The PAT MSR has eight slots, the same on every CPU", step_slots },
	{ "A graphics driver maps its framebuffer write-combining", step_framebuffer },
	{ "A process maps the same framebuffer", step_process },
	{ "A conflicting request", step_conflict },
	{ "A driver changes the type of a RAM page", step_ram },
	{ "The memory map: who holds what, with which type", step_map },
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

static unsigned int run_steps(void)
{
	unsigned int good = 0;

	for (unsigned int i = 0; i < STEPS; i++) {
		screen_step(i + 1, steps[i].title);
		steps[i].run();
		good += screen_step_passed();
	}
	return good;
}

int main(void)
{
	struct utsname kernel;
	unsigned int good;

	screen_open();
	uname(&kernel);
	screen_title("Memory types (PAT) at work in %s %s %s", kernel.sysname,
		     kernel.release, kernel.machine);
	if (!facts_open()) {
		fprintf(stderr, "demo: /proc/sys/kernel/kptr_restrict: %s; run as root\n",
			strerror(errno));
		return 1;
	}
	if (!driver_open()) {
		fprintf(stderr, "demo: no /dev/pat_test: %s; load pat_test.ko\n",
			strerror(errno));
		facts_close();
		return 1;
	}
	good = run_steps();
	facts_close();
	screen_result(good, STEPS);
	return good != STEPS;
}
