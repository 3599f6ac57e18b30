// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "facts.h"
#include "screen.h"
#include "steps.h"

/* What Linux wants in the slots of a CPU without PAT errata. */
static const char *const wanted[PAT_SLOTS] = {
	"WB", "WC", "UC-", "UC", "WB", "WP", "UC-", "WT",
};

static void show_cpu(unsigned int cpu, uint64_t msr)
{
	char line[96];
	int at = 0;

	for (unsigned int slot = 0; slot < PAT_SLOTS; slot++)
		at += snprintf(line + at, sizeof(line) - at, "%-5s",
			       facts_slot_name(msr, slot));
	screen_show("CPU %-4u%s0x%016" PRIx64, cpu, line, msr);
}

static bool slots_are_wanted(uint64_t msr)
{
	for (unsigned int slot = 0; slot < PAT_SLOTS; slot++)
		if (strcmp(facts_slot_name(msr, slot), wanted[slot]))
			return false;
	return true;
}

void step_slots(void)
{
	unsigned int cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int good = 0;

	screen_explain("Three bits of a page table entry (PAT, PCD, PWT) choose one of eight");
	screen_explain("slots of this register; the slot says how the CPU caches the page.");
	screen_columns("slot    0    1    2    3    4    5    6    7    PAT MSR           ");
	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		uint64_t msr;

		if (!facts_pat_msr(cpu, &msr)) {
			screen_failed("/dev/cpu/*/msr");
			return;
		}
		show_cpu(cpu, msr);
		good += slots_are_wanted(msr);
	}
	screen_check(cpus > 0 && good == cpus,
		     "all %u CPUs have WB WC UC- UC WB WP UC- WT in their slots",
		     cpus);
}
