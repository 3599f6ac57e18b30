// SPDX-License-Identifier: GPL-2.0-only
/* Maps the memory of a frame buffer device, and draws four bars into it. */
#include <fcntl.h>
#include <linux/fb.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client.h"

int client_fb(char **argument)
{
	struct fb_var_screeninfo var;
	struct fb_fix_screeninfo fix;
	void *at;
	int fb;

	if (argument[0])
		return client_wrong("fb takes no argument");
	client_prepare();
	fb = open("/dev/fb0", O_RDWR | O_CLOEXEC);
	if (fb < 0 || ioctl(fb, FBIOGET_VSCREENINFO, &var) ||
	    ioctl(fb, FBIOGET_FSCREENINFO, &fix))
		return client_failed("/dev/fb0");
	if (var.bits_per_pixel != 32)
		return client_wrong("/dev/fb0 has %u bits a dot, not 32",
				    var.bits_per_pixel);
	at = mmap(NULL, fix.smem_len, PROT_READ | PROT_WRITE, MAP_SHARED, fb, 0);
	if (at == MAP_FAILED)
		return client_failed("mmap of /dev/fb0");
	client_draw_bars(at, var.xres, var.yres, fix.line_length);
	client_rest();
	munmap(at, fix.smem_len);
	close(fb);
	return 0;
}
