// SPDX-License-Identifier: GPL-2.0-only
/*
 * PAT as such: on or off, what the MSR of each CPU holds, and what is there to
 * see of it. Run it on a kernel with PAT, on one booted with "nopat", and on a
 * CPU without PAT; each test has claims for all of them.
 */
#include <sys/stat.h>

#include "contract.h"

#define MSR_PAT 0x277

/* Slot 0 is the lowest byte.   WT    UC-   WP    WB    UC    UC-   WC    WB */
#define PAT_MSR_KERNEL	0x0407050600070106ULL
/*				UC    UC-   WT    WB    UC    UC-   WT    WB */
#define PAT_MSR_RESET	0x0007040600070406ULL

PAT_FIXTURE(nopat)

static bool word_in_file(const char *path, const char *word)
{
	FILE *file = fopen(path, "r");
	char text[8192];
	bool found = false;

	while (file && !found && fgets(text, sizeof(text), file)) {
		char *save;

		for (char *at = strtok_r(text, " \n", &save); at && !found;
		     at = strtok_r(NULL, " \n", &save))
			found = !strcmp(at, word);
	}
	if (file)
		fclose(file);
	return found;
}

/* PAT is on if the CPU has it, unless the command line says otherwise. */
TEST_F(nopat, enabled)
{
	struct pat_test_info info = pat_get_info(_metadata, self->driver);
	bool flag = word_in_file("/proc/cpuinfo", "pat");
	bool nopat = word_in_file("/proc/cmdline", "nopat");

	EXPECT_EQ(flag, info.cpu_has_pat);
	EXPECT_EQ(flag && !nopat, info.pat_enabled);
}

TEST_F(nopat, list_exists_only_with_pat)
{
	EXPECT_EQ(self->pat ? 0 : -1, access(PAT_LIST_FILE, F_OK));
}

TEST_F(nopat, list_is_for_root)
{
	struct stat st;

	if (!self->pat) {
		EXPECT_EQ(-1, stat(PAT_LIST_FILE, &st));
		return;
	}
	ASSERT_EQ(0, stat(PAT_LIST_FILE, &st));
	EXPECT_EQ(0400, st.st_mode & 07777);
}

/* What the kernel said at boot about the slots. */
TEST_F(nopat, boot_line)
{
	const char *want = self->pat ?
		"x86/PAT: Configuration [0-7]: WB  WC  UC- UC  WB  WP  UC- WT  " :
		"x86/PAT: Configuration [0-7]: WB  WT  UC- UC  WB  WT  UC- UC  ";
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	unsigned int lines = 0;
	char line[2048];
	ssize_t length;

	ASSERT_LE(0, fd);
	while ((length = read(fd, line, sizeof(line) - 1)) > 0) {
		char *text;

		line[length] = '\0';
		text = strchr(line, ';');
		if (!text || strncmp(text + 1, "x86/PAT: Configuration", 22))
			continue;
		text[strcspn(text, "\n")] = '\0';
		EXPECT_STREQ(want, text + 1);
		lines++;
	}
	close(fd);
	EXPECT_EQ(1, lines);
}

/* --- the MSR of each CPU ------------------------------------------------- */

static bool read_msr(int cpu, uint64_t *value)
{
	char path[64];
	bool done;
	int fd;

	snprintf(path, sizeof(path), "/dev/cpu/%d/msr", cpu);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	done = pread(fd, value, sizeof(*value), MSR_PAT) == sizeof(*value);
	close(fd);
	return done;
}

static void expect_msr(struct __test_metadata *_metadata, int driver, int cpu)
{
	struct pat_test_info info = pat_get_info(_metadata, driver);
	uint64_t value;

	/* Without the feature there may be no such MSR, and nothing to say. */
	if (!info.cpu_has_pat) {
		EXPECT_EQ(0, info.pat_msr);
		return;
	}
	ASSERT_TRUE(read_msr(cpu, &value))
		TH_LOG("CPU %d: cannot read the MSR", cpu);
	EXPECT_EQ(info.pat_enabled ? PAT_MSR_KERNEL : PAT_MSR_RESET, value)
		TH_LOG("CPU %d", cpu);
	EXPECT_EQ(value, info.pat_msr);
}

TEST_F(nopat, msr_of_each_cpu)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);

	EXPECT_LE(2, cpus) TH_LOG("one CPU shows nothing about the others");
	for (int cpu = 0; cpu < cpus; cpu++)
		expect_msr(_metadata, self->driver, cpu);
}

static bool set_online(int cpu, bool online)
{
	char path[64];
	bool done;
	int fd;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	done = write(fd, online ? "1" : "0", 1) == 1;
	close(fd);
	return done;
}

TEST_F(nopat, msr_after_cpu_hotplug)
{
	/* A kernel that has told of PAT once need not do so again. */
	ASSERT_TRUE(set_online(1, false)) TH_LOG("%s", strerror(errno));
	ASSERT_TRUE(set_online(1, true)) TH_LOG("%s", strerror(errno));
	expect_msr(_metadata, self->driver, 1);
	expect_msr(_metadata, self->driver, 0);
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return done;
}

/* Suspend to RAM for @seconds: an alarm that comes too early aborts it with EBUSY. */
static int suspend(struct __test_metadata *_metadata, int seconds)
{
	static const char alarm[] = "/sys/class/rtc/rtc0/wakealarm";
	char delay[16];

	snprintf(delay, sizeof(delay), "+%d", seconds);
	ASSERT_TRUE(write_file(alarm, "0")) TH_LOG("%s: %s", alarm, strerror(errno));
	ASSERT_TRUE(write_file(alarm, delay)) TH_LOG("%s: %s", alarm, strerror(errno));
	return write_file("/sys/power/state", "mem") ? 0 : -errno;
}

/* Suspend to RAM powers the CPUs down, and firmware wakes them: all is reset. */
TEST_F(nopat, msr_after_resume)
{
	int seconds = 5, err;

	ASSERT_TRUE(write_file("/sys/power/mem_sleep", "deep"))
		TH_LOG("no suspend to RAM: %s", strerror(errno));
	/* A slow machine takes its time to suspend. */
	while ((err = suspend(_metadata, seconds)) == -EBUSY && seconds < 100)
		seconds *= 2;
	ASSERT_EQ(0, err) TH_LOG("suspend for %d s: %s", seconds, strerror(-err));

	for (int cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); cpu++)
		expect_msr(_metadata, self->driver, cpu);
}

/* --- mappings work either way ------------------------------------------------ */

/* A page of the BAR keeps what is written to it through each kind of mapping. */
TEST_F(nopat, bar_can_be_used)
{
	static const enum pat_requester who[] = {
		RESOURCE, DEVMEM, DEVMEM_SYNC, PROC_PCI, REMAP_WC, REMAP_UC,
		REMAP_WT, REMAP_WB,
	};
	uint64_t phys = pat_bar(_metadata)->start;

	for (size_t i = 0; i < ARRAY_SIZE(who); i++) {
		struct pat_mapping map = pat_request(_metadata, self->driver,
						     who[i], phys, PAT_PAGE);
		volatile uint32_t *word = map.addr;

		ASSERT_EQ(0, map.err);
		*word = 0xf00d0000 + i;
		pat_release(_metadata, self->driver, &map);

		map = pat_request(_metadata, self->driver, RESOURCE, phys,
				  PAT_PAGE);
		ASSERT_EQ(0, map.err);
		word = map.addr;
		EXPECT_EQ(0xf00d0000 + i, *word);
		pat_release(_metadata, self->driver, &map);
	}
}

TEST_HARNESS_MAIN
