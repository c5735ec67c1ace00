/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * matmul: the product of two matrices that do not fit, and what order of access costs.
 *
 *   run matmul N [BLOCK [ELEMENTS]]
 *
 * A and B are N by N doubles with small whole numbers, so that every sum is exact. C = A * B
 * is computed in blocks of BLOCK (64) by BLOCK, which touch few pages again and again. Then
 * the first ELEMENTS (64) elements, row by row, once more in the naive way, each a walk down
 * a column of B: a page or more a step. They must agree; so must, for every element, what
 * C gives for a vector: C x = A (B x). Faults a thousand elements show the difference.
 *
 * Owns: three matrices, 24 * N * N bytes.
 * Does not: measure time.
 * Invariants:
 *   none
 * Yields: a program, preemptive.
 * See: app/libebb/ebb.h (ebb_usage).
 */
#include <stdio.h>
#include <stdlib.h>

#include "app/libebb/ebb.h"

#define N_MIN 64
#define N_MAX 4096

static uint32_t n;
static double *a, *b, *c;

static double *
matrix(void)
{
	double *m = ebb_mmap((size_t)n * n * sizeof(*m), EBB_PROT_READ | EBB_PROT_WRITE);

	if (m == NULL) {
		perror("matmul");
		exit(1);
	}
	return (m);
}

/* -8 to 8: no product of rows and columns needs more than 53 bits. */
static void
fill(double *m, uint32_t seed)
{
	uint32_t i;

	for (i = 0; i < n * n; i++)
		m[i] = (double)((int32_t)((i * 2654435761u ^ seed) >> 16) % 9);
}

/* C[i0.., j0..] += A[i0.., k0..] B[k0.., j0..], each block by block. */
static void
multiply_block(uint32_t i0, uint32_t j0, uint32_t k0, uint32_t block)
{
	uint32_t i, j, k, i1 = i0 + block < n ? i0 + block : n;
	uint32_t j1 = j0 + block < n ? j0 + block : n, k1 = k0 + block < n ? k0 + block : n;

	for (i = i0; i < i1; i++)
		for (k = k0; k < k1; k++)
			for (j = j0; j < j1; j++)
				c[(size_t)i * n + j] += a[(size_t)i * n + k] * b[(size_t)k * n + j];
}

static void
multiply_blocked(uint32_t block)
{
	uint32_t i, j, k;

	for (i = 0; i < n; i += block)
		for (j = 0; j < n; j += block)
			for (k = 0; k < n; k += block)
				multiply_block(i, j, k, block);
}

/* How many of the first elements differ from C's. */
static uint32_t
multiply_naive(uint32_t elements)
{
	uint32_t e, k, wrong = 0;

	for (e = 0; e < elements; e++) {
		double sum = 0;

		for (k = 0; k < n; k++)
			sum += a[(size_t)(e / n) * n + k] * b[(size_t)k * n + e % n];
		wrong += sum != c[e];
	}
	return (wrong);
}

/* out = m x */
static void
apply(const double *m, const double *x, double *out)
{
	uint32_t i, k;

	for (i = 0; i < n; i++)
		for (out[i] = 0, k = 0; k < n; k++)
			out[i] += m[(size_t)i * n + k] * x[k];
}

static uint32_t
check_vector(void)
{
	static double x[N_MAX], bx[N_MAX], abx[N_MAX], cx[N_MAX];
	uint32_t i, wrong = 0;

	for (i = 0; i < n; i++)
		x[i] = (double)(i % 7);
	apply(b, x, bx);
	apply(a, bx, abx);
	apply(c, x, cx);
	for (i = 0; i < n; i++)
		wrong += abx[i] != cx[i];
	return (wrong);
}

static uint64_t
faults(void)
{
	struct ebb_usage usage = { 0 };

	ebb_usage(&usage);
	return (usage.faults);
}

static void
report(const char *way, uint64_t count, uint64_t elements)
{
	printf("matmul: %s: %llu faults for %llu elements, %llu a thousand\n", way,
	    (unsigned long long)count, (unsigned long long)elements,
	    (unsigned long long)(count * 1000 / elements));
}

int
main(int argc, char **argv)
{
	uint32_t block = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 64;
	uint32_t elements = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 0) : 64, wrong;
	uint64_t start;

	n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 0;
	if (n < N_MIN || n > N_MAX || block == 0 || elements == 0 || elements > n * n) {
		fprintf(stderr, "usage: matmul N [BLOCK [ELEMENTS]]; N from %d to %d\n", N_MIN,
		    N_MAX);
		return (2);
	}
	a = matrix();
	b = matrix();
	c = matrix();
	fill(a, 1);
	fill(b, 99);
	start = faults();
	multiply_blocked(block);
	report("blocked", faults() - start, (uint64_t)n * n);
	start = faults();
	wrong = multiply_naive(elements);
	report("naive", faults() - start, elements);
	wrong += check_vector();
	printf("matmul: %lu by %lu, %lu wrong\n", (unsigned long)n, (unsigned long)n,
	    (unsigned long)wrong);
	return (wrong != 0);
}
