/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine of 5 GiB as a kernel told of it, booted with
 * "memmap=64M$512M memmap=1K$300M": the map in its log, /proc/iomem, and the
 * dump of its page tables, all a bit shortened. That dump has entries of all
 * sizes, and the marker of the direct map after its first entry.
 */
#ifndef PAT_DIRECTMAP_RECORDED_H
#define PAT_DIRECTMAP_RECORDED_H

static const char recorded_log[] =
	"BIOS-provided physical RAM map:\n"
	"BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable\n"
	"BIOS-e820: [mem 0x000000000009fc00-0x000000000009ffff] reserved\n"
	"BIOS-e820: [mem 0x00000000000f0000-0x00000000000fffff] reserved\n"
	"BIOS-e820: [mem 0x0000000000100000-0x00000000bffdffff] usable\n"
	"BIOS-e820: [mem 0x00000000bffe0000-0x00000000bfffffff] reserved\n"
	"BIOS-e820: [mem 0x00000000fffc0000-0x00000000ffffffff] reserved\n"
	"BIOS-e820: [mem 0x0000000100000000-0x000000017fffffff] usable\n"
	"BIOS-e820: [mem 0x000000fd00000000-0x000000ffffffffff] reserved\n"
	"user-defined physical RAM map:\n"
	"user: [mem 0x0000000000000000-0x000000000009fbff] usable\n"
	"user: [mem 0x000000000009fc00-0x000000000009ffff] reserved\n"
	"user: [mem 0x00000000000f0000-0x00000000000fffff] reserved\n"
	"user: [mem 0x0000000000100000-0x0000000012bfffff] usable\n"
	"user: [mem 0x0000000012c00000-0x0000000012c003ff] reserved\n"
	"user: [mem 0x0000000012c00400-0x000000001fffffff] usable\n"
	"user: [mem 0x0000000020000000-0x0000000023ffffff] reserved\n"
	"user: [mem 0x0000000024000000-0x00000000bffdffff] usable\n"
	"user: [mem 0x00000000bffe0000-0x00000000bfffffff] reserved\n"
	"user: [mem 0x00000000fffc0000-0x00000000ffffffff] reserved\n"
	"user: [mem 0x0000000100000000-0x000000017fffffff] usable\n"
	"user: [mem 0x000000fd00000000-0x000000ffffffffff] reserved\n"
	"e820: update [mem 0x00000000-0x00000fff] usable ==> reserved\n"
	"e820: remove [mem 0x000a0000-0x000fffff] usable\n"
	"last_pfn = 0x180000 max_arch_pfn = 0x400000000\n"
	"x86/PAT: Configuration [0-7]: WB  WC  UC- UC  WB  WP  UC- WT  \n"
	"Using GB pages for direct mapping\n";

static const char recorded_iomem[] =
	"00000000-00000fff : Reserved\n"
	"00001000-0009fbff : System RAM\n"
	"0009fc00-0009ffff : Reserved\n"
	"000a0000-000bffff : PCI Bus 0000:00\n"
	"000f0000-000fffff : Reserved\n"
	"  000f0000-000fffff : System ROM\n"
	"00100000-12bfffff : System RAM\n"
	"  01000000-017fffff : Kernel code\n"
	"  01c00000-01fe09ff : Kernel data\n"
	"12c00000-12c003ff : Reserved\n"
	"12c00400-1fffffff : System RAM\n"
	"20000000-23ffffff : Reserved\n"
	"24000000-bffdffff : System RAM\n"
	"bffe0000-bfffffff : Reserved\n"
	"c0000000-febfffff : PCI Bus 0000:00\n"
	"  fa000000-fbffffff : 0000:00:04.0\n"
	"  fc000000-fcffffff : 0000:00:02.0\n"
	"    fc000000-fcffffff : bochs-drm\n"
	"fffc0000-ffffffff : Reserved\n"
	"100000000-17fffffff : System RAM\n"
	"180000000-1ffffffff : PCI Bus 0000:00\n"
	"fd00000000-ffffffffff : Reserved\n";

