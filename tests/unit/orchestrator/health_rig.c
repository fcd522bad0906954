#include "health_rig.h"

#include <stdio.h>
#include <string.h>

const struct principal rig_admin = {.role = ROLE_ADMIN, .email = "a@x"};

/* ---- an engine that can be asked ---- */

struct rig_asked rig_asked;

static int check(struct engine *e UNUSED, engine_fn fn, void *user)
{
    rig_asked.check = fn;
    rig_asked.user = user;
    return rig_asked.returns;
}

static int list(struct engine *e UNUSED, engine_list_fn fn, void *user)
{
    rig_asked.list = fn;
    rig_asked.user = user;
    return rig_asked.returns;
}

static int has_image(struct engine *e UNUSED, const char *ref UNUSED, const char *auth UNUSED,
                     engine_fn fn, void *user)
{
    rig_asked.has_image = fn;
    rig_asked.user = user;
    return rig_asked.returns;
}

static void forget(struct engine *e UNUSED, void *user UNUSED)
{
    rig_asked.forgets++;
}

static bool clean(struct engine *e UNUSED, const char *run_dir UNUSED)
{
    rig_asked.cleans++;
    return false;
}

static struct engine_ops ops;
static const struct engine_ops *plain_ops;

/* ---- a reconcile and its report ---- */

struct rig_got rig_got;

void rig_on_report(void *user UNUSED, const struct problem *p, const struct health_report *r)
{
    rig_got.calls++;
    rig_got.err = p ? p->err : 0;
    rig_got.text[0] = '\0';
    if (!r)
        return;
    rig_got.r = *r;
    (void)snprintf(rig_got.status, sizeof rig_got.status, "%s", health_status(r));
    for (size_t i = 0; i < r->issue_count; i++) {
        size_t len = strlen(rig_got.text);
        (void)snprintf(rig_got.text + len, sizeof rig_got.text - len, "%s %s %s|",
                       r->issues[i].resource_type, r->issues[i].resource_id, r->issues[i].message);
    }
}

int rig_setup(void **state)
{
    fake_health_reset();
    memset(&rig_asked, 0, sizeof rig_asked);
    memset(&rig_got, 0, sizeof rig_got);
    fake_works = true;
    plain_ops = fake_engine.base.ops;
    int r = fake_setup(state);
    struct world *w = *state;
    return r ? r : health_begin(w->o);
}

int rig_teardown(void **state)
{
    fake_works = false;
    fake_engine.base.ops = plain_ops;
    return fake_teardown(state);
}

void rig_with_engine(struct world *w)
{
    ops = *fake_engine.base.ops;
    ops.check = check;
    ops.list = list;
    ops.has_image = has_image;
    ops.forget = forget;
    ops.clean = clean;
    fake_engine.base.ops = &ops;
    w->o->engine = &fake_engine.base;
}

void rig_ask(struct world *w)
{
    struct problem p;
    const struct caller by = fake_caller(&rig_admin);
    assert_int_equal(health_reconcile(w->o, &by, rig_on_report, NULL, &p), 0);
    fake_answer_batch(CALL_SUBMIT, 0);
}

const struct fake_result *rig_results[HEALTH_KINDS];
int rig_errors[HEALTH_KINDS];

/* All that is asked is answered, until nothing more is. */
void rig_run(unsigned until)
{
    for (unsigned turns = 0; turns < 200 && rig_got.calls < until; turns++) {
        fake_pass(1);
        for (int k = 0; k < HEALTH_KINDS; k++) {
            if (fake_health_waiting(k))
                fake_health_answer(k, rig_errors[k], rig_results[k]);
        }
    }
    assert_int_equal(rig_got.calls, until);
    memset(rig_results, 0, sizeof rig_results);
    memset(rig_errors, 0, sizeof rig_errors);
}

void rig_assert_found(const char *text)
{
    if (!strstr(rig_got.text, text))
        fail_msg("no \"%s\" in %s", text, rig_got.text);
}
