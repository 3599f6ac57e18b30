// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's direct map covers RAM, the legacy range below 1 MiB, and nothing
 * else but what is known to be an exception:
 *
 * - device memory that has struct pages (ZONE_DEVICE), with its pagemap's type:
 *   persistent memory write-back, a PCI device's memory uncached
 * - RAM that was added and is not online
 * - RAM that was reserved when the map had been made, such as the EFI's picture
 *   for the boot screen
 *
 * The other way round, all of RAM is mapped, and write-back. So nobody who maps
 * a device's registers has to ask what the direct map does.
 *
 * What is RAM, /proc/iomem says. Whether that is the truth can be told: it has
 * to be what the kernel's log makes of the firmware's map and the command line,
 * and no more than the firmware called RAM.
 *
 * PAT_DIRECTMAP in the environment names what this machine must have to show,
 * separated by commas: high (RAM on both sides of a hole below 4 GiB), gb and
 * nogb (entries of 1 GiB, or a processor without), user (a map changed on the
 * command line), dimm (RAM that is offline), pmem (an NVDIMM which nobody uses),
 * legacy-pmem, p2p (an NVMe controller memory buffer), late (RAM that was
 * reserved late). scripts/guest-directmap boots a guest for each.
 */
#include <limits.h>

#include "directmap.h"
#include "directmap_recorded.h"
#include "memory_blocks.h"

#define DUMP_FILE "/sys/kernel/debug/page_tables/kernel"
/* Paths in sysfs. */
#define PATH_ROOM 384

#define ND_DIR "/sys/bus/nd/devices"
#define ND_PMEM_DRIVER "/sys/bus/nd/drivers/nd_pmem"
#define PCI_DIR "/sys/bus/pci/devices"

/* Steps of 1 ms: until something has failed. */
#define PATIENCE 60000

/* --- the checker itself, on recorded text ------------------------------------ */

/* The kernel's own choice: WB WC UC- UC WB WP UC- WT. */
static const struct dm_types recorded_types = {
	.pat_msr = 0x0407050600070106ULL,
	.cpu_has_pat = true,
};

/* @text with its one @old, if any, made @new. */
static char *doctor(struct __test_metadata *_metadata, const char *text,
		    const char *old, const char *new)
{
	const char *at = old ? strstr(text, old) : NULL;
	char *doctored;

	if (old) {
		ASSERT_NE(NULL, at) TH_LOG("not in the text: %s", old);
		ASSERT_EQ(NULL, strstr(at + 1, old)) TH_LOG("twice: %s", old);
		ASSERT_LT(0, asprintf(&doctored, "%.*s%s%s", (int)(at - text),
				      text, new, at + strlen(old)));
	} else {
		doctored = strdup(text);
		ASSERT_NE(NULL, doctored);
	}
	return doctored;
}

enum recorded_text { NO_TEXT, IOMEM, DUMP, LOG };

/* One change of a recorded text, and the one thing that must be found then. */
FIXTURE(recorded) {
};

FIXTURE_VARIANT(recorded)
{
	enum recorded_text text;
	const char *old;
	const char *new;
	struct dm_finding found;
};

FIXTURE_SETUP(recorded)
{
}

FIXTURE_TEARDOWN(recorded)
{
}

#define V "0xffff8880"
#define FLAGS "     RW                 GLB NX pte\n"

/* The graphics card's BAR, uncached, as if some ioremap() had added it. */
#define HOLE_1G V "c0000000-0xffff888100000000           1G                               pud\n"
FIXTURE_VARIANT_ADD(recorded, bar_is_mapped) {
	DUMP, HOLE_1G,
	V "c0000000-" V "fc000000         960M                               pmd\n"
	V "fc000000-" V "fd000000          16M     RW     PCD PSE     GLB NX pmd\n"
	V "fd000000-0xffff888100000000          48M                               pmd\n",
	{ DM_MAPPED, DM_NOTHING, 0xfc000000, 0xfd000000, PAT_TEST_UC_MINUS }
};

/* One page of it, and write-back: an alias of another type. */
FIXTURE_VARIANT_ADD(recorded, page_of_bar_is_mapped) {
	DUMP, HOLE_1G,
	V "c0000000-" V "fc000000         960M                               pmd\n"
	V "fc000000-" V "fc001000           4K" FLAGS
	V "fc001000-0xffff888100000000       65532K                               pte\n",
	{ DM_MAPPED, DM_NOTHING, 0xfc000000, 0xfc001000, PAT_TEST_WB }
};

/* All of the hole below 4 GiB in one entry, as old kernels did. */
FIXTURE_VARIANT_ADD(recorded, hole_is_mapped) {
	DUMP, HOLE_1G,
	V "c0000000-0xffff888100000000           1G     RW         PSE     GLB NX pud\n",
	{ DM_MAPPED, DM_NOTHING, 0xc0000000, 0x100000000, PAT_TEST_WB }
};

/* Too much behind the end of RAM, where firmware's tables are. */
FIXTURE_VARIANT_ADD(recorded, firmware_is_mapped) {
	DUMP,
	V "bfe00000-" V "bffe0000        1920K     RW                 GLB NX pte\n"
	V "bffe0000-" V "c0000000         128K                               pte\n",
	V "bfe00000-" V "c0000000           2M     RW         PSE     GLB NX pmd\n",
	{ DM_MAPPED, DM_NOTHING, 0xbffe0000, 0xc0000000, PAT_TEST_WB }
};

/* What the command line reserves must not stay. */
FIXTURE_VARIANT_ADD(recorded, user_reserved_is_mapped) {
	DUMP,
	V "20000000-" V "24000000          64M                               pmd\n",
	V "20000000-" V "24000000          64M     RW         PSE     GLB NX pmd\n",
	{ DM_MAPPED, DM_NOTHING, 0x20000000, 0x24000000, PAT_TEST_WB }
};

/* A page of which only a part is RAM. */
FIXTURE_VARIANT_ADD(recorded, part_of_page_is_mapped) {
	DUMP,
	V "12c00000-" V "12c01000           4K                               pte\n",
	V "12c00000-" V "12c01000           4K     RW                 GLB NX pte\n",
	{ DM_MAPPED, DM_NOTHING, 0x12c00000, 0x12c01000, PAT_TEST_WB }
};

/* The map has it, and /proc/iomem calls it something else. */
FIXTURE_VARIANT_ADD(recorded, no_ram_at_all) {
	IOMEM, "100000000-17fffffff : System RAM", "100000000-17fffffff : PCI Bus",
	{ DM_MAPPED, DM_NOTHING, 0x100000000, 0x180000000, PAT_TEST_WB }
};

