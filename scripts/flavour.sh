# SPDX-License-Identifier: GPL-2.0-only
# Read one kernel of configs/flavours into F_* variables.
# shellcheck shell=bash disable=SC2034

# A cache that another clone on the same machine shares. Not in "depend" mode: that does not see what .incbin takes in, so
# that a bzImage may hold another kernel.
export CCACHE_BASEDIR=$BUILD

# flavour_load NAME
flavour_load()
{
	local row variables

	row=$(awk -v n="$1" '$1 == n' "$ROOT/configs/flavours")
	[ -n "$row" ] || die "there is no FLAVOR=$1: choose one of $(flavour_names)"
	read -r F_NAME F_TREE F_ARCH F_GOAL F_OBJECTS F_FRAGMENTS <<< "$row"
	F_SOURCE=$BUILD/$F_TREE
	F_DIR=$BUILD/$F_NAME
	F_MAKE=(make -C "$F_SOURCE" O="$F_DIR" ARCH="$F_ARCH" CC="$(flavour_cc)" LOCALVERSION=)
	if [ -f "$ROOT/configs/$F_NAME.mk" ]; then
		mapfile -t variables < <(grep -v '^#' "$ROOT/configs/$F_NAME.mk")
		F_MAKE+=("${variables[@]}")
	fi
}

flavour_names()
{
	awk '/^[^#]/ { printf "%s%s", sep, $1; sep = " " }' "$ROOT/configs/flavours"
}

flavour_cc()
{
	command -v ccache > /dev/null && printf 'ccache '
	echo gcc
}

# kbuild_objects LOG: print how many objects a kernel build's log tells of.
kbuild_objects()
{
	grep -cE '^  (CC|AS|LD|AR) ' "$1" || :
}
