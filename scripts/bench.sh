# SPDX-License-Identifier: GPL-2.0-only
# The guest that counts instructions, for scripts/bench and scripts/profile; after lib.sh and flavour.sh.
# shellcheck shell=bash disable=SC2034

# One processor, whose clock counts its instructions, and nothing at random.
export SMP=1 MEMORY=2G BAR=2G CPU=max ACCEL=tcg
COUNTED="-icount shift=0,sleep=off -rtc base=2026-01-01,clock=vm"
SAME="norandmaps nokaslr tsc=reliable"

# bench_kernel KERNEL: the flavour and the kernel parameters of stock, floor (stock that tracks nothing), patched, and
# traced (patched with trace points, which are off).
bench_kernel()
{
	case $1 in
	stock | patched | traced)	flavour=$1 parameters= ;;
	floor)				flavour=stock parameters=nopat ;;
	*)				die "there is no kernel '$1' to measure: choose stock, floor, patched or traced" ;;
	esac
}

# bench_guest KERNEL SET ROUNDS LOG [QEMU ARGUMENTS]: what a guest's program says, in LOG. What the guest gets at random
# follows from BOOT=N, so that it does the same each time, but something else on another boot.
bench_guest()
{
	local flavour parameters

	bench_kernel "$1"
	NAME=$1-${2/:/-} APPEND="$SAME PAT_BENCH=$2 PAT_ROUNDS=$3 $parameters" QEMU_ARGS="$COUNTED -seed ${BOOT:-1} ${5:-}" \
		"$ROOT/scripts/guest-test" bench "$flavour" > "$4" 2>&1 || {
		tail -n 30 "$4"
		die "the guest failed: see $4"
	}
}
