/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boot arguments: words NAME=VALUE that say how this boot is to go. Public.
 */
#ifndef KERN_BOOTARGS_H
#define KERN_BOOTARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

#define BOOTARGS_TEXT_BYTES 1024
#define BOOTARGS_WORD_BYTES 160

/* Which SD controller gets the card, and whether it may use DMA. */
enum bootargs_sd_host { BOOTARGS_SD_DEFAULT, BOOTARGS_SD_EMMC, BOOTARGS_SD_SDHOST };
enum bootargs_sd_dma { BOOTARGS_SD_DMA_DEFAULT, BOOTARGS_SD_DMA_NO, BOOTARGS_SD_DMA_YES };
/* Which UART is the console, where a board has two. */
enum bootargs_console { BOOTARGS_CONSOLE_DEFAULT, BOOTARGS_CONSOLE_PL011, BOOTARGS_CONSOLE_MINI };
/* Disk fl0 on NOR flash, formatted anew or not. */
enum bootargs_flash { BOOTARGS_FLASH_NO, BOOTARGS_FLASH_YES, BOOTARGS_FLASH_FORMAT };

struct bootargs {
	uint64_t mem_bytes;      /* mem=SIZE: page pool; 0 = all RAM */
	uint64_t ramdisk_bytes;  /* ramdisk=SIZE: disk md0 of that size; 0 = none */
	uint32_t domains;        /* domains=N: memory domains; 0 = what the board says */
	uint32_t vmstat_s;       /* vmstat=SECONDS: a line every so often; 0 = none */
	uint32_t stream_ms;      /* stream=MS: statistics as JSON so often; 0 = none */
	uint32_t dashboard_ms;   /* dashboard=MS: pictures on the screen; 0 = none */
	uint32_t watchdog_s;     /* watchdog=SECONDS: armed with that; 0 = not */
	bool watchdog_test;      /* watchdog_test=1: once under QEMU too, which then resets */
	uint32_t sd_host;        /* sd=emmc|sdhost: enum bootargs_sd_host */
	uint32_t sd_dma;         /* sd_dma=0|1: enum bootargs_sd_dma */
	uint32_t flash;          /* flash=1|format: enum bootargs_flash */
	uint32_t console;        /* console=pl011|mini: enum bootargs_console */
	bool exit;               /* exit=1: power off after job and script */
	bool semihosting;        /* semihosting=1: exit codes by HLT */
	uint32_t error_count;    /* arguments that were refused */
	uint32_t foreign_count;  /* the firmware's, for Linux: left aside */
	char swap[BOOTARGS_WORD_BYTES];     /* swap=AREA[:PRIORITY],...|none; "": a partition */
	char run[BOOTARGS_WORD_BYTES];      /* run=PROGRAM[:ARGUMENT]... */
	char source[BOOTARGS_WORD_BYTES];   /* source=FILE, "" = no script */
	char selftest[BOOTARGS_WORD_BYTES]; /* selftest=NAME */
	char trace[BOOTARGS_WORD_BYTES];    /* trace=EVENT[,EVENT]... or all */
	char fault[BOOTARGS_WORD_BYTES];    /* fault=RULE[;RULE]... (kern/blk_fault.h) */
};

extern struct bootargs bootargs;

/*
 * Set bootargs from text. A word that is unknown or has a bad value gets one console
 * line that names it and what is accepted, and is skipped. source names where text
 * comes from; NULL or empty text: a line says that defaults are used. Boot time, once;
 * does not yield.
 */
void bootargs_parse(const char *text, const char *source);

/*
 * The command line in the ATAG list at list, at most bytes of it readable (boot
 * protocol of 32-bit ARM Linux: words size, tag; ATAG_CORE first, ATAG_CMDLINE
 * 0x54410009, end tag 0). NUL-terminated copy in text[text_bytes]. ERR_NOENT: a list
 * without one; ERR_CORRUPT: not an ATAG list.
 */
int bootargs_from_atags(const uint32_t *list, uint32_t bytes, char *text,
    uint32_t text_bytes) ERR_MUST_CHECK;

/* A number of bytes with an optional K, M or G (powers of 1024). ERR_INVAL. */
int bootargs_size(const char *text, uint64_t *bytes) ERR_MUST_CHECK;

#endif
