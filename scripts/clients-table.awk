# SPDX-License-Identifier: GPL-2.0-only
# clients-table.awk FACTS: the table of scripts/clients, what is behind its words, and the line of counts. Each line of
# FACTS is a client, a kernel (stock, ours), and a line of its report (see run-client), or "picture" and what of it is not
# as it should be ("seen" if nothing).
#
# A client passes on stock if it came to its end and its picture is right. On ours there must also be no message that
# stock does not give, no frame of two types, nothing that the validator finds, nothing left, and no type that differs.
BEGIN { MAPPINGS = "^(user|kernel|userram|direct)$" }

{
	at = $1 SUBSEP $2
	if (!($1 in known)) {
		known[$1] = 1
		clients[++nr_clients] = $1
	}
	rest = $0
	sub(/^[^ ]+ [^ ]+ /, "", rest)
}

$3 == "done"	{ ended[at] = 1 }
$3 == "failed"	{ note(at, "failed", $4) }
$3 == "picture" && $4 == "seen" { seen[at] = 1 }
$3 == "picture" && NF > 3 && $4 != "seen" { note(at, "picture", substr(rest, 9)) }
$3 == "event"	{ remember(at, "event", substr(rest, 7)) }
$3 ~ /^(before|loaded|running|stopped|after)$/ {
	remember(at, $3, substr(rest, length($3) + 2))
}

# remember LINE as one of STEP's: they are in order, and may be there several times.
function remember(at, step, line,	nr)
{
	nr = ++lines[at, step]
	text[at, step, nr] = line
	times[at, step, line]++
}

# note: what is said below the table.
function note(at, what, line)
{
	notes[at, ++nr_notes[at]] = what ": " line
	said[at, what]++
}

function hex(s,	i, value)
{
	s = tolower(substr(s, 3))
	for (i = 1; i <= length(s); i++)
		value = value * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
	return value
}

function size(bytes)
{
	if (bytes >= 1048576 && bytes % 1048576 == 0)
		return bytes / 1048576 "M"
	return bytes / 1024 "K"
}

# Lines that STEP has more often than OTHER, one note each.
function compare(at, step, other, what,	i, line, left, done)
{
	if (!lines[at, step] || !lines[at, other])
		return
	for (i = 1; i <= lines[at, step]; i++) {
		line = text[at, step, i]
		left = times[at, step, line] - times[at, other, line]
		if (left > 0 && !((line) in done)) {
			note(at, what, line " (" step ", not " other ")")
			done[line] = 1
		}
	}
}

function is_new(at, line)
{
	return times[at, "before", line] < times[at, "running", line]
}

# What RUNNING has and BEFORE has not, of some kinds: how often and how much of each type and holder.
function summary(at, kinds, named,	i, line, word, bounds, key, n, order, amount, count, result)
{
	for (i = 1; i <= lines[at, "running"]; i++) {
		line = text[at, "running", i]
		if (!is_new(at, line))
			continue
		split(line, word, " ")
		if (word[1] !~ kinds)
			continue
		if (word[1] ~ /^(record|user|kernel)$/) {
			split(word[2], bounds, "-")
			key = (named ? word[4] " " : "") word[3]
			amount[key] += hex(bounds[2]) - hex(bounds[1])
		} else {
			key = (word[1] == "direct" ? word[4] : word[4] " RAM") " " word[2]
			amount[key] += word[3] * 4096
		}
		if (!count[key]++)
			order[++n] = key
	}
	for (i = 1; i <= n; i++)
		result = result (i > 1 ? ", " : "") order[i] " " size(amount[order[i]]) (named ? "" : " in " count[order[i]])
	return result == "" ? "-" : result
}

# Messages are the same if they differ in numbers only.
function message(s)
{
	gsub(/0x[0-9a-f]+|[0-9]+/, "#", s)
	return s
}

# What is mapped, without how much of RAM, nor where a driver has put a buffer, which depends on what else happens.
function mapping(line,	word, bounds)
{
	split(line, word, " ")
	if (word[1] ~ /^(user|kernel)$/) {
		split(word[2], bounds, "-")
		return word[1] " " size(hex(bounds[2]) - hex(bounds[1])) " " word[3] " " word[4]
	}
	if (word[1] ~ /^(userram|direct)$/)
		return word[1] " " word[2] " " word[4]
	return ""
}

