/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * patmap: which memory type has which physical address, and who holds it.
 *
 *	file.c		inputs, whole, from a root directory
 *	parse.c		lists: records, RAM, iomem, MTRRs, PCI resources
 *	log.c		complaints in the kernel log
 *	machine.c	all of it together, and whether PAT is on
 *	map.c		regions of the address space, and what is in each
 *	advice.c	what to do about complaints and odd states
 *	text.c, json.c	output
 *	pci.c		names of PCI devices
 *	record.c	copies of the inputs
 *	watch.c		drawing again and again
 *
 * Ranges are [start, end).  Texts of a machine point into its inputs, which
 * have no byte that a terminal could take for a command.
 */
#ifndef PATMAP_H
#define PATMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PATMAP_VERSION "1.0"

/* The order is the kernel's enum page_cache_mode: some messages have numbers. */
enum mem_type {
	TYPE_WB,
	TYPE_WC,
	TYPE_UC_MINUS,
	TYPE_UC,
	TYPE_WT,
	TYPE_WP,
	TYPE_NONE,
	TYPE_BY_PAGE,	/* of a record of RAM: each page has its own */
};
#define NR_TYPES TYPE_NONE

enum input {
	INPUT_LIST,		/* stock's list of records */
	INPUT_RECORDS,		/* the richer one of the PAT series */
	INPUT_RAM,
	INPUT_LOG,
	INPUT_IOMEM,
	INPUT_PCI,
	INPUT_MTRR,
	INPUT_CMDLINE,
	INPUT_CPUINFO,
	INPUT_MEMINFO,
	INPUT_RELEASE,
	NR_INPUTS,
};

enum input_state {
	STATE_READ,
	STATE_MISSING,
	STATE_DENIED,
	STATE_HIDDEN,		/* readable, but the addresses are zeroes */
	STATE_FAILED,
};

struct input_info {
	enum input_state state;
	int error;
	char *text;		/* NUL-terminated, owned by the machine */
	size_t size;
};

enum holder_kind {
	HOLDER_UNKNOWN,
	HOLDER_USER,
	HOLDER_KERNEL,
	HOLDER_RESERVED,
};

struct holder {
	enum holder_kind kind;
	const char *name;	/* command or symbol; NULL: nobody knows */
	long pid;		/* of a command; else -1 */
};

struct record {
	uint64_t start, end;
	enum mem_type type;
	struct holder holder;
	uint64_t virt, virt_end;	/* 0, 0: none */
	double since;			/* seconds after boot; negative: unknown */
	uint64_t maps;			/* mappings of the first frame; 0: unknown */
	const char *mtrr;
	enum mem_type effective;
	size_t region;
};

struct ram_range {
	uint64_t start, end;
	enum mem_type type;
};

struct resource {
	uint64_t start, end;
	const char *name;
	unsigned int depth;
	size_t parent;			/* or NO_INDEX */
	bool leaf;
};
#define NO_INDEX SIZE_MAX

struct mtrr {
	uint64_t start, end;
	const char *type;
};

#define NR_BARS 7			/* with the expansion ROM */
struct bar {
	uint64_t start, end;		/* 0, 0: none, or of ports */
	bool prefetchable;
	size_t region;
};

struct pci_device {
	char address[16];
	unsigned int vendor, device, class;
	const char *driver;		/* NULL: none */
	char *name;			/* NULL: nobody knows */
	struct bar bars[NR_BARS];
};

enum complaint_kind {
	COMPLAINT_CONFLICT,	/* "conflicting memory types" */
	COMPLAINT_RESERVE,	/* "memtype_reserve failed", alone */
	COMPLAINT_EXPECTED,	/* "map pfn expected mapping type" */
	COMPLAINT_IOREMAP,	/* "ioremap error" */
	COMPLAINT_RAM_WISH,	/* "map pfn RAM range req" */
	COMPLAINT_RAM_BUSY,	/* RAM that cannot change its type */
	COMPLAINT_RAM_FREED,	/* RAM freed while it was not write-back */
	COMPLAINT_FREE,		/* "freeing invalid memtype" */
	NR_COMPLAINTS,
};

struct complaint {
	enum complaint_kind kind;
	const char *comm;	/* who ran; NULL: not said */
	long pid;
	uint64_t start, end;
	/* TYPE_NONE where the message does not say. */
	enum mem_type want;	/* asked for */
	enum mem_type held;	/* what was there */
	enum mem_type other;	/* a second type that was there */
	enum mem_type got;	/* TYPE_NONE: refused, or nobody asked */
	const char *resource;
	struct holder asker;
	struct holder holder;
	uint64_t held_start, held_end;
	double first, last;	/* seconds after boot; negative: not said */
	unsigned long count;
};

enum region_kind {
	REGION_RAM,
	REGION_BAR,
	REGION_RESOURCE,
	REGION_STRAY,		/* records outside of all that is named */
};

struct region {
	uint64_t start, end;
	enum region_kind kind;
	const char *name;
	const struct pci_device *device;
	int bar;
	size_t first, nr;	/* its records, in machine->records */
};

