// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is mapped how, at one moment, a line each:
 *
 *   record START-END TYPE HOLDER	pat_memtype_list; stock names no holder
 *   user START-END TYPE PROGRAM	entries of processes for what is no RAM
 *   userram TYPE PAGES PROGRAM		entries of processes for RAM that a device file
 *					gave them, or that is not write-back
 *   kernel START-END TYPE CALLER	entries of ioremap() and memremap()
 *   direct TYPE PAGES NAME		the direct map of RAM, if not write-back, and
 *					of persistent memory
 *   alias START-END TYPE WHO TYPE WHO	two of these differ about a frame
 *   invalid TEXT			the validator's word, if it is not "ok"
 *
 * Ranges are physical, [start, end). What continues the line before it is part
 * of it, so that the same mappings give the same lines.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../demo_src/facts.h"
#include "../pat_list.h"
#include "client.h"
#include "run.h"

#define PAGE 4096ULL
#define ISA_START 0xa0000ULL
#define ISA_END 0x100000ULL
#define MAX_AREAS 512

static int driver;
static struct iomem areas[MAX_AREAS];
static int nr_areas;

static const char *const words[] = {
	[PAT_TEST_WB]		= "WB",
	[PAT_TEST_WC]		= "WC",
	[PAT_TEST_UC_MINUS]	= "UC-",
	[PAT_TEST_UC]		= "UC",
	[PAT_TEST_WT]		= "WT",
	[PAT_TEST_WP]		= "WP",
};

static const char *word(int type)
{
	return type >= 0 && type < (int)PAT_NR_TYPES ? words[type] : "?";
}

static bool is_area(const struct iomem *area, const char *name)
{
	return area->depth == 0 && !strncmp(area->name, name, strlen(name));
}

static bool is_ram(uint64_t phys)
{
	for (int i = 0; i < nr_areas; i++)
		if (is_area(&areas[i], "System RAM") &&
		    areas[i].start <= phys && phys < areas[i].end)
			return true;
	return false;
}

/* A program's or caller's name as one word. */
static void to_word(char *to, size_t room, const char *name)
{
	size_t length;

	snprintf(to, room, "%s", name);
	length = strcspn(to, "+\n");
	to[length] = '\0';
	for (char *c = to; *c; c++)
		if (isspace(*c))
			*c = '_';
}

/* --- records -------------------------------------------------------------------- */

static bool add_records(struct runs *to)
{
	struct pat_list list;

	if (!pat_list_read(&list))
		return false;
	for (size_t i = 0; i < list.nr; i++) {
		char holder[64];

		to_word(holder, sizeof(holder), list.records[i].holder);
		runs_add(to, list.records[i].start, list.records[i].end,
			 list.records[i].type, holder);
	}
	pat_list_free(&list);
	return true;
}

/* --- entries ----------------------------------------------------------------------- */

#define CHUNK 512

/* Calls @found for each present entry of [start, end). */
static void read_entries(int pid, uint64_t start, uint64_t end,
			 void (*found)(const struct pat_test_pte *pte, void *data),
			 void *data)
{
	static struct pat_test_pte ptes[CHUNK];

	for (uint64_t at = start; at < end; at += CHUNK * PAGE) {
		struct pat_test_ptes request = {
			.addr = at,
			.ptes = (uintptr_t)ptes,
			.nr = end - at < CHUNK * PAGE ? (end - at) / PAGE : CHUNK,
			.pid = pid,
		};

		if (ioctl(driver, PAT_TEST_READ_PTES, &request))
			return;
		for (unsigned int i = 0; i < request.nr; i++)
			if (ptes[i].got != PAT_TEST_NOT_MAPPED)
				found(&ptes[i], data);
	}
}

struct process {
	char name[64];
	struct runs *runs;
	bool device;		/* reading a device file's mapping */
	uint64_t ram[PAT_NR_TYPES];
};

static void user_entry(const struct pat_test_pte *pte, void *data)
{
	struct process *process = data;
	uint64_t phys = pte->pfn * PAGE;

	if (!is_ram(phys))
		runs_add(process->runs, phys, phys + PAGE, pte->got, process->name);
	else if (pte->got >= (process->device ? PAT_TEST_WB : PAT_TEST_WB + 1) &&
		 pte->got < (int)PAT_NR_TYPES)
		process->ram[pte->got]++;
}

static void add_process(int pid, struct runs *to)
{
	struct process process = { .runs = to };
	char path[64], line[512];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "r");
	if (!file || !fgets(line, sizeof(line), file))
		line[0] = '\0';
	if (file)
		fclose(file);
	to_word(process.name, sizeof(process.name), line);

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file)) {
		uint64_t start, end;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2)
			continue;
		process.device = strstr(line, "/dev/") && !strstr(line, "/dev/shm/") &&
				 !strstr(line, "/dev/zero");
		read_entries(pid, start, end, user_entry, &process);
	}
	if (file)
		fclose(file);
	for (int type = 0; type < (int)PAT_NR_TYPES; type++)
		if (process.ram[type])
			printf("userram %s %" PRIu64 " %s\n", word(type),
			       process.ram[type], process.name);
}

static bool add_processes(struct runs *to)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	if (!dir)
		return false;
	while ((entry = readdir(dir))) {
		int pid = atoi(entry->d_name);

		if (pid > 0 && pid != getpid())
			add_process(pid, to);
	}
	closedir(dir);
	return true;
}

