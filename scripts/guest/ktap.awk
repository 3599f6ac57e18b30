# SPDX-License-Identifier: GPL-2.0-only
# Judge the (K)TAP output of one test program: prints "pass fail skip xfail" and then a line for each failure and skip.
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

# What contains our results or is contained in them counts for nothing itself, but must not fail.
text ~ /^(not )?ok [0-9]+/ && at != depth {
	if (text ~ /^not ok/)
		complain(text)
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
}

function complain(line)
{
	fail++
	remark(line)
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
