// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <sys/ioctl.h>

#include "driver.h"

static int driver = -1;

bool driver_open(void)
{
	driver = open(PAT_TEST_DEVICE, O_RDWR);
	return driver >= 0;
}

bool driver_call(unsigned long request, void *argument)
{
	return !ioctl(driver, request, argument);
}

bool driver_release(unsigned long request, unsigned int handle)
{
	return !ioctl(driver, request, (unsigned long)handle);
}
