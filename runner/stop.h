/*
 * Ends descendants: SIGTERM to all of them, then, when the grace has run out, SIGKILL until none is
 * left.
 *
 *   idle ──stop_begin──▶ asking ──(grace over)──▶ killing ──(they will not go)──▶ given up
 */
#ifndef TAILGATE_RUNNER_STOP_H
#define TAILGATE_RUNNER_STOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum stop_phase { STOP_IDLE, STOP_ASKING, STOP_KILLING, STOP_GIVEN_UP };

struct stop {
    enum stop_phase phase;
    pid_t group;        /* the command's process group */
    int64_t next_at_ms; /* when stop_step has something to do */
    int64_t give_up_at_ms;
};

void stop_init(struct stop *s, pid_t group);
/* Nothing happens when it has begun before. */
void stop_begin(struct stop *s, int64_t now_ms, int64_t grace_ms);
void stop_step(struct stop *s, int64_t now_ms);

#endif
