# SPDX-License-Identifier: GPL-2.0-only
# bench-smp-table.awk: the TIMES and LOCKS of scripts/bench-smp in, tables out; FS is a comma. All are medians of the rounds.
# First each operation's time, and how many locks it takes: acquired; contended, that is not free at once; and bounced, that
# is taken by another processor than the time before. Then which locks: the most taken ones of each operation, and all that
# were contended in one of a hundred. Fails if an operation lacks numbers of a kernel.

function sort_numbers(numbers, n,    i, j, number)
{
	for (i = 2; i <= n; i++) {
		number = numbers[i]
		for (j = i; j > 1 && numbers[j - 1] > number; j--)
			numbers[j] = numbers[j - 1]
		numbers[j] = number
	}
}

# The median of the numbers in a string, and of zeros for what is missing to so many; sets spread, in percent, if it is
# the largest so far.
function median(string, n,    parts, numbers, given, i, middle)
{
	given = split(string, parts, " ")
	for (i = 1; i <= n; i++)
		numbers[i] = i <= given ? parts[i] + 0 : 0
	sort_numbers(numbers, n)
	middle = (numbers[int((n + 1) / 2)] + numbers[int(n / 2) + 1]) / 2
	if (middle && 100 * (numbers[n] - numbers[1]) / middle > spread)
		spread = 100 * (numbers[n] - numbers[1]) / middle
	return middle
}

function rounds_of(what, kernel)
{
	return nr_rounds[what, kernel]
}

# What the kernels have of one count, as two columns.
function columns(count, what,    stock, ours)
{
	stock = median(total[count, what, "stock"], rounds_of(what, "stock"))
	ours = median(total[count, what, "patched"], rounds_of(what, "patched"))
	return sprintf(" %9.3f %9.3f", stock, ours)
}

FNR == 1 { next }

FILENAME == ARGV[1] {
	what = $1 SUBSEP $2
	if (!(what in seen)) {
		seen[what] = ++whats
		order[whats] = what
	}
	processors[what] = $3
	times[what, $4] = times[what, $4] " " $6
	nr_times[what, $4]++
	next
}

{
	what = $1 SUBSEP $2
	if (!((what, $3, $4) in sums)) {
		sums[what, $3, $4] = 1
		nr_rounds[what, $3]++
		round_of[what, $3, nr_rounds[what, $3]] = $4
	}
	if (!((what, $6) in known)) {
		known[what, $6] = ++nr_locks[what]
		lock_of[what, nr_locks[what]] = $6
	}
	for (count = 1; count <= 3; count++) {
		each[count, what, $3, $6] = each[count, what, $3, $6] " " $(6 + count) / $5
		sum[count, what, $3, $4] += $(6 + count) / $5
	}
}

END {
	SHOWN = 8
	for (i = 1; i <= whats; i++)
		for (k = 1; k <= 2; k++) {
			kernel = k == 1 ? "stock" : "patched"
			if (!nr_times[order[i], kernel] || !nr_rounds[order[i], kernel]) {
				split(order[i], words, SUBSEP)
				print "no numbers of " words[1] " " words[2] " on " kernel
				missing++
			}
			for (r = 1; r <= nr_rounds[order[i], kernel]; r++)
				for (count = 1; count <= 3; count++)
					total[count, order[i], kernel] = total[count, order[i], kernel] " " \
						sum[count, order[i], kernel, round_of[order[i], kernel, r]]
		}
	if (missing || !whats)
		exit 1

	print "One operation on each processor at a time. Times are by the clock, and noisy; lock counts are of one operation."
	printf "%-14s %6s %4s %12s %12s %7s %8s %9s %9s %9s %9s %9s %9s\n", "", "", "", "stock", "ours", "", "", "acquired", "",
		"contended", "", "bounced", ""
	printf "%-14s %6s %4s %12s %12s %7s %8s %9s %9s %9s %9s %9s %9s\n", "operation", "size", "CPUs", "ns", "ns", "ratio",
		"spread %", "stock", "ours", "stock", "ours", "stock", "ours"
	for (i = 1; i <= whats; i++) {
		what = order[i]
		split(what, words, SUBSEP)
		spread = 0
		stock = median(times[what, "stock"], nr_times[what, "stock"])
		ours = median(times[what, "patched"], nr_times[what, "patched"])
		printf "%-14s %6s %4s %12.1f %12.1f %7.2f %8.0f", words[1], words[2], processors[what], stock, ours,
			stock ? ours / stock : 0, spread
		print columns(1, what) columns(2, what) columns(3, what)
	}

	printf "\nWhich locks\n%-14s %6s %-38s %9s %9s %9s %9s %9s %9s\n", "operation", "size", "lock", "acquired", "",
		"contended", "", "bounced", ""
	for (i = 1; i <= whats; i++) {
		what = order[i]
		split(what, words, SUBSEP)
		n = 0
		for (l = 1; l <= nr_locks[what]; l++) {
			name = lock_of[what, l]
			for (count = 1; count <= 3; count++) {
				of_stock[l, count] = median(each[count, what, "stock", name], rounds_of(what, "stock"))
				of_ours[l, count] = median(each[count, what, "patched", name], rounds_of(what, "patched"))
			}
			most[l] = of_stock[l, 1] > of_ours[l, 1] ? of_stock[l, 1] : of_ours[l, 1]
			# Insert it where it belongs.
			for (j = ++n; j > 1 && most[ranked[j - 1]] < most[l]; j--)
				ranked[j] = ranked[j - 1]
			ranked[j] = l
		}
		for (j = 1; j <= n; j++) {
			l = ranked[j]
			if (most[l] < 0.02 || (j > SHOWN && of_stock[l, 2] < 0.01 && of_ours[l, 2] < 0.01))
				continue
			printf "%-14s %6s %-38s %9.3f %9.3f %9.3f %9.3f %9.3f %9.3f\n", words[1], words[2], lock_of[what, l],
				of_stock[l, 1], of_ours[l, 1], of_stock[l, 2], of_ours[l, 2], of_stock[l, 3], of_ours[l, 3]
		}
	}
}
