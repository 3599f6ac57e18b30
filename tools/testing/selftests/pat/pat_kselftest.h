/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the PAT selftests share: the kernel under test, the test driver, the
 * physical ranges they play with, and messages provoked on purpose.
 *
 * PAT_KERNEL in the environment names the kernel: "stock" for one without this
 * series, "patched" (the default) or "debug" for one with it.
 */
#ifndef PAT_KSELFTEST_H
#define PAT_KSELFTEST_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pat_list.h"
#include "pat_test_ioctl.h"

/*
 * The harness gives a test 30 s. That is real time, and says nothing about a
 * debug kernel under emulation on a busy machine; this only ends what hangs.
 */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 600

#define PAT_PAGE 4096ULL

/* --- which kernel ------------------------------------------------------- */

static inline void pat_sleep_ms(unsigned int ms)
{
	struct timespec time = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000,
	};

	nanosleep(&time, NULL);
}

static inline bool pat_on_stock(void)
{
	const char *kernel = getenv("PAT_KERNEL");

	return kernel && !strcmp(kernel, "stock");
}

/* --- the test drivers ---------------------------------------------------- */

/* Loads a driver from this program's directory. */
static inline bool pat_load_driver(const char *name)
{
	char path[512];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 64);
	bool loaded;
	int fd;

	if (length < 0)
		return false;
	path[length] = '\0';
	snprintf(strrchr(path, '/'), 64, "/%s.ko", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	loaded = !syscall(SYS_finit_module, fd, "", 0) || errno == EEXIST;
	close(fd);
	return loaded;
}

/* Opens the device that the driver @name makes, whose name is the same. */
static inline int pat_open_device(struct __test_metadata *_metadata,
				  const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && pat_load_driver(name))
		fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd)
		TH_LOG("%s: %s (is %s.ko beside this program?)", path,
		       strerror(errno), name);
	return fd;
}

static inline int pat_open_driver(struct __test_metadata *_metadata)
{
	return pat_open_device(_metadata, "pat_test");
}

static inline struct pat_test_info
pat_get_info(struct __test_metadata *_metadata, int driver)
{
	struct pat_test_info info = {};

	ASSERT_EQ(0, ioctl(driver, PAT_TEST_INFO, &info));
	return info;
}

/* The type that is left of a requested one where PAT is off. */
static inline int pat_type_without_pat(int type)
{
	return type == PAT_TEST_WC || type == PAT_TEST_WP ? PAT_TEST_UC_MINUS :
							    type;
}

/* --- messages provoked on purpose ------------------------------------------ */

static inline bool pat_kmsg(const char *text, const char *argument)
{
	char line[512];
	int length = snprintf(line, sizeof(line), "pat-selftest: %s%s\n",
			      text, argument);
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, line, length) == length;

	if (fd >= 0)
		close(fd);
	return written;
}

/* From here on, messages that match the extended regular expression are fine. */
static inline bool pat_expect_message(const char *ere)
{
	return pat_kmsg("expect: ", ere);
}

/* No message is expected any more. */
static inline bool pat_expect_done(void)
{
	return pat_kmsg("done", "");
}

/* What a refused request makes the kernel say. */
#define PAT_CONFLICT_MESSAGE \
	"x86/PAT: .*(conflict|memtype_reserve failed|map pfn)"

/* --- physical ranges ---------------------------------------------------------- */

struct pat_range {
	uint64_t start;
	uint64_t size;
	char dir[288];		/* sysfs directory, for PCI resources */
};

/* Writes to a file of the kernel's; false, with errno, if it takes not all. */
static inline bool pat_write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	int err = errno;

	if (fd >= 0)
		close(fd);
	errno = err;
	return done;
}

static inline bool pat_read_line(const char *dir, const char *name,
				 unsigned int line, char *text, int size)
{
	char path[512];
	bool found = true;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "r");
	if (!file)
		return false;
	for (unsigned int i = 0; found && i <= line; i++)
		found = fgets(text, size, file);
	fclose(file);
	return found;
}

/* The nth memory resource of the PCI device with these ids. */
static inline bool pat_pci_resource(unsigned int vendor, unsigned int device,
				    unsigned int nr, struct pat_range *range)
{
	static const char devices[] = "/sys/bus/pci/devices";
	DIR *dir = opendir(devices);
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		char text[128];
		uint64_t end;

		snprintf(range->dir, sizeof(range->dir), "%s/%s", devices,
			 entry->d_name);
		found = pat_read_line(range->dir, "vendor", 0, text, sizeof(text)) &&
			strtoul(text, NULL, 16) == vendor &&
			pat_read_line(range->dir, "device", 0, text, sizeof(text)) &&
			strtoul(text, NULL, 16) == device &&
			pat_read_line(range->dir, "resource", nr, text, sizeof(text)) &&
			sscanf(text, "%" SCNx64 " %" SCNx64, &range->start, &end) == 2 &&
			range->start;
		if (found)
			range->size = end - range->start + 1;
	}
	if (dir)
		closedir(dir);
	return found;
}

