/* Both ends of stopping an execution that another gateway runs; kill.c tells and waits. */
#include "orchestrator/live.h"

#include "base/clock.h"

void orchestrator_tell_stop(struct orchestrator *o, orchestrator_stop_fn tell, void *user)
{
    o->tell_stop = tell;
    o->tell_stop_user = user;
}

/* Told again it changes nothing: the state table knows TERMINATING. */
void orchestrator_stop_told(void *user, int64_t execution_key, const char *email,
                            const char *request_id)
{
    const struct orchestrator *o = user;
    const struct run_input in = {.event = RUN_STOP_ASKED, .who = email, .now_us = clock_wall_us()};
    struct live *l = live_find(o, execution_key);
    if (l && l->feed && !l->is_over)
        (void)live_event(l, &in, request_id, NULL);
}
