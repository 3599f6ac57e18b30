# SPDX-License-Identifier: GPL-2.0-only
# bench-locks.awk: from what a guest's "bench smp" says, a line for each lock of each round, with "kernel" as given:
#	operation, size, kernel, round, operations, lock, acquisitions, contentions, acq-bounces, con-bounces
# Readers and writers of a lock are added up. What lockdep only knows as a lock is none: read sections of RCU, sequence
# counts, and the maps that stand for a context, a completion or a work item. Left out is also what the clock's interrupt and
# the scheduler take: that is a matter of how long something lasts. Fails if the kernel counted nothing.

function is_none(name)
{
	return name ~ /^rcu_|seq(count)?(#[0-9]+)?$|^\(|^fs_reclaim|^mmu_notifier_|^dma_fence_map|wait-type-override$/
}

function is_of_the_clock(name)
{
	return name ~ /^(hrtimer_bases\.lock|jiffies_lock|timekeeper_lock|&tmc->lock|&group->lock|&base->lock|&rq->__lock)(#[0-9]+)?(\/[0-9]+)?$/
}

/^lock .*WARNING.* lock debugging disabled/ {
	print "bench-locks: the kernel had stopped counting locks" > "/dev/stderr"
	failed = 1
	exit
}

$1 == "smp" {
	operation = $2
	size = $3
	round = $4
	operations = $6
	rounds++
}

# Such a line has the lock's name, a colon, and twelve numbers; others of the file have not. A name may have spaces.
$1 == "lock" && match($0, /: +[0-9]+ +[0-9]+ +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9]+ +[0-9]+ /) {
	if ($2 != operation || $3 != size || $4 != round)
		next
	name = substr($0, 1, RSTART - 1)
	sub(/^lock +[^ ]+ +[0-9]+ +[0-9]+ +/, "", name)
	sub(/-[RW]$/, "", name)
	if (is_none(name) || is_of_the_clock(name))
		next
	gsub(/[ ,]/, "_", name)
	split(substr($0, RSTART + 1), numbers, " ")
	what = operation "," size "," kernel "," round "," operations "," name
	if (!(what in acquisitions))
		order[++whats] = what
	con_bounces[what] += numbers[1]
	contentions[what] += numbers[2]
	acq_bounces[what] += numbers[7]
	acquisitions[what] += numbers[8]
	if (!((operation, size, round) in counted)) {
		counted[operation, size, round] = 1
		rounds_counted++
	}
}

END {
	if (failed)
		exit 1
	for (i = 1; i <= whats; i++) {
		what = order[i]
		printf "%s,%d,%d,%d,%d\n", what, acquisitions[what], contentions[what], acq_bounces[what], con_bounces[what]
	}
	if (!rounds || rounds_counted != rounds) {
		print "bench-locks: of " rounds + 0 " rounds, locks were counted in " rounds_counted + 0 > "/dev/stderr"
		exit 1
	}
}
