// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver in user space, as DPDK's are: registers through the PCI resource
 * file, interrupts through /dev/uio0. The device is QEMU's edu, which computes
 * factorials.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client.h"

#define SIZE (1UL << 20)

/* Registers, in words */
#define ID		0
#define LIVENESS	1
#define FACTORIAL	2
#define STATUS		8
#define IRQ_STATUS	9
#define IRQ_ACK		25

#define STATUS_BUSY	0x01
#define STATUS_WANT_IRQ	0x80

#define PCI_COMMAND		4
#define PCI_COMMAND_MEMORY	0x0002
#define PCI_COMMAND_INTX_OFF	0x0400

/* Memory on, and the line that uio_pci_generic turns off at each interrupt. */
static int set_command(const char *path)
{
	uint16_t command;
	int config = open(path, O_RDWR | O_CLOEXEC);

	if (config < 0 || pread(config, &command, 2, PCI_COMMAND) != 2)
		return client_failed(path);
	command |= PCI_COMMAND_MEMORY;
	command &= ~PCI_COMMAND_INTX_OFF;
	if (pwrite(config, &command, 2, PCI_COMMAND) != 2)
		return client_failed(path);
	close(config);
	return 0;
}

/* The answer comes with an interrupt. */
static int compute(volatile uint32_t *registers, int uio)
{
	struct pollfd wait = { .fd = uio, .events = POLLIN };
	uint32_t count;

	registers[STATUS] = STATUS_WANT_IRQ;
	registers[FACTORIAL] = 10;
	if (poll(&wait, 1, 20000) != 1)
		return client_wrong("no interrupt in 20 s");
	if (read(uio, &count, sizeof(count)) != sizeof(count))
		return client_failed("/dev/uio0");
	registers[IRQ_ACK] = registers[IRQ_STATUS];
	if (registers[STATUS] & STATUS_BUSY)
		return client_wrong("an interrupt, and no answer");
	if (registers[FACTORIAL] != 3628800)
		return client_wrong("10! is %u", registers[FACTORIAL]);
	return 0;
}

int client_uio(char **argument)
{
	char path[128];
	volatile uint32_t *registers;
	int resource, uio;

	if (!argument[0] || argument[1])
		return client_wrong("uio takes the PCI address of the device");
	client_prepare();
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", argument[0]);
	uio = open("/dev/uio0", O_RDWR | O_CLOEXEC);
	if (uio < 0)
		return client_failed("/dev/uio0");
	if (set_command(path))
		return 1;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", argument[0]);
	resource = open(path, O_RDWR | O_CLOEXEC);
	if (resource < 0)
		return client_failed(path);
	registers = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, resource, 0);
	if (registers == MAP_FAILED)
		return client_failed("mmap of the registers");
	close(resource);
	registers[LIVENESS] = 0x12345678;
	if (registers[LIVENESS] != ~0x12345678U)
		return client_wrong("the device does not answer (id 0x%x)",
				    registers[ID]);
	if (compute(registers, uio))
		return 1;
	client_rest();
	munmap((void *)registers, SIZE);
	close(uio);
	return 0;
}
