/* The stores of images, of the audit and of traces, as fake.h's: each call waits for its answer. */
#ifndef TAILGATE_TESTS_ORCHESTRATOR_FAKE_TEAM_H
#define TAILGATE_TESTS_ORCHESTRATOR_FAKE_TEAM_H

#include "db/store_images.h"
#include "db/store_trace.h"

enum fake_team_kind {
    TEAM_IMAGE_FIND,
    TEAM_IMAGE_DEFAULT,
    TEAM_IMAGE_LIST,
    TEAM_IMAGE_REGISTER,
    TEAM_IMAGE_REMOVE,
    TEAM_AUDIT_WRITE,
    TEAM_AUDIT_LIST,
    TEAM_TRACE_WRITE,
    TEAM_TRACE_GET,
};
#define FAKE_TEAM_ROWS 8
struct fake_team_call {
    enum fake_team_kind kind;
    union {
        store_images_fn images;
        store_audit_fn audit;
        store_trace_fn trace;
        db_batch_fn batch;
    } fn;
    void *user;
    char text[8192];                      /* FIND, REMOVE, TRACE_*: what is asked or written */
    char registry[64], name[64], tag[64]; /* FIND, REGISTER */
    char image_id[640], action[48], resource[700]; /* of a change: the image, its audit entry */
    bool is_default;
    int64_t retention_ms;
    struct {
        char email[256], action[64], resource[300], result[48], address[64], request_id[72];
        int64_t count;
    } rows[FAKE_TEAM_ROWS]; /* AUDIT_WRITE */
    size_t n;
    struct audit_filter filter; /* AUDIT_LIST: numbers only */
};
size_t fake_team_waiting(enum fake_team_kind kind);
/* Takes the oldest; fails the test when there is none. */
struct fake_team_call fake_team_take(enum fake_team_kind kind);
/* What these stores return from now on instead of taking calls. */
void fake_team_returns(int err);
void fake_team_reset(void);

#endif
