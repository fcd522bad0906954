/*
 * The load client's parts: readers (load_net.c), what they are sent (load_check.c), the run
 * (load.c).
 *
 *   CONNECTING (blocking, one by one) → WAITING → READY (subscribed, caught up) → DONE (has what it
 * came for)
 */
#ifndef TAILGATE_BENCH_LOAD_H
#define TAILGATE_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LATENCY_STEP_US 10u
#define LATENCY_STEPS 200000u /* two seconds; slower counts as that */
#define RECV_BYTES (256u << 10)
#define EXEC_ID_LEN 32u

enum protocol { PROTOCOL_V1, PROTOCOL_RUNVOY, PROTOCOL_TEXT, PROTOCOL_NATS };
enum reader_state { READER_WAITING, READER_READY, READER_DONE };

struct reader {
    int fd;
    enum reader_state state;
    const char *exec;
    uint64_t next; /* sequence number that comes next; 0: whatever comes first */
    int64_t
        text_gap; /* sequence number less the number in the text: the same for all lines of a run */
    bool has_gap;
    char *rest; /* an unfinished frame */
    size_t rest_len;
    uint64_t asked_us;
};

struct options {
    enum protocol protocol;
    const char *port, *path, *key, *subject;
    uint64_t readers, lines, ring_lines, repeat;
    int64_t after, tail; /* -1: not said */
    double timeout_s;
    bool each_latency, hold, until_end;
};

struct totals {
    uint64_t lines, bytes, frames, recvs, errors, ended;
    uint64_t first_stamp_us, first_us, last_us;
    uint32_t *latency; /* LATENCY_STEPS counts */
    size_t ready, done;
};

struct load {
    struct options o;
    char **execs;
    size_t n_execs;
    struct reader *readers;
    struct totals t;
    uint64_t now_us;   /* when what is being looked at arrived */
    uint64_t *asks_us; /* o.repeat: how long each subscription took to its last line */
    size_t n_asks;
    int epoll;
    char *in;
};

/* load_net.c */
void die(const char *what) __attribute__((noreturn));
void reader_open(struct load *l, struct reader *r);
void reader_subscribe(struct load *l, struct reader *r);
void reader_pong(const struct load *l, struct reader *r, const char *payload, size_t len);
void reader_recv(struct load *l, struct reader *r);

/* load_check.c */
/* Looks at all whole frames of p[0..len); the bytes taken. */
size_t check_bytes(struct load *l, struct reader *r, const char *p, size_t len);
void note_error(struct load *l, const struct reader *r, const char *what, uint64_t got);
void note_latency(struct load *l, uint64_t us);

#endif
