#include "orchestrator/keys.h"
#include "orchestrator/users.h"

#include "fake_people.h"

#include <stdio.h>
#include <string.h>

#define TOKEN "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-_"

struct answer {
    int calls, err;
    struct problem p;
    char email[64], secret[API_KEY_LEN + 1];
    size_t n;
};

static void note(struct answer *a, const struct problem *p)
{
    a->calls++;
    a->err = p ? p->err : 0;
    if (p)
        a->p = *p;
}

static void on_user(void *user, const struct problem *p, const struct user *u, const char *token)
{
    struct answer *a = user;
    note(a, p);
    assert_true(!p == !!u);
    assert_true(!p || !token);
    if (u)
        (void)snprintf(a->email, sizeof a->email, "%s", u->email);
    if (token)
        (void)snprintf(a->secret, sizeof a->secret, "%s", token);
}

static void on_users(void *user, const struct problem *p, const struct user *rows UNUSED, size_t n)
{
    struct answer *a = user;
    note(a, p);
    a->n = n;
}

static void on_claim(void *user, const struct problem *p, const char *key, const char *email)
{
    struct answer *a = user;
    note(a, p);
    assert_true(!p == !!key && !p == !!email);
    if (key)
        (void)snprintf(a->secret, sizeof a->secret, "%s", key);
    if (email)
        (void)snprintf(a->email, sizeof a->email, "%s", email);
}

static void on_bootstrap(void *user, int err, const char *token)
{
    struct answer *a = user;
    a->calls++;
    a->err = err;
    if (token)
        (void)snprintf(a->secret, sizeof a->secret, "%s", token);
}

static const struct user ADA = {.user_key = 5, .email = "ada@example.org", .role = ROLE_VIEWER};

static struct principal admin;
static struct caller by_admin(void)
{
    admin = fake_who(ROLE_ADMIN, "root@example.org");
    return (struct caller){&admin, "10.0.0.1", "r1"};
}

/* Takes what the store was asked for. */
static void *take(const char *call)
{
    assert_non_null(fake_people.call);
    assert_string_equal(fake_people.call, call);
    fake_people.call = NULL;
    return fake_people.user;
}

static int create(struct world *w, const char *email, const char *role, struct answer *a,
                  struct problem *p)
{
    struct caller by = by_admin();
    return orchestrator_user_create(w->o, &by, email, role, on_user, a, p);
}

static void test_user_create__stored__token_whose_hash_is_kept(void **state)
{
    struct answer a = {0};
    struct problem p;
    uint8_t hash[API_KEY_HASH_LEN];
    assert_int_equal(create(*state, "ada@example.org", "viewer", &a, &p), 0);
    assert_string_equal(fake_people.email, "ada@example.org");
    assert_int_equal(fake_people.role, ROLE_VIEWER);
    assert_int_equal(fake_people.ttl_ms, 900000);
    assert_string_equal(fake_people.action, "users.create");
    assert_string_equal(fake_people.resource, "user/ada@example.org");
    assert_string_equal(fake_people.by, "root@example.org");
    assert_string_equal(fake_people.request_id, "r1");
    fake_people.fn.users(take("user_create"), 0, &ADA, 1);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.err, 0);
    assert_int_equal(strlen(a.secret), CLAIM_TOKEN_LEN);
    api_key_hash(a.secret, hash);
    assert_memory_equal(fake_people.hash, hash, sizeof hash);
}

static void test_user_create__field_breaks_its_rule__nothing_asked(void **state)
{
    static const struct {
        const char *email, *role, *details;
    } rows[] = {
        {NULL, "viewer", "email is required"},
        {"ada", "viewer", "email must be"},
        {"ada@example.org", NULL, "role is required"},
        {"ada@example.org", "root", "role must be"},
    };
    struct answer a = {0};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct problem p;
        assert_int_equal(create(*state, rows[i].email, rows[i].role, &a, &p), ERR_INVALID);
        assert_non_null(strstr(p.details, rows[i].details));
        assert_string_equal(p.error, "failed to create user");
    }
    assert_null(fake_people.call);
}

