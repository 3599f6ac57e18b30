# SPDX-License-Identifier: GPL-2.0-only
# Variables of make for the kcsan kernel: which objects are instrumented. All others are not, so that a report always
# has an access of ours, or of the tree that our records hang in, at one of its ends. The rbtree below that tree is left
# out: it would be the scheduler's that is watched all the time.
KCSAN_SANITIZE=n
KCSAN_SANITIZE_pat.o=y
KCSAN_SANITIZE_fix.o=y
KCSAN_SANITIZE_freed.o=y
KCSAN_SANITIZE_lookup.o=y
KCSAN_SANITIZE_pageattr.o=y
KCSAN_SANITIZE_pfnmap.o=y
KCSAN_SANITIZE_ram.o=y
KCSAN_SANITIZE_removed.o=y
KCSAN_SANITIZE_reserved.o=y
KCSAN_SANITIZE_validate.o=y
KCSAN_SANITIZE_interval_tree.o=y
