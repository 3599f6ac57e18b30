# SPDX-License-Identifier: GPL-2.0-only
# TAP for the tests of these scripts. A test file calls plan first, then ok per test.
# shellcheck shell=bash

tap_count=0

plan()
{
	echo "TAP version 13"
	echo "1..$1"
}

# ok NAME COMMAND...: one test, passed if the command succeeds.
ok()
{
	local name=$1

	shift
	tap_count=$((tap_count + 1))
	if "$@"; then
		echo "ok $tap_count $name"
	else
		echo "not ok $tap_count $name"
	fi
}
