/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor's tunables and statistics: fields made from the rows of app/monitor/monitor.params.
 */
#ifndef APP_MONITOR_MONITOR_PARAMS_H
#define APP_MONITOR_MONITOR_PARAMS_H

#include "kern/param.h"

struct monitor_params {
#define PARAMS "app/monitor/monitor.params"
#include "kern/param_struct.h"
};

extern struct monitor_params monitor_params;
void monitor_params_register(void);

#endif
