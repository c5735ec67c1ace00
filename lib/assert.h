/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KASSERT: an impossible situation stops the machine, naming the rule.
 *
 * The rule is a string that starts with the number of the invariant in the
 * header of the file, e.g. KASSERT(m->busy == 0, "P4: freed page is not busy").
 * Kept in release builds. On the board it ends in panic(); in host tests in
 * test/host/sim_machdep.c, which fails the running test (or, where a test
 * expects it, returns control by longjmp).
 */
#ifndef LIB_ASSERT_H
#define LIB_ASSERT_H

_Noreturn void kassert_fail(const char *file, int line, const char *rule);

#ifdef KASSERT_IS_CALL
/* For `make coverage`: an assertion adds no branch to the code around it. */
static inline void
kassert_check(int holds, const char *file, int line, const char *rule)
{
	if (!holds)
		kassert_fail(file, line, rule);
}

#define KASSERT(cond, rule) kassert_check(!!(cond), __FILE__, __LINE__, (rule))
#else
#define KASSERT(cond, rule)                                        \
	do {                                                       \
		if (__builtin_expect(!(cond), 0))                  \
			kassert_fail(__FILE__, __LINE__, (rule));  \
	} while (0)
#endif

#endif
