/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PAT_MODEL_OPS_H
#define _PAT_MODEL_OPS_H

/* From bytes, random ones or a fuzzer's, to operations that are checked. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Compare everything after each operation, not only now and then. */
extern bool ops_thorough;

void ops_init(void);

/* Run operations from boot to an empty machine; returns how many. */
unsigned long ops_run(const uint8_t *bytes, size_t size, unsigned long limit);

/* End all that there is, and see that nothing is left. */
void ops_shut_down(void);

/* Is an operation under way in which others run? */
bool ops_racing(void);

/* The last operations, in words, to stderr. */
void ops_trace(void);

#endif /* _PAT_MODEL_OPS_H */
