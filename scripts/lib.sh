# SPDX-License-Identifier: GPL-2.0-only
# What every script here begins with: where things are, and how to speak.
# shellcheck shell=bash disable=SC2034
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$ROOT/build
LOGS=$BUILD/log
STOCK=$BUILD/linux-stock
LINUX=$BUILD/linux
JOBS=${JOBS:-$(nproc)}
ME=$(basename "$0")

# The user's own git settings (hooks, signing, line ends) must not change what we build.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_COUNT=1
export GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
# Called from a git hook, these would point at the wrong repository.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
# The variables of our own make command line are not meant for the kernel's makefiles.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
export LC_ALL=C

mkdir -p "$LOGS"

say()
{
	printf '%s: %s\n' "$ME" "$*"
}

die()
{
	printf '%s: error: %s\n' "$ME" "$*" >&2
	exit 1
}

# number NAME VALUE LEAST MOST: is it a whole number in these limits?
number()
{
	[[ $2 =~ ^(0|[1-9][0-9]{0,17})$ ]] && [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] ||
		die "$1=$2 is not a whole number from $3 to $4"
}

# The line of counts, and what the counts of several commands add up to.
COUNTS='^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$'
passed=0 failed=0 skipped=0

# count_run LOG COMMAND...: run a command and show its output, which ends with a line of counts; add these to $passed,
# $failed and $skipped. No such line is a failure, and so is an exit status with no failure counted.
count_run()
{
	local log=$1 counts=(0 1 0) result=0

	shift
	"$@" 2>&1 | tee "$log" || result=$?
	[[ ! $(tail -n 1 "$log") =~ $COUNTS ]] ||
		counts=("${BASH_REMATCH[@]:1}")
	[ $result = 0 ] || [ "${counts[1]}" != 0 ] || counts[1]=1
	passed=$((passed + counts[0])) failed=$((failed + counts[1])) skipped=$((skipped + counts[2]))
}

# count_verdict: what was added up, as the last line; a failure if there was one, or nothing passed.
count_verdict()
{
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

# lock NAME: wait until no other of our scripts does this job; lasts until the caller ends.
lock()
{
	local fd

	exec {fd}> "$BUILD/$1.lock"
	flock "$fd"
}

# run_logged LOG COMMAND...: quiet while all is well, the last lines and the log's path when not.
run_logged()
{
	local log=$1

	shift
	if ! "$@" > "$log" 2>&1 < /dev/null; then
		tail -n 20 "$log" >&2
		die "'$1' failed, its whole output is in $log"
	fi
}
