# SPDX-License-Identifier: GPL-2.0-only
# Each target is a script in scripts/ of the same job; "make help" lists them.

FLAVOR = patched
TESTS =
CLIENTS =
STAGES =
OP =
KERNELS =
# The scripts read these from their environment.
export KSRC FORCE TREE BASE APPEND CPU MEMORY QEMU_ARGS LIMIT MINUTES SEED OPS ROUNDS LINES SMP CPUS

.DEFAULT_GOAL := help
.PHONY: help run check deps fetch tree take series model fuzz bench profile patmap kernel shell kunit selftest stress clients clean distclean

help:
	@cat scripts/help.txt

run:
	@scripts/guest-run demo $(FLAVOR)

check:
	@scripts/check $(STAGES)

deps fetch tree take series model fuzz bench patmap:
	@scripts/$@

profile:
	@scripts/profile $(OP) $(KERNELS)

kernel:
	@scripts/kernel $(FLAVOR)

shell:
	@scripts/guest-run shell $(FLAVOR)

# The kernels that have them are debug and kcsan.
kunit: FLAVOR = debug
kunit:
	@scripts/guest-run kunit $(FLAVOR)

selftest:
	@scripts/guest-run selftest $(FLAVOR) $(TESTS)

stress:
	@scripts/stress $(FLAVOR)

clients:
	@scripts/clients $(CLIENTS)

clean distclean:
	@scripts/clean $@
