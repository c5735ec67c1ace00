/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each system call can be given that is bad.
 */
#ifndef BADCALLS_CALLS_H
#define BADCALLS_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/ebb_abi.h"

/* Addresses that are known only when the program runs. */
enum place {
	PLACE_GOOD,         /* zeros, to write */
	PLACE_EDGE,         /* one byte to write, then begins PLACE_READ_ONLY */
	PLACE_READ_ONLY,
	PLACE_NO_RIGHTS,
	PLACE_HOLE,
	PLACE_TEXT,
	PLACE_LONG_STRING,
	PLACE_NO_SUCH_FILE,
	PLACE_FILE,
	PLACE_DIRECTORY,
	PLACE_EMPTY_STRING,
	PLACE_UNALIGNED,
	PLACE_LIMIT_REVERSED, /* a limit whose soft value is above the hard one */
	PLACES
};
#define PLACE(p) (UINT64_C(0xfeed000000000000) + (uint64_t)(p))

/* Expected: an errno, or one of these. */
#define END (-1) /* of the rows */
#define OK  0    /* no error */
#define ANY (-2) /* only survive it */

struct bad_row {
	uint64_t args[6];
	int expected;
};

struct bad_call {
	const char *name;           /* NULL: not described */
	uint64_t args[6];           /* good ones */
	uint8_t pointer;            /* number of the argument that is one, from 1; 0: none */
	bool writes;                /* ... through which the kernel writes */
	bool range;                 /* the first two are a range of memory */
	bool unaligned_is_fine;
	const struct bad_row *rows; /* until END; NULL: none */
};

extern const struct bad_call bad_calls[EBB_SYS_COUNT];

#define BAD_FILE 3 /* the file that is open for reading */
int open_file(void);

#endif
