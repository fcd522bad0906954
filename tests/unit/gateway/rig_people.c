/* Fakes of orchestrator/users.h, api_keys.h and revocations.h. */
#include "rig_people.h"

#include "gateway/stream.h"
#include "orchestrator/revocations.h"

struct rig_people rig_people;

static const struct user USERS[] = {
    {1, "ada@example.org", ROLE_ADMIN, 1700000000000000, 1700000060000000, false, "r1", "r2"},
    {2, "bob@example.org", ROLE_VIEWER, 1700000000000000, 0, true, "r3", "r3"},
};
static const struct api_key KEYS[] = {
    {7, "tg_abcde", "laptop", 1700000000000000, 0, false},
    {8, "tg_fghij", "", 1700000000000000, 1700000060000000, true},
};

int rig_people_setup(void **state)
{
    memset(&rig_people, 0, sizeof(rig_people));
    memcpy(rig_people.users, USERS, sizeof(USERS));
    memcpy(rig_people.keys, KEYS, sizeof(KEYS));
    rig_people.n = 2;
    return rig_setup(state);
}

struct later {
    void (*deliver)(const struct later *l);
    union {
        orchestrator_user_fn user;
        orchestrator_users_fn users;
        orchestrator_claim_fn claim;
        orchestrator_api_keys_fn keys;
    } fn;
    void *user;
    struct loop_timer *timer;
};

static void on_timer(void *user)
{
    struct later *l = user;
    loop_timer_free(l->timer);
    l->deliver(l);
    free(l);
}

static const struct problem *trouble(void)
{
    return rig.world.problem.err ? &rig.world.problem : NULL;
}

/* NULL: refused at once. */
static struct later *later(void (*deliver)(const struct later *), void *user, struct problem *p)
{
    rig_people.calls++;
    if (rig.world.refuses) {
        *p = rig.world.problem;
        return NULL;
    }
    struct later *l = calloc(1, sizeof(*l));
    assert_non_null(l);
    l->deliver = deliver;
    l->user = user;
    assert_int_equal(loop_timer_new(rig.loop, on_timer, l, &l->timer), 0);
    loop_timer_start(l->timer, 0, 0);
    return l;
}

static void note(const struct caller *by, const char *text, const char *role)
{
    rig_people.has_text = text != NULL;
    (void)snprintf(rig_people.text, sizeof(rig_people.text), "%s", text ? text : "");
    (void)snprintf(rig_people.role, sizeof(rig_people.role), "%s", role ? role : "");
    (void)snprintf(rig_people.address, sizeof(rig_people.address), "%s", by->address);
    (void)snprintf(rig_people.by, sizeof(rig_people.by), "%s", by->who ? by->who->email : "");
    assert_int_equal(strlen(by->request_id), 32);
}

static void give_user(const struct later *l)
{
    l->fn.user(l->user, trouble(), trouble() ? NULL : rig_people.users, trouble() ? NULL : "CLAIM");
}

int orchestrator_user_create(struct orchestrator *o, const struct caller *by, const char *email,
                             const char *role, orchestrator_user_fn fn, void *user,
                             struct problem *p)
{
    (void)o;
    note(by, email, role);
    struct later *l = later(give_user, user, p);
    if (!l)
        return p->err;
    l->fn.user = fn;
    return 0;
}

int orchestrator_user_revoke(struct orchestrator *o, const struct caller *by, const char *email,
                             orchestrator_user_fn fn, void *user, struct problem *p)
{
    return orchestrator_user_create(o, by, email, "", fn, user, p);
}

static void give_users(const struct later *l)
{
    l->fn.users(l->user, trouble(), trouble() ? NULL : rig_people.users,
                trouble() ? 0 : rig_people.n);
}

int orchestrator_users_list(struct orchestrator *o, orchestrator_users_fn fn, void *user,
                            struct problem *p)
{
    (void)o;
    struct later *l = later(give_users, user, p);
    if (!l)
        return p->err;
    l->fn.users = fn;
    return 0;
}

static void give_claim(const struct later *l)
{
    l->fn.claim(l->user, trouble(), trouble() ? NULL : "tg_KEY",
                trouble() ? NULL : "ada@example.org");
}

int orchestrator_claim(struct orchestrator *o, const struct caller *by, const char *token,
                       orchestrator_claim_fn fn, void *user, struct problem *p)
{
    (void)o;
    note(by, token, NULL);
    struct later *l = later(give_claim, user, p);
    if (!l)
        return p->err;
    l->fn.claim = fn;
    return 0;
}

static void give_key(const struct later *l)
{
    l->fn.keys(l->user, trouble(), trouble() ? NULL : rig_people.keys, trouble() ? 0 : 1,
               trouble() ? NULL : "tg_KEY");
}

static void give_keys(const struct later *l)
{
    l->fn.keys(l->user, trouble(), trouble() ? NULL : rig_people.keys, trouble() ? 0 : rig_people.n,
               NULL);
}

static int keys(struct later *l, orchestrator_api_keys_fn fn, const struct problem *p)
{
    if (!l)
        return p->err;
    l->fn.keys = fn;
    return 0;
}

int orchestrator_api_key_create(struct orchestrator *o, const struct caller *by,
                                const char *description, orchestrator_api_keys_fn fn, void *user,
                                struct problem *p)
{
    (void)o;
    note(by, description, NULL);
    return keys(later(give_key, user, p), fn, p);
}

int orchestrator_api_keys_list(struct orchestrator *o, const struct principal *who,
                               orchestrator_api_keys_fn fn, void *user, struct problem *p)
{
    (void)o;
    assert_string_equal(who->email, "dev@example.org");
    return keys(later(give_keys, user, p), fn, p);
}

int orchestrator_api_key_revoke(struct orchestrator *o, const struct caller *by, const char *id,
                                orchestrator_api_keys_fn fn, void *user, struct problem *p)
{
    (void)o;
    note(by, id, NULL);
    return keys(later(give_keys, user, p), fn, p);
}

/* ---- revocations ---- */

bool revoked_has(const struct revoked *list, const struct principal *who)
{
    (void)list;
    return rig_people.revoked_user == who->user_key;
}

void streams_revoke(struct streams *st, const struct revoked *list)
{
    (void)st;
    (void)list;
    rig_people.calls++;
}
