/* Reconciles between fakes: each check's findings, repairs, failures and timeouts. */
#include "orchestrator/health.h"

#include "db/store_health.h"

#include "fake_health.h"

#include "orchestrator/seal.h"
#include "orchestrator/secrets_internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID_A "00000000000000aa00000000000000aa"
#define ID_B "00000000000000bb00000000000000bb"

static const struct principal admin = {.role = ROLE_ADMIN, .email = "a@x"};
static const struct principal viewer = {.role = ROLE_VIEWER, .email = "v@x"};

/* ---- an engine that can be asked ---- */

static struct {
    engine_fn check, has_image;
    engine_list_fn list;
    void *user;
    unsigned forgets, cleans;
    int returns;
} asked;

static int check(struct engine *e UNUSED, engine_fn fn, void *user)
{
    asked.check = fn;
    asked.user = user;
    return asked.returns;
}

static int list(struct engine *e UNUSED, engine_list_fn fn, void *user)
{
    asked.list = fn;
    asked.user = user;
    return asked.returns;
}

static int has_image(struct engine *e UNUSED, const char *ref UNUSED, engine_fn fn, void *user)
{
    asked.has_image = fn;
    asked.user = user;
    return asked.returns;
}

static void forget(struct engine *e UNUSED, void *user UNUSED)
{
    asked.forgets++;
}

static bool clean(struct engine *e UNUSED, const char *run_dir UNUSED)
{
    asked.cleans++;
    return false;
}

static struct engine_ops ops;
static const struct engine_ops *plain_ops;

/* ---- a reconcile and its report ---- */

static struct got {
    unsigned calls;
    int err;
    char status[16], text[8192]; /* "type id message|" of each issue */
    struct health_report r;      /* numbers only */
} got;

static void on_report(void *user UNUSED, const struct problem *p, const struct health_report *r)
{
    got.calls++;
    got.err = p ? p->err : 0;
    got.text[0] = '\0';
    if (!r)
        return;
    got.r = *r;
    (void)snprintf(got.status, sizeof got.status, "%s", health_status(r));
    for (size_t i = 0; i < r->issue_count; i++) {
        size_t len = strlen(got.text);
        (void)snprintf(got.text + len, sizeof got.text - len, "%s %s %s|",
                       r->issues[i].resource_type, r->issues[i].resource_id, r->issues[i].message);
    }
}

static int setup(void **state)
{
    fake_health_reset();
    memset(&asked, 0, sizeof asked);
    memset(&got, 0, sizeof got);
    fake_works = true;
    plain_ops = fake_engine.base.ops;
    int r = fake_setup(state);
    struct world *w = *state;
    return r ? r : health_begin(w->o);
}

static int teardown(void **state)
{
    fake_works = false;
    fake_engine.base.ops = plain_ops;
    return fake_teardown(state);
}

static void with_engine(struct world *w)
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

static void ask(struct world *w)
{
    struct problem p;
    const struct caller by = fake_caller(&admin);
    assert_int_equal(health_reconcile(w->o, &by, on_report, NULL, &p), 0);
    fake_answer_batch(CALL_SUBMIT, 0);
}

static const struct fake_result *results[HEALTH_KINDS];
static int errors[HEALTH_KINDS];

/* All that is asked is answered, until nothing more is. */
static void run(unsigned until)
{
    for (unsigned turns = 0; turns < 200 && got.calls < until; turns++) {
        fake_pass(1);
        for (int k = 0; k < HEALTH_KINDS; k++) {
            if (fake_health_waiting(k))
                fake_health_answer(k, errors[k], results[k]);
        }
    }
    assert_int_equal(got.calls, until);
    memset(results, 0, sizeof results);
    memset(errors, 0, sizeof errors);
}

static void assert_found(const char *text)
{
    if (!strstr(got.text, text))
        fail_msg("no \"%s\" in %s", text, got.text);
}

