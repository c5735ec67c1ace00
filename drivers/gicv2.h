/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ARM Generic Interrupt Controller, version 2 (IHI 0048B). Lines are INTIDs:
 * 16-31 private (timer CNTP 30, CNTV 27), 32 and up shared.
 */
#ifndef DRIVERS_GICV2_H
#define DRIVERS_GICV2_H

#include <stdint.h>

#define GICV2_LINE_PPI(n) (16 + (n))
#define GICV2_LINE_SPI(n) (32 + (n))
#define GICV2_LINE_CNTV   27
#define GICV2_LINE_CNTP   30

/* Mask every source, send the shared ones to this core, and become the
 * controller. Boot time; does not yield. */
void gicv2_attach(uintptr_t distributor_base, uintptr_t cpu_base);

#endif
