/* What each cmocka test begins with. */
#ifndef TAILGATE_TESTS_UNIT_H
#define TAILGATE_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