#define ROWS(r)            \
    {                      \
        (r), ARRAY_SIZE(r) \
    }

static void test_reconcile__nothing_wrong__healthy(void **state)
{
    ask(*state);
    run(1);
    assert_string_equal(got.text, "");
    assert_string_equal(got.status, "healthy");
    assert_int_equal(got.r.identity.custom_verified, got.r.identity.custom_total);
    assert_true(got.r.identity.custom_total >= 4);
}

static void test_reconcile__refused_or_not_noted__problem(void **state)
{
    struct world *w = *state;
    struct problem p;
    struct caller by = fake_caller(&viewer);
    assert_int_equal(health_reconcile(w->o, &by, on_report, NULL, &p), ERR_FORBIDDEN);
    by = fake_caller(&admin);
    fake_stores_return(ERR_DB_AWAY);
    assert_int_equal(health_reconcile(w->o, &by, on_report, NULL, &p), ERR_DB_AWAY);
    fake_stores_return(0);
    assert_int_equal(health_reconcile(w->o, &by, on_report, NULL, &p), 0);
    fake_answer_batch(CALL_SUBMIT, ERR_DB_AWAY);
    assert_int_equal(got.err, ERR_DB_AWAY);
    assert_int_equal(got.calls, 1);
}

static void test_reconcile__asked_again_meanwhile__same_report(void **state)
{
    ask(*state);
    fake_pass(1);
    ask(*state);
    run(2);
}

static void test_reconcile__scheduled__by_itself(void **state)
{
    struct world *w = *state;
    health_free(w->o->health);
    w->o->opts.reconcile_interval_ms = 1000;
    assert_int_equal(health_begin(w->o), 0);
    fake_pass(1002);
    assert_true(fake_health_waiting(HEALTH_COMPUTE));
    fake_health_answer(HEALTH_COMPUTE, 0, NULL);
}

static void test_reconcile__orchestrator_ends__told(void **state)
{
    struct world *w = *state;
    struct problem p;
    const struct caller by = fake_caller(&admin);
    ask(w);
    fake_pass(1);
    assert_int_equal(health_reconcile(w->o, &by, on_report, NULL, &p), 0);
    orchestrator_free(TAKE_PTR(w->o));
    assert_int_equal(got.calls, 2);
    assert_int_equal(got.err, ERR_CLOSED);
    fake_answer_batch(CALL_SUBMIT, ERR_CLOSED);
    fake_health_answer(HEALTH_COMPUTE, ERR_CLOSED, NULL);
}

static void test_checks__fail__each_an_issue(void **state)
{
    for (int k = 0; k < HEALTH_KINDS; k++) {
        if (k == HEALTH_KNOWN)
            continue;
        errors[k] = ERR_DB;
        ask(*state);
        run((unsigned)got.calls + 1);
        assert_int_equal(got.r.errors, 1);
        assert_found("failed: DB|");
        fake_health_return(k, ERR_LIMIT);
        ask(*state);
        run((unsigned)got.calls + 1);
        assert_found("failed: LIMIT|");
        fake_health_return(k, 0);
    }
}

static void test_check__no_answer__timeout_then_goes_on(void **state)
{
    ask(*state);
    fake_pass(1);
    assert_true(fake_health_waiting(HEALTH_COMPUTE));
    fake_pass(5000);
    assert_true(fake_health_waiting(HEALTH_SWEEP));
    fake_health_answer(HEALTH_COMPUTE, 0, NULL); /* too late: nobody listens */
    run(1);
    assert_found("no answer within --health-check-timeout");
    assert_string_equal(got.status, "unhealthy");
}

static void test_work__refused__issues(void **state)
{
    fake_works = false;
    ask(*state);
    run(1);
    assert_int_equal(got.r.errors, 2); /* directories, files */
}

/* ---- compute ---- */

