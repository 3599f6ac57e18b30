// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel that is locked down ("lockdown=integrity" at boot): there is no
 * /dev/mem, not even to read, and nothing else through which a process can map
 * what it likes. One that could be, and is not told to be, is as usual.
 *
 * The tests' drivers cannot be loaded then, so this does without. The name's end
 * tells that it is run only where the kernel can do that.
 *
 * Stock: the same.
 */
#include "devmem.h"

FIXTURE(lockdown) {
	bool locked;
};

FIXTURE_SETUP(lockdown)
{
	self->locked = devmem_told_at_boot("lockdown=");
}

FIXTURE_TEARDOWN(lockdown)
{
}

static void expect_open(struct __test_metadata *_metadata, const char *path,
			int flags, int err)
{
	int fd = open(path, flags | O_CLOEXEC);

	EXPECT_EQ(err, fd < 0 ? errno : 0) TH_LOG("%s, flags 0x%x", path, flags);
	if (fd >= 0)
		close(fd);
}

TEST_F(lockdown, devmem)
{
	int err = self->locked ? EPERM : 0;

	expect_open(_metadata, "/dev/mem", O_RDONLY, err);
	expect_open(_metadata, "/dev/mem", O_WRONLY, err);
	expect_open(_metadata, "/dev/mem", O_RDWR, err);
	expect_open(_metadata, "/dev/mem", O_RDWR | O_SYNC, err);
}

/* The resource files of PCI devices can be opened, and mapped if not locked. */
TEST_F(lockdown, resource_file)
{
	const struct pat_range *bar = pat_bar(_metadata);
	static const char *const suffixes[] = { "", "_wc" };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		char path[320];
		char *at;
		int fd;

		snprintf(path, sizeof(path), "%s/resource2%s", bar->dir,
			 suffixes[i]);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (self->locked && fd < 0) {
			EXPECT_EQ(EPERM, errno);
			continue;
		}
		ASSERT_LE(0, fd) TH_LOG("%s: %s", path, strerror(errno));
		at = mmap(NULL, PAT_PAGE, PROT_READ, MAP_SHARED, fd, 0);
		EXPECT_EQ(self->locked, at == MAP_FAILED);
		if (at == MAP_FAILED) {
			EXPECT_EQ(EPERM, errno);
		} else {
			munmap(at, PAT_PAGE);
		}
		close(fd);
	}
}

/* Nobody has signed them. */
TEST_F(lockdown, driver)
{
	EXPECT_EQ(!self->locked, pat_load_driver("pat_test"));
	expect_open(_metadata, PAT_TEST_DEVICE, O_RDWR, self->locked ? ENOENT : 0);
}

/* What is recorded can be read either way: it gives no address away that matters. */
TEST_F(lockdown, list)
{
	struct pat_list list;

	ASSERT_TRUE(pat_list_read(&list));
	EXPECT_LT(0, list.nr);
	pat_list_free(&list);
}

TEST_HARNESS_MAIN
