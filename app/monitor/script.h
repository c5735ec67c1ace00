/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scripts: files of command lines that `source` reads from the card.
 */
#ifndef APP_MONITOR_SCRIPT_H
#define APP_MONITOR_SCRIPT_H

#include <stdbool.h>

#include "app/monitor/line_edit.h"
#include "lib/err.h"

#define SCRIPT_DEPTH 4 /* scripts that may be under way, each begun by the one before */

/* Begin to read path; the lines of what is being read come after its own. ERR_ISDIR, ERR_BUSY
 * (a swap area), ERR_RANGE (too many under way), ERR_NAMETOOLONG, ERR_NOMEM, and as
 * vfs_lookup. May yield. */
int script_begin(const char *path) ERR_MUST_CHECK;
/* The next line; false when no script is under way any more. What cannot be read stops them
 * all. May yield. */
bool script_next(char line[LINE_BYTES]);
/* End all of them: "FILE:LINE: why" for each, the innermost first; nothing if there is none. May
 * yield. */
void script_stop(const char *why);

#endif