FIXTURE_VARIANT_ADD(recorded, ram_is_not_mapped) {
	DUMP,
	V "24000000-" V "40000000         448M     RW         PSE     GLB NX pmd\n",
	V "24000000-" V "40000000         448M                               pmd\n",
	{ DM_NOT_MAPPED, DM_RAM, 0x24000000, 0x40000000, PAT_TEST_NOT_MAPPED }
};

FIXTURE_VARIANT_ADD(recorded, page_of_ram_is_not_mapped) {
	DUMP,
	V "12c01000-" V "12e00000        2044K" FLAGS,
	V "12c01000-" V "12d00000        1020K" FLAGS
	V "12d00000-" V "12d01000           4K                               pte\n"
	V "12d01000-" V "12e00000        1020K" FLAGS,
	{ DM_NOT_MAPPED, DM_RAM, 0x12d00000, 0x12d01000, PAT_TEST_NOT_MAPPED }
};

/* The last of it, with nothing mapped behind. */
FIXTURE_VARIANT_ADD(recorded, end_of_ram_is_not_mapped) {
	IOMEM, "100000000-17fffffff : System RAM", "100000000-180000fff : System RAM",
	{ DM_NOT_MAPPED, DM_RAM, 0x180000000, 0x180001000, PAT_TEST_NOT_MAPPED }
};

FIXTURE_VARIANT_ADD(recorded, ram_is_uncached) {
	DUMP,
	V "24000000-" V "40000000         448M     RW         PSE     GLB NX pmd\n",
	V "24000000-" V "30000000         192M     RW         PSE     GLB NX pmd\n"
	V "30000000-" V "30200000           2M     RW     PCD PSE     GLB NX pmd\n"
	V "30200000-" V "40000000         254M     RW         PSE     GLB NX pmd\n",
	{ DM_WRONG_TYPE, DM_RAM, 0x30000000, 0x30200000, PAT_TEST_UC_MINUS }
};

/* The PAT bit of a large entry is another than that of a small one. */
FIXTURE_VARIANT_ADD(recorded, ram_is_write_through) {
	DUMP,
	V "40000000-" V "80000000           1G     RW         PSE     GLB NX pud\n",
	V "40000000-" V "80000000           1G     RW PWT PCD PSE PAT GLB NX pud\n",
	{ DM_WRONG_TYPE, DM_RAM, 0x40000000, 0x80000000, PAT_TEST_WT }
};

FIXTURE_VARIANT_ADD(recorded, legacy_range_is_write_combining) {
	DUMP,
	V "0009b000-" V "00200000        1428K     RW                 GLB NX pte\n",
	V "0009b000-" V "000a0000          20K     RW                 GLB NX pte\n"
	V "000a0000-" V "000c0000         128K     RW PWT             GLB NX pte\n"
	V "000c0000-" V "00200000        1280K     RW                 GLB NX pte\n",
	{ DM_WRONG_TYPE, DM_LEGACY, 0xa0000, 0xc0000, PAT_TEST_WC }
};

static void read_recorded(struct __test_metadata *_metadata, const char *iomem,
			  const char *log, struct dm_areas *areas)
{
	struct dm_areas logged = {};

	dm_iomem(areas, iomem);
	dm_log(&logged, log);
	for (size_t i = 0; i < logged.nr; i++)
		if (logged.at[i].kind == DM_LATE)
			dm_areas_set(areas, logged.at[i].start, logged.at[i].end,
				     DM_LATE, PAT_TEST_WB);
	dm_areas_free(&logged);
	dm_areas_set(areas, 0, DM_LEGACY_END, DM_LEGACY, PAT_TEST_WB);
	dm_areas_round(areas);
}

TEST_F(recorded, is_found)
{
	enum recorded_text which = variant->text;
	const struct dm_finding *want = &variant->found, *found;
	char *iomem = doctor(_metadata, recorded_iomem,
			     which == IOMEM ? variant->old : NULL, variant->new);
	char *dump = doctor(_metadata, recorded_dump,
			    which == DUMP ? variant->old : NULL, variant->new);
	struct dm_findings findings;
	struct dm_areas areas = {};
	struct dm_map map;
	char text[128];

	read_recorded(_metadata, iomem, recorded_log, &areas);
	ASSERT_TRUE(dm_dump(&map, dump, &recorded_types))
		TH_LOG("not understood: %s", map.error);
	dm_check(&map, &areas, &findings);
	ASSERT_EQ(1, findings.nr);
	found = &findings.at[0];
	EXPECT_TRUE(found->what == want->what && found->kind == want->kind &&
		    found->start == want->start && found->end == want->end &&
		    found->type == want->type)
		TH_LOG("found %s", dm_finding_text(found, text, sizeof(text)));
	dm_map_free(&map);
	dm_areas_free(&areas);
	free(iomem);
	free(dump);
}

/* Nothing is found where nothing is wrong. */
TEST(recorded_is_right)
{
	struct dm_findings findings;
	struct dm_areas areas = {};
	struct dm_map map;
	char text[128];

	read_recorded(_metadata, recorded_iomem, recorded_log, &areas);
	ASSERT_TRUE(dm_dump(&map, recorded_dump, &recorded_types))
		TH_LOG("not understood: %s", map.error);
	EXPECT_EQ(0xffff888000000000ULL, map.page_offset);
	EXPECT_EQ(3 * DM_GB, dm_map_size(&map, 3));
	dm_check(&map, &areas, &findings);
	EXPECT_EQ(0, findings.nr)
		TH_LOG("%s", dm_finding_text(&findings.at[0], text, sizeof(text)));
	/* 300 MiB - 1 MiB, 212 MiB less a page, 2496 MiB - 128 KiB, 2 GiB. */
	EXPECT_EQ(0x12b00000 + 0xd3ff000 + 0x9bfe0000 + 0x80000000ULL,
		  dm_areas_size(&areas, DM_RAM));
	dm_map_free(&map);
	dm_areas_free(&areas);
}

TEST(recorded_kaslr_is_right)
{
	struct dm_findings findings;
	struct dm_areas areas = {};
	struct dm_map map;

	read_recorded(_metadata, recorded_iomem_kaslr, "", &areas);
	ASSERT_TRUE(dm_dump(&map, recorded_dump_kaslr, &recorded_types))
		TH_LOG("not understood: %s", map.error);
	EXPECT_EQ(0xffff9a5c40000000ULL, map.page_offset);
	dm_check(&map, &areas, &findings);
	EXPECT_EQ(0, findings.nr);
	dm_map_free(&map);
	dm_areas_free(&areas);
}

