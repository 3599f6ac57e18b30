// SPDX-License-Identifier: GPL-2.0-only
/*
 * Physical ranges that make no sense: empty, wrapping around, beyond what the
 * CPU can address, longer than the address space, half RAM. Each API returns
 * the error it always did, says one line about it at most, and no record is
 * left. Ranges that are only not page aligned are fine, and mean whole pages.
 */
#include "contract.h"

#define BAD_MESSAGE "x86/PAT: |memtype_reserve|reserve_memtype|ioremap|memremap|sanity check"

/* Addresses that depend on the machine; the rest is as in the table. */
enum where {
	AT,			/* as it is */
	BAR,			/* from the start of the BAR */
	PHYS_END,		/* from the end of the CPU's physical addresses */
	RAM_END,		/* from the end of RAM, where firmware's begins */
};

struct bad_range {
	enum where where;
	int64_t offset;
	uint64_t size;
};

#define EMPTY		{ BAR,	    0,		   0 }
#define EMPTY_AT_0	{ AT,	    0,		   0 }
#define WRAPS		{ AT,	    -PAT_PAGE,	   2 * PAT_PAGE }
#define ENDS_AT_2_64	{ AT,	    -PAT_PAGE,	   PAT_PAGE }
#define BEYOND		{ PHYS_END, 0,		   PAT_PAGE }
#define FAR_BEYOND	{ AT,	    1LL << 62,	   PAT_PAGE }
#define RUNS_BEYOND	{ PHYS_END, -PAT_PAGE,	   2 * PAT_PAGE }
#define OVERLONG	{ BAR,	    0,		   1ULL << 62 }
#define HALF_RAM	{ RAM_END,  -PAT_PAGE,	   2 * PAT_PAGE }
#define WHOLE_BAR_PLUS	{ BAR,	    0,		   PAT_BAR_SIZE + PAT_PAGE }
#define PAST_BAR	{ BAR,	    PAT_BAR_SIZE,   PAT_PAGE }
#define BAR_END_PLUS	{ BAR,	    PAT_BAR_SIZE - PAT_PAGE, 2 * PAT_PAGE }
#define ODD_INSIDE	{ BAR,	    0x123,	   0x10 }
#define ODD_ACROSS	{ BAR,	    0xfff,	   2 }

static bool visit_ram_end(unsigned int depth, uint64_t start, uint64_t end,
			  const char *name, void *data)
{
	uint64_t *ram_end = data;

	if (!depth && !strcmp(name, "System RAM"))
		*ram_end = end;
	return false;
}

static uint64_t resolve(struct __test_metadata *_metadata, int driver,
			const struct bad_range *range)
{
	uint64_t base = 0;

	switch (range->where) {
	case AT:
		break;
	case BAR:
		base = pat_bar(_metadata)->start;
		break;
	case PHYS_END:
		base = 1ULL << pat_get_info(_metadata, driver).phys_bits;
		break;
	case RAM_END:
		pat_iomem_find(visit_ram_end, &base);
		break;
	}
	return base + range->offset;
}

/* --- how much the kernel says ------------------------------------------- */

struct log {
	int fd;
};

static struct log log_open(struct __test_metadata *_metadata)
{
	struct log log = {
		.fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC),
	};

	ASSERT_LE(0, log.fd);
	ASSERT_LE(0, lseek(log.fd, 0, SEEK_END));
	return log;
}

/* Complaints about the request since log_open(); a warning's trace is one. */
static unsigned int log_close(struct log *log)
{
	unsigned int complaints = 0;
	bool in_trace = false;
	char line[2048];
	ssize_t length;

	while ((length = read(log->fd, line, sizeof(line) - 1)) > 0) {
		const char *text;

		line[length] = '\0';
		text = strchr(line, ';');
		if (!text)
			continue;
		if (strstr(text, "[ cut here ]")) {
			in_trace = true;
			complaints++;
		}
		complaints += !in_trace && (!strncmp(text, ";x86/PAT:", 9) ||
					    !strncmp(text, ";ioremap", 8));
		if (strstr(text, "[ end trace"))
			in_trace = false;
	}
	close(log->fd);
	return complaints;
}

/*
 * INTENDED DIFFERENCE: the stock kernel may say the same thing in two lines, or
 * warn with a stack trace as well.
 */
