# SPDX-License-Identifier: GPL-2.0-only
# kconfig-check.awk REQUESTS CONFIG: print each request that the configuration does not hold, and fail if there is one.
# An option that is not in the configuration at all is as good as "is not set".
FNR == NR && /^CONFIG_/	{ wanted[substr($0, 1, index($0, "=") - 1)] = $0; next }
FNR == NR		{ unwanted[$2] = 1; next }
/^CONFIG_/ {
	option = substr($0, 1, index($0, "=") - 1)
	got[option] = $0
}

END {
	for (option in wanted)
		if (got[option] != wanted[option]) {
			printf "%s: wanted, but %s\n", wanted[option], got[option] ? "it is " got[option] : "it is not set"
			bad = 1
		}
	for (option in unwanted)
		if (option in got && got[option]) {
			printf "%s: not wanted, but it is %s\n", option, got[option]
			bad = 1
		}
	exit bad
}