/* A type that depends on how the processor reads the bits. */
TEST(recorded_without_pat)
{
	const struct dm_types nopat = { .pat_msr = 0x0007040600070406, .cpu_has_pat = true };
	const struct dm_types none = { .cpu_has_pat = false };
	char *dump = doctor(_metadata, recorded_dump, " 64M                               pmd",
			    " 64M     RW PWT     PSE     GLB NX pmd");
	struct dm_map map;

	ASSERT_TRUE(dm_dump(&map, dump, &recorded_types));
	EXPECT_EQ(PAT_TEST_WC, dm_type_of(&map, 0x20000000));
	dm_map_free(&map);
	ASSERT_TRUE(dm_dump(&map, dump, &nopat));
	EXPECT_EQ(PAT_TEST_WT, dm_type_of(&map, 0x20000000));
	dm_map_free(&map);
	ASSERT_TRUE(dm_dump(&map, dump, &none));
	EXPECT_EQ(PAT_TEST_WT, dm_type_of(&map, 0x20000000));
	dm_map_free(&map);
	free(dump);
}

/* What is reserved in the log when the map is made is not an exception; later it is. */
TEST(recorded_late_reservation)
{
	static const char mapped[] = "Using GB pages for direct mapping\n";
	static const char reserved[] =
		"e820: update [mem 0x30000000-0x300047ff] usable ==> reserved\n";
	static const char ram[] = "24000000-bffdffff : System RAM\n";
	static const char two_rams[] =
		"24000000-2fffffff : System RAM\n"
		"30000000-300047ff : Reserved\n"
		"30004800-bffdffff : System RAM\n";
	char *iomem = doctor(_metadata, recorded_iomem, ram, two_rams);
	struct dm_findings findings;
	struct dm_areas areas = {};
	struct dm_map map;
	char *log, *line;

	ASSERT_TRUE(dm_dump(&map, recorded_dump, &recorded_types));

	ASSERT_LT(0, asprintf(&line, "%s%s", mapped, reserved));
	log = doctor(_metadata, recorded_log, mapped, line);
	read_recorded(_metadata, iomem, log, &areas);
	dm_check(&map, &areas, &findings);
	EXPECT_EQ(0, findings.nr);
	EXPECT_EQ(0x5000, dm_areas_size(&areas, DM_LATE));
	dm_areas_free(&areas);
	free(log);
	free(line);

	ASSERT_LT(0, asprintf(&line, "%s%s", reserved, "last_pfn = "));
	log = doctor(_metadata, recorded_log, "last_pfn = ", line);
	read_recorded(_metadata, iomem, log, &areas);
	dm_check(&map, &areas, &findings);
	ASSERT_EQ(1, findings.nr);
	EXPECT_EQ(DM_MAPPED, findings.at[0].what);
	EXPECT_EQ(0x30000000, findings.at[0].start);
	EXPECT_EQ(0x30005000, findings.at[0].end);
	dm_areas_free(&areas);
	free(log);
	free(line);
	dm_map_free(&map);
	free(iomem);
}

/* A dump that is not understood is no proof of anything. */
TEST(recorded_nonsense)
{
	static const struct {
		const char *old;
		const char *new;
	} nonsense[] = {
		{ "---[ Kernel Space ]---\n", "" },
		{ "---[ Low Kernel Mapping ]---\n", "" },
		{ "---[ vmalloc() Area ]---\n", "" },
		/* lines that are lost, cut, or not ours */
		{ V "40000000-" V "80000000           1G     RW         PSE     GLB NX pud\n", "" },
		{ V "80000000-" V "bfe00000        1022M     RW         PSE     GLB NX pmd\n",
		  V "80000000-" V "bfe00000        1022M     RW         PSE \n" },
		{ V "80000000-" V "bfe00000        1022M     RW         PSE     GLB NX pmd\n",
		  "... 3 entries skipped ... \n" },
		/* a size that does not fit, a word nobody knows, a table for an entry */
		{ " 1022M ", " 1023M " },
		{ " 1022M     RW         PSE     GLB NX pmd", " 1022M     RW  XYZ    PSE     GLB NX pmd" },
		{ " 1022M     RW         PSE     GLB NX pmd", " 1022M     RW                 GLB NX pmd" },
		/* begins in the middle of nowhere */
		{ V "00000000-" V "00001000           4K     RW                 GLB NX pte\n",
		  V "00000000-" V "00001000           4K                               pte\n" },
	};
	struct dm_map map;

	for (unsigned int i = 0; i < ARRAY_SIZE(nonsense); i++) {
		char *dump = doctor(_metadata, recorded_dump, nonsense[i].old,
				    nonsense[i].new);

		EXPECT_FALSE(dm_dump(&map, dump, &recorded_types))
			TH_LOG("nonsense %u is understood", i);
		dm_map_free(&map);
		free(dump);
	}
}

/* The maps of the log, and what they come to. */
TEST(recorded_log_is_iomem)
{
	struct dm_areas log = {}, iomem = {};

	dm_log(&log, recorded_log);
	dm_iomem(&iomem, recorded_iomem);
	dm_areas_join(&iomem);
	ASSERT_EQ(iomem.nr, log.nr);
	for (size_t i = 0; i < log.nr; i++) {
		EXPECT_EQ(iomem.at[i].start, log.at[i].start);
		EXPECT_EQ(iomem.at[i].end, log.at[i].end);
		EXPECT_EQ(DM_RAM, log.at[i].kind);
	}
	dm_areas_free(&log);
	dm_areas_free(&iomem);
}

/* --- the running kernel: its files ---------------------------------------------- */

static bool wanted(const char *word)
{
	const char *words = getenv("PAT_DIRECTMAP");
	size_t length = strlen(word);

	for (; words && *words; words += strcspn(words, ","), words += *words == ',')
		if (strcspn(words, ",") == length && !strncmp(words, word, length))
			return true;
	return false;
}

/* All of a file; of /dev/kmsg, one record a line. */
static char *read_all(struct __test_metadata *_metadata, const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	size_t size = 0, room = 1 << 16;
	char *text = malloc(room);
	ssize_t got;

	ASSERT_LE(0, fd) TH_LOG("%s: %s", path, strerror(errno));
	ASSERT_NE(NULL, text);
	while ((got = read(fd, text + size, room - size - 1)) > 0) {
		size += got;
		if (room - size < 1 << 14) {
			room *= 2;
			text = realloc(text, room);
			ASSERT_NE(NULL, text);
		}
	}
	ASSERT_TRUE(!got || errno == EAGAIN) TH_LOG("%s: %s", path, strerror(errno));
	text[size] = '\0';
	close(fd);
	return text;
}

/* A number in a sysfs file; false if there is no such file. */
static bool read_number(const char *dir, const char *name, int base, uint64_t *number)
{
	char text[64];

	if (!pat_read_line(dir, name, 0, text, sizeof(text)))
		return false;
	*number = strtoull(text, NULL, base);
	return true;
}

