/*
 * Makes one allocation of the code under test fail. Link with WRAP malloc calloc realloc strdup and
 * SOURCES fail_alloc.c.
 *
 *     for (unsigned n = 1; fail_alloc_at(n); n++) … call, expect ERR_NOMEM or success …
 *
 * goes on as long as the call of the round before had an n-th allocation.
 */
#ifndef TAILGATE_TESTS_FAIL_ALLOC_H
#define TAILGATE_TESTS_FAIL_ALLOC_H

#include <stdbool.h>

/* The n-th allocation from now fails. False when the one armed before was never reached. */
bool fail_alloc_at(unsigned n);
/* Nothing fails from now on. True when an allocation has failed since it was armed. */
bool fail_alloc_off(void);

#endif
