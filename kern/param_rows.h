/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Included inside the braces of a table of struct param_row, after #define PARAMS
 * (the file of rows) and #define PARAM_VALUES (the struct that holds the values).
 * On purpose without an include guard; see kern/param.h.
 */
#define TUNABLE(field, name, unit, initial, min, max, help) \
	{ name, help, &PARAM_VALUES.field, initial, min, max, PARAM_TUNABLE, unit },
#define COUNTER(field, name, unit, help) \
	{ name, help, &PARAM_VALUES.field, 0, 0, 0, PARAM_COUNTER, unit },
#define GAUGE(field, name, unit, help) \
	{ name, help, &PARAM_VALUES.field, 0, 0, 0, PARAM_GAUGE, unit },
#define HISTOGRAM(field, name, unit, help) \
	{ name, help, &PARAM_VALUES.field, 0, 0, 0, PARAM_HISTOGRAM, unit },
#include PARAMS
#undef TUNABLE
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
#undef PARAMS
#undef PARAM_VALUES
