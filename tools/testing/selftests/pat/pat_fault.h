/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Allocation failures on demand, for the tests of a kernel with FAILSLAB,
 * FAIL_PAGE_ALLOC and FAULT_INJECTION_STACKTRACE_FILTER.
 *
 * fault_setup() makes both kinds of failure possible for every allocation, also
 * for those that may sleep and for single pages, without a message. Only pages
 * for user space are left out: their failure is a page fault that is tried
 * again. What then fails is the nth allocation the calling task makes after
 * fault_arm(n); between fault_lasting(true) and fault_lasting(false), all that
 * follow it as well.
 *
 *	for (n = 1; ; n++) {
 *		fault_arm(fault, n);
 *		... the system call ...
 *		if (!fault_happened(fault))
 *			break;
 *	}
 */
#ifndef PAT_FAULT_H
#define PAT_FAULT_H

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FAULT_DEBUGFS "/sys/kernel/debug"

struct fault {
	int nth;	/* /proc/PID/fail-nth */
	int always;	/* /proc/PID/make-it-fail */
};

/* The kernel function that has @symbol as its name: [start, end). */
struct fault_range {
	uint64_t start;
	uint64_t end;
};

static const char *const fault_kinds[] = { "failslab", "fail_page_alloc" };

/* Attributes fault_setup() changes, and what they are otherwise. */
static const struct {
	const char *name;
	const char *while_testing;
	const char *otherwise;
	bool pages_only;
} fault_settings[] = {
	{ "verbose",		"0",	"2", false },
	{ "task-filter",	"Y",	"N", false },
	{ "probability",	"100",	"0", false },
	{ "times",		"-1",	"1", false },
	{ "ignore-gfp-wait",	"N",	"Y", false },
	{ "stacktrace-depth",	"32",	"32", false },
	{ "require-start",	"0",	"0", false },
	{ "require-end",	"0xffffffffffffffff", "0xffffffffffffffff", false },
	{ "reject-start",	"0",	"0", false },
	{ "reject-end",		"0",	"0", false },
	{ "min-order",		"0",	"1",	true },
};

#define FAULT_KINDS (sizeof(fault_kinds) / sizeof(fault_kinds[0]))
#define FAULT_SETTINGS (sizeof(fault_settings) / sizeof(fault_settings[0]))

/* False, with errno, if the kernel has no such attribute or refuses the value. */
static inline bool fault_set(const char *kind, const char *name,
			     const char *value)
{
	char path[128];
	bool done;
	int fd;

	snprintf(path, sizeof(path), FAULT_DEBUGFS "/%s/%s", kind, name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return false;
	done = write(fd, value, strlen(value)) == (ssize_t)strlen(value);
	close(fd);
	return done;
}

static inline bool fault_set_number(const char *name, uint64_t value)
{
	char text[32];
	bool done = true;

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	for (size_t kind = 0; kind < FAULT_KINDS; kind++)
		done &= fault_set(fault_kinds[kind], name, text);
	return done;
}

/* In the order of the table, and back in reverse: the filter stays longest. */
static inline bool fault_settings_write(bool testing)
{
	bool done = true;

	for (size_t kind = 0; kind < FAULT_KINDS; kind++) {
		for (size_t i = 0; i < FAULT_SETTINGS; i++) {
			size_t at = testing ? i : FAULT_SETTINGS - 1 - i;
			bool pages = !strcmp(fault_kinds[kind],
					     "fail_page_alloc");

			if (fault_settings[at].pages_only && !pages)
				continue;
			done &= fault_set(fault_kinds[kind],
					  fault_settings[at].name,
					  testing ?
					  fault_settings[at].while_testing :
					  fault_settings[at].otherwise);
		}
	}
	return done;
}

/* Lets warnings that are given once be given once to each test. */
static inline bool fault_rearm_warnings(void)
{
	int fd = open(FAULT_DEBUGFS "/clear_warn_once", O_WRONLY);
	bool done = fd >= 0 && write(fd, "1", 1) == 1;

	close(fd);
	return done;
}

/* Whose allocations fail from now on: "self" or a process ID. */
static inline bool fault_open_task(struct fault *fault, const char *pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/fail-nth", pid);
	fault->nth = open(path, O_RDWR | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%s/make-it-fail", pid);
	fault->always = open(path, O_RDWR | O_CLOEXEC);
	return fault->nth >= 0 && fault->always >= 0;
}

static inline void fault_close_task(struct fault *fault)
{
	close(fault->always);
	close(fault->nth);
}

static inline bool fault_setup(struct fault *fault)
{
	return fault_open_task(fault, "self") && fault_rearm_warnings() &&
	       fault_settings_write(true);
}

static inline void fault_teardown(struct fault *fault)
{
	fault_settings_write(false);
	fault_close_task(fault);
}

/* Where the code of kernel function @symbol is; false if there is none. */
static inline bool fault_find(const char *symbol, struct fault_range *range)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	char line[512], name[256], type;
	uint64_t address;

	range->start = 0;
	range->end = UINT64_MAX;
	if (!file)
		return false;
	while (!range->start && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%" SCNx64 " %c %255s", &address, &type,
			   name) == 3 && !strcmp(name, symbol))
			range->start = address;
	}
	rewind(file);
	while (range->start && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%" SCNx64 " %c", &address, &type) == 2 &&
		    strchr("tT", type) && address > range->start &&
		    address < range->end)
			range->end = address;
	}
	fclose(file);
	return range->start != 0;
}

/* Only allocations made on behalf of @symbol fail. */
static inline bool fault_only_below(const char *symbol)
{
	struct fault_range range;

	return fault_find(symbol, &range) &&
	       fault_set_number("require-start", range.start) &&
	       fault_set_number("require-end", range.end);
}

/* No allocation made on behalf of @symbol fails. */
static inline bool fault_never_below(const char *symbol)
{
	struct fault_range range;

	return fault_find(symbol, &range) &&
	       fault_set_number("reject-start", range.start) &&
	       fault_set_number("reject-end", range.end);
}

static inline bool fault_arm(struct fault *fault, unsigned int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", n);

	return pwrite(fault->nth, text, length, 0) == length;
}

/* To be called after fault_arm(); a counted failure comes first. */
static inline bool fault_lasting(struct fault *fault, bool lasting)
{
	return pwrite(fault->always, lasting ? "1" : "0", 1, 0) == 1;
}

/*
 * An address with no page tables around it, @half pages before the border of
 * two of them: a mapping of more than that needs both. NULL if there is none.
 */
static inline char *fault_address(unsigned int half)
{
	const uint64_t pmd_size = 1ULL << 21, pud_size = 1ULL << 30;
	char *area = mmap(NULL, 4 * pud_size, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uintptr_t border;

	if (area == MAP_FAILED || munmap(area, 4 * pud_size))
		return NULL;
	border = ((uintptr_t)area + 2 * pud_size) & ~(pmd_size - 1);
	return (char *)(border - half * sysconf(_SC_PAGESIZE));
}

/*
 * Has the armed failure happened? Disarms it if not. An unreadable answer
 * counts as "no": the loop around ends and its count of failures shows it.
 */
static inline bool fault_happened(struct fault *fault)
{
	char text[16] = "";
	ssize_t got = pread(fault->nth, text, sizeof(text) - 1, 0);

	fault_arm(fault, 0);
	return got > 0 && atoi(text) == 0;
}

#endif