static void test_runner__gone__looked_after(void **state)
{
    struct world *w = *state;
    fake_engine.liveness = RUNDIR_ALIVE;
    struct live *l = fake_live(w, 1, EXEC_RUNNING);
    fake_engine.started(fake_engine.user, 0, NULL);
    ask(w);
    run(1);
    assert_int_equal(got.r.compute.verified, 1);
    fake_engine.liveness = RUNDIR_DEAD;
    ask(w);
    run(2);
    assert_found("its runner is gone");
    assert_int_equal(got.r.reconciled, 1);
    assert_true(l->is_gone);
}

static void test_row__nothing_of_it_here__ended(void **state)
{
    struct world *w = *state;
    const struct execution row = fake_row(1, EXEC_RUNNING);
    const struct fake_row_of rows[] = {{.text = {row.id.hex}}, {.text = {"no id"}}};
    const struct fake_result result = {{{NULL, 0}, ROWS(rows)}};
    results[HEALTH_COMPUTE] = &result;
    ask(w);
    for (int i = 0; i < 5; i++) {
        fake_pass(1);
        if (fake_health_waiting(HEALTH_COMPUTE))
            fake_health_answer(HEALTH_COMPUTE, 0, &result);
    }
    fake_answer_execution(CALL_GET, 0, &row);
    results[HEALTH_COMPUTE] = NULL;
    run(1);
    assert_found("nothing of it is here");
    assert_non_null(live_find(w->o, row.key));
    orchestrator_free(TAKE_PTR(w->o));
    while (fake_waiting(CALL_GET) > 0)
        fake_answer_execution(CALL_GET, ERR_CLOSED, NULL);
}

