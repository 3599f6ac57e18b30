# SPDX-License-Identifier: GPL-2.0-only
# Scan a kernel log, and print each event that nobody expected. Fails if there is one, or if the log's start is lost.
#
# A test that provokes a message on purpose writes "pat-selftest: expect: <ERE>" to the log before, and
# "pat-selftest: done" after, which closes all that are open. A warning is one event from its "cut here" line to its
# "end trace" line: it may pass if an open expectation matches any of its lines.

{
	sub(/\r$/, "")
	line = $0
	sub(/^<[0-9]+>/, "", line)
	sub(/^\[ *[0-9.]+\] /, "", line)
}

line ~ /^Linux version / { started = 1 }

line ~ /^pat-selftest: expect: / {
	expected[++open] = substr(line, length("pat-selftest: expect: ") + 1)
	next
}

line ~ /^pat-selftest: done/ { open = 0; next }

line ~ /\[ cut here \]/ {
	report_open_event()
	event = line
	excused = is_expected(line)
	next
}

event != "" {
	event = event "\n" line
	if (is_expected(line))
		excused = 1
	if (line ~ /---\[ end trace/) {
		if (excused)
			event = ""
		report_open_event()
	}
	next
}

is_bad(line) && !is_expected(line) { report(line) }

# The lines of the boot that say how PAT is set up are no event.
function is_boot_line(s)
{
	return s ~ /x86\/PAT: (Configuration \[0-7\]: |PAT support disabled |PAT not supported by the CPU)/
}

function is_bad(s)
{
	# How KCSAN is configured is no event, either.
	if (s ~ /^kcsan: non-strict mode configured/)
		return 0
	if (s ~ /x86\/PAT:/)
		return !is_boot_line(s)
	return s ~ /WARNING:|BUG:|BUG at|KASAN|KCSAN|UBSAN|INFO: (trying|lockdep|possible|task|rcu|inconsistent|suspicious|recursive)/ ||
	       s ~ /possible (circular|recursive|irq|deadlock|unsafe)|circular locking|suspicious RCU|Call Trace|unreferenced object/ ||
	       s ~ /Oops|general protection|Kernel panic|soft lockup|hard LOCKUP|self-detected stall|detected stalls/ ||
	       s ~ /kmemleak: [0-9]+ new suspected|Bad page state|Bad rss-counter|bad p[gmu4]+d |bad pgtable|Bad page map/
}

function is_expected(s,	i)
{
	for (i = 1; i <= open; i++)
		if (s ~ expected[i])
			return 1
	return 0
}

# An event whose end never came is reported whatever was expected.
function report_open_event()
{
	if (event != "")
		report(event)
	event = ""
}

function report(s)
{
	print s
	events++
}

END {
	report_open_event()
	if (!started)
		report("the log does not begin with the kernel's first line: messages are lost")
	exit events > 0
}
