# SPDX-License-Identifier: GPL-2.0-only
# profile-map.awk: the output of "nm -n vmlinux" and the counts of profile-plugin.c in, instructions and calls per function
# out: KERNEL,FUNCTION,INSTRUCTIONS,CALLS, each for one of so many "times".
# Addresses are compared as text: they have 16 hexadecimal digits each, and are too large for awk's numbers.

FILENAME == ARGV[1] {
	if (tolower($2) == "t" && $3 !~ /^__pfx_/) {
		if ($1 != address[n])
			address[++n] = $1
		# Of several names the last one.
		name[n] = $3
	}
	if ($3 == "_end")
		last = $1
	next
}

# The last symbol that is not after pc.
function symbol_of(pc,    low, high, middle)
{
	low = 1
	high = n
	while (low < high) {
		middle = int((low + high + 1) / 2)
		if (address[middle] <= pc)
			low = middle
		else
			high = middle - 1
	}
	return low
}

function function_of(pc,    i)
{
	start = ""
	if (pc < "0000800000000000")
		return "[user]"
	if (pc >= "ffffffffa0000000")
		return "[modules]"
	if (!n || pc < address[1] || (last && pc >= last))
		return "[other]"
	i = symbol_of(pc)
	start = address[i]
	return name[i]
}

{
	what = function_of($1)
	instructions[what] += $3
	if ($1 == start)
		calls[what] += $2
}

END {
	for (what in instructions)
		printf "%s,%s,%.4f,%.4f\n", kernel, what, instructions[what] / times, calls[what] / times
}