static void test_row__with_directory__said(void **state)
{
    struct world *w = *state;
    char path[256];
    const struct fake_row_of rows[] = {{.text = {ID_A}}};
    const struct fake_result result = {{{NULL, 0}, ROWS(rows)}}, known = {{ROWS(rows)}};
    (void)snprintf(path, sizeof path, "%s/runs/" ID_A, w->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    results[HEALTH_COMPUTE] = &result;
    results[HEALTH_KNOWN] = &known;
    ask(w);
    run(1);
    assert_found("this server does not follow it");
    assert_int_equal(rmdir(path), 0);
}

static void test_directories__orphans__listed_or_removed(void **state)
{
    struct world *w = *state;
    char path[256];
    (void)snprintf(path, sizeof path, "%s/runs/" ID_A, w->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    ask(w);
    run(1);
    assert_string_equal(fake_health_text, "");
    assert_found("run_directory " ID_A);
    assert_int_equal(got.r.compute.orphaned, 1);
    errors[HEALTH_KNOWN] = ERR_DB;
    ask(w);
    run(2);
    assert_found("run directories failed: DB");
    w->o->opts.remove_orphans = true;
    ask(w);
    run(3);
    assert_int_equal(got.r.reconciled, 1);
    assert_false(fake_exists(path));
}

static void answer_engine(struct world *w)
{
    static const struct problem away = {.err = ERR_CLOSED, .details = "it is away"};
    ask(w);
    fake_pass(1);
    assert_non_null(asked.check);
    asked.check(asked.user, got.calls == 0 ? ERR_CLOSED : 0, &away);
}

static void test_engine__away_then_there__containers_and_images(void **state)
{
    struct world *w = *state;
    static const char *const ids[] = {ID_A, ID_B, "no id"};
    static const struct problem gone = {.err = ERR_NOT_FOUND, .details = "not there"};
    const struct fake_row_of images[] = {{.text = {"app:1-ab", "app:1"}},
                                         {.text = {"web:1-ab", "web:1"}}};
    const struct fake_row_of live[] = {{.text = {ID_B}}};
    const struct fake_result compute = {{ROWS(images)}}, known = {{ROWS(live)}};
    with_engine(w);
    answer_engine(w);
    run(1);
    assert_found("engine");
    assert_null(asked.list);
    w->o->opts.remove_orphans = true;
    answer_engine(w);
    while (!asked.has_image) {
        fake_pass(1);
        if (fake_health_waiting(HEALTH_COMPUTE))
            fake_health_answer(HEALTH_COMPUTE, 0, &compute);
    }
    asked.has_image(asked.user, 0, NULL);
    asked.has_image(asked.user, ERR_NOT_FOUND, &gone);
    fake_pass(1);
    fake_pass(1);
    asked.list(asked.user, 0, NULL, ids, 3);
    assert_string_equal(fake_health_text, ID_A "," ID_B);
    results[HEALTH_KNOWN] = &known;
    run(2);
    assert_found("image web:1-ab not there");
    assert_found("container " ID_A);
    assert_null(strstr(got.text, ID_B));
    assert_int_equal(asked.cleans, 1);
    assert_int_equal(got.r.compute.verified, 1);
}

static void test_engine__silent_or_refuses__issue(void **state)
{
    struct world *w = *state;
    with_engine(w);
    ask(w);
    fake_pass(1);
    fake_pass(5000);
    assert_int_equal(asked.forgets, 1);
    run(1);
    assert_found("engine failed");
    asked.returns = ERR_NOMEM;
    ask(w);
    run(2);
    assert_found("engine failed: NOMEM");
}

/* ---- secrets, rights, owners ---- */

static void test_secrets__rows__opened_or_issues(void **state)
{
    struct world *w = *state;
    char key_id[SEAL_KEY_ID_SIZE], context[SECRET_CONTEXT_SIZE];
    struct buf sealed CLEANUP_BUF = {.max = 1024};
    secret_context("good", context);
    assert_int_equal(seal(w->sealer, context, "v", 1, &sealed, key_id), 0);
    const struct fake_row_of rows[] = {
        {.text = {"good", key_id, NULL, "K"}, .bytes = sealed.data, .len = sealed.len},
        {.text = {"moved", key_id, NULL, ""}, .bytes = sealed.data, .len = sealed.len},
        {.text = {"empty", key_id, NULL, "K"}, .bytes = "", .len = 0},
        {.text = {"lost", "ffffffffffffffff", NULL, "K"}, .bytes = sealed.data, .len = sealed.len},
    };
    const struct fake_result result = {{ROWS(rows)}};
    results[HEALTH_SECRETS] = &result;
    ask(w);
    run(1);
    assert_int_equal(got.r.secrets.verified, 1);
    assert_int_equal(got.r.secrets.missing, 1);
    assert_int_equal(got.r.errors, 3);
    assert_found("secret moved its value does not open with its key");
    assert_found("secret moved it does not say which variable");
    assert_found("secret lost its key ffffffffffffffff is not in the key file");
}

static void test_sweep__rows__repaired(void **state)
{
    const struct fake_row_of a[] = {{.text = {"environment/1"}}}, b[] = {{.text = {"ticket/ab"}}};
    const struct fake_result result = {{ROWS(a), ROWS(b), {NULL, 0}}};
    results[HEALTH_SWEEP] = &result;
    ask(*state);
    run(1);
    assert_int_equal(got.r.reconciled, 2);
    assert_int_equal(got.r.secrets.orphaned, 1);
    assert_string_equal(got.status, "degraded");
}

static void test_rights_and_owners__rows__issues(void **state)
{
    const struct fake_row_of lacking[] = {{.text = {"secrets", "DELETE"}}},
                             count[] = {{.number = {50, 0}}};
    const struct fake_row_of found[] = {{.text = {"invalid_role", "k@x", "king"}},
                                        {.text = {"missing_role", "n@x", ""}},
                                        {.text = {"missing_owner", "image/i", ""}},
                                        {.text = {"orphaned_owner", "secret/s", "gone@x"}}};
    const struct fake_row_of owned[] = {{.number = {4, 9}}};
    const struct fake_result rights = {{ROWS(lacking), ROWS(count)}},
                             owners = {{ROWS(found), ROWS(owned)}};
    results[HEALTH_RIGHTS] = &rights;
    results[HEALTH_OWNERS] = &owners;
    ask(*state);
    run(1);
    assert_found("database_role secrets/DELETE the database role lacks DELETE on secrets");
    assert_found("user k@x the role \"king\" is unknown");
    assert_found("user n@x it has no role;");
    assert_found("ownership image/i nobody owns it");
    assert_found("ownership secret/s its owner \"gone@x\" is no user");
    assert_int_equal(got.r.authorizer.users, 4);
    assert_false(got.r.identity.default_roles_verified);
}

static void test_files__modes_and_kinds__repaired_or_issues(void **state)
{
    struct world *w = *state;
    char runs[128], key[128];
    struct stat st;
    (void)snprintf(runs, sizeof runs, "%s/runs", w->dir);
    (void)snprintf(key, sizeof key, "%s/admin.key", w->dir);
    assert_int_equal(chmod(runs, 0755), 0);
    assert_int_equal(mkdir(key, 0700), 0);
    ask(*state);
    run(1);
    assert_found("its mode was 0755");
    assert_found("Is a directory");
    assert_int_equal(stat(runs, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(rmdir(key), 0);
}

/* ---- readiness ---- */

static char lines_text[512];

static void on_lines(void *user UNUSED, const struct health_line *lines, size_t n)
{
    lines_text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(lines_text);
        (void)snprintf(lines_text + len, sizeof lines_text - len, "%s:%d:%s|", lines[i].name,
                       lines[i].is_ok, lines[i].details);
    }
}

static void test_ready__engine_answers_or_not__lines(void **state)
{
    struct world *w = *state;
    static const struct problem away = {.err = ERR_CLOSED, .details = "away"};
    assert_int_equal(health_ready(w->o, on_lines, NULL), 0);
    fake_pass(0);
    assert_string_equal(lines_text, "database:1:|orchestrator:1:|engine:1:|writer:1:|");
    with_engine(w);
    assert_int_equal(health_ready(w->o, on_lines, NULL), 0);
    asked.check(asked.user, ERR_CLOSED, &away);
    assert_non_null(strstr(lines_text, "engine:0:away|"));
    assert_int_equal(health_ready(w->o, on_lines, NULL), 0);
    fake_pass(5000);
    assert_non_null(strstr(lines_text, "engine:0:no answer"));
    assert_int_equal(asked.forgets, 1);
    asked.returns = ERR_NOMEM;
    assert_int_equal(health_ready(w->o, on_lines, NULL), 0);
    fake_pass(0);
    assert_non_null(strstr(lines_text, "engine:0:it cannot be asked"));
    asked.returns = 0;
    assert_int_equal(health_ready(w->o, on_lines, NULL), 0);
    orchestrator_free(TAKE_PTR(w->o));
    assert_non_null(strstr(lines_text, "orchestrator:0:"));
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_reconcile__nothing_wrong__healthy),
        ROW(test_reconcile__refused_or_not_noted__problem),
        ROW(test_reconcile__asked_again_meanwhile__same_report),
        ROW(test_reconcile__scheduled__by_itself),
        ROW(test_reconcile__orchestrator_ends__told),
        ROW(test_checks__fail__each_an_issue),
        ROW(test_check__no_answer__timeout_then_goes_on),
        ROW(test_work__refused__issues),
        ROW(test_runner__gone__looked_after),
        ROW(test_row__nothing_of_it_here__ended),
        ROW(test_row__with_directory__said),
        ROW(test_directories__orphans__listed_or_removed),
        ROW(test_engine__away_then_there__containers_and_images),
        ROW(test_engine__silent_or_refuses__issue),
        ROW(test_secrets__rows__opened_or_issues),
        ROW(test_sweep__rows__repaired),
        ROW(test_rights_and_owners__rows__issues),
        ROW(test_files__modes_and_kinds__repaired_or_issues),
        ROW(test_ready__engine_answers_or_not__lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
