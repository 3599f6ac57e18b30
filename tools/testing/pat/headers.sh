#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# headers.sh DIR OWN OURS NATIVE FILE...: make DIR, with a header for each one that FILEs include.
# OWN are the kernel's (below $KSRC), OURS this repo's (below $TOP), NATIVE stay libc's, all others are empty: shim.h is
# included before everything.
set -eu

dir=$1 own=$2 ours=$3 native=$4
shift 4
rm -rf "$dir"

forward()	# forward NAME TARGET
{
	mkdir -p "$dir/$(dirname "$1")"
	if [ -n "$2" ]; then
		[ -r "$2" ] || { echo "model: error: there is no $2: run make tree" >&2; exit 1; }
		printf '#include "%s"\n' "$2"
	fi > "$dir/$1"
}

for name in $own; do
	forward "$name" "$KSRC/include/$name"
	set -- "$@" "$KSRC/include/$name"
done
for path in $ours; do
	forward "${path##*include/}" "$TOP/$path"
	set -- "$@" "$TOP/$path"
done
names=$(sed -n -E 's/^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+\.h)[>"].*/\1/p' "$@" | sort -u)
for name in $names; do
	case " $native pat_internal.h pat/pat_internal.h trace.h pat/trace.h " in
	*" $name "*) continue ;;
	esac
	[ -e "$dir/$name" ] || forward "$name" ""
done

# excerpt HEADER FUNCTION: the text of one function of a kernel header, as it stands there.
excerpt()
{
	awk -v name="$2" '
		/^static/ { text = ""; on = 1 }
		on { text = text $0 "\n" }
		on && /^}/ { if (index(text, name "(")) { printf "%s", text; found = 1; exit } on = 0 }
		END { exit !found }
	' "$KSRC/$1" || { echo "model: error: $KSRC/$1 has no $2()" >&2; exit 1; }
}
{
	excerpt include/linux/page-flags.h page_memtype_flags
	excerpt include/linux/page-flags.h set_page_memtype_flags
	excerpt include/linux/page-flags.h claim_page_memtype_flags
	excerpt arch/x86/include/asm/pgtable.h is_new_memtype_allowed
} > "$dir/kernel_snippets.h"
