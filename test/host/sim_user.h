/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs in host tests: a C function stands in for what runs at EL0.
 */
#ifndef TEST_SIM_USER_H
#define TEST_SIM_USER_H

struct cpu_user_start;
struct file_disk;

/* What every program does once it is loaded, on its own task; it ends by
 * proc_syscall(EBB_SYS_EXIT, ...). NULL: starting a program fails the test. */
extern void (*sim_user_program)(const struct cpu_user_start *start);

/* The same for a forked child: what it does when it leaves the system call. */
extern void (*sim_user_child)(void);

/* Make /apps/sort.elf on the disk, one of fat_image's, a program of one page. */
void sim_user_install(struct file_disk *disk);

#endif
