/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A memory cgroup (version 2) of a test's own, to see and to limit what its
 * processes cost the kernel.
 */
#ifndef PAT_LIFE_CGROUP_H
#define PAT_LIFE_CGROUP_H

#include <sys/mount.h>
#include <sys/stat.h>

#include "pat_kselftest.h"

#define CGROUP_ROOT "/tmp/pat_cgroup"

struct cgroup {
	char dir[64];
};

static inline bool cgroup_write(const char *dir, const char *file,
				const char *text)
{
	char path[160];
	bool written;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return written;
}

/* The number in @file, behind @key if there are several; -1 if there is none. */
static inline long cgroup_read(const struct cgroup *group, const char *file,
			       const char *key)
{
	char path[160], word[64];
	long value = -1, number;
	FILE *stream;

	snprintf(path, sizeof(path), "%s/%s", group->dir, file);
	stream = fopen(path, "re");
	if (!stream)
		return -1;
	if (!key) {
		if (fscanf(stream, "%ld", &value) != 1)
			value = -1;
	} else {
		while (value < 0 && fscanf(stream, "%63s %ld", word, &number) == 2)
			if (!strcmp(word, key))
				value = number;
	}
	fclose(stream);
	return value;
}

/* Makes a group that is named like @name, with no limit yet. */
static inline void cgroup_open(struct __test_metadata *_metadata,
			       struct cgroup *group, const char *name)
{
	snprintf(group->dir, sizeof(group->dir), "%s/%s", CGROUP_ROOT, name);
	mkdir(CGROUP_ROOT, 0700);
	if (access(CGROUP_ROOT "/cgroup.procs", F_OK))
		ASSERT_EQ(0, mount("none", CGROUP_ROOT, "cgroup2", 0, NULL))
			TH_LOG("cgroup2: %s", strerror(errno));
	ASSERT_TRUE(cgroup_write(CGROUP_ROOT, "cgroup.subtree_control", "+memory"))
		TH_LOG("no memory controller (CONFIG_MEMCG): %s", strerror(errno));
	ASSERT_EQ(0, mkdir(group->dir, 0700));
}

static inline void cgroup_limit(struct __test_metadata *_metadata,
				const struct cgroup *group, long bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", bytes);
	ASSERT_TRUE(cgroup_write(group->dir, "memory.max", text));
}

/* The calling process moves into the group: what it allocates counts there. */
static inline bool cgroup_enter(const struct cgroup *group)
{
	return cgroup_write(group->dir, "cgroup.procs", "0");
}

/* All processes of the group must have ended; that may not be known at once. */
static inline void cgroup_close(struct __test_metadata *_metadata,
				struct cgroup *group)
{
	int err = -1;

	for (int i = 0; i < 100 && err; i++) {
		err = rmdir(group->dir);
		if (err)
			usleep(20000);
	}
	EXPECT_EQ(0, err) TH_LOG("%s: %s", group->dir, strerror(errno));
}

#endif
