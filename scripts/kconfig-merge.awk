# SPDX-License-Identifier: GPL-2.0-only
# Merge configuration fragments: of two requests for an option the later one counts.
function request(option, line)
{
	if (!(option in value))
		order[++count] = option
	value[option] = line
}

/^CONFIG_[A-Za-z0-9_]+=/	{ request(substr($0, 1, index($0, "=") - 1), $0) }
/^# CONFIG_[A-Za-z0-9_]+ is not set$/	{ request($2, $0) }

END {
	for (i = 1; i <= count; i++)
		print value[order[i]]
}
