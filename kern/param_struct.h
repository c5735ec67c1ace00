/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Included inside the braces of struct <folder>_params, after
 * #define PARAMS "<folder>/<folder>.params": one field for each row.
 * On purpose without an include guard; see kern/param.h.
 */
#define TUNABLE(field, name, unit, initial, min, max, help) int64_t field;
#define COUNTER(field, name, unit, help)                    uint64_t field;
#define GAUGE(field, name, unit, help)                      uint64_t field;
#define HISTOGRAM(field, name, unit, help)                  struct histogram field;
#include PARAMS
#undef TUNABLE
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
#undef PARAMS