static void expect_one_line(struct __test_metadata *_metadata, struct log *log)
{
	unsigned int complaints = log_close(log);

	if (!pat_on_stock()) {
		EXPECT_GE(1, complaints);
	}
}

/* --- the kernel's APIs ---------------------------------------------------- */

PAT_FIXTURE(kernel)

FIXTURE_VARIANT(kernel)
{
	enum pat_requester who;
	struct bad_range range;
	int err;
	int err_without_pat;
};

#define KERNEL(who_, range_, err_, err_without_pat_)				\
	FIXTURE_VARIANT_ADD(kernel, who_##_##range_)				\
	{									\
		who_, range_, err_, err_without_pat_				\
	}

#define NONE PAT_TEST_NULL

#define POINTER_API(who)							\
	KERNEL(who, EMPTY,		NONE,	NONE);				\
	KERNEL(who, EMPTY_AT_0,		NONE,	NONE);				\
	KERNEL(who, WRAPS,		NONE,	NONE);				\
	KERNEL(who, ENDS_AT_2_64,	NONE,	NONE);				\
	KERNEL(who, BEYOND,		NONE,	NONE);				\
	KERNEL(who, FAR_BEYOND,		NONE,	NONE);				\
	KERNEL(who, OVERLONG,		NONE,	NONE);				\
	KERNEL(who, HALF_RAM,		NONE,	NONE);				\
	KERNEL(who, RUNS_BEYOND,	0,	0);				\
	KERNEL(who, ODD_INSIDE,		0,	0);				\
	KERNEL(who, ODD_ACROSS,		0,	0)

POINTER_API(IOREMAP);
POINTER_API(IOREMAP_UC);
POINTER_API(IOREMAP_WC);
POINTER_API(IOREMAP_WT);
POINTER_API(IOREMAP_CACHE);
POINTER_API(IOREMAP_PROT_WC);
POINTER_API(MEMREMAP_WB);
POINTER_API(MEMREMAP_WT);
POINTER_API(MEMREMAP_WC);

KERNEL(RESERVE_WC, EMPTY,		-EINVAL, -EINVAL);
KERNEL(RESERVE_WC, WRAPS,		-EINVAL, -EINVAL);
KERNEL(RESERVE_WC, OVERLONG,		-EINVAL, -EINVAL);
KERNEL(RESERVE_WC, BEYOND,		0,	0);
KERNEL(RESERVE_WC, RUNS_BEYOND,		0,	0);
KERNEL(RESERVE_WC, ODD_INSIDE,		0,	0);
KERNEL(RESERVE_WC, ODD_ACROSS,		0,	0);

TEST_F(kernel, range)
{
	uint64_t phys = resolve(_metadata, self->driver, &variant->range);
	uint64_t first = phys & -PAT_PAGE;
	uint64_t end = (phys + variant->range.size + PAT_PAGE - 1) & -PAT_PAGE;
	int want = self->pat ? variant->err : variant->err_without_pat;
	struct log log = log_open(_metadata);
	struct pat_mapping map;

	pat_expect_message(BAD_MESSAGE);
	map = pat_request(_metadata, self->driver, variant->who, phys,
			  variant->range.size);
	pat_expect_done();
	expect_one_line(_metadata, &log);

	EXPECT_EQ(want, map.err);
	if (map.err)
		return;
	/* The stock kernel's reservations need not be whole pages. */
	if (self->pat && (variant->who != RESERVE_WC || !pat_on_stock())) {
		struct pat_list now = pat_list_now(_metadata, self->pat);

		for (uint64_t at = first; at < end; at += PAT_PAGE) {
			EXPECT_EQ(1, pat_list_count_all(&now, at));
			EXPECT_EQ(1, pat_list_count_all(&now, at + PAT_PAGE - 1));
		}
		EXPECT_EQ(0, pat_list_count_all(&now, end));
		pat_list_free(&now);
	}
	pat_release(_metadata, self->driver, &map);
}

/* --- mmap() of files ---------------------------------------------------------- */

PAT_FIXTURE(process)

FIXTURE_VARIANT(process)
{
	enum pat_requester who;
	struct bad_range range;
	int err;
	int err_without_pat;
};

#define PROCESS(who_, range_, err_, err_without_pat_)				\
	FIXTURE_VARIANT_ADD(process, who_##_##range_)				\
	{									\
		who_, range_, err_, err_without_pat_				\
	}

/*
 * INTENDED DIFFERENCE: stock maps nothing that is partly RAM. Above its end there
 * are ACPI tables, which the kernel holds write-back: they cannot be had uncached.
 */
#define RAM_IS_MAPPED	(-2000)
#define TABLE_IS_HELD	(-2001)

static int expected(int err)
{
	switch (err) {
	case RAM_IS_MAPPED:
		return pat_on_stock() ? -EINVAL : 0;
	case TABLE_IS_HELD:
		return pat_on_stock() ? -EINVAL : -EAGAIN;
	default:
		return err;
	}
}

PROCESS(DEVMEM,		EMPTY,		-EINVAL,	-EINVAL);
PROCESS(DEVMEM,		WRAPS,		-EOVERFLOW,	-EOVERFLOW);
PROCESS(DEVMEM,		ENDS_AT_2_64,	-EINVAL,	-EINVAL);
PROCESS(DEVMEM,		BEYOND,		-EINVAL,	-EINVAL);
PROCESS(DEVMEM,		FAR_BEYOND,	-EINVAL,	-EINVAL);
PROCESS(DEVMEM,		RUNS_BEYOND,	-EINVAL,	-EINVAL);
PROCESS(DEVMEM,		OVERLONG,	-ENOMEM,	-ENOMEM);
PROCESS(DEVMEM,		HALF_RAM,	RAM_IS_MAPPED,	0);
PROCESS(DEVMEM,		ODD_INSIDE,	-EINVAL,	-EINVAL);
PROCESS(DEVMEM_SYNC,	EMPTY,		-EINVAL,	-EINVAL);
PROCESS(DEVMEM_SYNC,	WRAPS,		-EOVERFLOW,	-EOVERFLOW);
PROCESS(DEVMEM_SYNC,	BEYOND,		-EINVAL,	-EINVAL);
PROCESS(DEVMEM_SYNC,	RUNS_BEYOND,	-EINVAL,	-EINVAL);
PROCESS(DEVMEM_SYNC,	HALF_RAM,	TABLE_IS_HELD,	0);
PROCESS(RESOURCE,	EMPTY,		-EINVAL,	-EINVAL);
PROCESS(RESOURCE,	WHOLE_BAR_PLUS,	-EINVAL,	-EINVAL);
PROCESS(RESOURCE,	PAST_BAR,	-EINVAL,	-EINVAL);
PROCESS(RESOURCE,	BAR_END_PLUS,	-EINVAL,	-EINVAL);
PROCESS(RESOURCE,	BEYOND,		-EINVAL,	-EINVAL);
PROCESS(RESOURCE,	ODD_INSIDE,	-EINVAL,	-EINVAL);
PROCESS(PROC_PCI,	WHOLE_BAR_PLUS,	-ENODEV,	-ENODEV);
PROCESS(PROC_PCI,	PAST_BAR,	-ENODEV,	-ENODEV);
PROCESS(PROC_PCI,	ODD_INSIDE,	-EINVAL,	-EINVAL);
PROCESS(REMAP_WC,	WRAPS,		-EINVAL,	-EINVAL);
PROCESS(REMAP_WC,	BEYOND,		0,		0);
PROCESS(REMAP_WC,	RUNS_BEYOND,	0,		0);

TEST_F(process, range)
{
	uint64_t phys = resolve(_metadata, self->driver, &variant->range);
	int want = self->pat ? expected(variant->err) : variant->err_without_pat;
	struct log log = log_open(_metadata);
	struct pat_mapping map;

	pat_expect_message(BAD_MESSAGE);
	map = pat_request(_metadata, self->driver, variant->who, phys,
			  variant->range.size);
	pat_expect_done();
	if (variant->err == TABLE_IS_HELD && !pat_on_stock()) {
		/* One for RAM, which is not as asked for, and one for the table. */
		EXPECT_GE(2, log_close(&log));
	} else {
		expect_one_line(_metadata, &log);
	}

	EXPECT_EQ(want, map.err);
	if (!map.err)
		pat_release(_metadata, self->driver, &map);
}

TEST_HARNESS_MAIN
