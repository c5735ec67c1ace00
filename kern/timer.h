/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only clock: time since boot, and callouts that fire once.
 */
#ifndef KERN_TIMER_H
#define KERN_TIMER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* One pending call. Owned by its user, embedded where needed; fn runs in
 * interrupt context: it records and wakes, nothing else. */
struct callout {
	TAILQ_ENTRY(callout) link; /* timer.c: queue ordered by deadline */
	uint64_t deadline_cycles;
	void (*fn)(void *arg);
	void *arg;
	bool pending;
};

void timer_init(void);

/* Microseconds since boot; never goes back. */
uint64_t timer_now_us(void);

uint64_t timer_cycles_to_us(uint64_t cycles);
uint64_t timer_us_to_cycles(uint64_t us);

/* Call fn(arg) after delay_us; a pending callout is moved. Any context. */
void callout_reset(struct callout *c, uint64_t delay_us, void (*fn)(void *arg), void *arg);

/* Forget c; true if it was pending. Any context. */
bool callout_stop(struct callout *c);

/* From the timer interrupt: fire what is due, arm the next. */
void timer_interrupt(void);

/* Spin for at least us microseconds; for device bring-up only, at most 1,000. */
void timer_delay(uint64_t us);

#endif
