/* The stores of a reconcile, and answers with rows: each call waits for the test. */
#ifndef TAILGATE_TESTS_ORCHESTRATOR_FAKE_HEALTH_H
#define TAILGATE_TESTS_ORCHESTRATOR_FAKE_HEALTH_H

#include "fake.h"

enum fake_health_kind {
    HEALTH_COMPUTE,
    HEALTH_KNOWN,
    HEALTH_SECRETS,
    HEALTH_SWEEP,
    HEALTH_RIGHTS,
    HEALTH_OWNERS,
    HEALTH_KINDS,
};
struct fake_row_of {
    const char *text[4];
    int64_t number[2];
    const void *bytes;
    size_t len;
};
/* What a callback gets as its result: rows of up to three statements. */
struct fake_result {
    struct {
        const struct fake_row_of *rows;
        size_t n;
    } stmt[3];
};
void fake_health_reset(void);
size_t fake_health_waiting(enum fake_health_kind kind);
/* Answers the one that waits; result NULL: no rows. */
void fake_health_answer(enum fake_health_kind kind, int err, const struct fake_result *result);
/* What the calls of one kind return instead of being taken. */
void fake_health_return(enum fake_health_kind kind, int err);
extern char fake_health_text[512]; /* the last ids, or the last page's `after` */
extern bool fake_works;            /* work of the thread pool is done at once */

#endif