/* The last part of what a link points to; empty if there is none. */
static void read_link(const char *dir, const char *name, char *to, size_t size)
{
	char path[PATH_ROOM], target[PATH_MAX];
	ssize_t length;

	snprintf(path, sizeof(path), "%.300s/%.60s", dir, name);
	length = readlink(path, target, sizeof(target) - 1);
	target[length > 0 ? length : 0] = '\0';
	snprintf(to, size, "%.*s", (int)size - 1,
		 strrchr(target, '/') ? strrchr(target, '/') + 1 : target);
}

/* --- device memory with struct pages ------------------------------------------------- */

/* A namespace of persistent memory. */
struct nspace {
	char name[32];		/* of the device on the nd bus */
	char region[PATH_ROOM];	/* the directory of its region */
	bool legacy;		/* a range the e820 map calls persistent */
	bool paged;		/* has struct pages, and so is in the direct map */
	uint64_t start;
	uint64_t end;
};

#define MAX_NSPACES 8

/*
 * A range of the e820 map gets struct pages by the pmem driver at once; one of
 * an NVDIMM when a pfn device has been made of it.
 */
static unsigned int read_nspaces(struct __test_metadata *_metadata,
				 struct nspace *nspaces)
{
	DIR *dir = opendir(ND_DIR);
	struct dirent *entry;
	unsigned int nr = 0;

	/* No NVDIMM bus, no persistent memory. */
	while (dir && (entry = readdir(dir))) {
		struct nspace *nspace = &nspaces[nr];
		char path[PATH_ROOM], real[PATH_MAX], text[64], holder[64] = "", driver[64];
		uint64_t size;

		if (strncmp(entry->d_name, "namespace", 9))
			continue;
		ASSERT_GT(MAX_NSPACES, nr);
		snprintf(nspace->name, sizeof(nspace->name), "%.31s", entry->d_name);
		snprintf(path, sizeof(path), ND_DIR "/%s", nspace->name);
		ASSERT_TRUE(read_number(path, "size", 10, &size));
		/* Seeds have none. */
		if (!size)
			continue;
		ASSERT_TRUE(read_number(path, "resource", 16, &nspace->start));
		nspace->end = nspace->start + size;

		ASSERT_NE(NULL, realpath(path, real));
		*strrchr(real, '/') = '\0';
		snprintf(nspace->region, sizeof(nspace->region), "%.300s", real);
		snprintf(path, sizeof(path), "%.300s/..", nspace->region);
		ASSERT_TRUE(pat_read_line(path, "provider", 0, text, sizeof(text)));
		nspace->legacy = !strcmp(text, "e820\n");

		snprintf(path, sizeof(path), ND_DIR "/%s", nspace->name);
		pat_read_line(path, "holder", 0, holder, sizeof(holder));
		holder[strcspn(holder, "\n")] = '\0';
		if (*holder)
			snprintf(path, sizeof(path), ND_DIR "/%s", holder);
		read_link(path, "driver", driver, sizeof(driver));
		nspace->paged = *driver && (*holder || nspace->legacy);
		nr++;
	}
	if (dir)
		closedir(dir);
	return nr;
}

/* Memory of a PCI device that others may use as a target of their DMA. */
struct p2p {
	char function[32];
	char driver[64];
	uint64_t start;
	uint64_t end;
};

/* The controller memory buffer of the first NVMe controller that has one. */
static bool read_p2p(struct __test_metadata *_metadata, struct p2p *p2p)
{
	DIR *dir = opendir(PCI_DIR);
	struct dirent *entry;
	bool found = false;

	ASSERT_NE(NULL, dir);
	while (!found && (entry = readdir(dir))) {
		char path[PATH_ROOM], line[128];
		uint64_t size, start, last;

		snprintf(path, sizeof(path), PCI_DIR "/%.200s", entry->d_name);
		if (!read_number(path, "p2pmem/size", 10, &size))
			continue;
		snprintf(p2p->function, sizeof(p2p->function), "%.31s", entry->d_name);
		read_link(path, "driver", p2p->driver, sizeof(p2p->driver));
		/* It fills a BAR of its own. */
		for (unsigned int bar = 0; !found && bar < 6; bar++) {
			found = pat_read_line(path, "resource", bar, line, sizeof(line)) &&
				sscanf(line, "%" SCNx64 " %" SCNx64, &start, &last) == 2 &&
				start && last + 1 - start == size;
			p2p->start = start;
			p2p->end = last + 1;
		}
		ASSERT_TRUE(found) TH_LOG("%s: no BAR of %" PRIu64 " bytes",
					  path, size);
	}
	closedir(dir);
	return found;
}

/* --- the running kernel: one look ---------------------------------------------------- */

PAT_FIXTURE(directmap)

struct look {
	struct dm_map map;
	struct dm_areas areas;
	struct dm_findings findings;
};

static void read_areas(struct __test_metadata *_metadata, struct dm_areas *areas)
{
	static struct block blocks[MAX_BLOCKS];
	static struct nspace nspaces[MAX_NSPACES];
	const enum dm_kind ram = DM_RAM;
	struct dm_areas logged = {};
	struct p2p p2p;
	unsigned int nr;
	char *text;

	text = read_all(_metadata, "/proc/iomem");
	dm_iomem(areas, text);
	free(text);
	ASSERT_NE(0, areas->nr) TH_LOG("/proc/iomem has no System RAM");

	text = read_all(_metadata, "/dev/kmsg");
	dm_log(&logged, text);
	free(text);
	for (size_t i = 0; i < logged.nr; i++)
		if (logged.at[i].kind == DM_LATE)
			dm_areas_set(areas, logged.at[i].start, logged.at[i].end,
				     DM_LATE, PAT_TEST_WB);
	dm_areas_free(&logged);

	nr = read_nspaces(_metadata, nspaces);
	for (unsigned int i = 0; i < nr; i++)
		if (nspaces[i].paged)
			dm_areas_set(areas, nspaces[i].start, nspaces[i].end,
				     DM_DEVICE, PAT_TEST_WB);
	if (read_p2p(_metadata, &p2p))
		dm_areas_set(areas, p2p.start, p2p.end, DM_DEVICE,
			     PAT_TEST_UC_MINUS);

	nr = read_blocks(_metadata, blocks);
	for (unsigned int i = 0; i < nr; i++)
		if (blocks[i].offline)
			dm_areas_change(areas, block_start(&blocks[i]), block_end(&blocks[i]),
					&ram, DM_OFFLINE, PAT_TEST_WB);

	dm_areas_set(areas, 0, DM_LEGACY_END, DM_LEGACY, PAT_TEST_WB);
	dm_areas_round(areas);
}

static void look(struct __test_metadata *_metadata, int driver, struct look *look)
{
	struct pat_test_info info = pat_get_info(_metadata, driver);
	const struct dm_types types = {
		.pat_msr = info.pat_msr,
		.cpu_has_pat = info.cpu_has_pat,
	};
	char *text;

	*look = (struct look){};
	read_areas(_metadata, &look->areas);
	text = read_all(_metadata, DUMP_FILE);
	ASSERT_TRUE(dm_dump(&look->map, text, &types))
		TH_LOG("%s is not understood, from: %s", DUMP_FILE, look->map.error);
	free(text);
	dm_check(&look->map, &look->areas, &look->findings);
}