/*
 * Reserved frames for the tests alone: BAR 2 of QEMU's ivshmem-plain device,
 * prefetchable, plain memory, no driver binds it. Pages 0 to 2047 are for tests
 * that return everything; the others have their places in row.h.
 */
#define PAT_BAR_SIZE (32ULL << 20)

static inline const struct pat_range *
pat_bar(struct __test_metadata *_metadata)
{
	static struct pat_range bar;

	if (!bar.size) {
		ASSERT_TRUE(pat_pci_resource(0x1af4, 0x1110, 2, &bar))
			TH_LOG("no PCI device 1af4:1110 (QEMU -device ivshmem-plain)");
	}
	ASSERT_EQ(PAT_BAR_SIZE, bar.size);
	return &bar;
}

/* Calls @visit for each line of /proc/iomem until it returns true. */
static inline bool
pat_iomem_find(bool (*visit)(unsigned int depth, uint64_t start, uint64_t end,
			     const char *name, void *data), void *data)
{
	FILE *file = fopen("/proc/iomem", "r");
	bool found = false;
	char line[256];

	while (file && !found && fgets(line, sizeof(line), file)) {
		unsigned int indent = strspn(line, " ");
		uint64_t start, last;
		int at = 0;

		if (sscanf(line, " %" SCNx64 "-%" SCNx64 " : %n", &start, &last,
			   &at) != 2 || !at)
			continue;
		line[strcspn(line, "\n")] = '\0';
		found = visit(indent / 2, start, last + 1, line + at, data);
	}
	if (file)
		fclose(file);
	return found;
}

/* Pages that pat_firmware_pages() finds at least. */
#define PAT_FIRMWARE_PAGES 8

/*
 * The end of a range that firmware keeps right behind System RAM, past
 * everything the kernel has mapped of it (its ACPI tables). As such ranges are
 * memory, the MTRRs make it write-back.
 */
static inline bool pat_firmware_visit(unsigned int depth, uint64_t start,
				      uint64_t end, const char *name, void *data)
{
	static uint64_t ram_end;
	struct pat_range *range = data;
	struct pat_list list;

	if (depth)
		return false;
	if (!strcmp(name, "System RAM"))
		ram_end = end;
	if ((strcmp(name, "Reserved") && strncmp(name, "ACPI ", 5)) ||
	    start != ram_end || start < 1 << 20)
		return false;

	range->start = end - PAT_FIRMWARE_PAGES * PAT_PAGE;
	range->size = end - range->start;
	if (range->start < start)
		return false;
	if (!pat_list_read(&list))
		return true;		/* PAT off: nothing can conflict */
	for (size_t i = 0; i < list.nr; i++)
		if (list.records[i].start < end &&
		    list.records[i].end > range->start)
			range->size = 0;
	pat_list_free(&list);
	return range->size > 0;
}

static inline uint64_t pat_firmware_pages(struct __test_metadata *_metadata)
{
	static struct pat_range range;

	if (!range.size) {
		ASSERT_TRUE(pat_iomem_find(pat_firmware_visit, &range))
			TH_LOG("no unused range reserved by firmware behind System RAM");
	}
	return range.start;
}

/* --- records ----------------------------------------------------------------- */

/* Remembers the list. Where PAT is off there is none, and both are empty. */
static inline struct pat_list pat_list_now(struct __test_metadata *_metadata,
					   bool pat_is_on)
{
	struct pat_list list = {};

	if (pat_is_on) {
		ASSERT_TRUE(pat_list_read(&list))
			TH_LOG("%s: cannot be read or understood", PAT_LIST_FILE);
	}
	return list;
}

/* The list covers each frame as it did before. */
static inline void pat_expect_list(struct __test_metadata *_metadata,
				   bool pat_is_on, struct pat_list *before)
{
	struct pat_list now = pat_list_now(_metadata, pat_is_on);
	uint64_t where = 0;

	EXPECT_TRUE(pat_list_same(before, &now, &where))
		TH_LOG("%s has changed from 0x%" PRIx64 " on", PAT_LIST_FILE, where);
	pat_list_free(&now);
}

/*
 * A fixture with the driver opened, and the list read before and compared
 * after each test: whatever a test maps, no record may be left of it.
 */
#define PAT_FIXTURE(name)							\
	FIXTURE(name)								\
	{									\
		int driver;							\
		bool pat;		/* is PAT on? */			\
		struct pat_list before;						\
	};									\
										\
	FIXTURE_SETUP(name)							\
	{									\
		self->driver = pat_open_driver(_metadata);			\
		self->pat = pat_get_info(_metadata, self->driver).pat_enabled;	\
		self->before = pat_list_now(_metadata, self->pat);		\
	}									\
										\
	FIXTURE_TEARDOWN(name)							\
	{									\
		pat_expect_list(_metadata, self->pat, &self->before);		\
		pat_list_free(&self->before);					\
		close(self->driver);						\
	}

#endif /* PAT_KSELFTEST_H */
