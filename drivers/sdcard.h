/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An SD memory card on an SD host: the disk "sd0", "sd1", ...
 */
#ifndef DRIVERS_SDCARD_H
#define DRIVERS_SDCARD_H

#include <stdint.h>

#include "lib/err.h"

struct sdhost;

#define SDCARD_UNITS 2

/*
 * Identify the card on host, register it as "sd<unit>" and start its task. Prints
 * one line that names the card, or says what is wrong. ERR_NODEV: no card;
 * ERR_NOTSUP: not a card that this driver can use; ERR_IO, ERR_TIMEDOUT: the card
 * does not answer as it should. Task context (not the boot task); may yield.
 */
int sdcard_attach(struct sdhost *host, uint32_t unit) ERR_MUST_CHECK;

#endif