function judge_alone(at,	i, word)
{
	if (!ended[at] && !said[at, "failed"])
		note(at, "failed", "no end")
	for (i = 1; i <= lines[at, "event"]; i++)
		note(at, "message", text[at, "event", i])
	compare(at, "after", "before", "left")
	compare(at, "before", "after", "lost")
	compare(at, "stopped", "loaded", "left")
	compare(at, "loaded", "stopped", "lost")
	for (i = 1; i <= lines[at, "running"]; i++) {
		split(text[at, "running", i], word, " ")
		if (word[1] == "alias" || word[1] == "invalid")
			note(at, word[1], text[at, "running", i])
	}
	if (ended[at] && summary(at, MAPPINGS, 1) == "-")
		note(at, "failed", "nothing is mapped that was not before")
}

# What ours says and stock does not, and what is mapped with other types.
function judge_both(client,	ours, stock, i, line, there)
{
	ours = client SUBSEP "ours"
	stock = client SUBSEP "stock"
	for (i = 1; i <= lines[stock, "event"]; i++)
		there[message(text[stock, "event", i])] = 1
	for (i = 1; i <= lines[ours, "event"]; i++)
		if (!(message(text[ours, "event", i]) in there))
			note(ours, "new message", text[ours, "event", i])
	differ(stock, ours, "only on stock")
	differ(ours, stock, "only on ours")
}

function differ(a, b, what,	i, line, there)
{
	for (i = 1; i <= lines[b, "running"]; i++)
		there[mapping(text[b, "running", i])] = 1
	for (i = 1; i <= lines[a, "running"]; i++) {
		line = mapping(text[a, "running", i])
		# Where the firmware has put its tables is no matter.
		if (line == "" || line in there || !is_new(a, text[a, "running", i]))
			continue
		there[line] = 1
		note(a, "differs", line " (" what ")")
	}
}

function or_none(n)	{ return n ? n : "-" }

function row(client, kernel,	at, ok, ours)
{
	at = client SUBSEP kernel
	ours = kernel == "ours"
	ok = !said[at, "failed"] && !said[at, "picture"]
	if (ours)
		ok = ok && !said[at, "new message"] && !said[at, "alias"] && !said[at, "invalid"] &&
		     !said[at, "left"] && !said[at, "lost"] && !said[at, "differs"] &&
		     !said[client SUBSEP "stock", "differs"]
	printf "%-12s %-6s %-8s %-5s %-9s %-9s %s\n", client, kernel,
	       (said[at, "picture"] ? "WRONG" : seen[at] ? "right" : "-"),
	       or_none(said[at, "left"] + said[at, "lost"]),
	       or_none(said[at, "message"]) "" (said[at, "new message"] ? " NEW" : ""),
	       or_none(said[at, "alias"]), (ok ? "ok" : "FAILED")
	printf "  records: %s\n  mapped:  %s\n", summary(at, "^record$", 0), summary(at, MAPPINGS, 1)
	if (ok)
		passed++
	else
		failed++
}

END {
	printf "%-12s %-6s %-8s %-5s %-9s %-9s %s\n", "client", "kernel", "picture", "left", "messages", "two types", "verdict"
	for (i = 1; i <= nr_clients; i++) {
		judge_alone(clients[i] SUBSEP "stock")
		judge_alone(clients[i] SUBSEP "ours")
		judge_both(clients[i])
		row(clients[i], "stock")
		row(clients[i], "ours")
	}
	print ""
	for (i = 1; i <= nr_clients; i++)
		for (k = 1; k <= 2; k++) {
			at = clients[i] SUBSEP (k == 1 ? "stock" : "ours")
			for (n = 1; n <= nr_notes[at]; n++)
				print clients[i] ", " (k == 1 ? "stock" : "ours") ": " notes[at, n]
		}
	printf "%d passed, %d failed, 0 skipped\n", passed, failed
	exit failed > 0 || !passed
}
