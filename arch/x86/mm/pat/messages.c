// SPDX-License-Identifier: GPL-2.0-only
/*
 * What people are told: who holds memory types, and who is in whose way.
 *
 * A line in the log for each request that is refused says all that is known: what
 * was asked for, by whom, what that is, and who holds it how.  It begins as it
 * always did, for who looks for that.  What is not refused, since another type
 * serves as well, is for the trace points alone.
 */

#define pr_fmt(fmt) "x86/PAT: " fmt

#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>

#include <asm/pat.h>

#include "pat_internal.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/**
 * pat_holder_text - name who holds a record
 * @info: what the record says
 * @text: receives "Xorg[412] 7f0000000000-7f0000400000" for a process's mapping,
 *	"bochs_load+0x1a/0x2b0 [bochs], mapped" or "..., reserved"
 * @size: bytes in @text; PAT_HOLDER_TEXT will do
 *
 * Context: any.
 */
void pat_holder_text(const struct pat_record_info *info, char *text, size_t size)
{
	switch (info->holder) {
	case PAT_HOLDER_USER:
		scnprintf(text, size, "%s[%d] %lx-%lx", info->comm, info->pid,
			  info->start, info->end);
		break;
	case PAT_HOLDER_KERNEL:
		scnprintf(text, size, "%pS, mapped", info->caller);
		break;
	case PAT_HOLDER_RANGE:
		scnprintf(text, size, "%pS, reserved", info->caller);
		break;
	}
}

static noinline void pat_log_conflict(const struct pat_map *asker,
				      enum page_cache_mode want,
				      const struct pat_map *held)
{
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);
	char by[PAT_HOLDER_TEXT], from[PAT_HOLDER_TEXT], where[64];
	struct pat_record_info ask, hold;

	if (!__ratelimit(&limit))
		return;
	pat_record_describe(asker, &ask);
	pat_record_describe(held, &hold);
	pat_holder_text(&ask, by, sizeof(by));
	pat_holder_text(&hold, from, sizeof(from));
	iomem_name((resource_size_t)ask.pfn << PAGE_SHIFT, where, sizeof(where));
	pr_info("%s:%d conflicting memory types %llx-%llx %s<->%s in \"%s\", asked by %s, [mem %#010llx-%#010llx] held by %s, refused\n",
		current->comm, current->pid, (u64)ask.pfn << PAGE_SHIFT,
		(u64)(ask.pfn + ask.pages) << PAGE_SHIFT, pat_mode_name(want),
		pat_mode_name(hold.type), where, by,
		(u64)hold.pfn << PAGE_SHIFT,
		((u64)(hold.pfn + hold.pages) << PAGE_SHIFT) - 1, from);
}

/**
 * pat_report_conflict - somebody does not get the memory type that he asked for
 * @asker: his record, not linked
 * @want: the type
 * @held: the record in the way
 * @err: 0 if he gets the type of @held instead, else why he gets none
 *
 * Context: records locked.
 */
void pat_report_conflict(const struct pat_map *asker, enum page_cache_mode want,
			 const struct pat_map *held, int err)
{
	trace_pat_conflict(asker, want, held, err);
	if (err)
		pat_log_conflict(asker, want, held);
}
