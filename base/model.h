/* Plain values that several folders speak of: execution ids, states, rows, principals. */
#ifndef TAILGATE_BASE_MODEL_H
#define TAILGATE_BASE_MODEL_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An execution's id is 32 lower-case hex digits: its 64-bit execution_key (days since the epoch <<
 * 32 | n) and 64 random bits. So a look-up by id knows the partition without another index.
 */
#define EXECUTION_ID_LEN 32
struct execution_id {
    char hex[EXECUTION_ID_LEN + 1];
};
MUST_CHECK int execution_id_parse(const char *s, struct execution_id *ret); /* ERR_INVALID */
int64_t execution_id_key(const struct execution_id *id);
void execution_id_make(int64_t key, uint64_t random, struct execution_id *ret);

/*
 * api.md's states.
 *
 *   PENDING ──▶ STARTING ──▶ RUNNING ──▶ SUCCEEDED
 *      │  │        │  │        │ │ └────▶ FAILED
 *      │  └────────┼──┼────────┼─┼──────▶ STOPPED
 *      ▼           ▼  └────────┴─┴──▶ TERMINATING ──▶ STOPPED, FAILED
 *    FAILED      FAILED
 */
enum exec_status {
    EXEC_PENDING,
    EXEC_STARTING,
    EXEC_RUNNING,
    EXEC_TERMINATING,
    EXEC_SUCCEEDED,
    EXEC_FAILED,
    EXEC_STOPPED,
};
#define EXEC_STATUS_COUNT 7
const char *exec_status_name(enum exec_status s);
MUST_CHECK int exec_status_parse(const char *s, enum exec_status *ret); /* ERR_INVALID */
bool exec_status_is_terminal(enum exec_status s);
struct exec_state;
/* Live, but its gateway is gone and no other reaches it: told of a row, never stored, and of no
 * version. */
#define EXEC_REASON_UNREACHABLE "unreachable"
bool exec_state_is_unreachable(const struct exec_state *s);
/* Whether s tells more than the state of that version, which was told as unreachable or not. */
bool exec_state_is_news(const struct exec_state *s, int64_t version, bool was_unreachable);
/* The transition table. */
bool exec_status_may_become(enum exec_status from, enum exec_status to);

#define EXIT_CODE_NONE INT32_MIN /* no exit code yet */

/* What changes during a run. A plain value. */
struct exec_state {
    enum exec_status status;
    int64_t version;   /* 1 at creation, +1 a transition */
    int32_t exit_code; /* EXIT_CODE_NONE until the end */
    int32_t signal;    /* 0 = none */
    char
        reason[48]; /* "" = none: timeout, runner_lost, host_lost, spool_corrupt, start_failed, … */
    int64_t started_at_us;   /* accepted */
    int64_t completed_at_us; /* 0 = not yet */
    uint64_t last_seq;
};

/* A row of executions. Strings are owned: execution_done frees them. */
struct execution {
    int64_t key;
    struct execution_id id;
    struct exec_state state;
    char *command;
    char *image_id;
    char *created_by; /* e-mail; also the one owner */
    char *created_by_request_id;
    char *modified_by_request_id;
    char *owner; /* gateway id */
    int64_t fence;
    uint64_t spool_offset; /* bytes of the spool that are committed */
    uint64_t log_bytes;    /* raw bytes of all lines */
    int64_t timeout_s;     /* 0 = none */
    int64_t grace_s;
    bool tty;
};
void execution_done(struct execution *e); /* safe on a zeroed struct */
MUST_CHECK int execution_copy(struct execution *dst, const struct execution *src); /* ERR_NOMEM */

enum role { ROLE_ADMIN, ROLE_OPERATOR, ROLE_DEVELOPER, ROLE_VIEWER };
const char *role_name(enum role r);
MUST_CHECK int role_parse(const char *s, enum role *ret);

/* Who asks. A plain value. */
struct principal {
    int64_t user_key;
    int64_t key_id; /* the API key used; 0 for a stream token */
    enum role role;
    char email[256];
};

/* A call on its way in, for what is recorded of it. Borrowed. */
struct caller {
    const struct principal *who; /* NULL on public routes */
    const char *address;         /* the client's, without port */
    const char *request_id;
};

/* Line streams, as in the spool and on the wire. */
#define STREAM_STDOUT 'o'
#define STREAM_STDERR 'e'
#define STREAM_SYSTEM 's'
/* Line flags (the same bits as the spool's record flags). */
#define LINE_PART 1u   /* goes on in the next line of the same stream */
#define LINE_NO_EOL 2u /* last line of its stream, without a newline */

#endif
