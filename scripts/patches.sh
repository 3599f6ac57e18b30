# SPDX-License-Identifier: GPL-2.0-only
# Read patches/series, whose format is told at its top.
# shellcheck shell=bash

SERIES=$ROOT/patches/series

# What an editor or a test run leaves in a source tree; all else that git does not know there is somebody's work.
TREE_LITTER=(-x '*~' -x '*.orig' -x '*.rej' -x '.*.sw?' -x '__pycache__/' -x 'cscope.*' -x 'tags')

# Print the series as rows of: patch, sign, path. The sign is "=" for the patch itself (no path), "+" or "-".
# A "+" directory becomes a row per file that no other row names.
series_rows()
{
	local rows

	rows=$(awk -v OFS='\t' '
		/^[ \t]*(#|$)/		{ next }
		/^[^ \t]+\.patch$/	{ patch = $0; print patch, "="; next }
		/^[ \t]+[+-] [^ \t]+$/ && patch { print patch, $1, $2; next }
		{ printf "line %d: %s\n", NR, $0 > "/dev/stderr"; exit 1 }
	' "$SERIES") || die "patches/series has a line that is no patch name, no '+ path' and no '- path'"
	[ -n "$rows" ] || return 0
	series_expand <<< "$rows"
}

series_expand()
{
	local -A named=()
	local -a rows
	local row patch sign path file

	mapfile -t rows
	for row in "${rows[@]}"; do
		IFS=$'\t' read -r patch sign path <<< "$row"
		[ "$sign" != + ] || named[$path]=1
	done
	for row in "${rows[@]}"; do
		IFS=$'\t' read -r patch sign path <<< "$row"
		if [ "$sign" = + ] && [ "${path%/}" != "$path" ]; then
			git -C "$ROOT" ls-files -co --exclude-standard --deduplicate -- "$path" | while read -r file; do
				[ -n "${named[$file]:-}" ] || [ ! -f "$ROOT/$file" ] || printf '%s\t+\t%s\n' "$patch" "$file"
			done
		else
			echo "$row"
		fi
	done
}

# Succeeds if the tree holds nothing that its last commit does not.
tree_is_clean()
{
	git -C "$1" update-index -q --refresh > /dev/null || :
	git -C "$1" diff-index --quiet HEAD -- || return 1
	[ -z "$(git -C "$1" ls-files --others "${TREE_LITTER[@]}" | head -n 1)" ]
}
