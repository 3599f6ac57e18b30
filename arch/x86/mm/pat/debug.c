// SPDX-License-Identifier: GPL-2.0-only
/*
 * What debugfs shows of the memory type tracking, below x86/.
 *
 *	pat_memtype_list	a line per record of reserved frames
 *	pat_records		all that is known of each record
 *	pat_ram			RAM that is not write-back
 *	pat_validate, pat_validate_ram	what the validators say
 *
 * The records are copied when one of the first two is opened, in one section: it
 * is what was true at one moment, and costs the same per line however long it is.
 */

#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include <asm/mtrr.h>
#include <asm/pat.h>

#include "pat_internal.h"

struct pat_list {
	unsigned long		nr;
	struct pat_record_info	*infos;
	u64			ahead;	/* of jiffies the clock is, in ms */
};

struct pat_typed_run {
	unsigned long		pfn;
	unsigned long		nr;
	enum page_cache_mode	type;
};

/* What one who reads a file has in mind. */
union pat_reader {
	struct pat_list		list;
	struct pat_typed_run	run;
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

static void pat_show_holder(struct seq_file *seq,
			    const struct pat_record_info *info)
{
	char text[PAT_HOLDER_TEXT];

	pat_holder_text(info, text, sizeof(text));
	seq_printf(seq, " by %s\n", text);
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
	pat_show_holder(seq, info);
	return 0;
}

static const struct seq_operations pat_list_ops = {
	.start	= pat_list_start,
	.next	= pat_list_next,
	.stop	= pat_list_stop,
	.show	= pat_list_show,
};

static int pat_compare_ends(const void *one, const void *two)
{
	unsigned long a = *(const unsigned long *)one;
	unsigned long b = *(const unsigned long *)two;

	return a < b ? -1 : a > b;
}

/*
 * How many mappings are there of the first frame of each record?  The records that
 * begin at it or before, less those that end there or before: both only grow.
 */
static int pat_list_count_mappings(struct pat_list *list)
{
	unsigned long i, begun = 0, ended = 0, *ends;

	ends = kvmalloc_array(list->nr + 1, sizeof(*ends), GFP_KERNEL);
	if (!ends)
		return -ENOMEM;
	for (i = 0; i < list->nr; i++)
		ends[i] = list->infos[i].pfn + list->infos[i].pages;
	sort(ends, list->nr, sizeof(*ends), pat_compare_ends, NULL);
	for (i = 0; i < list->nr; i++) {
		unsigned long pfn = list->infos[i].pfn;

		while (begun < list->nr && list->infos[begun].pfn <= pfn)
			begun++;
		while (ended < list->nr && ends[ended] <= pfn)
			ended++;
		list->infos[i].mappings = begun - ended;
	}
	kvfree(ends);
	return 0;
}

static const char *pat_mtrr_name(u8 type)
{
	switch (type) {
	case MTRR_TYPE_UNCACHABLE:	return "uncachable";
	case MTRR_TYPE_WRCOMB:		return "write-combining";
	case MTRR_TYPE_WRTHROUGH:	return "write-through";
	case MTRR_TYPE_WRPROT:		return "write-protect";
	case MTRR_TYPE_WRBACK:		return "write-back";
	default:			return "none";
	}
}

/* What a CPU makes of both: SDM volume 3, "Effective Page-Level Memory Type". */
static const char *pat_effective_name(enum page_cache_mode type, u8 mtrr)
{
	switch (type) {
	case _PAGE_CACHE_MODE_WC:
		return "write-combining";
	case _PAGE_CACHE_MODE_UC_MINUS:
		return mtrr == MTRR_TYPE_WRCOMB ? "write-combining" : "uncached";
	case _PAGE_CACHE_MODE_WB:
		return mtrr == MTRR_TYPE_INVALID ? "write-back" :
						   pat_mtrr_name(mtrr);
	case _PAGE_CACHE_MODE_WT:
		return mtrr == MTRR_TYPE_UNCACHABLE ||
		       mtrr == MTRR_TYPE_WRCOMB ? "uncached" : "write-through";
	default:
		return "uncached";
	}
}

static int pat_records_show(struct seq_file *seq, void *v)
{
	const struct pat_list *list = seq->private;
	const struct pat_record_info *info = v;
	const char *type, *effective;
	u64 start, end, since;
	u8 mtrr, uniform;
	u32 ms;

	if (v == SEQ_START_TOKEN) {
		seq_printf(seq, "PAT records: %lu\n", list->nr);
		return 0;
	}
	start = (u64)info->pfn << PAGE_SHIFT;
	end = start + ((u64)info->pages << PAGE_SHIFT);
	mtrr = mtrr_type_lookup(start, end, &uniform);
	type = pat_mode_name(info->type);
	effective = uniform ? pat_effective_name(info->type, mtrr) : "mixed";
	if (info->ram)
		type = effective = "by-page";
	since = list->ahead + jiffies64_to_msecs(info->since - INITIAL_JIFFIES);
	since = div_u64_rem(since, 1000, &ms);

	seq_printf(seq, "[mem 0x%016llx-0x%016llx] type=%s", start, end, type);
	switch (info->holder) {
	case PAT_HOLDER_USER:
		seq_puts(seq, info->ram ? " kind=user-ram" : " kind=user");
		break;
	case PAT_HOLDER_KERNEL:
		seq_puts(seq, " kind=kernel");
		break;
	case PAT_HOLDER_RANGE:
		seq_puts(seq, " kind=reserved");
		break;
	}
	if (info->holder != PAT_HOLDER_RANGE)
		seq_printf(seq, " virt=0x%lx-0x%lx", info->start, info->end);
	seq_printf(seq, " since=%llu.%03u maps=%lu mtrr=%s effective=%s",
		   since, ms, info->mappings,
		   uniform ? pat_mtrr_name(mtrr) : "mixed", effective);
	pat_show_holder(seq, info);
	return 0;
}

static const struct seq_operations pat_records_ops = {
	.start	= pat_list_start,
	.next	= pat_list_next,
	.stop	= pat_list_stop,
	.show	= pat_records_show,
};

/* The position is a frame, plus 1: 0 is the title. */
static void *pat_ram_start(struct seq_file *seq, loff_t *pos)
{
	struct pat_typed_run *run = seq->private;

	if (!*pos)
		return SEQ_START_TOKEN;
	run->pfn = *pos - 1;
	if (!pat_ram_typed_next(&run->pfn, &run->nr, &run->type))
		return NULL;
	*pos = (loff_t)run->pfn + 1;
	return run;
}

static void *pat_ram_next(struct seq_file *seq, void *v, loff_t *pos)
{
	const struct pat_typed_run *run = v;

	*pos = v == SEQ_START_TOKEN ? 1 : (loff_t)run->pfn + run->nr + 1;
	return pat_ram_start(seq, pos);
}

static void pat_ram_stop(struct seq_file *seq, void *v) { }

static int pat_ram_show(struct seq_file *seq, void *v)
{
	const struct pat_typed_run *run = v;

	if (v == SEQ_START_TOKEN)
		seq_printf(seq, "PAT RAM that is not write-back: %lu pages\n",
			   pat_ram_typed_count());
	else
		seq_printf(seq, "[mem 0x%016llx-0x%016llx] %s\n",
			   (u64)run->pfn << PAGE_SHIFT,
			   (u64)(run->pfn + run->nr) << PAGE_SHIFT,
			   pat_mode_name(run->type));
	return 0;
}

static const struct seq_operations pat_ram_ops = {
	.start	= pat_ram_start,
	.next	= pat_ram_next,
	.stop	= pat_ram_stop,
	.show	= pat_ram_show,
};

static int pat_snapshot(struct pat_list *list, bool all)
{
	/* The log's clock was running before there were ticks. */
	list->ahead = ktime_to_ms(ktime_get()) -
		      jiffies64_to_msecs(jiffies - INITIAL_JIFFIES);
	list->infos = pat_records_snapshot(all, &list->nr);
	if (!list->infos)
		return -ENOMEM;
	return all ? pat_list_count_mappings(list) : 0;
}

/* Each file brings its operations, as its inode's data. */
static int pat_seq_open(struct inode *inode, struct file *file)
{
	const struct seq_operations *ops = inode->i_private;
	union pat_reader *reader;
	int err = 0;

	reader = __seq_open_private(file, ops, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	if (ops != &pat_ram_ops)
		err = pat_snapshot(&reader->list, ops == &pat_records_ops);
	if (err) {
		kvfree(reader->list.infos);
		seq_release_private(inode, file);
	}
	return err;
}

static int pat_seq_release(struct inode *inode, struct file *file)
{
	struct seq_file *seq = file->private_data;
	union pat_reader *reader = seq->private;

	if (seq->op != &pat_ram_ops)
		kvfree(reader->list.infos);
	return seq_release_private(inode, file);
}

static const struct file_operations pat_seq_fops = {
	.open		= pat_seq_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= pat_seq_release,
};

#ifdef CONFIG_X86_PAT_VALIDATE
static int pat_validate_show(struct seq_file *seq, void *unused)
{
	bool ram = seq->private;
	struct pat_verdict verdict;

	if (ram)
		pat_validate_ram(&verdict);
	else
		pat_validate(&verdict);
	if (verdict.broken)
		seq_printf(seq, "broken at %#018llx: %s\n",
			   (u64)verdict.pfn << PAGE_SHIFT, verdict.broken);
	else
		seq_printf(seq, "ok: %lu %s\n",
			   ram ? verdict.pages : verdict.records,
			   ram ? "pages" : "records");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pat_validate);
#endif

static const struct {
	const char			*name;
	const void			*data;
	const struct file_operations	*fops;
} pat_files[] __initconst = {
	{ "pat_memtype_list",	&pat_list_ops,		&pat_seq_fops },
	{ "pat_records",	&pat_records_ops,	&pat_seq_fops },
	{ "pat_ram",		&pat_ram_ops,		&pat_seq_fops },
#ifdef CONFIG_X86_PAT_VALIDATE
	{ "pat_validate",	NULL,			&pat_validate_fops },
	{ "pat_validate_ram",	"RAM",			&pat_validate_fops },
#endif
};

static int __init pat_debugfs_init(void)
{
	int i;

	for (i = 0; pat_enabled() && i < ARRAY_SIZE(pat_files); i++)
		debugfs_create_file(pat_files[i].name, 0400, arch_debugfs_dir,
				    (void *)pat_files[i].data, pat_files[i].fops);
	return 0;
}
late_initcall(pat_debugfs_init);
