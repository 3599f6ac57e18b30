// SPDX-License-Identifier: GPL-2.0-only
/*
 * exit_mmap() asks without the lock whether the mm has records, and has nothing to
 * do if it has none.  A zap beside it, by unmap_mapping_range(), changed the ends
 * of the only record by taking it out of the tree and putting it in again: exit
 * saw an empty tree, and the record outlived its mm.
 *
 * toy_observe() asks as exit does, whenever the frame tree is about to change or
 * has changed, which is while the record would be out.
 */

#include "regression.h"

static void tree_never_empty(void)
{
	map_pages(0, 0, 5, 80, WC);
	zap_pages(0, 0, 1);
	zap_pages(0, 4, 5);
	zap_pages(0, 2, 3);
	toy_exit(0);

	/* And when it grows. */
	toy_new(1);
	toy_mmap(toy_mms[1], 0, 5);
	map_pages(1, 0, 2, 80, WC);
	map_pages(1, 2, 5, 82, WC);
}

REGRESSION(tree_never_empty)
