/* The way from SIGTERM to SIGKILL over the tree of descendants. */
#include "runner/stop.h"

#include "runner/now.h"
#include "runner/tree.h"

#include <signal.h>

#define KILL_AGAIN_MS 20 /* for what was forked while the tree was being killed */
#define GIVE_UP_MS 10000 /* in the kernel (D state) or another user's: SIGKILL does not end it */

void stop_init(struct stop *s, pid_t group)
{
    *s = (struct stop){.phase = STOP_IDLE, .group = group, .next_at_ms = NEVER_MS};
}

void stop_begin(struct stop *s, int64_t now, int64_t grace_ms)
{
    if (s->phase != STOP_IDLE)
        return;
    (void)tree_signal(SIGTERM, s->group);
    s->phase = STOP_ASKING;
    s->next_at_ms = now + grace_ms;
}

void stop_step(struct stop *s, int64_t now)
{
    if (now < s->next_at_ms)
        return;
    if (s->phase == STOP_ASKING) {
        s->phase = STOP_KILLING;
        s->give_up_at_ms = now + GIVE_UP_MS;
    }
    if (s->phase != STOP_KILLING)
        return;
    (void)tree_signal(SIGKILL, s->group);
    s->next_at_ms = now + KILL_AGAIN_MS;
    if (now >= s->give_up_at_ms) {
        s->phase = STOP_GIVEN_UP;
        s->next_at_ms = NEVER_MS;
    }
}