/* A stretch of addresses in which the same types are recorded. */
struct segment {
	uint64_t start, end;
	unsigned int types;	/* bits, 1 << enum mem_type */
};

/*
 * A record, in a sorted array that is a balanced tree as well: the middle of a
 * part is its root.  How far do the records of that part reach?
 */
struct reach {
	size_t record;
	uint64_t start, end;
};

enum pat_state { PAT_UNKNOWN, PAT_PROBABLE, PAT_ON, PAT_OFF };

struct note {
	const char *id;
	bool alarm;		/* something is wrong, not just slow */
	uint64_t start, end;
	char *text;
};

struct machine {
	const char *root;
	struct input_info inputs[NR_INPUTS];
	char **texts;		/* further buffers that names point into */
	size_t nr_texts, cap_texts;

	enum pat_state pat;
	const char *pat_reason;
	uint64_t ram_total;	/* bytes; 0: unknown */

	struct record *records;
	size_t nr_records, cap_records;
	struct reach *reach;	/* the records, by start */
	struct ram_range *ram;
	size_t nr_ram, cap_ram;
	struct resource *resources;
	size_t nr_resources, cap_resources;
	struct mtrr *mtrrs;
	size_t nr_mtrrs, cap_mtrrs;
	struct pci_device *devices;
	size_t nr_devices, cap_devices;
	struct complaint *complaints;
	size_t nr_complaints, cap_complaints;
	size_t *seen;		/* hash table of complaints */
	size_t seen_size;
	unsigned long bad_lines;	/* in lists, not understood */

	struct region *regions;
	size_t nr_regions, cap_regions;
	struct segment *segments;
	size_t nr_segments, cap_segments;
	struct note *notes;
	size_t nr_notes, cap_notes;
};

struct options {
	const char *root;
	const char *log;	/* NULL: the machine's own */
	const char *record;
	unsigned int width;	/* 0: the terminal's */
	unsigned int rows;	/* at most so many lines; 0: all */
	double watch;		/* seconds; 0: once */
	bool json;
	bool color;
	bool numeric;
	bool all;
};

/* file.c */
extern const char * const input_paths[NR_INPUTS];
extern const char * const input_state_names[];
void *grow(void *array, size_t nr, size_t *cap, size_t size);
void *xrealloc(void *old, size_t size);
char *xprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int read_text(const char *path, char **text, size_t *size);
int read_kmsg(char **text, size_t *size);
bool log_line_matters(const char *line);
void read_input(struct machine *m, enum input input);
void read_log(struct machine *m, const char *file);
bool is_live(const char *root);
char *next_line(char **text);
const char *input_hint(const struct machine *m, enum input input);

/* parse.c */
extern const char * const type_names[TYPE_BY_PAGE + 1];
extern const char * const type_short[TYPE_BY_PAGE + 1];
enum mem_type parse_type(const char **text);
bool parse_hex(const char **text, uint64_t *value);
bool parse_range(const char **text, uint64_t *start, uint64_t *end);
bool parse_word(const char **text, const char *word);
void parse_holder(char *text, struct holder *holder, uint64_t *virt, uint64_t *virt_end);
void parse_records(struct machine *m, char *text);
void parse_ram(struct machine *m, char *text);
void parse_iomem(struct machine *m, char *text);
void parse_mtrrs(struct machine *m, char *text);
void parse_bars(struct pci_device *device, char *text);
void parse_uevent(struct pci_device *device, char *text);

/* log.c */
void parse_log(struct machine *m, char *text);
extern const char * const complaint_names[NR_COMPLAINTS];

/* machine.c */
void machine_load(struct machine *m, const struct options *options);
void machine_free(struct machine *m);
bool machine_readable(const struct machine *m);

/* map.c */
void map_build(struct machine *m);
const struct region *map_region_at(const struct machine *m, uint64_t start);
unsigned int map_types(const struct machine *m, uint64_t start, uint64_t end, size_t *hint);
size_t map_segment_at(const struct machine *m, uint64_t start);
uint64_t map_ram_bytes(const struct machine *m, enum mem_type type);
const struct mtrr *map_mtrr(const struct machine *m, uint64_t start, uint64_t end);
size_t map_overlapping(const struct machine *m, uint64_t start, uint64_t end,
		       const struct record **records, size_t max);
bool map_inside(const struct machine *m, uint64_t start, const char *name);

/* pci.c */
void pci_name_devices(struct machine *m);
const char *pci_class_name(unsigned int class);

/* advice.c */
struct advice {
	const char *id;
	char *text;
};
#define MAX_ADVICE 4
size_t advise(const struct machine *m, const struct complaint *c,
	      struct advice advice[MAX_ADVICE]);
void advise_notes(struct machine *m);

/* text.c */
void text_write(const struct machine *m, const struct options *options, FILE *out);
unsigned int terminal_width(void);
void format_size(uint64_t bytes, char *buffer, size_t size);

/* json.c */
void json_write(const struct machine *m, FILE *out);

/* record.c */
int record_machine(const char *root, const char *directory);

/* watch.c */
int watch(struct options *options);

#endif
