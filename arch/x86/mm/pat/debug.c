// SPDX-License-Identifier: GPL-2.0-only
/*
 * What debugfs shows of the memory type tracking.
 *
 *	x86/pat_memtype_list	a line per record of reserved frames
 *	x86/pat_validate	what the validator says
 *
 * A list is copied out of the records when it is opened, in one section: it is
 * what was true at one moment, and costs the same per line however long it is.
 */

#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include <asm/pat.h>

#include "pat_internal.h"

struct pat_list {
	unsigned long		nr;
	struct pat_record_info	*infos;
};

/* Position 0 is the title, n the record n - 1. */
static void *pat_list_at(struct seq_file *seq, loff_t pos)
{
	struct pat_list *list = seq->private;

	if (!pos)
		return SEQ_START_TOKEN;
	return pos <= list->nr ? &list->infos[pos - 1] : NULL;
}

static void *pat_list_start(struct seq_file *seq, loff_t *pos)
{
	return pat_list_at(seq, *pos);
}

static void *pat_list_next(struct seq_file *seq, void *v, loff_t *pos)
{
	return pat_list_at(seq, ++*pos);
}

static void pat_list_stop(struct seq_file *seq, void *v) { }

static void pat_list_show_holder(struct seq_file *seq,
				 const struct pat_record_info *info)
{
	switch (info->holder) {
	case PAT_HOLDER_USER:
		seq_printf(seq, " by %s[%d] %lx-%lx", info->comm, info->pid,
			   info->start, info->end);
		break;
	case PAT_HOLDER_KERNEL:
		seq_printf(seq, " by %pS, mapped", info->caller);
		break;
	case PAT_HOLDER_RANGE:
		seq_printf(seq, " by %pS, reserved", info->caller);
		break;
	}
}

static int pat_list_show(struct seq_file *seq, void *v)
{
	const struct pat_record_info *info = v;

	if (v == SEQ_START_TOKEN) {
		seq_puts(seq, "PAT memtype list:\n");
		return 0;
	}
	seq_printf(seq, "PAT: [mem 0x%016llx-0x%016llx] %s",
		   (u64)info->pfn << PAGE_SHIFT,
		   (u64)(info->pfn + info->pages) << PAGE_SHIFT,
		   pat_mode_name(info->type));
	pat_list_show_holder(seq, info);
	seq_putc(seq, '\n');
	return 0;
}

static const struct seq_operations pat_list_ops = {
	.start	= pat_list_start,
	.next	= pat_list_next,
	.stop	= pat_list_stop,
	.show	= pat_list_show,
};

static int pat_list_open(struct inode *inode, struct file *file)
{
	struct pat_list *list;

	list = __seq_open_private(file, &pat_list_ops, sizeof(*list));
	if (!list)
		return -ENOMEM;
	list->infos = pat_records_snapshot(&list->nr);
	if (!list->infos) {
		seq_release_private(inode, file);
		return -ENOMEM;
	}
	return 0;
}

static int pat_list_release(struct inode *inode, struct file *file)
{
	struct seq_file *seq = file->private_data;
	struct pat_list *list = seq->private;

	kvfree(list->infos);
	return seq_release_private(inode, file);
}

static const struct file_operations pat_list_fops = {
	.open		= pat_list_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= pat_list_release,
};

static int pat_verdict_show(struct seq_file *seq,
			    const struct pat_verdict *verdict,
			    unsigned long count, const char *what)
{
	if (verdict->broken)
		seq_printf(seq, "broken at %#018llx: %s\n",
			   (u64)verdict->pfn << PAGE_SHIFT, verdict->broken);
	else
		seq_printf(seq, "ok: %lu %s\n", count, what);
	return 0;
}

static int pat_validate_show(struct seq_file *seq, void *unused)
{
	struct pat_verdict verdict;

	pat_validate(&verdict);
	return pat_verdict_show(seq, &verdict, verdict.records, "records");
}
DEFINE_SHOW_ATTRIBUTE(pat_validate);

static int pat_validate_ram_show(struct seq_file *seq, void *unused)
{
	struct pat_verdict verdict;

	pat_validate_ram(&verdict);
	return pat_verdict_show(seq, &verdict, verdict.pages, "pages");
}
DEFINE_SHOW_ATTRIBUTE(pat_validate_ram);

static int __init pat_debugfs_init(void)
{
	if (!pat_enabled())
		return 0;
	debugfs_create_file("pat_memtype_list", 0400, arch_debugfs_dir, NULL,
			    &pat_list_fops);
	debugfs_create_file("pat_validate", 0400, arch_debugfs_dir, NULL,
			    &pat_validate_fops);
	debugfs_create_file("pat_validate_ram", 0400, arch_debugfs_dir, NULL,
			    &pat_validate_ram_fops);
	return 0;
}
late_initcall(pat_debugfs_init);
