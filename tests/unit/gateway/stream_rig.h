/*
 * The world around the streams, made of fakes: sockets (the wrapped lws_*), a hub with topics that
 * a test fills, an orchestrator whose answers come when told, a clock that stands still. What a
 * socket was sent is parsed back frame by frame; a write that does not end at a frame's end fails
 * the test.
 */
#ifndef TAILGATE_TESTS_STREAM_RIG_H
#define TAILGATE_TESTS_STREAM_RIG_H

#include "gateway/stream_frames.h"
#include "gateway/stream_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RIG_TOPICS 4
#define RIG_CHUNKS 32
#define RIG_PENDING 64
#define RIG_KEY "tg_good"
#define RIG_USER "dev@example.org"
#define RIG_CLIENT "192.0.2.7"

struct topic {
    struct execution_id id;
    struct exec_state states[HUB_STATES_MAX];
    size_t n_states;
    struct exec_state now;
    struct chunk *chunks[RIG_CHUNKS];
    size_t n_chunks;
    uint64_t last_seq;
    uint64_t gap_to; /* lines up to here were removed by retention */
    int refs, cursors;
    bool forbidden;
};

struct cursor {
    struct topic *topic;
    uint64_t position;
    loop_fn wake;
    void *user;
};

/* A socket. */
struct lws {
    const char *path, *origin, *host, *protocol, *key, *authorization;
    const char *args[4];
    void *session;
    struct buf sent; /* every byte written */
    size_t parsed;   /* of it handed out by rig_take */
    size_t room;     /* bytes the socket takes before a write stays partial; 0 = any number */
    size_t largest_write;
    const void *last_ptr;
    /* What the extension is told of the frame that comes in. */
    struct stream_slot slot;
    const char *extensions; /* the header */
    size_t payload_left;
    unsigned char reserved_bits;
    bool is_first;
    bool asked, partial, closed, write_fails, is_binary, is_part, is_killed, flow_stopped;
    unsigned writes; /* lws_write calls */
    int unsent;      /* bytes in the kernel */
    unsigned close_code;
    char close_reason[128];
    struct lws_protocols proto;
};

struct pending_call {
    orchestrator_principal_fn principal;
    orchestrator_execution_fn execution;
    void *user;
    struct execution_id id;
    char key[64];
};

struct rig {
    unsigned denied; /* refusals told to the audit; the last one: */
    char denied_text[400];
    struct streams *st;
    struct options options;
    int64_t now_ms;
    bool leaving, origin_refused;
    struct watch *watch; /* of the server */
    struct topic topics[RIG_TOPICS];
    size_t n_topics;
    struct pending_call pending[RIG_PENDING];
    size_t n_pending;
    int sync_error, answer_error; /* of the orchestrator */
    int open_error, cursor_error, next_error, frame_error, encoder_error;
    int timers, timer_active;
    bool turn_due;         /* the deferred call was scheduled */
    int64_t us, us_a_look; /* since now_ms; what each look at the clock takes */
    int64_t timer_delay;
    hub_encode_fn encoders[CHUNK_FRAME_KINDS];
    void *encoder_users[CHUNK_FRAME_KINDS];
    int n_encoders;
    int ioctl_error, random_error;
    int sndbuf;     /* the last that was set */
    uint64_t taken; /* by any peer's kernel */
};

extern struct rig rig;

int rig_setup(void **state);
int rig_teardown(void **state);

/* A topic whose execution id is made of n; the state is RUNNING, version 3. */
struct topic *rig_topic(unsigned n);
/* n lines "line SEQ" as one chunk, committed; nobody is woken. */
void rig_add(struct topic *t, uint32_t n);
/* The same for given lines. */
void rig_add_chunk(struct topic *t, struct chunk *c);
/* A state change behind the lines so far. */
void rig_state(struct topic *t, enum exec_status s);
/* What the hub does after a commit: wakes every cursor of every topic. */
void rig_wake(void);
struct chunk *rig_chunk(uint64_t first_seq, uint32_t n);
struct chunk *rig_chunk_of(uint64_t first_seq, const char *const *lines, const size_t *lens,
                           uint32_t n);

/* A socket for tailgate.v1 (with the good key in its header) or Runvoy's stream of topic t. */
void rig_session_socket(struct lws *wsi);
void rig_runvoy_socket(struct lws *wsi, const struct topic *t);
/* Upgrades; false when it was refused. */
bool rig_open(struct lws *wsi);
/* The orchestrator's answers, all that are waiting. */
void rig_answer(void);
/* WRITEABLE and turns of the loop as long as they are asked for; all streams have theirs. */
void rig_run(struct lws *wsi);
/* One turn of the loop, if one is due: whether it was. */
bool rig_turn(void);
/* The client's message, and everything that follows from it. */
void rig_say(struct lws *wsi, const char *text);
/* The socket goes. */
void rig_close(struct lws *wsi);

/* The text messages sent since the last call, a line each; pings as "(ping)". Valid until the next
 * call. */
const char *rig_take(struct lws *wsi);
struct stream *rig_stream(const struct lws *wsi);
/* One frame at p (RFC 6455 5.2), read independently of the code under test; its whole length. */
size_t rig_parse_frame(const uint8_t *p, size_t len, const uint8_t **ret_payload, size_t *ret_n);

#endif
