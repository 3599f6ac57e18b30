// SPDX-License-Identifier: GPL-2.0-only
/* libFuzzer's way in: the same operations, from bytes that it chooses. */

#include "ops.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	ops_thorough = true;
	ops_init();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ops_run(data, size, ULONG_MAX);
	return 0;
}
