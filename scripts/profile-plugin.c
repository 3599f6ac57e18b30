// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin for QEMU's TCG: how often the guest executes which code.
 *
 * Arguments: counts=FILE, begin=PC, end=PC. Counting goes on whenever the guest
 * executes what is at @begin, and off at @end; without @begin it is on from the
 * reset to the first time at @end. FILE gets a line for each block of code that
 * is executed without a jump into or out of it:
 *
 *	PC EXECUTIONS INSTRUCTIONS		(of all its executions; PC in hex)
 *
 * A block that a fault leaves half way counts as a whole.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * QEMU's qemu-plugin.h has these; Debian 12 does not ship it. API_VERSION is the
 * oldest one that the QEMU at hand takes.
 */
#define EXPORT __attribute__((visibility("default")))
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_info;
enum { QEMU_PLUGIN_CB_NO_REGS };
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
		void (*cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
		void (*cb)(unsigned int vcpu, void *data), int flags, void *data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id,
		void (*cb)(qemu_plugin_id_t id, void *data), void *data);

EXPORT int qemu_plugin_version = API_VERSION;

struct block {
	uint64_t pc;
	uint64_t executions;
	size_t instructions;
	struct block *next;	/* in its bucket */
};

#define BUCKETS (1 << 16)
static struct block *buckets[BUCKETS];
static uint64_t begin, end;
static bool counting, over;
static const char *counts;

static struct block *block_of(uint64_t pc, size_t instructions)
{
	struct block **bucket = &buckets[(pc ^ pc >> 16) % BUCKETS], *it;

	for (it = *bucket; it; it = it->next)
		if (it->pc == pc && it->instructions == instructions)
			return it;
	it = calloc(1, sizeof(*it));
	if (!it) {
		perror("profile-plugin");
		exit(1);
	}
	it->pc = pc;
	it->instructions = instructions;
	it->next = *bucket;
	*bucket = it;
	return it;
}

static void executed(unsigned int vcpu, void *data)
{
	struct block *it = data;

	(void)vcpu;
	if (it->pc == end) {
		over = counting && !begin;
		counting = false;
	} else if (it->pc == begin && !over) {
		counting = true;
	}
	if (counting)
		it->executions++;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, QEMU_PLUGIN_CB_NO_REGS,
			block_of(qemu_plugin_tb_vaddr(tb), qemu_plugin_tb_n_insns(tb)));
}

static void at_exit(qemu_plugin_id_t id, void *data)
{
	FILE *file = fopen(counts, "w");

	(void)id;
	(void)data;
	for (int i = 0; file && i < BUCKETS; i++)
		for (struct block *it = buckets[i]; it; it = it->next)
			if (it->executions)
				fprintf(file, "%016" PRIx64 " %" PRIu64 " %" PRIu64 "\n", it->pc,
					it->executions, it->executions * it->instructions);
	if (!file || fclose(file))
		perror(counts);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info,
			       int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "counts=", 7))
			counts = argv[i] + 7;
		else if (!strncmp(argv[i], "begin=", 6))
			begin = strtoull(argv[i] + 6, NULL, 16);
		else if (!strncmp(argv[i], "end=", 4))
			end = strtoull(argv[i] + 4, NULL, 16);
		else
			return 1;
	}
	if (!counts || !end)
		return 1;
	counting = !begin;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, at_exit, NULL);
	return 0;
}
