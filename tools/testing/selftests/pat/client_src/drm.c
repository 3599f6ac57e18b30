// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps a buffer of a graphics driver, shows it on the first screen that is
 * connected, and draws four bars into it.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client.h"
#include "../drm_ioctl.h"

#define MANY 16
#define QXL_SIZE (1U << 20)

struct screen {
	int card;
	uint32_t connector;
	uint32_t crtc;
	struct drm_mode_modeinfo mode;
	struct drm_mode_create_dumb buffer;
	uint32_t frame;
	uint32_t *at;
	volatile uint32_t *more;
};

static int is_driver(int card, const char *name)
{
	char text[64] = "";
	struct drm_version version = {
		.name = text,
		.name_len = sizeof(text) - 1,
	};

	return !ioctl(card, DRM_IOCTL_VERSION, &version) && !strcmp(text, name);
}

/* The first mode of @connector, if something is connected. */
static int find_mode(struct screen *screen, uint32_t connector)
{
	static struct drm_mode_modeinfo modes[64];
	static uint32_t encoders[MANY], properties[64];
	static uint64_t values[64];
	struct drm_mode_get_connector get = { .connector_id = connector };

	/* Without room for modes the driver looks which there are. */
	if (ioctl(screen->card, DRM_IOCTL_MODE_GETCONNECTOR, &get) ||
	    get.connection != DRM_CONNECTED || !get.count_modes || get.count_modes > 64 ||
	    get.count_props > 64 || get.count_encoders > MANY)
		return 0;
	get.modes = (uintptr_t)modes;
	get.encoders = (uintptr_t)encoders;
	get.props = (uintptr_t)properties;
	get.prop_values = (uintptr_t)values;
	if (ioctl(screen->card, DRM_IOCTL_MODE_GETCONNECTOR, &get) ||
	    get.count_modes < 1 || get.count_modes > 64)
		return 0;
	screen->connector = connector;
	screen->mode = modes[0];
	return 1;
}

static int find_screen(struct screen *screen)
{
	uint32_t crtcs[MANY], connectors[MANY], encoders[MANY], frames[MANY];
	struct drm_mode_card_res resources = {
		.crtcs = (uintptr_t)crtcs,
		.connectors = (uintptr_t)connectors,
		.encoders = (uintptr_t)encoders,
		.fbs = (uintptr_t)frames,
		.count_crtcs = MANY,
		.count_connectors = MANY,
		.count_encoders = MANY,
		.count_fbs = MANY,
	};

	if (ioctl(screen->card, DRM_IOCTL_MODE_GETRESOURCES, &resources))
		return client_failed("MODE_GETRESOURCES");
	if (!resources.count_crtcs)
		return client_wrong("no crtc");
	screen->crtc = crtcs[0];
	for (uint32_t i = 0; i < resources.count_connectors && i < MANY; i++)
		if (find_mode(screen, connectors[i]))
			return 0;
	return client_wrong("no screen is connected");
}

static int map_buffer(struct screen *screen)
{
	struct drm_mode_create_dumb *buffer = &screen->buffer;
	struct drm_mode_map_dumb map = {};
	struct drm_mode_fb_cmd frame = {};

	buffer->width = screen->mode.hdisplay;
	buffer->height = screen->mode.vdisplay;
	buffer->bpp = 32;
	if (ioctl(screen->card, DRM_IOCTL_MODE_CREATE_DUMB, buffer))
		return client_failed("MODE_CREATE_DUMB");
	map.handle = buffer->handle;
	if (ioctl(screen->card, DRM_IOCTL_MODE_MAP_DUMB, &map))
		return client_failed("MODE_MAP_DUMB");
	screen->at = mmap(NULL, buffer->size, PROT_READ | PROT_WRITE, MAP_SHARED,
			  screen->card, map.offset);
	if (screen->at == MAP_FAILED)
		return client_failed("mmap of the buffer");
	frame.width = buffer->width;
	frame.height = buffer->height;
	frame.pitch = buffer->pitch;
	frame.bpp = 32;
	frame.depth = 24;
	frame.handle = buffer->handle;
	if (ioctl(screen->card, DRM_IOCTL_MODE_ADDFB, &frame))
		return client_failed("MODE_ADDFB");
	screen->frame = frame.fb_id;
	return 0;
}

/* What qxl shows is RAM; its clients have buffers in the card's memory, too. */
static int map_qxl(struct screen *screen)
{
	struct drm_qxl_alloc alloc = { .size = QXL_SIZE };
	struct drm_qxl_map map = {};

	if (ioctl(screen->card, DRM_IOCTL_QXL_ALLOC, &alloc))
		return client_failed("QXL_ALLOC");
	map.handle = alloc.handle;
	if (ioctl(screen->card, DRM_IOCTL_QXL_MAP, &map))
		return client_failed("QXL_MAP");
	screen->more = mmap(NULL, QXL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			    screen->card, map.offset);
	if (screen->more == MAP_FAILED)
		return client_failed("mmap of qxl's buffer");
	for (uint32_t i = 0; i < QXL_SIZE / 4; i++)
		screen->more[i] = ~i;
	for (uint32_t i = 0; i < QXL_SIZE / 4; i++)
		if (screen->more[i] != ~i)
			return client_wrong("word %u of qxl's buffer is lost", i);
	return 0;
}

static int show(struct screen *screen)
{
	struct drm_mode_crtc crtc = {
		.crtc_id = screen->crtc,
		.fb_id = screen->frame,
		.connectors = (uintptr_t)&screen->connector,
		.count_connectors = 1,
		.mode_valid = 1,
		.mode = screen->mode,
	};

	if (ioctl(screen->card, DRM_IOCTL_MODE_SETCRTC, &crtc))
		return client_failed("MODE_SETCRTC");
	return 0;
}

/* Once it is shown, or else what is mapped by then would be elsewhere. */
static void draw(struct screen *screen)
{
	struct drm_mode_fb_dirty_cmd dirty = { .fb_id = screen->frame };

	client_draw_bars(screen->at, screen->buffer.width, screen->buffer.height,
			 screen->buffer.pitch);
	/* Drivers that show what is written anyway have no such call. */
	ioctl(screen->card, DRM_IOCTL_MODE_DIRTYFB, &dirty);
}

int client_drm(char **argument)
{
	struct screen screen = {};
	struct drm_gem_close close_handle = {};

	if (!argument[0] || argument[1])
		return client_wrong("drm takes the name of a driver");
	client_prepare();
	screen.card = open("/dev/dri/card0", O_RDWR | O_CLOEXEC);
	if (screen.card < 0)
		return client_failed("/dev/dri/card0");
	if (!is_driver(screen.card, argument[0]))
		return client_wrong("/dev/dri/card0 is another driver's");
	if (find_screen(&screen) || map_buffer(&screen) || show(&screen))
		return 1;
	draw(&screen);
	if (!strcmp(argument[0], "qxl") && map_qxl(&screen))
		return 1;
	client_rest();
	munmap(screen.at, screen.buffer.size);
	if (screen.more)
		munmap((void *)screen.more, QXL_SIZE);
	ioctl(screen.card, DRM_IOCTL_MODE_RMFB, &screen.frame);
	close_handle.handle = screen.buffer.handle;
	if (ioctl(screen.card, DRM_IOCTL_GEM_CLOSE, &close_handle))
		return client_failed("GEM_CLOSE");
	close(screen.card);
	return 0;
}