static void test_user_create__store_answers__table(void **state)
{
    static const struct {
        int err, expected;
        const char *details;
    } rows[] = {
        {ERR_CONFLICT, ERR_CONFLICT, "user with this email already exists"},
        {ERR_DB_AWAY, ERR_DB_AWAY, "database"},
        {ERR_TIMEOUT, ERR_DB_AWAY, "database"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct answer a = {0};
        struct problem p;
        assert_int_equal(create(*state, "a@b.c", "admin", &a, &p), 0);
        fake_people.fn.users(take("user_create"), rows[i].err, NULL, 0);
        assert_int_equal(a.err, rows[i].expected);
        assert_non_null(strstr(a.p.details, rows[i].details));
    }
}

static void test_user_revoke__store_answers__table(void **state)
{
    static const struct {
        int err, expected;
        const char *details;
    } rows[] = {
        {0, 0, ""},
        {ERR_NOT_FOUND, ERR_NOT_FOUND, "user not found"},
        {ERR_CONFLICT, ERR_CONFLICT, "last admin"},
        {ERR_DB, ERR_DB, "database"},
    };
    struct world *w = *state;
    struct caller by = by_admin();
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct answer a = {0};
        struct problem p;
        assert_int_equal(orchestrator_user_revoke(w->o, &by, "Ada@example.org", on_user, &a, &p),
                         0);
        assert_string_equal(fake_people.action, "users.revoke");
        assert_string_equal(fake_people.resource, "user/Ada@example.org");
        int err = rows[i].err;
        fake_people.fn.users(take("user_revoke"), err, err ? NULL : &ADA, err ? 0 : 1);
        assert_int_equal(a.err, rows[i].expected);
        assert_non_null(strstr(a.p.details, rows[i].details));
        assert_string_equal(a.email, err ? "" : "ada@example.org");
        assert_string_equal(a.secret, "");
    }
    struct problem p;
    assert_int_equal(orchestrator_user_revoke(w->o, &by, "", on_user, NULL, &p), ERR_INVALID);
}

static void test_users_list__rows_or_trouble__answered(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    assert_int_equal(orchestrator_users_list(w->o, on_users, &a, &p), 0);
    fake_people.fn.users(take("user_list"), 0, &ADA, 1);
    assert_int_equal(a.n, 1);
    assert_int_equal(orchestrator_users_list(w->o, on_users, &a, &p), 0);
    fake_people.fn.users(take("user_list"), ERR_DB_AWAY, NULL, 0);
    assert_int_equal(a.err, ERR_DB_AWAY);
    assert_string_equal(a.p.error, "failed to list users");
}

static int claim(struct world *w, const char *token, struct answer *a, struct problem *p)
{
    const struct caller by = {NULL, "10.0.0.9", "r2"};
    return orchestrator_claim(w->o, &by, token, on_claim, a, p);
}

static void test_claim__used__a_key_whose_hash_is_stored(void **state)
{
    struct answer a = {0};
    struct problem p;
    uint8_t hash[API_KEY_HASH_LEN];
    assert_int_equal(claim(*state, TOKEN, &a, &p), 0);
    assert_string_equal(fake_people.action, "claims.view");
    assert_string_equal(fake_people.resource, "user/");
    assert_string_equal(fake_people.address, "10.0.0.9");
    api_key_hash(TOKEN, hash);
    assert_memory_equal(fake_people.hash, hash, sizeof hash);
    fake_people.fn.claim(take("claim_use"), 0, "ada@example.org");
    assert_int_equal(a.err, 0);
    assert_true(api_key_is_well_formed(a.secret));
    assert_string_equal(a.email, "ada@example.org");
    api_key_hash(a.secret, hash);
    assert_memory_equal(fake_people.second_hash, hash, sizeof hash);
    assert_int_equal(strncmp(a.secret, fake_people.prefix, API_KEY_PREFIX_LEN), 0);
}

