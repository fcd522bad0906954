/* /secrets between a real server and a fake of orchestrator/secrets.h. */
#include "server_rig.h"

#include "orchestrator/secrets.h"

#define ONE "/api/v1/secrets/db"

static struct {
    char name[64], key_name[64], description[64], value[64], by[256];
    bool has_value;
} asked;

static const struct secret SECRETS[] = {
    {"api", "API", "", "hunter22", "dev@example.org", "ada@example.org", 1700000000000000,
     1700000060000000, "r1", "r2"},
    {"db", "DB", "the \"db\"", NULL, "dev@example.org", "dev@example.org", 1700000000000000,
     1700000000000000, "r1", "r1"},
};

struct later {
    orchestrator_done_fn done;
    orchestrator_secret_fn secret;
    orchestrator_secrets_fn secrets;
    void *user;
    struct loop_timer *timer;
};

static void deliver(void *user)
{
    struct later *l = user;
    const struct problem *p = rig.world.problem.err ? &rig.world.problem : NULL;
    loop_timer_free(l->timer);
    if (l->done)
        l->done(l->user, p);
    else if (l->secret)
        l->secret(l->user, p, p ? NULL : &SECRETS[0]);
    else
        l->secrets(l->user, p, p ? NULL : SECRETS, p ? 0 : 2);
    free(l);
}

static int ask(const struct caller *by, const char *name, const struct secret_fields *f,
               const struct later *how, struct problem *p)
{
    static const struct secret_fields NONE;
    f = f ? f : &NONE;
    (void)snprintf(asked.name, sizeof asked.name, "%s", name ? name : "(null)");
    (void)snprintf(asked.key_name, sizeof asked.key_name, "%s", f->key_name ? f->key_name : "");
    (void)snprintf(asked.description, sizeof asked.description, "%s",
                   f->description ? f->description : "");
    (void)snprintf(asked.value, sizeof asked.value, "%s", f->value ? f->value : "");
    (void)snprintf(asked.by, sizeof asked.by, "%s", by->who->email);
    asked.has_value = f->value;
    assert_int_equal(strlen(by->request_id), 32);
    if (rig.world.refuses) {
        *p = rig.world.problem;
        return p->err;
    }
    struct later *l = malloc(sizeof *l);
    assert_non_null(l);
    *l = *how;
    assert_int_equal(loop_timer_new(rig.loop, deliver, l, &l->timer), 0);
    loop_timer_start(l->timer, 0, 0);
    return 0;
}

int orchestrator_secret_create(struct orchestrator *o, const struct caller *by, const char *name,
                               const struct secret_fields *f, orchestrator_done_fn fn, void *user,
                               struct problem *p)
{
    (void)o;
    return ask(by, name, f, &(struct later){.done = fn, .user = user}, p);
}

int orchestrator_secret_update(struct orchestrator *o, const struct caller *by, const char *name,
                               const struct secret_fields *f, orchestrator_done_fn fn, void *user,
                               struct problem *p)
{
    (void)o;
    return ask(by, name, f, &(struct later){.done = fn, .user = user}, p);
}

int orchestrator_secret_delete(struct orchestrator *o, const struct caller *by, const char *name,
                               orchestrator_done_fn fn, void *user, struct problem *p)
{
    (void)o;
    return ask(by, name, NULL, &(struct later){.done = fn, .user = user}, p);
}

int orchestrator_secret_list(struct orchestrator *o, const struct caller *by,
                             orchestrator_secrets_fn fn, void *user, struct problem *p)
{
    (void)o;
    return ask(by, NULL, NULL, &(struct later){.secrets = fn, .user = user}, p);
}

int orchestrator_secret_get(struct orchestrator *o, const struct caller *by, const char *name,
                            orchestrator_secret_fn fn, void *user, struct problem *p)
{
    (void)o;
    return ask(by, name, NULL, &(struct later){.secret = fn, .user = user}, p);
}

static void test_secrets__each_call__asks_and_answers(void **state)
{
    (void)state;
    rig_expect("POST /api/v1/secrets", "",
               "{\"name\":\"db\",\"key_name\":\"DB\",\"description\":\"d\",\"value\":\"hunter22\"}",
               201, "{\"message\":\"Secret created successfully\"}");
    assert_string_equal(asked.name, "db");
    assert_string_equal(asked.key_name, "DB");
    assert_string_equal(asked.description, "d");
    assert_string_equal(asked.value, "hunter22");
    assert_string_equal(asked.by, "dev@example.org");
    rig_expect("PUT " ONE, "", "{\"description\":\"e\",\"value\":null}", 200,
               "{\"message\":\"Secret updated successfully\"}");
    assert_string_equal(asked.description, "e");
    assert_false(asked.has_value);
    rig_expect("GET /api/v1/secrets", "", NULL, 200, "\"total\":2}");
    rig_expect("GET " ONE, "", NULL, 200, "{\"secret\":{\"name\":\"api\"");
    rig_expect("GET " ONE, "", NULL, 200, "\"value\":\"hunter22\"");
    rig_expect("DELETE " ONE, "", NULL, 200,
               "{\"name\":\"db\",\"message\":\"Secret deleted successfully\"}");
    assert_string_equal(asked.name, "db");
}

static void test_secrets__bad_bodies__400_without_the_value(void **state)
{
    (void)state;
    static const struct {
        const char *line, *body, *text;
    } ROWS[] = {
        {"POST /api/v1/secrets", "{\"value\":\"hunter22\"", "invalid request body"},
        {"POST /api/v1/secrets", "[\"hunter22\"]", "invalid request body"},
        {"POST /api/v1/secrets", "{\"name\":1,\"value\":\"hunter22\"}", "failed to create secret"},
        {"PUT " ONE, "{\"value\":[\"hunter22\"]}", "failed to update secret"},
        {"PUT " ONE, "hunter22", "invalid request body"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        struct answer a;
        rig_request(ROWS[i].line, "", ROWS[i].body, &a);
        assert_int_equal(a.status, 400);
        assert_non_null(strstr(a.body.data, ROWS[i].text));
        assert_null(strstr(a.body.data, "hunter22"));
        answer_done(&a);
    }
}

static void test_secrets__problems__answered(void **state)
{
    (void)state;
    static const char *const LINES[] = {"POST /api/v1/secrets", "PUT " ONE, "GET " ONE,
                                        "GET /api/v1/secrets", "DELETE " ONE};
    (void)problem_set(&rig.world.problem, ERR_NOT_FOUND, "secret not found", "secret not found");
    for (int at_once = 0; at_once < 2; at_once++) {
        rig.world.refuses = at_once != 0;
        for (size_t i = 0; i < ARRAY_SIZE(LINES); i++)
            rig_expect(LINES[i], "", LINES[i][0] == 'P' ? "{}" : NULL, 404, "secret not found");
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_secrets__each_call__asks_and_answers),
        TEST(test_secrets__bad_bodies__400_without_the_value),
        TEST(test_secrets__problems__answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
