/* Sealed values: each opens with its key, and belongs to something. */
#include "orchestrator/health_internal.h"

#include "base/str.h"
#include "db/store_health.h"
#include "orchestrator/seal.h"
#include "orchestrator/secrets_internal.h"

#include <stdio.h>

/* ---- what belongs to no execution ---- */

static void on_swept(void *user, int err, const struct db_result *r)
{
    static const char *const types[STORE_HEALTH_SWEEPS] = {"environment", "ticket",
                                                           "idempotency_key"};
    struct health_check *c = user;
    if (!health_release(c))
        return;
    if (err < 0) {
        health_failed(c, err, NULL);
        return;
    }
    struct health_report *report = &c->h->report;
    for (size_t s = 0; s < STORE_HEALTH_SWEEPS; s++) {
        for (size_t i = 0; i < db_rows(r, s); i++) {
            const char *name = db_get_text(r, s, i, 0);
            health_repaired(report, types[s], name,
                            s == 1 ? "its key is gone or revoked"
                                   : "it belongs to no live execution",
                            "removed");
            if (s != 0)
                continue;
            report->secrets.orphaned++;
            health_name(&report->secrets.orphans, name);
        }
    }
    health_done(c);
}

int health_check_sweep(struct health_check *c)
{
    health_hold(c);
    int r = store_health_sweep(c->h->o->pool, on_swept, c);
    if (r < 0)
        (void)health_release(c);
    return r;
}

/* ---- secrets ---- */

static void open_one(struct health *h, const char *name, const char *key_id, const void *sealed,
                     size_t len)
{
    char context[SECRET_CONTEXT_SIZE];
    struct health_report *r = &h->report;
    struct sealer *sealer = h->o->opts.sealer;
    void *plain = NULL;
    size_t plain_len;
    if (len <= SEAL_OVERHEAD) {
        r->secrets.missing++;
        health_issue(r, HEALTH_ERROR, "secret", name, "it has no value",
                     "set it (tailgate secrets update), or delete it");
        return;
    }
    secret_context(name, context);
    int e = sealer ? seal_open(sealer, key_id, context, sealed, len, &plain, &plain_len)
                   : ERR_NOT_FOUND;
    seal_wipe(plain);
    if (e == 0) {
        r->secrets.verified++;
    } else if (e == ERR_NOT_FOUND) {
        char message[128];
        (void)snprintf(message, sizeof message, "its key %.32s is not in the key file", key_id);
        health_issue(r, HEALTH_ERROR, "secret", name, message,
                     "put the key back into --secrets-key-file, or set the value anew");
    } else {
        health_issue(r, HEALTH_ERROR, "secret", name,
                     e == ERR_NOMEM ? "it could not be opened: out of memory"
                                    : "its value does not open with its key",
                     "set it anew (tailgate secrets update), or delete it");
    }
}

static int ask_page(struct health_check *c);

static void on_page(void *user, int err, const struct db_result *r)
{
    struct health_check *c = user;
    if (!health_release(c))
        return;
    size_t n = err < 0 ? 0 : db_rows(r, 0);
    for (size_t i = 0; i < n && err == 0; i++) {
        const char *name = db_get_text(r, 0, i, 0), *key_name = db_get_text(r, 0, i, 3);
        size_t len = 0;
        const void *sealed = db_get_bytes(r, 0, i, 2, &len);
        c->h->report.secrets.total++;
        open_one(c->h, name, db_get_text(r, 0, i, 1), sealed, len);
        if (str_is_empty(key_name))
            health_issue(&c->h->report, HEALTH_WARNING, "secret", name,
                         "it does not say which variable it is for",
                         "set its key_name (tailgate secrets update --key-name)");
        err = str_copy(c->after, sizeof c->after, name);
    }
    if (err == 0 && n == STORE_HEALTH_SECRETS)
        err = ask_page(c);
    else if (err == 0)
        health_done(c);
    if (err < 0)
        health_failed(c, err, NULL);
}

static int ask_page(struct health_check *c)
{
    health_hold(c);
    int r = store_health_secrets(c->h->o->pool, c->after, on_page, c);
    if (r < 0)
        (void)health_release(c);
    return r;
}

int health_check_secrets(struct health_check *c)
{
    return ask_page(c);
}
