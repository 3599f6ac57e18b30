/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The test driver, /dev/pat_test: it does what only a driver can do.
 */
#ifndef PAT_DEMO_DRIVER_H
#define PAT_DEMO_DRIVER_H

#include <stdbool.h>

#include "../pat_test_ioctl.h"

/* These return false with errno on failure. */
bool driver_open(void);
bool driver_call(unsigned long request, void *argument);
bool driver_release(unsigned long request, unsigned int handle);

#endif
