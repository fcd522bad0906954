/*
 * A real server on a loopback socket — real loop, real libwebsockets — between fakes: orchestrator,
 * hub and streams are made of what a test has set. Answers of the fakes come on a later turn of the
 * loop, or when a test lets them.
 */
#ifndef TAILGATE_TESTS_SERVER_RIG_H
#define TAILGATE_TESTS_SERVER_RIG_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "gateway/http_internal.h"
#include "logs/chunk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RIG_KEY "tg_good"
#define RIG_ID "0000512b00000001aabbccddeeff0011"
#define RIG_ROWS 260
#define RIG_STEPS 64

/* What the fake orchestrator does. */
struct rig_world {
    struct problem problem; /* err set: every answer is this */
    bool refuses;           /* … given back at once, no callback */
    bool holds;             /* answers wait for rig_release */
    struct execution row;   /* of get, run, kill */
    bool stopped_now;
    size_t rows;            /* of the list: RIG_ID's key downwards */
    size_t fail_list_after; /* pages; 0 = never */
    /* what was asked */
    unsigned runs, gets, kills, lists, authentications;
    char command[64], image[32], request_id[40];
    char key[64], git[128], secret[64];
    bool is_replayed;
    size_t env_count;
    int64_t timeout_s, grace_s;
    bool tty;
    struct execution_filter filter; /* of the last list */
    char filter_created_by[64];
    bool is_ready;
    enum role role; /* of who asks */
    size_t held;
};

/* One answer of the fake cursor. */
struct rig_step {
    int err;
    struct chunk *chunk; /* with err 0; a reference the rig gives away */
    uint32_t first_line;
};

struct rig {
    struct loop *loop;
    struct options options;
    struct server *server;
    const char *url;
    int port;
    struct rig_world world;
    struct rig_step steps[RIG_STEPS];
    size_t steps_count, steps_done;
    bool auto_wake; /* ERR_AGAIN is followed by a wake */
    uint64_t position, opened_after;
    unsigned cursors_open, topics_open;
    int hub_error;                            /* of hub_topic_open */
    struct exec_state states[HUB_STATES_MAX]; /* of the topic; with none, the row's state */
    size_t states_count;
    unsigned filtered, established, messages, closed, left;
    int fail_streams; /* of streams_new */
};
extern struct rig rig;

/* Defaults, then `flags` (NULL-ended, "--x", "y", …); listens. */
void rig_start(char *const flags[]);
void rig_stop(void);
/* cmocka's test set-up and tear-down with the defaults. */
int rig_setup(void **state);
int rig_teardown(void **state);

/* Lets what the orchestrator held answer. */
void rig_release(void);
/* Wakes the open cursor. */
void rig_wake(void);
void rig_turns(int n);
/* Turns until *done, at most 5 s. */
void rig_until(bool (*done)(void *), void *user);

/* A chunk of lines "text" given as stream, flags, text triples, ended by stream 0. */
struct chunk *rig_chunk(uint64_t first_seq, ...);
void rig_step(int err, struct chunk *chunk);

/* ---- the client ---- */
int rig_connect(void);
void rig_send(int fd, const char *bytes, size_t len);
struct answer {
    int status;
    bool eof, chunked; /* the connection ended; the body came in chunks that were whole */
    char head[4096];
    struct buf body; /* decoded */
};
/* Reads one whole answer. has_body false: to HEAD. */
void rig_receive(int fd, struct answer *ret, bool has_body);
void answer_done(struct answer *a);
/* Value of a header into a static buffer; NULL when absent. */
const char *answer_header(const struct answer *a, const char *name);
/* One request on a connection of its own: "GET /path", extra header lines (each with CR LF; ""
 * none; RIG_KEY's header is added unless it begins with '!'), body (NULL none). */
void rig_request(const char *line, const char *headers, const char *body, struct answer *ret);
/* … and checks status and that the body has text. */
void rig_expect(const char *line, const char *headers, const char *body, int status,
                const char *text);
/* Waits for the end of the connection. */
void rig_expect_eof(int fd);

#endif
