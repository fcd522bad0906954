/* Wires the hub's publications to NOTIFY and notifications to the hub. */
#include "orchestrator/hints.h"

#include "base/err.h"
#include "base/str.h"
#include "db/listener.h"
#include "logs/hub.h"

#include <inttypes.h>
#include <stdio.h>

#define CHANNEL "tailgate_log"

struct hints {
    struct hub *hub;
    struct db_listener *listener;
};

static void on_publish(void *user, int64_t execution_key)
{
    struct hints *h = user;
    char key[24];

    (void)snprintf(key, sizeof key, "%" PRId64, execution_key); /* 20 characters at most */
    db_listener_notify(h->listener, CHANNEL, key);
}

/* Our own come back too: the hub ignores them, since those topics are fed here. */
static void on_notify(void *user, const char *channel UNUSED, const char *payload)
{
    const struct hints *h = user;
    int64_t key;

    if (str_to_i64(payload, 1, INT64_MAX, &key) == 0)
        hub_poke(h->hub, key);
}

/* What was told while we were away is found by the hub's poll. */
static void on_connect(void *user UNUSED)
{
}

int hints_new(struct loop *l, const char *conninfo, struct hub *hub, struct hints **ret)
{
    static const char *const channels[] = {CHANNEL};
    struct hints *h = calloc(1, sizeof *h);

    if (!h)
        return ERR_NOMEM;
    h->hub = hub;
    int err = db_listener_new(l, conninfo, channels, ARRAY_SIZE(channels), on_notify, on_connect, h,
                              &h->listener);
    if (err) {
        free(h);
        return err;
    }
    hub_on_publish(hub, on_publish, h);
    *ret = h;
    return 0;
}

void hints_free(struct hints *h)
{
    if (!h)
        return;
    hub_on_publish(h->hub, NULL, NULL);
    db_listener_free(h->listener);
    free(h);
}
