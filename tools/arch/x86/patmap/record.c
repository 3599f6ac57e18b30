// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies of the inputs, for a bug report or a test: what patmap --root reads.
 * Of the log only the lines that matter, of sysfs only what is looked at.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "patmap.h"

/* Make the directories that @path stands in. */
static int make_parents(char *path)
{
	char *slash;

	for (slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int error;

		*slash = '\0';
		error = mkdir(path, 0777) && errno != EEXIST ? errno : 0;
		*slash = '/';
		if (error)
			return error;
	}
	return 0;
}

static int write_copy(const char *directory, const char *name, const char *text,
		      size_t size)
{
	char *path = xprintf("%s%s", directory, name);
	int error = make_parents(path);
	FILE *out = error ? NULL : fopen(path, "w");

	if (!error && !out)
		error = errno;
	if (out) {
		if (fwrite(text, 1, size, out) != size)
			error = errno;
		if (fclose(out) && !error)
			error = errno;
	}
	if (error)
		fprintf(stderr, "patmap: cannot write %s: %s\n", path, strerror(error));
	free(path);
	return error;
}

/* Copy @name, a path below the root, if it can be read. */
static int copy(const char *root, const char *directory, const char *name,
		int *read_error)
{
	char *path = xprintf("%s%s", root, name), *text;
	size_t size;
	int error = 0;

	*read_error = read_text(path, &text, &size);
	if (!*read_error) {
		/* One processor tells what all can. */
		char *end = strstr(text, "\n\n");

		if (end && !strcmp(name, input_paths[INPUT_CPUINFO]))
			size = end + 1 - text;
		error = write_copy(directory, name, text, size);
		free(text);
	}
	free(path);
	return error;
}

static int copy_log(const char *root, const char *directory)
{
	char *text;
	size_t size;
	int error;

	if (!is_live(root))
		return copy(root, directory, input_paths[INPUT_LOG], &error);
	error = read_kmsg(&text, &size);
	if (error) {
		fprintf(stderr, "patmap: left out: the kernel log: %s\n", strerror(error));
		return 0;
	}
	error = write_copy(directory, input_paths[INPUT_LOG], text, size);
	free(text);
	return error;
}

static int copy_devices(const char *root, const char *directory)
{
	static const char * const files[] = { "resource", "uevent" };
	char *path = xprintf("%s%s", root, input_paths[INPUT_PCI]);
	DIR *devices = opendir(path);
	int error = 0, ignored;
	struct dirent *entry;
	size_t i;

	free(path);
	if (!devices)
		return 0;
	while (!error && (entry = readdir(devices))) {
		for (i = 0; i < 2 && !error && entry->d_name[0] != '.'; i++) {
			path = xprintf("%s/%s/%s", input_paths[INPUT_PCI],
				       entry->d_name, files[i]);
			error = copy(root, directory, path, &ignored);
			free(path);
		}
	}
	closedir(devices);
	return error;
}

/* Copy what patmap reads below @root to @directory, which must be new.  Return: exit status. */
int record_machine(const char *root, const char *directory)
{
	enum input input;
	int error, unread;

	if (mkdir(directory, 0777)) {
		fprintf(stderr, "patmap: cannot make the directory %s: %s\n",
			directory, strerror(errno));
		return 2;
	}
	for (input = 0; input < NR_INPUTS; input++) {
		if (input == INPUT_LOG)
			error = copy_log(root, directory), unread = 0;
		else if (input == INPUT_PCI)
			error = copy_devices(root, directory), unread = 0;
		else
			error = copy(root, directory, input_paths[input], &unread);
		if (error)
			return 2;
		if (unread && unread != ENOENT)
			fprintf(stderr, "patmap: left out: %s: %s\n",
				input_paths[input], strerror(unread));
	}
	return 0;
}
