/* Builders of valid values; a test changes what it is about. */
#ifndef TAILGATE_TESTS_WIRE_BUILD_H
#define TAILGATE_TESTS_WIRE_BUILD_H

#include "base/model.h"

#define BUILD_ID       \
    "00004fb900000007" \
    "89abcdef01234567"
/* 2026-01-02T03:04:05.678901Z */
#define BUILD_TIME_US 1767323045678901

static inline struct execution build_execution(enum exec_status status)
{
    struct execution e = {
        .state = {.status = status,
                  .version = 3,
                  .exit_code = EXIT_CODE_NONE,
                  .started_at_us = BUILD_TIME_US,
                  .last_seq = 12},
        /* Literals: never freed by execution_done here. */
        .command = (char *)(uintptr_t) "echo \"hi\"",
        .image_id = (char *)(uintptr_t) "alpine:latest-0a1b2c3d",
        .created_by = (char *)(uintptr_t) "ada@example.com",
        .created_by_request_id = (char *)(uintptr_t) "req-1",
        .modified_by_request_id = (char *)(uintptr_t) "req-2",
        .id = {BUILD_ID},
    };

    if (exec_status_is_terminal(status)) {
        e.state.completed_at_us = BUILD_TIME_US + 61500000;
        e.state.exit_code = 0;
    }
    return e;
}

#endif
