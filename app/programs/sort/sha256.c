/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SHA-256, written from FIPS 180-4.
 *
 * Message bytes collect in a 64-byte block; each full block is compressed into the
 * eight state words. The last block is padded with 0x80, zeros and the length in
 * bits, big-endian.
 *
 * Owns: nothing; the state is the caller's.
 * Does not: any other hash.
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: FIPS 180-4, sections 4.1.2, 4.2.2, 5.1.1, 6.2.2.
 */
#include "app/programs/sort/sha256.h"

#include <string.h>

/* First 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t
rotr(uint32_t x, unsigned n)
{
	return (x >> n | x << (32 - n));
}

static void
expand(uint32_t w[64], const uint8_t block[64])
{
	unsigned t;

	for (t = 0; t < 16; t++)
		w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 |
		    (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
	for (t = 16; t < 64; t++) {
		uint32_t s0 = rotr(w[t - 15], 7) ^ rotr(w[t - 15], 18) ^ w[t - 15] >> 3;
		uint32_t s1 = rotr(w[t - 2], 17) ^ rotr(w[t - 2], 19) ^ w[t - 2] >> 10;

		w[t] = w[t - 16] + s0 + w[t - 7] + s1;
	}
}

static void
compress(uint32_t state[8], const uint8_t block[64])
{
	uint32_t w[64], v[8];
	unsigned t;

	expand(w, block);
	memcpy(v, state, sizeof(v));
	for (t = 0; t < 64; t++) {
		uint32_t e = v[4], a = v[0];
		uint32_t t1 = v[7] + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) +
		    ((e & v[5]) ^ (~e & v[6])) + k[t] + w[t];
		uint32_t t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) +
		    ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));

		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (t = 0; t < 8; t++)
		state[t] += v[t];
}

void
sha256_init(struct sha256 *s)
{
	static const uint32_t start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	memcpy(s->state, start, sizeof(start));
	s->total_bytes = 0;
}

void
sha256_update(struct sha256 *s, const void *data, size_t bytes)
{
	const uint8_t *from = data;

	while (bytes > 0) {
		size_t used = s->total_bytes % 64;
		size_t n = bytes < 64 - used ? bytes : 64 - used;

		memcpy(s->block + used, from, n);
		s->total_bytes += n;
		from += n;
		bytes -= n;
		if (s->total_bytes % 64 == 0)
			compress(s->state, s->block);
	}
}

void
sha256_final(struct sha256 *s, uint8_t digest[SHA256_BYTES])
{
	uint64_t bits = s->total_bytes * 8;
	uint8_t pad[72] = { 0x80 };
	size_t zeros = (119 - s->total_bytes % 64) % 64;
	unsigned i;

	for (i = 0; i < 8; i++)
		pad[1 + zeros + i] = (uint8_t)(bits >> (56 - 8 * i));
	sha256_update(s, pad, 1 + zeros + 8);
	for (i = 0; i < SHA256_BYTES; i++)
		digest[i] = (uint8_t)(s->state[i / 4] >> (24 - 8 * (i % 4)));
}
