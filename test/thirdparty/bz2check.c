/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bz2check: libbzip2 on its own samples, as its `make test` does, and on a file.
 *
 *   bz2check DIR FILE    DIR has sample1.ref, sample1.bz2, ... of bzip2's source
 *
 * Each sample compressed must be the .bz2 that comes with it, byte by byte, and back. FILE is
 * compressed with blocks of 900 kB, which takes 7.6 MB, and back; what is printed is for
 * comparing with another machine.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bzlib.h>

struct bytes {
	char *at;
	unsigned int count;
};

static struct bytes
load(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct bytes b = { NULL, 0 };

	if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
		perror(path);
		exit(1);
	}
	b.count = (unsigned int)ftell(file);
	b.at = malloc(b.count + 1);
	rewind(file);
	if (b.at == NULL || fread(b.at, 1, b.count, file) != b.count) {
		perror(path);
		exit(1);
	}
	fclose(file);
	return (b);
}

static uint32_t
fnv(struct bytes b)
{
	uint32_t hash = 2166136261u;
	unsigned int i;

	for (i = 0; i < b.count; i++)
		hash = (hash ^ (uint8_t)b.at[i]) * 16777619u;
	return (hash);
}

/* There and back; what is in between. */
static struct bytes
cycle(struct bytes plain, int level, const char *name)
{
	struct bytes packed = { malloc(plain.count + plain.count / 100 + 600),
		plain.count + plain.count / 100 + 600 };
	struct bytes back = { malloc(plain.count + 1), plain.count };

	if (packed.at == NULL || back.at == NULL ||
	    BZ2_bzBuffToBuffCompress(
		packed.at, &packed.count, plain.at, plain.count, level, 0, 30) != BZ_OK ||
	    BZ2_bzBuffToBuffDecompress(back.at, &back.count, packed.at, packed.count, 0, 0) !=
		BZ_OK ||
	    back.count != plain.count || memcmp(back.at, plain.at, plain.count) != 0) {
		printf("bz2check: %s: not what it was\n", name);
		exit(1);
	}
	free(back.at);
	return (packed);
}

static void
sample(const char *dir, int number)
{
	char path[300];
	struct bytes plain, expected, packed;

	snprintf(path, sizeof(path), "%s/sample%d.bz2", dir, number);
	expected = load(path);
	snprintf(path, sizeof(path), "%s/sample%d.ref", dir, number);
	plain = load(path);
	packed = cycle(plain, number, path);
	if (packed.count != expected.count || memcmp(packed.at, expected.at, packed.count) != 0) {
		printf("bz2check: sample%d: not the compressed file that comes with it\n", number);
		exit(1);
	}
	printf("sample%d %u %u %08lx\n", number, plain.count, packed.count,
	    (unsigned long)fnv(packed));
	free(plain.at);
	free(expected.at);
	free(packed.at);
}

int
main(int argc, char *argv[])
{
	struct bytes plain, packed;
	int i;

	if (argc != 3) {
		fprintf(stderr, "bz2check: expected DIR FILE\n");
		return (2);
	}
	for (i = 1; i <= 3; i++)
		sample(argv[1], i);
	plain = load(argv[2]);
	packed = cycle(plain, 9, argv[2]);
	printf("file %u %u %08lx\n", plain.count, packed.count, (unsigned long)fnv(packed));
	return (0);
}