static void look_away(struct look *look)
{
	dm_map_free(&look->map);
	dm_areas_free(&look->areas);
}

static void expect_right(struct __test_metadata *_metadata, const struct look *look)
{
	char text[128];

	EXPECT_EQ(0, look->findings.nr);
	for (size_t i = 0; i < look->findings.nr && i < DM_MAX_FINDINGS; i++)
		TH_LOG("%s", dm_finding_text(&look->findings.at[i], text, sizeof(text)));
}

/* Looks, and finds nothing wrong. */
static void look_right(struct __test_metadata *_metadata, int driver,
		       struct look *now)
{
	look(_metadata, driver, now);
	expect_right(_metadata, now);
}

/* What is mapped of these frames is this, and all of it or nothing. */
static void expect_mapped(struct __test_metadata *_metadata,
			  const struct look *look, uint64_t start, uint64_t end,
			  int type)
{
	uint64_t size = 0;

	for (int t = PAT_TEST_WB; t <= PAT_TEST_WP; t++)
		size += dm_mapped(&look->map, start, end, t);
	if (type == PAT_TEST_NOT_MAPPED) {
		EXPECT_EQ(0, size)
			TH_LOG("0x%" PRIx64 "-0x%" PRIx64 " is mapped", start, end);
		return;
	}
	EXPECT_EQ(end - start, dm_mapped(&look->map, start, end, type))
		TH_LOG("0x%" PRIx64 "-0x%" PRIx64 ": 0x%" PRIx64 " bytes are %s",
		       start, end, dm_mapped(&look->map, start, end, type),
		       pat_type_word(type));
	EXPECT_EQ(end - start, size);
}

/* --- at rest ---------------------------------------------------------------------------- */

TEST_F(directmap, is_ram_and_exceptions)
{
	struct look now;

	look_right(_metadata, self->driver, &now);
	TH_LOG("at 0x%" PRIx64 ": %" PRIu64 " KiB in pages of 4 KiB, %" PRIu64
	       " KiB of 2 MiB, %" PRIu64 " KiB of 1 GiB", now.map.page_offset,
	       dm_map_size(&now.map, 1) >> 10, dm_map_size(&now.map, 2) >> 10,
	       dm_map_size(&now.map, 3) >> 10);
	for (size_t i = 0; i < now.areas.nr; i++) {
		const struct dm_area *area = &now.areas.at[i];

		TH_LOG("0x%09" PRIx64 "-0x%09" PRIx64 " %s, %s", area->start,
		       area->end, area->mapped ? pat_type_word(area->type) :
		       pat_type_word(PAT_TEST_NOT_MAPPED),
		       dm_kind_words[area->kind]);
	}
	look_away(&now);
}

/* The dump was understood: the driver reads the same in the page tables. */
TEST_F(directmap, driver_reads_the_same)
{
	uint64_t frames[3];
	struct look now;

	look(_metadata, self->driver, &now);
	for (size_t i = 0; i < now.map.nr; i++) {
		const struct dm_run *run = &now.map.runs[i];

		frames[0] = run->start;
		frames[1] = run->end - PAT_PAGE;
		frames[2] = run->end;		/* of a hole, or of the next */
		for (unsigned int f = 0; f < ARRAY_SIZE(frames); f++) {
			struct pat_test_direct direct = {
				.pfn = frames[f] / PAT_PAGE,
			};
			const struct dm_run *there = dm_run_of(&now.map, frames[f]);

			ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_DIRECT_MAP, &direct));
			EXPECT_EQ(there ? there->type : PAT_TEST_NOT_MAPPED, direct.got)
				TH_LOG("frame 0x%" PRIx64, frames[f]);
			if (there) {
				EXPECT_EQ(there->level, direct.level)
					TH_LOG("frame 0x%" PRIx64, frames[f]);
			}
		}
	}
	look_away(&now);
}

/* --- what RAM is ------------------------------------------------------------------------ */

/* RAM of /proc/iomem without what was added since the boot. */
static void ram_of_boot(struct __test_metadata *_metadata, struct dm_areas *areas)
{
	static struct block blocks[MAX_BLOCKS];
	struct dm_areas logged = {};
	uint64_t end = 0;
	char *text = read_all(_metadata, "/proc/iomem");

	dm_iomem(areas, text);
	free(text);
	text = read_all(_metadata, "/dev/kmsg");
	dm_log(&logged, text);
	free(text);
	for (size_t i = 0; i < logged.nr; i++)
		end = logged.at[i].end;
	dm_areas_free(&logged);
	/* It is above all RAM of the boot, in whole blocks. */
	for (unsigned int i = read_blocks(_metadata, blocks); i--;)
		if (block_start(&blocks[i]) >= end)
			dm_areas_set(areas, block_start(&blocks[i]), block_end(&blocks[i]),
				     DM_NOTHING, PAT_TEST_WB);
	dm_areas_join(areas);
}

/* /proc/iomem says what the log says: the firmware's map, and each change of it. */
TEST_F(directmap, ram_is_what_the_log_says)
{
	const enum dm_kind late = DM_LATE;
	struct dm_areas logged = {}, iomem = {};
	char *text = read_all(_metadata, "/dev/kmsg");

	EXPECT_EQ(wanted("user"), !!strstr(text, "user-defined physical RAM map:"));
	dm_log(&logged, text);
	free(text);
	EXPECT_EQ(wanted("late"), !!dm_areas_size(&logged, DM_LATE));
	dm_areas_change(&logged, 0, UINT64_MAX, &late, DM_NOTHING, PAT_TEST_WB);
	dm_areas_join(&logged);

	ram_of_boot(_metadata, &iomem);
	ASSERT_EQ(logged.nr, iomem.nr);
	for (size_t i = 0; i < logged.nr; i++) {
		EXPECT_EQ(logged.at[i].start, iomem.at[i].start);
		EXPECT_EQ(logged.at[i].end, iomem.at[i].end);
	}
	dm_areas_free(&logged);
	dm_areas_free(&iomem);
}

