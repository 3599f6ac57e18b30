/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace points of the memory type tracking: events/pat/ in tracefs.
 *
 *	pat_reserve	frames have a record, with a type
 *	pat_resize	a record covers less, or more, from now on
 *	pat_release	a record is gone
 *	pat_conflict	who asked for a type did not get it
 *	pat_lookup_miss	somebody asked for reserved frames that nobody holds
 *	pat_ram_type	RAM has another type from now on
 *	pat_fix		live entries of recorded RAM were changed
 *	pat_fix_refused	RAM keeps its type, since a process maps it
 *	pat_freed	a block was freed that is not write-back
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM pat

#if !defined(_X86_MM_PAT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _X86_MM_PAT_TRACE_H

#include <linux/sched.h>
#include <linux/tracepoint.h>

#include "pat_internal.h"

#define show_pat_type(type)					\
	__print_symbolic(type,					\
		{ _PAGE_CACHE_MODE_WB,		"write-back" },	\
		{ _PAGE_CACHE_MODE_WC,		"write-combining" }, \
		{ _PAGE_CACHE_MODE_UC_MINUS,	"uncached-minus" }, \
		{ _PAGE_CACHE_MODE_UC,		"uncached" },	\
		{ _PAGE_CACHE_MODE_WT,		"write-through" }, \
		{ _PAGE_CACHE_MODE_WP,		"write-protected" })

#define show_pat_holder(holder)					\
	__print_symbolic(holder,				\
		{ PAT_HOLDER_RANGE,	"reserved" },		\
		{ PAT_HOLDER_KERNEL,	"kernel" },		\
		{ PAT_HOLDER_USER,	"user" })

DECLARE_EVENT_CLASS(pat_record,
	TP_PROTO(const struct pat_map *map),
	TP_ARGS(map),

	TP_STRUCT__entry(
		__field(u64, start)
		__field(u64, end)
		__field(int, type)
		__field(int, holder)
		__field(bool, ram)
		__field(unsigned long, addr)
		__field(const void *, caller)
		__field(pid_t, owner)
		__array(char, owner_comm, TASK_COMM_LEN)
	),

	TP_fast_assign(
		__entry->start = (u64)pat_map_pfn(map) << PAGE_SHIFT;
		__entry->end = __entry->start +
			       ((u64)pat_map_pages(map) << PAGE_SHIFT);
		/* Its memory may be gone by now. */
		__entry->type = map->ram ? pat_lookup(pat_map_pfn(map)) :
					   pat_map_type(map);
		__entry->holder = map->holder;
		__entry->ram = map->ram;
		__entry->addr = map->vma.vm_start;
		__entry->caller = map->caller;
		__entry->owner = map->holder == PAT_HOLDER_USER ? map->pid : 0;
		memcpy(__entry->owner_comm, map->comm, TASK_COMM_LEN);
	),

	TP_printk("[mem %#llx-%#llx] %s %s%s addr=%#lx by %s[%d] %pS",
		  __entry->start, __entry->end, show_pat_type(__entry->type),
		  show_pat_holder(__entry->holder), __entry->ram ? " RAM" : "",
		  __entry->addr, __entry->owner ? __entry->owner_comm : "",
		  __entry->owner, __entry->caller)
);

DEFINE_EVENT(pat_record, pat_reserve,
	TP_PROTO(const struct pat_map *map),
	TP_ARGS(map)
);

DEFINE_EVENT(pat_record, pat_resize,
	TP_PROTO(const struct pat_map *map),
	TP_ARGS(map)
);

DEFINE_EVENT(pat_record, pat_release,
	TP_PROTO(const struct pat_map *map),
	TP_ARGS(map)
);

