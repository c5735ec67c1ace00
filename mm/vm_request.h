/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking the vm daemon to swap programs out (contract 1.11). It lies before the page
 * daemon, which asks, and the vm daemon, which is asked.
 */
#ifndef MM_VM_REQUEST_H
#define MM_VM_REQUEST_H

#include <stdint.h>

#define VM_SWAP_NORMAL 1 /* swap out whoever can be */
#define VM_SWAP_IDLE   2 /* only who has slept long */

/* Note the request (bits add up) and wake the vm daemon, at most once a second.
 * Never yields. */
void vm_req_vmdaemon(uint32_t request);

/* The vm daemon's side: sleep until asked, at most timeout_us; the bits, which are
 * cleared. May yield (always does). */
uint32_t vm_request_wait(uint64_t timeout_us);

/* Forget requests and times (host tests boot repeatedly). */
void vm_request_init(void);

#endif