/* The kernel, whatever it was told, takes nothing for RAM that firmware does not. */
TEST_F(directmap, ram_is_ram_for_firmware)
{
	static const char memmap[] = "/sys/firmware/memmap";
	struct dm_areas firmware = {}, iomem = {};
	struct dirent *entry;
	DIR *dir = opendir(memmap);
	uint64_t next;

	ASSERT_NE(NULL, dir) TH_LOG("%s: %s", memmap, strerror(errno));
	while ((entry = readdir(dir))) {
		char path[PATH_ROOM], type[64];
		uint64_t start, last;

		snprintf(path, sizeof(path), "%s/%.200s", memmap, entry->d_name);
		if (read_number(path, "start", 16, &start) &&
		    read_number(path, "end", 16, &last) &&
		    pat_read_line(path, "type", 0, type, sizeof(type)) &&
		    !strcmp(type, "System RAM\n"))
			dm_areas_set(&firmware, start, last + 1, DM_RAM, PAT_TEST_WB);
	}
	closedir(dir);
	dm_areas_join(&firmware);
	ram_of_boot(_metadata, &iomem);
	ASSERT_NE(0, iomem.nr);
	for (size_t i = 0; i < iomem.nr; i++) {
		const struct dm_area *area = dm_area_of(&firmware, iomem.at[i].start, &next);

		EXPECT_TRUE(area && iomem.at[i].end <= area->end)
			TH_LOG("0x%" PRIx64 "-0x%" PRIx64 " is no RAM for firmware",
			       iomem.at[i].start, iomem.at[i].end);
	}
	dm_areas_free(&firmware);
	dm_areas_free(&iomem);
}

/* RAM on both sides of the hole that PCI devices have below 4 GiB. */
TEST_F(directmap, hole_below_4g)
{
	const uint64_t top = 4 * DM_GB;
	struct look now;
	uint64_t above;

	look_right(_metadata, self->driver, &now);
	above = dm_mapped(&now.map, top, UINT64_MAX, PAT_TEST_WB);
	if (wanted("high")) {
		EXPECT_LE(DM_GB, above);
		EXPECT_LE(2 * DM_GB, dm_mapped(&now.map, 0, top, PAT_TEST_WB));
	}
	/* Of what is there, nothing: the APICs, flash, the devices' BARs. */
	expect_mapped(_metadata, &now, 0xfec00000, top, PAT_TEST_NOT_MAPPED);
	expect_mapped(_metadata, &now, pat_bar(_metadata)->start,
		      pat_bar(_metadata)->start + PAT_BAR_SIZE,
		      PAT_TEST_NOT_MAPPED);
	look_away(&now);
}

static bool cpu_has_gb_pages(struct __test_metadata *_metadata)
{
	char *text = read_all(_metadata, "/proc/cpuinfo");
	bool has = strstr(text, " pdpe1gb ");

	free(text);
	return has;
}

TEST_F(directmap, gb_entries)
{
	bool has = cpu_has_gb_pages(_metadata);
	uint64_t size;
	struct look now;

	look_right(_metadata, self->driver, &now);
	size = dm_map_size(&now.map, 3);
	if (wanted("gb")) {
		EXPECT_TRUE(has);
		EXPECT_LE(DM_GB, size);
	}
	if (wanted("nogb")) {
		EXPECT_FALSE(has);
	}
	if (!has) {
		EXPECT_EQ(0, size);
	}
	look_away(&now);
}

/* --- it is looked at closely enough to see one page ------------------------------------- */

static void expect_page(struct __test_metadata *_metadata, int driver,
			uint64_t phys, int type)
{
	struct look now;

	look(_metadata, driver, &now);
	EXPECT_EQ(type, dm_type_of(&now.map, phys));
	EXPECT_EQ(type != PAT_TEST_WB, now.findings.nr);
	if (type != PAT_TEST_WB && now.findings.nr) {
		EXPECT_EQ(phys, now.findings.at[0].start);
		EXPECT_EQ(phys + PAT_PAGE, now.findings.at[0].end);
		EXPECT_EQ(type == PAT_TEST_NOT_MAPPED ? DM_NOT_MAPPED : DM_WRONG_TYPE,
			  now.findings.at[0].what);
	}
	look_away(&now);
}

TEST_F(directmap, page_that_is_not_write_back)
{
	static const unsigned int apis[] = {
		PAT_TEST_SET_MEMORY_UC, PAT_TEST_SET_MEMORY_WB,
		PAT_TEST_SET_MEMORY_WC, PAT_TEST_SET_MEMORY_WB,
	};
	const int types[] = {
		PAT_TEST_UC_MINUS, PAT_TEST_WB,
		self->pat ? PAT_TEST_WC : PAT_TEST_UC_MINUS, PAT_TEST_WB,
	};
	uint64_t pfn;
	struct pat_test_alloc alloc = { .nr = 1, .pfns = (uintptr_t)&pfn };

	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_ALLOC, &alloc));
	for (unsigned int i = 0; i < ARRAY_SIZE(apis); i++) {
		struct pat_test_set set = {
			.handle = alloc.handle,
			.api = apis[i],
			.count = 1,
		};

		ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_SET_TYPE, &set));
		ASSERT_EQ(0, set.err);
		expect_page(_metadata, self->driver, pfn * PAT_PAGE, types[i]);
	}
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_FREE, alloc.handle));
}

/* Secret memory is taken out of the direct map for as long as it is somebody's. */
TEST_F(directmap, page_that_is_secret)
{
	int fd = syscall(SYS_memfd_secret, 0);
	struct pat_test_pte pte;
	char *at;

	ASSERT_LE(0, fd) TH_LOG("memfd_secret: %s", strerror(errno));
	ASSERT_EQ(0, ftruncate(fd, PAT_PAGE));
	at = mmap(NULL, PAT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, at);
	*at = 1;
	pte.addr = (uintptr_t)at;
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_READ_PTE, &pte));
	ASSERT_EQ(PAT_TEST_WB, pte.got);
	expect_page(_metadata, self->driver, pte.pfn * PAT_PAGE, PAT_TEST_NOT_MAPPED);
	ASSERT_EQ(0, munmap(at, PAT_PAGE));
	ASSERT_EQ(0, close(fd));
	expect_page(_metadata, self->driver, pte.pfn * PAT_PAGE, PAT_TEST_WB);
}

/* Device memory is mapped by the kernel as drivers ask, and none of it here. */
TEST_F(directmap, ioremap_of_bar_adds_nothing)
{
	static const unsigned int apis[] = {
		PAT_TEST_IOREMAP, PAT_TEST_IOREMAP_WC, PAT_TEST_IOREMAP_WT,
		PAT_TEST_IOREMAP_CACHE, PAT_TEST_MEMREMAP_WB,
	};
	const struct pat_range *bar = pat_bar(_metadata);

	for (unsigned int i = 0; i < ARRAY_SIZE(apis); i++) {
		struct pat_test_map map = {
			.api = apis[i],
			.phys = bar->start,
			.size = PAT_BAR_SIZE / 4,
		};
		struct look now;

		ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_MAP, &map));
		ASSERT_EQ(0, map.err);
		look_right(_metadata, self->driver, &now);
		expect_mapped(_metadata, &now, bar->start, bar->start + PAT_BAR_SIZE,
			      PAT_TEST_NOT_MAPPED);
		look_away(&now);
		ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_UNMAP, map.handle));
	}
}

