/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Make a seeded run repeat exactly: addresses choose hash buckets, hash buckets the
 * points at which simulated interrupts arrive.
 */
#ifndef TEST_SIM_REPLAY_H
#define TEST_SIM_REPLAY_H

/* Start this program again without address randomisation, if it has any. First thing
 * in main. Where that is not permitted it says so and goes on. */
void sim_fix_addresses(char **argv);

#endif
