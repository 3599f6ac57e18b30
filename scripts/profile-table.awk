# SPDX-License-Identifier: GPL-2.0-only
# profile-table.awk: a table of profile-map.awk's in, a line a function out: instructions on each of "kernels", the difference
# of the last two, and the calls on the last; the largest difference first. With "lines" set only so many of them.

BEGIN {
	FS = ","
	n = split(kernels, kernel, " ")
}

{
	functions[$2]
	instructions[$1, $2] = $3
	calls[$1, $2] = $4
	total[$1] += $3
}

function line(what,    i)
{
	for (i = 1; i <= n; i++)
		printf "%14.1f ", what == "" ? total[kernel[i]] : instructions[kernel[i], what]
	if (n > 1)
		printf "%+12.1f ", what == "" ? total[kernel[n]] - total[kernel[n - 1]] : difference[what]
	if (what == "")
		printf "%9s all\n", ""
	else
		printf "%9.2f %s\n", calls[kernel[n], what], what
}

function size_of(what)
{
	return difference[what] < 0 ? -difference[what] : difference[what]
}

END {
	for (what in functions) {
		difference[what] = instructions[kernel[n], what] - (n > 1 ? instructions[kernel[n - 1], what] : 0)
		order[++count] = what
	}
	# Shell sort: there are some thousands.
	for (gap = int(count / 2); gap > 0; gap = int(gap / 2))
		for (i = gap + 1; i <= count; i++) {
			what = order[i]
			for (j = i; j > gap && size_of(order[j - gap]) < size_of(what); j -= gap)
				order[j] = order[j - gap]
			order[j] = what
		}
	for (i = 1; i <= n; i++)
		printf "%14s ", kernel[i]
	printf "%s%9s function\n", (n > 1 ? "  difference " : ""), "calls"
	line("")
	for (i = 1; i <= count && (!lines || i <= lines); i++)
		line(order[i])
}
