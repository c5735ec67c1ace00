/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which core this is.
 */
#ifndef ARM64_CPU_ID_H
#define ARM64_CPU_ID_H

#include <stdint.h>

/* The core's name and revision from MIDR_EL1, e.g. "Cortex-A53 r0p4". */
void cpu_id_text(char *buffer, uint32_t bytes);

#endif
