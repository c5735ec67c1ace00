/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swapcycle: take swap areas away and give them back while another program pages.
 *
 *   run swapcycle CYCLES DEVICE DEVICE PROGRAM [ARGUMENT...]
 *
 * Starts the program, then takes away and gives back the devices in turn, CYCLES times; a
 * refusal (it does not fit) counts too. Both areas are there at the end. Its status is the
 * program's, or 1.
 *
 * Owns: nothing.
 * Does not: look at memory (the program does).
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: contract 1.15, T8.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/libebb/ebb.h"

#define REST_US 20000u

static uint32_t done, refused, failed;

static void
complain(const char *what, const char *device)
{
	failed++;
	printf("swapcycle: %s %s: %s\n", what, device, strerror(errno));
}

static void
cycle(const char *device)
{
	if (ebb_swapoff(device) != 0) {
		if (errno == ENOMEM || errno == EBUSY)
			refused++;
		else
			complain("swapoff", device);
		ebb_sleep_us(REST_US);
		return;
	}
	ebb_sleep_us(REST_US);
	if (ebb_swapon(device) != 0)
		complain("swapon", device);
	else
		done++;
}

int
main(int argc, char **argv)
{
	uint32_t cycles = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 0, i;
	char path[64];
	int pid, status = -1;

	if (argc < 5 || cycles == 0) {
		fprintf(stderr, "usage: swapcycle CYCLES DEVICE DEVICE PROGRAM [ARGUMENT...]\n");
		return (2);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (ebb_swapon(argv[2]) != 0 && errno != EBUSY)
		complain("swapon", argv[2]);
	if (ebb_swapon(argv[3]) != 0 && errno != EBUSY)
		complain("swapon", argv[3]);
	snprintf(path, sizeof(path), "/apps/%s.elf", argv[4]);
	pid = ebb_spawn(path, argv + 4, (uint32_t)argc - 4);
	if (pid < 0)
		complain("start", path);
	for (i = 0; pid >= 0 && i < cycles; i++)
		cycle(argv[2 + i % 2]);
	if (pid >= 0 && ebb_wait((uint32_t)pid, &status) != pid)
		complain("wait for", path);
	printf("swapcycle: %u cycles, %u refused, %u failed, program ended with %d\n",
	    (unsigned)done, (unsigned)refused, (unsigned)failed, status);
	return (failed != 0 ? 1 : status);
}
