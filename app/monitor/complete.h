/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the word before the cursor can become: the TAB key.
 */
#ifndef APP_MONITOR_COMPLETE_H
#define APP_MONITOR_COMPLETE_H

#include <stdint.h>

#include "app/monitor/line_edit.h"

/*
 * What can be added at byte cursor of the command line text: into insert ("": nothing) goes
 * what all possible words have in common, quoted as the line is; behind the only one its end:
 * a space, and the closing quote, or '/' for a directory. Returns how many words are
 * possible. May yield.
 *
 * Words are: commands and programs, for the first; names of tunables and statistics behind
 * sysctl and hist; commands behind help; programs behind run; files else, and where there is
 * a '/'.
 */
uint32_t complete_word(const char *text, uint32_t cursor, char insert[LINE_BYTES]);

/* Print the possible words, some in a line. May yield. */
void complete_list(const char *text, uint32_t cursor);

#endif
