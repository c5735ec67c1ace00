/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dashboard: page map, graphs and programs on the board's screen.
 */
#ifndef APP_MONITOR_DASHBOARD_H
#define APP_MONITOR_DASHBOARD_H

#include <stdint.h>

#include "lib/err.h"

#define DASHBOARD_PERIOD_MS 500
/* Pixels; on a smaller screen a graph would have no row. */
#define DASHBOARD_WIDTH_MIN  320
#define DASHBOARD_HEIGHT_MIN 256

/* A new picture every period_ms, less often if drawing would take more than 2 % of the
 * core. If it is on, only the period changes. ERR_NODEV (no screen), ERR_RANGE (one that
 * is too small), ERR_NOMEM, or what the screen's driver says. May yield. */
int dashboard_start(uint32_t period_ms) ERR_MUST_CHECK;
/* The last picture stays. May yield. */
void dashboard_stop(void);
/* 0 = off. */
uint32_t dashboard_period_ms(void);

#endif
