/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A B+ tree of 64-bit keys and values over memory, one page a node.
 */
#ifndef APP_PROGRAMS_KV_BTREE_H
#define APP_PROGRAMS_KV_BTREE_H

#include <stddef.h>
#include <stdint.h>

/* Make an empty tree in bytes of memory (at least two pages). */
void btree_make(void *memory, size_t bytes);
/* 0, or a sentence that says why memory holds no tree. */
const char *btree_check(const void *memory, size_t bytes);
/* Set key's value; -1 when there is no page left (the tree is as before). */
int btree_put(void *memory, uint64_t key, uint64_t value);
/* 0 and *value, or -1. */
int btree_get(const void *memory, uint64_t key, uint64_t *value);
/* How many keys there are, and the sums of all keys and values, in ascending order;
 * -1 if the order is broken. */
int64_t btree_sum(const void *memory, uint64_t *keys, uint64_t *values);

#endif
