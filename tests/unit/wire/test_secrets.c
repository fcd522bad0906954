/* Secrets against golden files, and their requests in both directions. */
#include "../base/fail_alloc.h"
#include "../base/unit.h"
#include "golden.h"
#include "wire/secrets.h"

#include <string.h>

#define CODEC "wire-secrets"
#define TIME_US INT64_C(1767323045678000)

static const struct secret SECRETS[] = {
    {"db-password", "DB_PASSWORD", "of \"production\"", "p\"w\\d\n\xc3\xa9", "ada@example.org",
     "j\xc3\xb6rg@example.org", TIME_US, TIME_US + 60000000, "11112222333344445555666677778888",
     "99992222333344445555666677778888"},
    {"token", "TOKEN", "", NULL, "ada@example.org", "ada@example.org", TIME_US, TIME_US, "", ""},
};

static int shown(struct buf *out)
{
    return wire_secret(out, &SECRETS[0]);
}
static int listed(struct buf *out)
{
    return wire_secrets(out, SECRETS, ARRAY_SIZE(SECRETS));
}
static int listed_none(struct buf *out)
{
    return wire_secrets(out, NULL, 0);
}
static int created(struct buf *out)
{
    return wire_secret_done(out, NULL, "Secret created successfully");
}
static int deleted(struct buf *out)
{
    return wire_secret_done(out, "db-password", "Secret deleted successfully");
}
static int request(struct buf *out)
{
    const struct wire_secret_request r = {
        .name = "n", .key_name = "K", .description = "", .value = "p\"w"};
    return wire_secret_request_encode(out, &r);
}

static const struct {
    const char *name;
    int (*encode)(struct buf *out);
} ANSWERS[] = {
    {"shown", shown},     {"listed", listed},   {"listed-none", listed_none},
    {"created", created}, {"deleted", deleted}, {"request", request},
};

static void test_wire_secrets__answers__golden(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(ANSWERS); i++) {
        struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};
        assert_int_equal(ANSWERS[i].encode(&out), 0);
        golden_check(CODEC, ANSWERS[i].name, "out.json", out.data);
    }
}

static void test_wire_secrets__no_room__too_large(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(ANSWERS); i++) {
        struct buf whole CLEANUP_BUF = {.max = GOLDEN_MAX};
        assert_int_equal(ANSWERS[i].encode(&whole), 0);
        for (size_t max = 0; max < whole.len; max++) {
            struct buf out CLEANUP_BUF = {.max = max};
            assert_int_equal(ANSWERS[i].encode(&out), ERR_TOO_LARGE);
        }
    }
}

static int decode(const char *body, struct wire_secret_request *r, struct problem *p)
{
    return wire_secret_request_decode(body, strlen(body), "failed to try", r, p);
}

static void test_wire_secret_request_decode__fields__absent_ones_null(void **state UNUSED)
{
    struct wire_secret_request r;
    struct problem p;
    assert_int_equal(decode("{\"name\":\"n\",\"key_name\":\"K\",\"value\":\"v\",\"x\":1}", &r, &p),
                     0);
    assert_string_equal(r.name, "n");
    assert_string_equal(r.key_name, "K");
    assert_string_equal(r.value, "v");
    assert_null(r.description);
    wire_secret_request_done(&r);
    assert_int_equal(decode("{\"value\":null,\"description\":\"\"}", &r, &p), 0);
    assert_null(r.value);
    assert_string_equal(r.description, "");
    wire_secret_request_done(&r);
    assert_null(r.doc);
}

static void test_wire_secret_request_decode__bad__error_without_the_body(void **state UNUSED)
{
    static const struct {
        const char *body, *error, *details;
    } ROWS[] = {
        {"", "invalid request body", ""},
        {"{\"value\":\"hunter22\"", "invalid request body", "line 1"},
        {"{\"value\":\"hunter22\" x", "invalid request body", "line 1"},
        {"\"hunter22\"", "invalid request body", "object"},
        {"{\"value\":[\"hunter22\"]}", "failed to try", "value must be"},
        {"{\"name\":7,\"value\":\"hunter22\"}", "failed to try", "name must be"},
        {"{\"value\":\"a\\u0000hunter22\"}", "invalid request body", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        struct wire_secret_request r;
        struct problem p = {0};
        assert_int_equal(decode(ROWS[i].body, &r, &p), ERR_INVALID);
        assert_string_equal(p.error, ROWS[i].error);
        assert_non_null(strstr(p.details, ROWS[i].details));
        assert_null(strstr(p.details, "hunter22"));
    }
}

static void test_wire_secret_request__what_is_encoded__is_decoded(void **state UNUSED)
{
    const struct wire_secret_request sent = {.value = "p\"w\\d\xc3\xa9"};
    struct buf out CLEANUP_BUF = {.max = 4096};
    struct wire_secret_request r;
    struct problem p;
    assert_int_equal(wire_secret_request_encode(&out, &sent), 0);
    assert_int_equal(decode(out.data, &r, &p), 0);
    assert_string_equal(r.value, sent.value);
    assert_null(r.name);
    wire_secret_request_done(&r);
}

static void test_wire_secret_request_decode__no_memory__says_so(void **state UNUSED)
{
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        struct wire_secret_request r;
        struct problem p;
        int err = decode("{\"name\":\"n\",\"value\":\"v\"}", &r, &p);
        bool failed = fail_alloc_off();
        assert_int_equal(err, failed ? ERR_NOMEM : 0);
        if (err == 0)
            wire_secret_request_done(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_secrets__answers__golden),
        cmocka_unit_test(test_wire_secrets__no_room__too_large),
        cmocka_unit_test(test_wire_secret_request_decode__fields__absent_ones_null),
        cmocka_unit_test(test_wire_secret_request_decode__bad__error_without_the_body),
        cmocka_unit_test(test_wire_secret_request__what_is_encoded__is_decoded),
        cmocka_unit_test(test_wire_secret_request_decode__no_memory__says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