/* --- memory of the direct map that a driver maps -------------------------------------------- */

/*
 * There are two cases in which an ioremap() has to change the direct map: memory
 * below 1 MiB, all of which it has, and RAM that the page allocator never had and
 * whose pages are marked as reserved. (The stock kernel has an alias where the
 * memory below 1 MiB is not RAM.) The ISA range is different: it is never mapped
 * but write-back.
 */
enum memory { LOW_RESERVED, LOW_RAM, HIGH_RAM };

static void expect_follows(struct __test_metadata *_metadata, int driver, bool pat,
			   uint64_t phys, enum memory memory)
{
	static const struct {
		enum pat_test_map_api api;
		int type;
	} maps[] = {
		{ PAT_TEST_IOREMAP,		PAT_TEST_UC_MINUS },
		{ PAT_TEST_IOREMAP_WC,		PAT_TEST_WC },
		/* The last: what may have stayed is write-back again. */
		{ PAT_TEST_IOREMAP_CACHE,	PAT_TEST_WB },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(maps); i++) {
		int type = pat ? maps[i].type : pat_type_without_pat(maps[i].type);
		struct pat_test_map map = {
			.api = maps[i].api,
			.phys = phys,
			.size = PAT_PAGE,
		};
		struct look now;
		int direct;

		ASSERT_EQ(0, ioctl(driver, PAT_TEST_MAP, &map));
		ASSERT_EQ(0, map.err);
		EXPECT_EQ(type, map.got);
		look(_metadata, driver, &now);
		direct = dm_type_of(&now.map, phys);
		if (memory != LOW_RESERVED || (pat && !pat_on_stock())) {
			EXPECT_EQ(type, direct)
				TH_LOG("0x%" PRIx64 " is mapped %s, and %s in the direct map",
				       phys, pat_type_word(type), pat_type_word(direct));
		} else if (pat_on_stock()) {
			EXPECT_EQ(PAT_TEST_WB, direct);
		}
		/* This page, and no other. */
		EXPECT_EQ(direct != PAT_TEST_WB, now.findings.nr);
		if (now.findings.nr) {
			EXPECT_EQ(phys, now.findings.at[0].start);
			EXPECT_EQ(phys + PAT_PAGE, now.findings.at[0].end);
		}
		look_away(&now);

		ASSERT_EQ(0, ioctl(driver, PAT_TEST_UNMAP, map.handle));
		/* A type goes with its mapping, soon; the stock kernel forgets that. */
		for (unsigned int waited = 0; ; waited++) {
			look(_metadata, driver, &now);
			direct = dm_type_of(&now.map, phys);
			look_away(&now);
			if (!pat || pat_on_stock() || direct == PAT_TEST_WB ||
			    waited == 30)
				break;
			pat_sleep_ms(100);
		}
		TH_LOG("0x%" PRIx64 " was mapped %s, and is %s", phys,
		       pat_type_word(type), pat_type_word(direct));
		if (pat && !pat_on_stock()) {
			EXPECT_EQ(PAT_TEST_WB, direct);
		} else if (pat && memory == HIGH_RAM) {
			EXPECT_EQ(type, direct);
		}
	}
}

/* Page 0 is reserved, page 1 is RAM. */
TEST_F(directmap, follows_ioremap_of_low_memory)
{
	struct dm_areas iomem = {};
	char *text = read_all(_metadata, "/proc/iomem");
	uint64_t next;

	dm_iomem(&iomem, text);
	free(text);
	dm_areas_round(&iomem);
	EXPECT_EQ(NULL, dm_area_of(&iomem, 0, &next));
	EXPECT_NE(NULL, dm_area_of(&iomem, PAT_PAGE, &next));
	dm_areas_free(&iomem);
	expect_follows(_metadata, self->driver, self->pat, 0, LOW_RESERVED);
	expect_follows(_metadata, self->driver, self->pat, PAT_PAGE, LOW_RAM);
}

/* The last page of RAM that the boot memory allocator kept for the kernel. */
static uint64_t find_reserved_ram(struct __test_metadata *_metadata)
{
	struct dm_areas iomem = {};
	char *text = read_all(_metadata, "/proc/iomem");
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	uint64_t found = 0;

	ASSERT_LE(0, fd);
	dm_iomem(&iomem, text);
	free(text);
	dm_areas_round(&iomem);
	for (size_t i = iomem.nr; i-- && !found;) {
		const struct dm_area *area = &iomem.at[i];

		for (uint64_t at = area->end - PAT_PAGE; at > area->start && !found;
		     at -= PAT_PAGE) {
			uint64_t flags;

			if (at < DM_LEGACY_END)
				break;
			ASSERT_EQ(sizeof(flags), pread(fd, &flags, sizeof(flags),
						       at / PAT_PAGE * sizeof(flags)));
			if (flags >> 32 & 1)
				found = at;
		}
	}
	close(fd);
	dm_areas_free(&iomem);
	return found;
}

TEST_F(directmap, follows_ioremap_of_reserved_ram)
{
	uint64_t phys = find_reserved_ram(_metadata);

	ASSERT_NE(0, phys);
	expect_follows(_metadata, self->driver, self->pat, phys, HIGH_RAM);
}

/* --- RAM that was reserved late ------------------------------------------------------------ */

TEST_F(directmap, reserved_late)
{
	unsigned int nr = 0;
	struct look now;

	look_right(_metadata, self->driver, &now);
	for (size_t i = 0; i < now.areas.nr; i++) {
		const struct dm_area *area = &now.areas.at[i];

		if (area->kind != DM_LATE)
			continue;
		expect_mapped(_metadata, &now, area->start, area->end, PAT_TEST_WB);
		nr++;
	}
	EXPECT_EQ(wanted("late"), nr > 0);
	look_away(&now);
}

/* --- persistent memory -------------------------------------------------------------------- */

static bool find_nspace(struct __test_metadata *_metadata, bool legacy,
			struct nspace *nspace)
{
	struct nspace nspaces[MAX_NSPACES];
	unsigned int nr = read_nspaces(_metadata, nspaces);

	for (unsigned int i = 0; i < nr; i++) {
		if (nspaces[i].legacy != legacy)
			continue;
		*nspace = nspaces[i];
		return true;
	}
	return false;
}

static void expect_nspace(struct __test_metadata *_metadata, int driver,
			  const struct nspace *nspace, int type)
{
	struct look now;

	look_right(_metadata, driver, &now);
	expect_mapped(_metadata, &now, nspace->start, nspace->end, type);
	look_away(&now);
}

static void nd_write(struct __test_metadata *_metadata, const char *dir,
		     const char *name, const char *text)
{
	char path[PATH_ROOM];

	snprintf(path, sizeof(path), "%.300s/%.60s", dir, name);
	ASSERT_TRUE(pat_write_text(path, text))
		TH_LOG("%s of '%s': %s", path, text, strerror(errno));
}