static void test_claim__store_answers__table(void **state)
{
    static const struct {
        int err, expected;
        const char *details;
    } rows[] = {
        {ERR_NOT_FOUND, ERR_NOT_FOUND, "invalid or expired token"},
        {ERR_TIMEOUT, ERR_NOT_FOUND, "token has expired"},
        {ERR_CONFLICT, ERR_CONFLICT, "key has already been claimed"},
        {ERR_DB_AWAY, ERR_DB_AWAY, "database"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct answer a = {0};
        struct problem p;
        assert_int_equal(claim(*state, TOKEN, &a, &p), 0);
        fake_people.fn.claim(take("claim_use"), rows[i].err, NULL);
        assert_int_equal(a.err, rows[i].expected);
        assert_string_equal(a.p.error, "failed to claim API key");
        assert_non_null(strstr(a.p.details, rows[i].details));
    }
}

static void test_claim__ill_formed__not_found_without_the_database(void **state)
{
    static const char *const rows[] = {"", "x", TOKEN "A", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+/"};
    struct answer a = {0};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct problem p;
        assert_int_equal(claim(*state, rows[i], &a, &p), ERR_NOT_FOUND);
        assert_string_equal(p.details, "invalid or expired token");
    }
    assert_null(fake_people.call);
}

static void test_bootstrap_admin__table(void **state)
{
    static const struct {
        int err, expected;
        bool has_token;
    } rows[] = {{0, 0, true}, {ERR_CONFLICT, 0, false}, {ERR_DB_AWAY, ERR_DB_AWAY, false}};
    struct world *w = *state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct answer a = {0};
        assert_int_equal(orchestrator_bootstrap_admin(w->o, "me@x.org", on_bootstrap, &a), 0);
        assert_string_equal(fake_people.action, "users.bootstrap");
        assert_int_equal(fake_people.role, ROLE_ADMIN);
        fake_people.fn.batch(take("user_bootstrap"), rows[i].err, NULL);
        assert_int_equal(a.err, rows[i].expected);
        assert_int_equal(strlen(a.secret), rows[i].has_token ? CLAIM_TOKEN_LEN : 0);
    }
}

static void test_users__store_refuses__problem_at_once(void **state)
{
    struct world *w = *state;
    struct caller by = by_admin();
    struct problem p;
    fake_people.ret = ERR_DB_AWAY;
    assert_int_equal(create(w, "a@b.c", "admin", NULL, &p), ERR_DB_AWAY);
    assert_int_equal(orchestrator_user_revoke(w->o, &by, "a@b.c", on_user, NULL, &p), ERR_DB_AWAY);
    assert_int_equal(orchestrator_users_list(w->o, on_users, NULL, &p), ERR_DB_AWAY);
    assert_int_equal(claim(w, TOKEN, NULL, &p), ERR_DB_AWAY);
    assert_int_equal(orchestrator_bootstrap_admin(w->o, "a@b.c", on_bootstrap, NULL), ERR_DB_AWAY);
}

/* Each in turn is under way when the orchestrator ends; its answer comes afterwards. */
static void test_users__freed_before_the_answer__closed(void **state)
{
    for (int i = 0; i < 5; i++) {
        struct world *w = *state;
        struct caller by = by_admin();
        struct answer a = {0};
        struct problem p;
        int r = i == 0   ? create(w, "a@b.c", "admin", &a, &p)
                : i == 1 ? orchestrator_user_revoke(w->o, &by, "a@b.c", on_user, &a, &p)
                : i == 2 ? orchestrator_users_list(w->o, on_users, &a, &p)
                : i == 3 ? claim(w, TOKEN, &a, &p)
                         : orchestrator_bootstrap_admin(w->o, "a@b.c", on_bootstrap, &a);
        assert_int_equal(r, 0);
        orchestrator_free(TAKE_PTR(w->o));
        assert_int_equal(a.calls, 1);
        assert_int_equal(a.err, ERR_CLOSED);
        void *user = take(fake_people.call);
        if (i < 3)
            fake_people.fn.users(user, ERR_CLOSED, NULL, 0);
        else if (i == 3)
            fake_people.fn.claim(user, ERR_CLOSED, NULL);
        else
            fake_people.fn.batch(user, ERR_CLOSED, NULL);
        assert_int_equal(a.calls, 1);
        assert_int_equal(fake_teardown(state), 0);
        assert_int_equal(fake_people_setup(state), 0);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_people_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_user_create__stored__token_whose_hash_is_kept),
        TEST(test_user_create__field_breaks_its_rule__nothing_asked),
        TEST(test_user_create__store_answers__table),
        TEST(test_user_revoke__store_answers__table),
        TEST(test_users_list__rows_or_trouble__answered),
        TEST(test_claim__used__a_key_whose_hash_is_stored),
        TEST(test_claim__store_answers__table),
        TEST(test_claim__ill_formed__not_found_without_the_database),
        TEST(test_bootstrap_admin__table),
        TEST(test_users__store_refuses__problem_at_once),
        TEST(test_users__freed_before_the_answer__closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
