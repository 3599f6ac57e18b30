// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel maps while it boots, from the ACPI tables before there is a
 * slab allocator to the frame buffers of PCI display devices, is recorded, and
 * stays so whoever maps the same frames later on.
 *
 * Where PAT is off there are no records, and no list.
 */
#include "contract.h"

struct record {
	uint64_t phys;
	int type;
};

/* Has the record for at least one mapping of this type, and none of another. */
static void expect_recorded(struct __test_metadata *_metadata,
			    const struct pat_list *list, bool pat,
			    const struct record *want)
{
	if (!pat)
		return;
	EXPECT_LE(1, pat_list_count(list, want->phys, want->type))
		TH_LOG("no record that is %s at 0x%" PRIx64,
		       pat_type_word(want->type), want->phys);
	EXPECT_EQ(pat_list_count(list, want->phys, want->type),
		  pat_list_count_all(list, want->phys))
		TH_LOG("another type at 0x%" PRIx64, want->phys);
}

/*
 * Another mapping, with whatever type it is granted, and its end: this must not
 * disturb the one from boot.
 */
static void expect_stays(struct __test_metadata *_metadata, int driver,
			 bool pat, const struct record *record)
{
	struct pat_list before = pat_list_now(_metadata, pat);
	struct pat_mapping map;

	if (record->type == PAT_TEST_WB)
		map = pat_request(_metadata, driver, IOREMAP_CACHE,
				  record->phys & -PAT_PAGE, PAT_PAGE);
	else
		map = pat_request(_metadata, driver, IOREMAP,
				  record->phys & -PAT_PAGE, PAT_PAGE);
	pat_expect_granted(_metadata, &map, pat ? record->type :
			   pat_type_without_pat(pat_requesters[map.who].type));
	pat_release(_metadata, driver, &map);

	map = pat_request(_metadata, driver, DEVMEM, record->phys & -PAT_PAGE,
			  PAT_PAGE);
	pat_expect_granted(_metadata, &map, pat ? record->type : PAT_TEST_WB);
	pat_release(_metadata, driver, &map);

	pat_expect_list(_metadata, pat, &before);
	pat_list_free(&before);
}

static void expect_from_boot(struct __test_metadata *_metadata, int driver,
			     bool pat, const struct record *record)
{
	struct pat_list list = pat_list_now(_metadata, pat);

	expect_recorded(_metadata, &list, pat, record);
	pat_list_free(&list);
	expect_stays(_metadata, driver, pat, record);
}

PAT_FIXTURE(earlyboot)

/* --- from the kernel's log ------------------------------------------------ */

/* The physical address after @text in the log. */
static bool logged_address(const char *text, uint64_t *phys)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	bool found = false;
	char line[2048];
	ssize_t length;

	while (!found && (length = read(fd, line, sizeof(line) - 1)) > 0) {
		const char *at;

		line[length] = '\0';
		at = strstr(line, text);
		found = at && sscanf(at + strlen(text), "%" SCNx64, phys) == 1;
	}
	close(fd);
	return found;
}

TEST_F(earlyboot, acpi_dsdt)
{
	struct record dsdt = { .type = PAT_TEST_WB };

	ASSERT_TRUE(logged_address("ACPI: DSDT 0x", &dsdt.phys))
		TH_LOG("the boot log names no DSDT");
	expect_from_boot(_metadata, self->driver, self->pat, &dsdt);
}

/* --- from /proc/iomem --------------------------------------------------------- */

struct named {
	const char *prefix;
	uint64_t start;
};

static bool visit_named(unsigned int depth, uint64_t start, uint64_t end,
			const char *name, void *data)
{
	struct named *named = data;

	named->start = start;
	return !strncmp(name, named->prefix, strlen(named->prefix));
}

TEST_F(earlyboot, hpet)
{
	struct named named = { .prefix = "HPET" };
	struct record hpet = { .type = PAT_TEST_UC_MINUS };

	ASSERT_TRUE(pat_iomem_find(visit_named, &named))
		TH_LOG("/proc/iomem has no HPET");
	hpet.phys = named.start;
	expect_from_boot(_metadata, self->driver, self->pat, &hpet);
}

/* --- PCI drivers ------------------------------------------------------------------ */

/* QEMU's standard VGA: bochs maps the frame buffer with plain ioremap(). */
TEST_F(earlyboot, bochs_framebuffer)
{
	struct record fb = { .type = PAT_TEST_UC_MINUS };
	struct pat_range bar;

	ASSERT_TRUE(pat_pci_resource(0x1234, 0x1111, 0, &bar))
		TH_LOG("no PCI device 1234:1111 (QEMU -vga std)");
	fb.phys = bar.start;
	expect_from_boot(_metadata, self->driver, self->pat, &fb);
}

/* --- all of them -------------------------------------------------------------------- */

/* Only ranges that are not System RAM are recorded, whole pages of them. */
struct overlap {
	const struct pat_record *record;
};

static bool visit_ram(unsigned int depth, uint64_t start, uint64_t end,
		      const char *name, void *data)
{
	const struct pat_record *record = ((struct overlap *)data)->record;

	return !depth && !strcmp(name, "System RAM") && end > 1 << 20 &&
	       record->start < end && record->end > start;
}

TEST_F(earlyboot, records_are_reserved_pages)
{
	if (self->pat) {
		EXPECT_LE(4, self->before.nr);
	} else {
		EXPECT_EQ(-1, access(PAT_LIST_FILE, F_OK));
	}

	for (size_t i = 0; i < self->before.nr; i++) {
		struct overlap overlap = { &self->before.records[i] };

		EXPECT_LT(overlap.record->start, overlap.record->end);
		EXPECT_EQ(0, overlap.record->start % PAT_PAGE);
		EXPECT_EQ(0, overlap.record->end % PAT_PAGE);
		EXPECT_FALSE(pat_iomem_find(visit_ram, &overlap))
			TH_LOG("0x%" PRIx64 " is RAM", overlap.record->start);
	}
}

/* No two records of one frame differ in type. */
TEST_F(earlyboot, records_agree)
{
	for (size_t i = 0; i < self->before.nr; i++) {
		const struct pat_record *record = &self->before.records[i];

		EXPECT_EQ(pat_list_count(&self->before, record->start,
					 record->type),
			  pat_list_count_all(&self->before, record->start))
			TH_LOG("records differ at 0x%" PRIx64, record->start);
	}
}

TEST_HARNESS_MAIN
