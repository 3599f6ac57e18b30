# SPDX-License-Identifier: GPL-2.0-only
# bench-table.awk: GOALS and a table of raw numbers in, a table of medians and goals out. FS is a comma. The last line
# counts the goals: met, missed, and, as skipped, open ones that are not met and those of which there are no numbers.
# Fails if one is missed. With "gate" set only the goals of the gate count, and all must be met. With "medians" set the
# medians go to that file, too.

function sort_numbers(numbers, n,    i, j, number)
{
	for (i = 2; i <= n; i++) {
		number = numbers[i]
		for (j = i; j > 1 && numbers[j - 1] > number; j--)
			numbers[j] = numbers[j - 1]
		numbers[j] = number
	}
}

# The median of what was measured; sets spread, in percent, if it is the largest so far.
function median(what, kernel,    n, numbers, parts, i, middle)
{
	n = split(rounds[what, kernel], parts, " ")
	if (!n)
		return 0
	for (i = 1; i <= n; i++)
		numbers[i] = parts[i] + 0
	sort_numbers(numbers, n)
	middle = (numbers[int((n + 1) / 2)] + numbers[int(n / 2) + 1]) / 2
	if (middle && 100 * (numbers[n] - numbers[1]) / middle > spread)
		spread = 100 * (numbers[n] - numbers[1]) / middle
	return middle
}

function number(value)
{
	return value >= 1000 ? sprintf("%.0f", value) : sprintf("%.1f", value)
}

FILENAME == ARGV[1] {
	if ($0 ~ /^#/)
		next
	if (gate && $5 != "gate")
		next
	wanted[$1, $2] = $3
	limit[$1, $2] = $4
	open[$1, $2] = $5 == "open"
	goals++
	next
}
FNR == 1 { next }
{
	what = $1 SUBSEP $2
	if (!(what in seen)) {
		seen[what] = ++whats
		order[whats] = what
	}
	rounds[what, $3] = rounds[what, $3] " " $5
}

END {
	printf "%-12s %14s %14s %14s %14s %7s %7s %8s  %s\n", "operation", "size", "no tracking", "stock", "ours", "ratio",
		"own", "spread %", "goal"
	for (i = 1; i <= whats; i++) {
		what = order[i]
		split(what, words, SUBSEP)
		spread = 0
		floor = median(what, "floor")
		stock = median(what, "stock")
		ours = median(what, "patched")
		if (medians)
			printf "%s,%s,%s,%s,%s\n", words[1], words[2], floor, stock, ours > medians
		ratio = stock ? ours / stock : 0
		own = stock != floor ? (ours - floor) / (stock - floor) : 0
		printf "%-12s %14s %14s %14s %14s %7.4f %7.3f %8.2f", words[1], words[2], number(floor), number(stock),
			number(ours), ratio, own, spread
		if (what in wanted) {
			measure = wanted[what]
			value = measure == "own" ? own : measure == "ratio" ? ratio : measure == "most" ? ours : ours - stock
			good = value <= limit[what]
			printf "  %s %s: %s", measure, limit[what], good ? "met" : open[what] ? "missed" : "MISSED"
			if (good)
				met++
			else if (!open[what])
				missed++
		}
		printf "\n"
	}
	if (gate)
		missed = goals - met
	printf "%d passed, %d failed, %d skipped\n", met, missed, goals - met - missed
	exit missed > 0
}
