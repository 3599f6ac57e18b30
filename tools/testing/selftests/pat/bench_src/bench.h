/* SPDX-License-Identifier: GPL-2.0-only */
/* The operations that bench times, and what they share. */
#ifndef PAT_BENCH_H
#define PAT_BENCH_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../pat_bench_ioctl.h"

#define BENCH_PAGE 4096UL

struct bench_case {
	const char *operation;
	unsigned int size;		/* pages, mappings or records */
	unsigned int held;		/* so many records at the same time */
	unsigned int times;		/* in a round */
	uint64_t (*how)(const struct bench_case *it);	/* ticks of a round */
	const char *sets;		/* of which it is, separated by spaces */
};

void __attribute__((noreturn, format(printf, 1, 2)))
bench_die(const char *format, ...);
int bench_driver(void);

static inline uint64_t bench_ticks(void)
{
	uint32_t low, high;

	asm volatile("lfence; rdtsc" : "=a" (low), "=d" (high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* in_kernel.c: what the driver does and times */
uint64_t bench_nothing(const struct bench_case *it);
uint64_t bench_lookup_ram(const struct bench_case *it);
uint64_t bench_lookup_held(const struct bench_case *it);
uint64_t bench_ioremap(const struct bench_case *it);
uint64_t bench_array(const struct bench_case *it);
uint64_t bench_array_mixed(const struct bench_case *it);
uint64_t bench_set_memory(const struct bench_case *it);
uint64_t bench_memory(const struct bench_case *it);

/* mappings.c: PFN mappings of a process */
uint64_t bench_fault(const struct bench_case *it);
uint64_t bench_remap(const struct bench_case *it);
uint64_t bench_fork_maps(const struct bench_case *it);

/* Open the device for mappings of a kind, PAT_BENCH_REMAP or _FAULT; map it. */
int bench_open(unsigned long maps);
void *bench_map(int fd, size_t size, off_t offset);

/* processes.c: processes that have none, and what all of them pay for */
uint64_t bench_boot(const struct bench_case *it);
uint64_t bench_fork(const struct bench_case *it);
uint64_t bench_exec(const struct bench_case *it);
uint64_t bench_exit(const struct bench_case *it);
uint64_t bench_mmap(const struct bench_case *it);
uint64_t bench_munmap(const struct bench_case *it);
uint64_t bench_page_fault(const struct bench_case *it);
uint64_t bench_list(const struct bench_case *it);

/* A fork() whose child ends at once, until the parent has it back. */
void bench_fork_once(void);

/* contention.c: on all processors at the same time */
void bench_contention(unsigned int rounds);

#endif /* PAT_BENCH_H */
