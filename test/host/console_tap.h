/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel printed, for host tests.
 */
#ifndef TEST_HOST_CONSOLE_TAP_H
#define TEST_HOST_CONSOLE_TAP_H

/* From now on the console's output goes into a buffer, emptied now. After
 * sim_reset (sim_run does it) it must be called again. */
void console_tap_begin(void);
/* Everything printed since, without '\r'; console_tap_begin empties it. */
const char *console_tap_text(void);

#endif
