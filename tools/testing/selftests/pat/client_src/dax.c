// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps a file of a file system that was mounted with "dax", so that the
 * process's entries lead to persistent memory itself.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client.h"

/* Large enough for an entry of 2 MiB, and small ones. */
#define SIZE (5UL << 20)

int client_dax(char **argument)
{
	static uint64_t back[SIZE / sizeof(uint64_t)];
	uint64_t *at;
	int file;

	if (!argument[0] || argument[1])
		return client_wrong("dax takes a file");
	client_prepare();
	file = open(argument[0], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0 || posix_fallocate(file, 0, SIZE))
		return client_failed(argument[0]);
	at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		  MAP_SHARED_VALIDATE | MAP_SYNC, file, 0);
	if (at == MAP_FAILED)
		return client_failed("mmap with MAP_SYNC");
	for (size_t i = 0; i < SIZE / sizeof(*at); i++)
		at[i] = i * 0x9e3779b97f4a7c15;
	client_rest();
	if (munmap(at, SIZE))
		return client_failed("munmap");
	if (pread(file, back, SIZE, 0) != SIZE)
		return client_failed("read");
	for (size_t i = 0; i < SIZE / sizeof(*back); i++)
		if (back[i] != i * 0x9e3779b97f4a7c15)
			return client_wrong("word %zu of the file is lost", i);
	close(file);
	return 0;
}
