/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes twice as much memory as the board gives, fills it, and reads it back.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

int
main(void)
{
	size_t pages = 2 * (size_t)sysconf(_SC_PHYS_PAGES), bytes = pages * 4096, i;
	uint32_t *words = malloc(bytes), wrong = 0;
	struct rusage used;

	if (words == NULL) {
		perror("outgrow");
		return (1);
	}
	for (i = 0; i < bytes / 4; i++)
		words[i] = (uint32_t)i * 2654435761u;
	for (i = 0; i < bytes / 4; i++)
		wrong += words[i] != (uint32_t)i * 2654435761u;
	getrusage(RUSAGE_SELF, &used);
	printf("%lu pages in %ld of memory: %lu words wrong, %ld faults that read\n",
	    (unsigned long)pages, sysconf(_SC_PHYS_PAGES), (unsigned long)wrong, used.ru_majflt);
	return (wrong != 0);
}
