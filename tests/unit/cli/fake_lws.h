/*
 * libwebsockets without a network: a script of what happens, one step a turn of the loop. Link with
 * SOURCES fake_lws.c and WRAP ${lws_wraps} clock_mono_ms (see CMakeLists.txt).
 */
#ifndef TAILGATE_TESTS_CLI_FAKE_LWS_H
#define TAILGATE_TESTS_CLI_FAKE_LWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fake_step_type {
    STEP_OPEN,     /* the handshake is done */
    STEP_TEXT,     /* a whole message */
    STEP_FRAGMENT, /* part of a message */
    STEP_WRITE,    /* the connection is writeable */
    STEP_CLOSE,    /* the server closes with code and text; 0 = without a close frame */
    STEP_REFUSE,   /* the handshake fails; code = HTTP status or 0, text = why */
    STEP_TIMER,    /* time goes on to the timer, which fires */
    STEP_SIGNAL,   /* signal number code comes */
    STEP_BREAK,    /* the loop fails */
};

struct fake_step {
    enum fake_step_type type;
    const char *text;
    int code;
};

struct fake_lws {
    const struct fake_step *steps;
    size_t steps_count, next;
    int64_t now_ms;
    int64_t timer_us; /* -1 = not armed */
    unsigned connects, contexts, destroyed;
    bool is_open, wants_write;
    bool no_context, no_vhost, no_adoption, no_connection, short_write;
    bool header_fails;
    int64_t delays_ms[32]; /* each timer that was armed */
    size_t delays_count;
    char sent[8][1024]; /* messages */
    size_t sent_count;
    char path[512], host[300], address[300], header[600], ca_file[256];
    int port, ssl;
    char complaint[256]; /* the script did not fit: "" = it did */
};

extern struct fake_lws fake_lws;
void fake_lws_reset(const struct fake_step *steps, size_t count);

#endif
