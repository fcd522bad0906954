/* Users, claims and API keys against golden files, and their requests in both directions. */
#include "../base/fail_alloc.h"
#include "../base/unit.h"
#include "golden.h"
#include "wire/people.h"

#include <string.h>

#define CODEC "wire-people"
#define TIME_US INT64_C(1767323045678000)

static const struct user USERS[] = {
    {.user_key = 1,
     .email = "ada@example.org",
     .role = ROLE_ADMIN,
     .created_at_us = TIME_US,
     .last_used_us = TIME_US + 60000000,
     .created_by_request_id = "11112222333344445555666677778888",
     .modified_by_request_id = "11112222333344445555666677778888"},
    {.user_key = 2,
     .email = "j\xc3\xb6rg@example.org",
     .role = ROLE_VIEWER,
     .created_at_us = TIME_US,
     .is_revoked = true,
     .created_by_request_id = "",
     .modified_by_request_id = "99992222333344445555666677778888"},
};
static const struct api_key KEYS[] = {
    {.key_id = 7, .prefix = "tg_abcde", .description = "CI \"x\"", .created_at_us = TIME_US},
    {.key_id = INT64_MAX,
     .prefix = "tg_fghij",
     .description = "",
     .created_at_us = TIME_US,
     .last_used_us = TIME_US + 1000,
     .is_revoked = true},
};

static int user_created(struct buf *out)
{
    return wire_user_created(out, &USERS[0], "r9UXx_u3PcpAK1ohs8tmWyQ9btKXysIK");
}
static int users(struct buf *out)
{
    return wire_users(out, USERS, ARRAY_SIZE(USERS));
}
static int users_none(struct buf *out)
{
    return wire_users(out, NULL, 0);
}
static int user(struct buf *out)
{
    return wire_user(out, &USERS[1]);
}
static int user_revoked(struct buf *out)
{
    return wire_user_revoked(out, "ada@example.org");
}
static int claim(struct buf *out)
{
    return wire_claim(out, "tg_0123456789", "ada@example.org");
}
static int key_created(struct buf *out)
{
    return wire_api_key_created(out, &KEYS[0], "tg_0123456789");
}
static int keys(struct buf *out)
{
    return wire_api_keys(out, KEYS, ARRAY_SIZE(KEYS));
}
static int keys_none(struct buf *out)
{
    return wire_api_keys(out, NULL, 0);
}
static int key_revoked(struct buf *out)
{
    return wire_api_key_revoked(out, 7);
}

static const struct {
    const char *name;
    int (*encode)(struct buf *out);
} ANSWERS[] = {
    {"user-created", user_created}, {"users", users},
    {"users-none", users_none},     {"user", user},
    {"user-revoked", user_revoked}, {"claim", claim},
    {"key-created", key_created},   {"keys", keys},
    {"keys-none", keys_none},       {"key-revoked", key_revoked},
};

static void test_wire_people__answers__golden(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(ANSWERS); i++) {
        struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};
        assert_int_equal(ANSWERS[i].encode(&out), 0);
        golden_check(CODEC, ANSWERS[i].name, "out.json", out.data);
    }
}

/* At every size short of the whole: an error, and nothing left behind. */
static void test_wire_people__no_room__too_large(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(ANSWERS); i++) {
        struct buf whole CLEANUP_BUF = {.max = GOLDEN_MAX};
        assert_int_equal(ANSWERS[i].encode(&whole), 0);
        for (size_t max = 0; max < whole.len; max++) {
            struct buf out CLEANUP_BUF = {.max = max};
            assert_int_equal(ANSWERS[i].encode(&out), ERR_TOO_LARGE);
            assert_int_equal(out.len, 0);
        }
    }
}

static int decode(const char *body, struct wire_people_request *r, struct problem *p)
{
    return wire_people_request_decode(body, strlen(body), "failed to try", r, p);
}

static void test_wire_people_request_decode__fields__absent_ones_null(void **state UNUSED)
{
    struct wire_people_request r;
    struct problem p;
    assert_int_equal(decode("{\"email\":\"a@b.c\",\"role\":\"viewer\",\"x\":1}", &r, &p), 0);
    assert_string_equal(r.email, "a@b.c");
    assert_string_equal(r.role, "viewer");
    assert_null(r.api_key);
    assert_null(r.description);
    wire_people_request_done(&r);
    assert_int_equal(decode("{\"description\":\"\",\"api_key\":null,\"email\":null}", &r, &p), 0);
    assert_string_equal(r.description, "");
    assert_null(r.api_key);
    assert_null(r.email);
    wire_people_request_done(&r);
    assert_int_equal(decode("", &r, &p), 0);
    assert_null(r.email);
    wire_people_request_done(&r);
}

static void test_wire_people_request_decode__bad__error_names_it(void **state UNUSED)
{
    static const struct {
        const char *body, *error, *details;
    } rows[] = {
        {"{", "invalid request body", ""},
        {"[]", "invalid request body", "JSON object"},
        {"\"x\"", "invalid request body", "JSON object"},
        {"{\"email\":1}", "failed to try", "email"},
        {"{\"role\":[]}", "failed to try", "role"},
        {"{\"api_key\":{}}", "failed to try", "api_key"},
        {"{\"description\":true}", "failed to try", "description"},
        {"{\"email\":\"a\",\"email\":\"b\"}", "invalid request body", ""},
        {"{\"email\":\"a\\u0000b\"}", "invalid request body", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct wire_people_request r;
        struct problem p = {0};
        assert_int_equal(decode(rows[i].body, &r, &p), ERR_INVALID);
        assert_string_equal(p.error, rows[i].error);
        assert_non_null(strstr(p.details, rows[i].details));
    }
}

static void test_wire_people_request_encode__decoded__the_same(void **state UNUSED)
{
    struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};
    const struct wire_people_request sent = {
        .email = "a@b.c", .role = "admin", .description = "x\ny"};
    struct wire_people_request r;
    struct problem p;
    assert_int_equal(wire_people_request_encode(&out, &sent), 0);
    golden_check(CODEC, "request", "out.json", out.data);
    assert_int_equal(decode(out.data, &r, &p), 0);
    assert_string_equal(r.email, sent.email);
    assert_string_equal(r.role, sent.role);
    assert_string_equal(r.description, sent.description);
    wire_people_request_done(&r);
    struct buf none CLEANUP_BUF = {.max = 2};
    assert_int_equal(wire_people_request_encode(&none, &(struct wire_people_request){0}), 0);
    assert_string_equal(none.data, "{}");
}

static void test_wire_people_request_decode__no_memory__told(void **state UNUSED)
{
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        struct wire_people_request r = {0};
        struct problem p;
        int err = decode("{\"email\":\"a@b.c\"}", &r, &p);
        bool has_failed = fail_alloc_off();
        assert_int_equal(err, has_failed ? ERR_NOMEM : 0);
        wire_people_request_done(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_people__answers__golden),
        cmocka_unit_test(test_wire_people__no_room__too_large),
        cmocka_unit_test(test_wire_people_request_decode__fields__absent_ones_null),
        cmocka_unit_test(test_wire_people_request_decode__bad__error_names_it),
        cmocka_unit_test(test_wire_people_request_encode__decoded__the_same),
        cmocka_unit_test(test_wire_people_request_decode__no_memory__told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