struct caller {
	const char *name;
	struct runs *runs;
};

static void kernel_entry(const struct pat_test_pte *pte, void *data)
{
	struct caller *caller = data;
	uint64_t phys = pte->pfn * PAGE;

	runs_add(caller->runs, phys, phys + PAGE, pte->got, caller->name);
}

static bool add_kernel(struct runs *to)
{
	static struct io_mapping mappings[MAX_AREAS];
	int nr = facts_io_mappings(mappings, MAX_AREAS);

	for (int i = 0; i < nr; i++) {
		struct caller caller = { .name = mappings[i].caller, .runs = to };

		read_entries(0, mappings[i].virt,
			     mappings[i].virt + mappings[i].size, kernel_entry,
			     &caller);
	}
	return nr > 0;
}

static bool add_direct(struct runs *to)
{
	static int8_t types[4096];

	for (int i = 0; i < nr_areas; i++) {
		bool ram = is_area(&areas[i], "System RAM");
		uint64_t end = areas[i].end / PAGE, count[PAT_NR_TYPES] = {};

		if (!ram && !is_area(&areas[i], "Persistent Memory"))
			continue;
		for (uint64_t pfn = (areas[i].start + PAGE - 1) / PAGE; pfn < end;) {
			uint64_t nr = end - pfn < sizeof(types) ? end - pfn :
								  sizeof(types);
			struct pat_test_direct_run run = {
				.pfn = pfn,
				.nr = nr,
				.types = (uintptr_t)types,
			};

			if (ioctl(driver, PAT_TEST_DIRECT_MAP_RUN, &run))
				return false;
			for (uint64_t n = 0; n < nr; n++, pfn++) {
				if (types[n] < 0 || types[n] >= (int)PAT_NR_TYPES ||
				    (ram && types[n] == PAT_TEST_WB))
					continue;
				count[types[n]]++;
				if (!ram)
					runs_add(to, pfn * PAGE, (pfn + 1) * PAGE,
						 types[n], "direct-map");
			}
		}
		for (int type = 0; type < (int)PAT_NR_TYPES; type++)
			if (count[type])
				printf("direct %s %" PRIu64 " %s\n", word(type),
				       count[type], ram ? "RAM" : "persistent");
	}
	return true;
}

/* --- lines --------------------------------------------------------------------------- */

static void print_runs(const char *kind, struct runs *runs)
{
	runs_sort(runs);
	for (size_t i = 0; i < runs->nr; i++)
		printf("%s 0x%" PRIx64 "-0x%" PRIx64 " %s%s%s\n", kind,
		       runs->runs[i].start, runs->runs[i].end,
		       word(runs->runs[i].type), runs->runs[i].holder[0] ? " " : "",
		       runs->runs[i].holder);
}

/* Two types of one frame. The ISA range is nobody's, and may have several. */
static void print_alias(const struct run *a, const struct run *b)
{
	uint64_t start = a->start > b->start ? a->start : b->start;
	uint64_t end = a->end < b->end ? a->end : b->end;

	if (a->type == b->type || start >= end ||
	    (start >= ISA_START && end <= ISA_END))
		return;
	printf("alias 0x%" PRIx64 "-0x%" PRIx64 " %s %s %s %s\n", start, end,
	       word(a->type), a->holder, word(b->type), b->holder);
}

static void print_aliases(const struct runs *runs)
{
	for (size_t i = 0; i < runs->nr; i++)
		for (size_t j = i + 1; j < runs->nr; j++)
			print_alias(&runs->runs[i], &runs->runs[j]);
}

static void append(struct runs *to, const struct runs *from)
{
	for (size_t i = 0; i < from->nr; i++)
		runs_add(to, from->runs[i].start, from->runs[i].end,
			 from->runs[i].type, from->runs[i].holder);
}

/* Stock has no validator. */
static void print_validity(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[256] = "";

	if (!file)
		return;
	if (!fgets(line, sizeof(line), file) || strncmp(line, "ok:", 3))
		printf("invalid %s %s\n", path, line[0] ? line : "(empty)");
	fclose(file);
}

static bool print_state(void)
{
	struct runs records = {}, user = {}, kernel = {}, direct = {}, all = {};

	nr_areas = facts_iomem(areas, MAX_AREAS);
	if (nr_areas < 1 || nr_areas == MAX_AREAS || !add_records(&records) ||
	    !add_processes(&user) || !add_kernel(&kernel) || !add_direct(&direct))
		return false;
	print_runs("record", &records);
	print_runs("user", &user);
	print_runs("kernel", &kernel);
	append(&all, &user);
	append(&all, &kernel);
	append(&all, &direct);
	print_aliases(&all);
	print_validity("/sys/kernel/debug/x86/pat_validate");
	print_validity("/sys/kernel/debug/x86/pat_validate_ram");
	runs_free(&records);
	runs_free(&user);
	runs_free(&kernel);
	runs_free(&direct);
	runs_free(&all);
	return true;
}

int client_state(char **argument)
{
	bool done;

	if (argument[0])
		return client_wrong("state takes no argument");
	driver = open(PAT_TEST_DEVICE, O_RDWR | O_CLOEXEC);
	if (driver < 0)
		return client_failed(PAT_TEST_DEVICE);
	if (!facts_open())
		return client_failed("/proc/sys/kernel/kptr_restrict");
	done = print_state();
	if (!done)
		client_failed("what is mapped cannot be read");
	facts_close();
	close(driver);
	return !done;
}
