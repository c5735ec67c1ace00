/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What newlib's <dirent.h> leaves to the system.
 */
#ifndef SYS_DIRENT_H
#define SYS_DIRENT_H

#include <sys/types.h>

struct dirent {
	ino_t d_ino;           /* number of the entry, never 0 */
	unsigned char d_type;  /* DT_DIR or DT_REG */
	char d_name[256];      /* UTF-8 */
};

#define DT_DIR 4
#define DT_REG 8
#define MAXNAMLEN 255

typedef struct ebb_directory DIR;

#endif
