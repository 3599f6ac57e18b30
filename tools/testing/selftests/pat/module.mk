# SPDX-License-Identifier: GPL-2.0-only
# How each test driver is built: included by DIR/Makefile, which says what kbuild
# needs, and in SOURCES what DIR.ko is made of.
#
# The driver is for the kernel whose build directory is KDIR. With OUTPUT set the
# objects go to $(OUTPUT)/DIR, through links, so that several kernels can be built
# for from one source.
KDIR ?= /lib/modules/$(shell uname -r)/build
Q := $(if $(filter 1,$(V)),,@)
BUILD_DIR := $(if $(OUTPUT),$(OUTPUT)/$(notdir $(CURDIR)),$(CURDIR))

all: links
	+$(Q)$(MAKE) -C $(KDIR) M=$(BUILD_DIR) modules

clean: links
	+$(Q)$(MAKE) -C $(KDIR) M=$(BUILD_DIR) clean

links:
ifneq ($(BUILD_DIR),$(CURDIR))
	$(Q)mkdir -p $(BUILD_DIR)
	$(Q)ln -sf $(abspath Makefile $(SOURCES)) $(BUILD_DIR)/
endif

.PHONY: all clean links