TRACE_EVENT(pat_conflict,
	TP_PROTO(const struct pat_map *asker, enum page_cache_mode want,
		 const struct pat_map *held, int err),
	TP_ARGS(asker, want, held, err),

	TP_STRUCT__entry(
		__field(u64, start)
		__field(u64, end)
		__field(int, want)
		__field(int, asker)
		__field(const void *, caller)
		__field(u64, held_start)
		__field(u64, held_end)
		__field(int, held_type)
		__field(int, holder)
		__field(const void *, held_caller)
		__field(pid_t, held_pid)
		__field(int, err)
	),

	TP_fast_assign(
		__entry->start = (u64)pat_map_pfn(asker) << PAGE_SHIFT;
		__entry->end = __entry->start +
			       ((u64)pat_map_pages(asker) << PAGE_SHIFT);
		__entry->want = want;
		__entry->asker = asker->holder;
		__entry->caller = asker->caller;
		__entry->held_start = (u64)pat_map_pfn(held) << PAGE_SHIFT;
		__entry->held_end = __entry->held_start +
				    ((u64)pat_map_pages(held) << PAGE_SHIFT);
		__entry->held_type = pat_map_type(held);
		__entry->holder = held->holder;
		__entry->held_caller = held->caller;
		__entry->held_pid = held->holder == PAT_HOLDER_USER ? held->pid : 0;
		__entry->err = err;
	),

	TP_printk("[mem %#llx-%#llx] wanted %s, %s %pS; [mem %#llx-%#llx] is %s, %s %d %pS: %d",
		  __entry->start, __entry->end, show_pat_type(__entry->want),
		  show_pat_holder(__entry->asker), __entry->caller,
		  __entry->held_start, __entry->held_end,
		  show_pat_type(__entry->held_type),
		  show_pat_holder(__entry->holder), __entry->held_pid,
		  __entry->held_caller, __entry->err)
);

TRACE_EVENT(pat_lookup_miss,
	TP_PROTO(unsigned long pfn),
	TP_ARGS(pfn),

	TP_STRUCT__entry(
		__field(unsigned long, pfn)
	),

	TP_fast_assign(
		__entry->pfn = pfn;
	),

	TP_printk("pfn=%#lx", __entry->pfn)
);

TRACE_EVENT(pat_ram_type,
	TP_PROTO(unsigned long pfn, unsigned long nr, enum page_cache_mode from,
		 enum page_cache_mode to),
	TP_ARGS(pfn, nr, from, to),

	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(unsigned long, nr)
		__field(int, from)
		__field(int, to)
	),

	TP_fast_assign(
		__entry->pfn = pfn;
		__entry->nr = nr;
		__entry->from = from;
		__entry->to = to;
	),

	TP_printk("pfn=%#lx nr=%lu %s -> %s", __entry->pfn, __entry->nr,
		  show_pat_type(__entry->from), show_pat_type(__entry->to))
);

TRACE_EVENT(pat_fix,
	TP_PROTO(const struct pat_map *map, unsigned long pfn, unsigned long nr,
		 bool in_transit),
	TP_ARGS(map, pfn, nr, in_transit),

	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(unsigned long, nr)
		__field(unsigned long, addr)
		__field(pid_t, owner)
		__field(bool, in_transit)
	),

	TP_fast_assign(
		__entry->pfn = pfn;
		__entry->nr = nr;
		__entry->addr = map->vma.vm_start +
				((pfn - pat_map_pfn(map)) << PAGE_SHIFT);
		__entry->owner = map->pid;
		__entry->in_transit = in_transit;
	),

	TP_printk("pfn=%#lx nr=%lu at %#lx of pid %d%s", __entry->pfn,
		  __entry->nr, __entry->addr, __entry->owner,
		  __entry->in_transit ? ", in transit" : "")
);

TRACE_EVENT(pat_fix_refused,
	TP_PROTO(unsigned long pfn, enum page_cache_mode want, const void *caller),
	TP_ARGS(pfn, want, caller),

	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(int, want)
		__field(const void *, caller)
	),

	TP_fast_assign(
		__entry->pfn = pfn;
		__entry->want = want;
		__entry->caller = caller;
	),

	TP_printk("pfn=%#lx wanted %s by %pS", __entry->pfn,
		  show_pat_type(__entry->want), __entry->caller)
);

TRACE_EVENT(pat_freed,
	TP_PROTO(unsigned long pfn, unsigned int order),
	TP_ARGS(pfn, order),

	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(unsigned int, order)
	),

	TP_fast_assign(
		__entry->pfn = pfn;
		__entry->order = order;
	),

	TP_printk("pfn=%#lx order=%u", __entry->pfn, __entry->order)
);

#endif /* _X86_MM_PAT_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH ../../arch/x86/mm/pat
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
