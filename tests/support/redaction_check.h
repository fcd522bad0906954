/*
 * Redaction against its rules, driven by arbitrary bytes: secrets, lines of three streams, how they
 * are cut into parts, where the program is started anew and where too much waits. abort() at the
 * first breach. Used by the fuzzer and by a unit test with random bytes.
 */
#ifndef TAILGATE_TESTS_REDACTION_CHECK_H
#define TAILGATE_TESTS_REDACTION_CHECK_H

#include <stddef.h>
#include <stdint.h>

void redaction_check(const uint8_t *data, size_t size);

#endif