static const char recorded_dump[] =
	"---[ User Space ]---\n"
	"0x0000000000000000-0xffff880000000000    16777096T                               pgd\n"
	"---[ Kernel Space ]---\n"
	"0xffff880000000000-0xffff888000000000         512G                               pgd\n"
	"---[ LDT remap ]---\n"
	"0xffff888000000000-0xffff888000001000           4K     RW                 GLB NX pte\n"
	"---[ Low Kernel Mapping ]---\n"
	"0xffff888000001000-0xffff888000098000         604K     RW                 GLB NX pte\n"
	"0xffff888000098000-0xffff888000099000           4K     ro                 GLB NX pte\n"
	"0xffff888000099000-0xffff88800009b000           8K     ro                 GLB x  pte\n"
	"0xffff88800009b000-0xffff888000200000        1428K     RW                 GLB NX pte\n"
	"0xffff888000200000-0xffff888001000000          14M     RW         PSE     GLB NX pmd\n"
	"0xffff888001000000-0xffff888001a00000          10M     ro         PSE     GLB NX pmd\n"
	"0xffff888001a00000-0xffff888001a2b000         172K     ro                 GLB NX pte\n"
	"0xffff888001a2b000-0xffff888001c00000        1876K     RW                 GLB NX pte\n"
	"0xffff888001c00000-0xffff888012c00000         272M     RW         PSE     GLB NX pmd\n"
	"0xffff888012c00000-0xffff888012c01000           4K                               pte\n"
	"0xffff888012c01000-0xffff888012e00000        2044K     RW                 GLB NX pte\n"
	"0xffff888012e00000-0xffff888020000000         210M     RW         PSE     GLB NX pmd\n"
	"0xffff888020000000-0xffff888024000000          64M                               pmd\n"
	"0xffff888024000000-0xffff888040000000         448M     RW         PSE     GLB NX pmd\n"
	"0xffff888040000000-0xffff888080000000           1G     RW         PSE     GLB NX pud\n"
	"0xffff888080000000-0xffff8880bfe00000        1022M     RW         PSE     GLB NX pmd\n"
	"0xffff8880bfe00000-0xffff8880bffe0000        1920K     RW                 GLB NX pte\n"
	"0xffff8880bffe0000-0xffff8880c0000000         128K                               pte\n"
	"0xffff8880c0000000-0xffff888100000000           1G                               pud\n"
	"0xffff888100000000-0xffff888180000000           2G     RW         PSE     GLB NX pud\n"
	"0xffff888180000000-0xffff890000000000         506G                               pud\n"
	"0xffff890000000000-0xffffc90000000000          64T                               pgd\n"
	"---[ vmalloc() Area ]---\n"
	"0xffffc90000000000-0xffffc90000001000           4K     RW     PCD         GLB NX pte\n";

/* 256 MiB where the kernel has chosen the place of its direct map at random. */
static const char recorded_iomem_kaslr[] =
	"00001000-0009ffff : System RAM\n"
	"00100000-0fffffff : System RAM\n";

static const char recorded_dump_kaslr[] =
	"---[ User Space ]---\n"
	"0x0000000000000000-0xffff880000000000    16777096T                               pgd\n"
	"---[ Kernel Space ]---\n"
	"0xffff880000000000-0xffff9a0000000000          18T                               pgd\n"
	"---[ LDT remap ]---\n"
	"0xffff9a0000000000-0xffff9a5c40000000         369G                               pud\n"
	"---[ Low Kernel Mapping ]---\n"
	"0xffff9a5c40000000-0xffff9a5c40200000           2M     RW                 GLB NX pte\n"
	"0xffff9a5c40200000-0xffff9a5c50000000         254M     RW         PSE     GLB NX pmd\n"
	"0xffff9a5c50000000-0xffff9a5c80000000         768M                               pmd\n"
	"0xffff9a5c80000000-0xffff9a8000000000         142G                               pud\n"
	"0xffff9a8000000000-0xffffb58000000000          27T                               pgd\n"
	"0xffffb58000000000-0xffffb5f200000000         456G                               pud\n"
	"---[ vmalloc() Area ]---\n";

#endif /* PAT_DIRECTMAP_RECORDED_H */
