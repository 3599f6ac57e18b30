/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of what is between two steps of the kernel: a task that is held at
 * a kernel function (pat_delay.ko), and a thread that goes on reading a page
 * for as long as a translation lets it.
 *
 * CPU 0 is for the task that is held: it spins. All else runs on CPU 1, and as
 * threads of one process, since a CPU that switches to another address space
 * forgets the translations that these tests are about.
 */
#ifndef PAT_DELAY_H
#define PAT_DELAY_H

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <time.h>

#include "pat_delay_ioctl.h"
#include "pat_kselftest.h"

enum delay_cpu {
	DELAY_CPU_HELD = 0,
	DELAY_CPU_OTHERS = 1,
};

/* Steps of waiting, 1 ms or more each: how long until something has failed. */
#define DELAY_PATIENCE 20000
#define READER_PATIENCE 300

/* For the calling thread only. */
static inline bool delay_run_on(enum delay_cpu cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

static inline int delay_open(struct __test_metadata *_metadata)
{
	return pat_open_device(_metadata, "pat_delay");
}

/* The calling task is to be held when it calls @symbol for a range with @addr. */
static inline bool delay_arm(int delay, const char *symbol,
			     unsigned int range_arg, uint64_t addr)
{
	struct pat_delay_arm arm = {
		.nth = 1,
		.range_arg = range_arg,
		.addr = addr,
	};

	snprintf(arm.symbol, sizeof(arm.symbol), "%s", symbol);
	return !ioctl(delay, PAT_DELAY_ARM, &arm);
}

/* Where translations of user and of kernel addresses are flushed. */
static inline bool delay_arm_user_flush(int delay, const void *addr)
{
	return delay_arm(delay, "flush_tlb_mm_range", 1, (uintptr_t)addr);
}

static inline bool delay_arm_kernel_flush(int delay, uint64_t addr)
{
	return delay_arm(delay, "flush_tlb_kernel_range", 0, addr);
}

/* The calling task's calls of @symbol are counted from here on. */
static inline bool delay_count(int delay, const char *symbol)
{
	struct pat_delay_arm arm = { .range_arg = PAT_DELAY_ANY_RANGE };

	snprintf(arm.symbol, sizeof(arm.symbol), "%s", symbol);
	return !ioctl(delay, PAT_DELAY_ARM, &arm);
}

static inline struct pat_delay_status
delay_status(struct __test_metadata *_metadata, int delay)
{
	struct pat_delay_status status = {};

	ASSERT_EQ(0, ioctl(delay, PAT_DELAY_STATUS, &status));
	return status;
}

/* Waits until some task is held. */
static inline void delay_wait_held(struct __test_metadata *_metadata, int delay)
{
	unsigned int waited;

	for (waited = 0; waited < DELAY_PATIENCE; waited++) {
		if (delay_status(_metadata, delay).state == PAT_DELAY_HELD)
			return;
		pat_sleep_ms(1);
	}
	ASSERT_TRUE(false) TH_LOG("no task came to where it is to be held");
}

/* The task was held all the time until now, and goes on. */
static inline void delay_release(struct __test_metadata *_metadata, int delay)
{
	ASSERT_EQ(0, ioctl(delay, PAT_DELAY_RELEASE));
	ASSERT_EQ(PAT_DELAY_PASSED, delay_status(_metadata, delay).state)
		TH_LOG("the task was not held as long as it should have been");
}

/* --- a reader --------------------------------------------------------------- */

struct reader {
	pthread_t thread;
	const volatile uint64_t *at;	/* of the process; NULL: in the kernel */
	int delay;			/* for kernel addresses */
	uint64_t kernel_at;
	volatile unsigned long reads;
	volatile bool stop;
	volatile bool faulted;
};

static __thread sigjmp_buf reader_out;
static __thread bool reader_is_one;

static void reader_caught(int signal)
{
	if (!reader_is_one)
		_exit(128 + signal);
	siglongjmp(reader_out, 1);
}

static inline bool reader_reads(struct reader *reader)
{
	struct pat_delay_read read = { .addr = reader->kernel_at };

	if (reader->at) {
		(void)*reader->at;
		return true;
	}
	return !ioctl(reader->delay, PAT_DELAY_READ, &read) && !read.err;
}

static inline void *reader_runs(void *arg)
{
	struct reader *reader = arg;

	reader_is_one = true;
	if (!sigsetjmp(reader_out, 1) && delay_run_on(DELAY_CPU_OTHERS))
		while (!reader->stop && reader_reads(reader))
			reader->reads++;
	reader->faulted = !reader->stop;
	return NULL;
}

/*
 * Is the reader still able to read? If it does nothing for a while it is waiting
 * in a page fault, for a lock that the task that unmaps has.
 */
static inline bool reader_advances(struct reader *reader)
{
	unsigned long before = reader->reads;
	unsigned int waited;

	for (waited = 0; waited < READER_PATIENCE && !reader->faulted; waited++) {
		/* A read that was under way does not count. */
		if (reader->reads > before + 1)
			return true;
		pat_sleep_ms(1);
	}
	return false;
}

static inline void reader_start(struct __test_metadata *_metadata,
				struct reader *reader)
{
	struct sigaction action = { .sa_handler = reader_caught };

	ASSERT_EQ(0, sigaction(SIGSEGV, &action, NULL));
	ASSERT_EQ(0, sigaction(SIGBUS, &action, NULL));
	reader->reads = 0;
	reader->stop = false;
	reader->faulted = false;
	ASSERT_EQ(0, pthread_create(&reader->thread, NULL, reader_runs, reader));
	while (!reader->reads && !reader->faulted)
		pat_sleep_ms(1);
	ASSERT_FALSE(reader->faulted);
}

static inline void reader_end(struct __test_metadata *_metadata,
			      struct reader *reader)
{
	reader->stop = true;
	ASSERT_EQ(0, pthread_join(reader->thread, NULL));
}

/* After the last translation has gone. */
static inline void reader_wait_fault(struct __test_metadata *_metadata,
				     struct reader *reader)
{
	unsigned int waited;

	for (waited = 0; waited < DELAY_PATIENCE && !reader->faulted; waited++)
		pat_sleep_ms(1);
	ASSERT_TRUE(reader->faulted) TH_LOG("unmapped, and can still be read");
	reader_end(_metadata, reader);
}

#endif
