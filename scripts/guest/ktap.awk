# SPDX-License-Identifier: GPL-2.0-only
# Judge the (K)TAP output of one test program: prints "pass fail skip xfail" and then a line for each failure and skip.
# Before a failure stand the comments that the test printed since the last result: they tell why.
# INDENT (default 0) is how deep the results stand that count; deeper ones must pass, too.
# Everything is a failure until shown otherwise: no plan, no results, fewer or more results than planned.
BEGIN { depth = INDENT + 0 }

{
	sub(/\r$/, "")
	match($0, /^ */)
	at = RLENGTH
	text = substr($0, at + 1)
}

at == depth && text ~ /^1\.\.[0-9]+/ {
	plans++
	planned += substr(text, 4) + 0
	next
}

text ~ /^#/ && text !~ /^# +(RUN|OK|FAIL) / && ++noted <= 12 { notes = notes text "\n" }

# What contains our results or is contained in them counts for nothing itself, but must not fail.
text ~ /^(not )?ok [0-9]+/ && at != depth {
	if (text ~ /^not ok/)
		complain(text)
	forget_notes()
	next
}

text ~ /^(not )?ok [0-9]+/ {
	results++
	if (text ~ /^not ok/)
		complain(text)
	else if (text ~ /# SKIP/) {
		skip++
		remark(text)
	} else if (text ~ /# XFAIL/)
		xfail++
	else
		pass++
	forget_notes()
}

function forget_notes()
{
	notes = ""
	noted = 0
}

function complain(line)
{
	fail++
	remark(notes line)
	forget_notes()
}

function remark(line)
{
	remarks = remarks line "\n"
}

END {
	if (!plans)
		complain("no plan in the output")
	else if (!results)
		complain("no test was run")
	else if (results != planned)
		complain("planned " planned " tests, got results of " results)
	printf "%d %d %d %d\n%s", pass, fail, skip, xfail, remarks
}
