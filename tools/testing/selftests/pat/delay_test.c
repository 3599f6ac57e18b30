// SPDX-License-Identifier: GPL-2.0-only
/*
 * pat_delay.ko itself: it holds whom it is to hold, where, and not for ever.
 */
#include "pat_delay.h"

#define FUNCTION "__x64_sys_getppid"	/* no argument that matters */

FIXTURE(delay) {
	int delay;
};

FIXTURE_SETUP(delay)
{
	ASSERT_TRUE(delay_run_on(DELAY_CPU_OTHERS));
	self->delay = delay_open(_metadata);
}

FIXTURE_TEARDOWN(delay)
{
	close(self->delay);
}

/* A thread that calls the function three times, and is held the @nth. */
struct caller {
	pthread_t thread;
	int delay;
	unsigned int nth;
	volatile unsigned int calls;
	bool armed;
};

static void *caller_runs(void *arg)
{
	struct caller *caller = arg;
	struct pat_delay_arm arm = {
		.symbol = FUNCTION,
		.nth = caller->nth,
		.range_arg = PAT_DELAY_ANY_RANGE,
	};

	caller->armed = delay_run_on(DELAY_CPU_HELD) &&
			!ioctl(caller->delay, PAT_DELAY_ARM, &arm);
	for (unsigned int i = 0; i < 3; i++) {
		syscall(SYS_getppid);
		caller->calls++;
	}
	return NULL;
}

static void caller_start(struct __test_metadata *_metadata,
			 struct caller *caller)
{
	ASSERT_EQ(0, pthread_create(&caller->thread, NULL, caller_runs, caller));
}

static void caller_end(struct __test_metadata *_metadata, struct caller *caller)
{
	ASSERT_EQ(0, pthread_join(caller->thread, NULL));
	EXPECT_TRUE(caller->armed);
	EXPECT_EQ(3, caller->calls);
}

TEST_F(delay, bad_requests)
{
	struct pat_delay_arm arm = { .range_arg = 5 };

	strcpy(arm.symbol, FUNCTION);
	EXPECT_EQ(-1, ioctl(self->delay, PAT_DELAY_ARM, &arm));
	EXPECT_EQ(EINVAL, errno);
	arm.range_arg = PAT_DELAY_ANY_RANGE;
	strcpy(arm.symbol, "there_is_no_such_function");
	EXPECT_EQ(-1, ioctl(self->delay, PAT_DELAY_ARM, &arm));
	EXPECT_EQ(ENOENT, errno);
	memset(arm.symbol, 'x', sizeof(arm.symbol));
	EXPECT_EQ(-1, ioctl(self->delay, PAT_DELAY_ARM, &arm));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(PAT_DELAY_IDLE, delay_status(_metadata, self->delay).state);
	EXPECT_EQ(-1, open(PAT_DELAY_DEVICE, O_RDWR));
	EXPECT_EQ(EBUSY, errno);
}

TEST_F(delay, holds_the_nth_call)
{
	for (unsigned int nth = 1; nth <= 3; nth++) {
		struct caller caller = { .delay = self->delay, .nth = nth };

		caller_start(_metadata, &caller);
		delay_wait_held(_metadata, self->delay);
		pat_sleep_ms(100);
		EXPECT_EQ(nth - 1, caller.calls);
		EXPECT_EQ(nth, delay_status(_metadata, self->delay).hits);
		delay_release(_metadata, self->delay);
		caller_end(_metadata, &caller);
		EXPECT_EQ(3, delay_status(_metadata, self->delay).hits);
	}
}

TEST_F(delay, counts)
{
	struct caller caller = { .delay = self->delay };

	caller_start(_metadata, &caller);
	caller_end(_metadata, &caller);
	EXPECT_EQ(PAT_DELAY_ARMED, delay_status(_metadata, self->delay).state);
	EXPECT_EQ(3, delay_status(_metadata, self->delay).hits);
	/* Nobody else's calls. */
	syscall(SYS_getppid);
	EXPECT_EQ(3, delay_status(_metadata, self->delay).hits);
	ASSERT_EQ(0, ioctl(self->delay, PAT_DELAY_RELEASE));
	EXPECT_EQ(PAT_DELAY_IDLE, delay_status(_metadata, self->delay).state);
}

TEST_F(delay, holds_no_longer_than_the_limit)
{
	struct caller caller = { .delay = self->delay, .nth = 1 };

	caller_start(_metadata, &caller);
	delay_wait_held(_metadata, self->delay);
	caller_end(_metadata, &caller);
	EXPECT_EQ(PAT_DELAY_EXPIRED, delay_status(_metadata, self->delay).state);
}

TEST_F(delay, reads_kernel_memory)
{
	struct pat_delay_read read = { .addr = 0xffffffffffe00000 };

	/* Nothing is ever mapped in the last 2 MiB. */
	EXPECT_EQ(0, ioctl(self->delay, PAT_DELAY_READ, &read));
	EXPECT_NE(0, read.err);
	read.addr = 0;
	EXPECT_EQ(0, ioctl(self->delay, PAT_DELAY_READ, &read));
	EXPECT_EQ(-ERANGE, read.err);
}

TEST_HARNESS_MAIN
