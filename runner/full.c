/* Times without room, in words. */
#include "runner/full.h"

/* A command that is faster than the server is held up for moments all the time. */
#define TOLD_FROM_MS 1000

static const char *const words[] = {
    [OUTLET_OPEN] = "",
    [OUTLET_SPOOL_FULL] = "spool full",
    [OUTLET_DISK_FULL] = "disk full",
    [OUTLET_FAILING] = "the spool cannot be written",
};

enum outlet_state full_watch(struct full *f, struct outlet *o, int64_t now)
{
    enum outlet_state state = outlet_state(o);

    if (state != OUTLET_OPEN && f->why == OUTLET_OPEN)
        f->since_ms = now;
    if (state == OUTLET_OPEN && f->why != OUTLET_OPEN && now - f->since_ms >= TOLD_FROM_MS)
        outlet_system(o, "tailgate: output was blocked %lld s: %s",
                      (long long)((now - f->since_ms) / 1000), words[f->why]);
    f->why = state;
    return state;
}

uint32_t full_end(enum outlet_state why, struct outlet *o)
{
    outlet_give_up(o);
    outlet_system(o, "tailgate: %s: the command is ended; what it wrote from here on is lost",
                  words[why]);
    switch (why) {
    case OUTLET_SPOOL_FULL:
        return SPOOL_EXIT_SPOOL_FULL;
    case OUTLET_DISK_FULL:
        return SPOOL_EXIT_DISK_FULL;
    default:
        return 0;
    }
}

void full_lose_rest(struct outlet *o)
{
    outlet_give_up(o);
    outlet_system(o, "tailgate: disk full: what was written from here on is lost");
}
