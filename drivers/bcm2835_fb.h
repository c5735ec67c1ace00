/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The framebuffer of the VideoCore's display, by the firmware's mailbox.
 */
#ifndef DRIVERS_BCM2835_FB_H
#define DRIVERS_BCM2835_FB_H

#include "kern/display.h"

/*
 * Register the screen (kern/display.h). When it is opened, the firmware is asked for one of
 * the size of what is connected, at most BCM2835_FB_WIDTH_MAX wide and
 * BCM2835_FB_HEIGHT_MAX high, else of 640 by 480. mailbox_attach comes first. Does not
 * yield.
 */
#define BCM2835_FB_WIDTH_MAX  1920u
#define BCM2835_FB_HEIGHT_MAX 1200u
void bcm2835_fb_attach(void);

#endif
