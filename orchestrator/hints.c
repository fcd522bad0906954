/* Wires the hub's publications to NOTIFY and notifications to the hub. */
#include "orchestrator/hints.h"

#include "base/err.h"
#include "base/str.h"
#include "db/listener.h"
#include "logs/hub.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CHANNEL_LOG "tailgate_log"
#define CHANNEL_LIST "tailgate_list"
#define CHANNEL_STOP "tailgate_stop"
#define STOP_MAX 512 /* key, request id and e-mail are at most 20, 64 and 254 characters */
#define NO_REQUEST "-"

struct hints {
    struct hub *hub;
    struct db_listener *listener;
    orchestrator_stop_fn on_stop;
    void *on_stop_user;
    loop_fn on_change;
    void *on_change_user;
};

static void on_publish(void *user, int64_t execution_key)
{
    struct hints *h = user;
    char key[24];

    (void)snprintf(key, sizeof key, "%" PRId64, execution_key); /* 20 characters at most */
    db_listener_notify(h->listener, CHANNEL_LOG, key);
}

/* Whoever watches the list looks for itself: one word a tick is enough. */
static void on_state(void *user, int64_t execution_key UNUSED)
{
    const struct hints *h = user;

    db_listener_notify(h->listener, CHANNEL_LIST, "");
}

/* Cuts the word before the next space; NULL: there is none. */
static char *next_word(char **text)
{
    char *word = *text, *space = strchr(word, ' ');

    if (!space)
        return NULL;
    *space = '\0';
    *text = space + 1;
    return word;
}

static void take_stop(const struct hints *h, const char *payload)
{
    char text[STOP_MAX], *rest = text;
    int64_t key;

    if (!h->on_stop || str_copy(text, sizeof text, payload) < 0)
        return;
    const char *number = next_word(&rest);
    const char *request_id = number ? next_word(&rest) : NULL;
    if (!request_id || rest[0] == '\0' || str_to_i64(number, 1, INT64_MAX, &key) < 0)
        return;
    h->on_stop(h->on_stop_user, key, rest, str_eq(request_id, NO_REQUEST) ? "" : request_id);
}

static void tell_change(const struct hints *h)
{
    if (h->on_change)
        h->on_change(h->on_change_user);
}

/* Our own come back too: the hub ignores them, since those topics are fed here. */
static void on_notify(void *user, const char *channel, const char *payload)
{
    const struct hints *h = user;
    int64_t key;

    if (str_eq(channel, CHANNEL_STOP))
        take_stop(h, payload);
    else if (str_eq(channel, CHANNEL_LIST))
        tell_change(h);
    else if (str_to_i64(payload, 1, INT64_MAX, &key) == 0)
        hub_poke(h->hub, key);
}

void hints_tell_stop(void *user, int64_t execution_key, const char *email, const char *request_id)
{
    const struct hints *h = user;
    char payload[STOP_MAX];

    int n = snprintf(payload, sizeof payload, "%" PRId64 " %s %s", execution_key,
                     str_is_empty(request_id) ? NO_REQUEST : request_id, email);
    if (n > 0 && (size_t)n < sizeof payload)
        db_listener_notify(h->listener, CHANNEL_STOP, payload);
}

void hints_on_stop(struct hints *h, orchestrator_stop_fn fn, void *user)
{
    h->on_stop = fn;
    h->on_stop_user = user;
}

/* What was told while we were away is found by the hub's poll. */
static void on_connect(void *user)
{
    tell_change(user);
}

void hints_on_change(struct hints *h, loop_fn fn, void *user)
{
    h->on_change = fn;
    h->on_change_user = user;
}

int hints_new(struct loop *l, const char *conninfo, struct hub *hub, struct hints **ret)
{
    static const char *const channels[] = {CHANNEL_LOG, CHANNEL_LIST, CHANNEL_STOP};
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
    hub_on_state(hub, on_state, h);
    *ret = h;
    return 0;
}

void hints_free(struct hints *h)
{
    if (!h)
        return;
    hub_on_publish(h->hub, NULL, NULL);
    hub_on_state(h->hub, NULL, NULL);
    db_listener_free(h->listener);
    free(h);
}
