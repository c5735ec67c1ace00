/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to the vm daemon: bits, and a wakeup at most once a second.
 *
 * Owns: the pending bits, the time of the last wakeup, the channel they sleep on.
 * Does not: carry anything out (vm_daemon).
 * Invariants:
 *   Q1 a request is never lost: its bits stay until the daemon takes them, which it
 *      does at least once a second.
 * Yields: vm_request_wait.
 * See: contract 1.11.
 */
#include "mm/vm_request.h"

#include "kern/sched.h"
#include "kern/timer.h"

#define WAKE_PERIOD_US 1000000u

static uint32_t pending;
static uint64_t last_wakeup_us;

void
vm_request_init(void)
{
	pending = 0;
	last_wakeup_us = 0;
}

/* The clock has 64 bits and never goes back, so the reference's question whether the
 * ticks have wrapped does not arise. */
void
vm_req_vmdaemon(uint32_t request)
{
	uint64_t now_us = timer_now_us();

	pending |= request;
	if (now_us - last_wakeup_us <= WAKE_PERIOD_US)
		return;
	last_wakeup_us = now_us;
	wakeup(&pending);
}

uint32_t
vm_request_wait(uint64_t timeout_us)
{
	uint32_t request;

	tsleep(&pending, "psleep", timeout_us);
	request = pending;
	pending = 0;
	return (request);
}