/* A range of the e820 map: in the direct map while the driver has it. */
TEST_F(directmap, pmem_of_e820)
{
	struct nspace nspace;
	bool found = find_nspace(_metadata, true, &nspace);

	ASSERT_EQ(wanted("legacy-pmem"), found);
	if (!found)
		return;
	EXPECT_TRUE(nspace.paged);
	expect_nspace(_metadata, self->driver, &nspace, PAT_TEST_WB);
	nd_write(_metadata, ND_PMEM_DRIVER, "unbind", nspace.name);
	expect_nspace(_metadata, self->driver, &nspace, PAT_TEST_NOT_MAPPED);
	nd_write(_metadata, ND_PMEM_DRIVER, "bind", nspace.name);
	expect_nspace(_metadata, self->driver, &nspace, PAT_TEST_WB);
}

/*
 * An NVDIMM: a driver that uses it as it is maps it on its own. When a device
 * with struct pages is made of it, the direct map has it, and has it no more
 * when that device is gone.
 */
TEST_F(directmap, pmem_of_nvdimm)
{
	char seed[32], dir[PATH_ROOM];
	struct nspace nspace;
	bool found = find_nspace(_metadata, false, &nspace);

	ASSERT_EQ(wanted("pmem"), found);
	if (!found)
		return;
	EXPECT_FALSE(nspace.paged);
	expect_nspace(_metadata, self->driver, &nspace, PAT_TEST_NOT_MAPPED);
	nd_write(_metadata, ND_PMEM_DRIVER, "unbind", nspace.name);
	expect_nspace(_metadata, self->driver, &nspace, PAT_TEST_NOT_MAPPED);
	/* That driver's mapping was recorded. */
	pat_list_free(&self->before);
	self->before = pat_list_now(_metadata, self->pat);

	ASSERT_TRUE(pat_read_line(nspace.region, "pfn_seed", 0, seed, sizeof(seed)));
	seed[strcspn(seed, "\n")] = '\0';
	snprintf(dir, sizeof(dir), ND_DIR "/%s", seed);
	nd_write(_metadata, dir, "mode", "ram");
	nd_write(_metadata, dir, "uuid", "01234567-89ab-4cde-8f01-23456789abcd");
	nd_write(_metadata, dir, "namespace", nspace.name);
	for (unsigned int i = 0; i < 2; i++) {
		nd_write(_metadata, ND_PMEM_DRIVER, "bind", seed);
		expect_nspace(_metadata, self->driver, &nspace, PAT_TEST_WB);
		nd_write(_metadata, ND_PMEM_DRIVER, "unbind", seed);
		expect_nspace(_metadata, self->driver, &nspace, PAT_TEST_NOT_MAPPED);
	}
}

/* --- memory of a PCI device ------------------------------------------------------------------- */

/* The type is the pagemap's: it is a device's, and is mapped uncached. */
TEST_F(directmap, p2pdma)
{
	char path[PATH_ROOM];
	struct look now;
	struct p2p p2p;
	bool found = read_p2p(_metadata, &p2p);

	ASSERT_EQ(wanted("p2p"), found);
	if (!found)
		return;
	for (unsigned int i = 0; i < 2; i++) {
		look_right(_metadata, self->driver, &now);
		expect_mapped(_metadata, &now, p2p.start, p2p.end, PAT_TEST_UC_MINUS);
		look_away(&now);
		snprintf(path, sizeof(path), PCI_DIR "/%s/driver", p2p.function);
		nd_write(_metadata, path, "unbind", p2p.function);
		look_right(_metadata, self->driver, &now);
		expect_mapped(_metadata, &now, p2p.start, p2p.end, PAT_TEST_NOT_MAPPED);
		look_away(&now);
		snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s", p2p.driver);
		nd_write(_metadata, path, "bind", p2p.function);
	}
}

/* --- memory that is added ------------------------------------------------------------------------ */

static void expect_blocks(struct __test_metadata *_metadata, int driver,
			  const struct block *blocks, unsigned int nr,
			  enum dm_kind kind)
{
	struct look now;
	uint64_t next;

	look_right(_metadata, driver, &now);
	for (unsigned int i = 0; i < nr; i++) {
		const struct dm_area *area = dm_area_of(&now.areas, block_start(&blocks[i]), &next);

		EXPECT_EQ(kind, area ? area->kind : DM_NOTHING);
		expect_mapped(_metadata, &now, block_start(&blocks[i]), block_end(&blocks[i]),
			      kind == DM_NOTHING ? PAT_TEST_NOT_MAPPED : PAT_TEST_WB);
	}
	look_away(&now);
}

TEST_F(directmap, memory_offline_and_online)
{
	static struct block blocks[MAX_BLOCKS];
	unsigned int nr = read_offline_blocks(_metadata, blocks);

	ASSERT_EQ(wanted("dimm"), nr > 0);
	for (unsigned int round = 0; nr && round < 2; round++) {
		expect_blocks(_metadata, self->driver, blocks, nr, DM_OFFLINE);
		for (unsigned int i = 0; i < nr; i++)
			block_online(_metadata, &blocks[i]);
		expect_blocks(_metadata, self->driver, blocks, nr, DM_RAM);
		for (unsigned int i = 0; i < nr; i++)
			block_offline(_metadata, &blocks[i]);
		expect_blocks(_metadata, self->driver, blocks, nr, DM_OFFLINE);
	}
}

/* The last test: this cannot be undone from in here. */
TEST_F(directmap, memory_removed)
{
	static struct block blocks[MAX_BLOCKS];
	unsigned int nr = read_offline_blocks(_metadata, blocks);
	struct look now;

	ASSERT_EQ(wanted("dimm"), nr > 0);
	if (nr)
		eject_all_dimms(_metadata);
	for (unsigned int i = 0; i < nr; i++) {
		struct pat_test_direct direct = { .pfn = blocks[i].pfn };
		unsigned int waited = 0;

		/* The kernel forgets the block, then its direct map, and then what it was. */
		do {
			ASSERT_LT(waited++, PATIENCE)
				TH_LOG("%s is not removed", blocks[i].dir);
			pat_sleep_ms(1);
			ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_DIRECT_MAP, &direct));
		} while (!access(blocks[i].dir, F_OK) ||
			 direct.got != PAT_TEST_NOT_MAPPED ||
			 block_is_ram(&blocks[i]));
	}
	if (nr)
		expect_blocks(_metadata, self->driver, blocks, nr, DM_NOTHING);
	look_right(_metadata, self->driver, &now);
	EXPECT_EQ(0, dm_areas_size(&now.areas, DM_OFFLINE));
	look_away(&now);
}

TEST_HARNESS_MAIN
