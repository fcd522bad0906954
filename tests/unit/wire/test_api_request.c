/* The body of POST /run: by golden files, at its limits, and encoded and decoded back. */
#include "../base/fail_alloc.h"
#include "../base/unit.h"
#include "golden.h"
#include "wire/messages.h"

#include <inttypes.h>
#include <string.h>

#define CODEC "wire-run-request"

static void append_string(struct buf *out, const char *name, const char *value)
{
    assert_int_equal(buf_printf(out, "%s: ", name), 0);
    if (value)
        assert_int_equal(json_append_string(out, value, strlen(value)), 0);
    else
        assert_int_equal(buf_append_char(out, '-'), 0);
    assert_int_equal(buf_append_char(out, '\n'), 0);
}

static void describe(struct buf *out, const struct wire_run_request *r)
{
    append_string(out, "command", r->command);
    append_string(out, "image", r->image);
    append_string(out, "git_repo", r->git_repo);
    append_string(out, "git_ref", r->git_ref);
    append_string(out, "git_path", r->git_path);
    append_string(out, "idempotency_key", r->idempotency_key);
    for (size_t i = 0; i < r->env_count; i++)
        append_string(out, r->env[i].name, r->env[i].value);
    for (size_t i = 0; i < r->secrets_count; i++)
        append_string(out, "secret", r->secrets[i]);
    assert_int_equal(buf_printf(out, "timeout: %" PRId64 "\ngrace: %" PRId64 "\ntty: %d",
                                r->timeout_s, r->grace_s, r->tty),
                     0);
}

static void decode_and_check(const char *codec, const char *name, const char *text, size_t len)
{
    struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};
    struct wire_run_request r;
    struct problem p;

    int err = wire_run_request_decode(text, len, &r, &p);
    if (err < 0) {
        assert_int_equal(wire_error(&out, &p), 0);
    } else {
        describe(&out, &r);
        wire_run_request_done(&r);
    }
    golden_check(codec, name, "decoded.txt", out.data);
}

static void test_wire_run_request_decode__bodies__golden(void **state UNUSED)
{
    golden_each(CODEC, "in.json", decode_and_check);
}

static int decode(const char *body, size_t len, struct problem *p)
{
    struct wire_run_request r;

    int err = wire_run_request_decode(body, len, &r, p);
    if (err == 0)
        wire_run_request_done(&r);
    return err;
}

/* {"command":"x","NAME":"xxx…"} with n bytes of value; NAME may be of env. */
static int decode_long(const char *before, size_t n, const char *after, struct problem *p)
{
    struct buf body CLEANUP_BUF = {.max = GOLDEN_MAX};

    assert_int_equal(buf_append_str(&body, before), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(buf_append_char(&body, 'x'), 0);
    assert_int_equal(buf_append_str(&body, after), 0);
    return decode(body.data, body.len, p);
}

static void
test_wire_run_request_decode__longest_values__accepted_one_more_refused(void **state UNUSED)
{
    static const struct {
        const char *before;
        size_t most;
        const char *after, *details;
    } rows[] = {
        {"{\"command\":\"", 131071, "\"}", "command must be at most 131071 bytes"},
        {"{\"command\":\"x\",\"image\":\"", 512, "\"}", "image must be at most 512 bytes"},
        {"{\"command\":\"x\",\"git_repo\":\"", 2048, "\"}", "git_repo must be at most 2048 bytes"},
        {"{\"command\":\"x\",\"idempotency_key\":\"", 255, "\"}",
         "idempotency_key must be at most 255 bytes"},
        {"{\"command\":\"x\",\"env\":{\"AB\":\"", 131068, "\"}}",
         "env.AB must be at most 131071 bytes, name included"},
        {"{\"command\":\"x\",\"secrets\":[\"", 255, "\"]}",
         "secrets must be an array of names, each a string of 1 to 255 bytes without NUL"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct problem p;
        assert_int_equal(decode_long(rows[i].before, rows[i].most, rows[i].after, &p), 0);
        assert_int_equal(decode_long(rows[i].before, rows[i].most + 1, rows[i].after, &p),
                         ERR_INVALID);
        assert_string_equal(p.error, "failed to run command");
        assert_string_equal(p.details, rows[i].details);
    }
    struct problem p;
    assert_int_equal(decode_long("{\"command\":\"x\",\"env\":{\"", 131072, "\":\"\"}}", &p),
                     ERR_INVALID);
}

static void test_wire_run_request_decode__nul_bytes__refused(void **state UNUSED)
{
    struct problem p;

    assert_int_equal(decode("{\"command\":\"x\"}\0", 16, &p), ERR_INVALID);
    assert_string_equal(p.error, "invalid request body");
    assert_int_equal(decode("", 0, &p), ERR_INVALID);
    assert_string_equal(p.error, "invalid request body");
    assert_string_equal(err_api_code(p.err), "INVALID_REQUEST");
}

static const struct wire_env env[] = {{"A", "1"}, {"_b2", "say \"x\"\n"}};
static const char *const secrets[] = {"one", "two"};

static struct wire_run_request build_request(void)
{
    return (struct wire_run_request){
        .command = "echo \"hi\"\n",
        .image = "alpine",
        .git_repo = "https://example.com/r.git",
        .git_ref = "main",
        .git_path = "sub",
        .idempotency_key = "k",
        .timeout_s = 60,
        .grace_s = 0,
        .tty = true,
        .env = (struct wire_env *)(uintptr_t)env,
        .env_count = ARRAY_SIZE(env),
        .secrets = (const char **)(uintptr_t)secrets,
        .secrets_count = ARRAY_SIZE(secrets),
    };
}

static void test_wire_run_request_encode__requests__golden(void **state UNUSED)
{
    struct buf full CLEANUP_BUF = {.max = GOLDEN_MAX};
    struct buf bare CLEANUP_BUF = {.max = GOLDEN_MAX};
    struct wire_run_request r = build_request();

    assert_int_equal(wire_run_request_encode(&full, &r), 0);
    golden_check(CODEC, "own-full", "in.json", full.data);
    r = (struct wire_run_request){.command = "true", .timeout_s = -1, .grace_s = -1};
    assert_int_equal(wire_run_request_encode(&bare, &r), 0);
    golden_check(CODEC, "own-bare", "in.json", bare.data);
}

static void test_wire_run_request_decode__own_request__comes_back(void **state UNUSED)
{
    struct buf body CLEANUP_BUF = {.max = GOLDEN_MAX};
    struct buf again CLEANUP_BUF = {.max = GOLDEN_MAX};
    struct wire_run_request r = build_request();
    struct wire_run_request back;
    struct problem p;

    assert_int_equal(wire_run_request_encode(&body, &r), 0);
    assert_int_equal(wire_run_request_decode(body.data, body.len, &back, &p), 0);
    assert_int_equal(wire_run_request_encode(&again, &back), 0);
    assert_string_equal(again.data, body.data);
    wire_run_request_done(&back);
    wire_run_request_done(&back);
}

static void test_wire_run_request_decode__each_allocation_fails__nomem(void **state UNUSED)
{
    struct buf body CLEANUP_BUF = {.max = GOLDEN_MAX};
    struct wire_run_request r = build_request();
    unsigned failed = 0;

    assert_int_equal(wire_run_request_encode(&body, &r), 0);
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        struct problem p;
        int err = decode(body.data, body.len, &p);
        bool has_failed = fail_alloc_off();
        assert_int_equal(err, has_failed ? ERR_NOMEM : 0);
        if (has_failed)
            assert_int_equal(p.err, ERR_NOMEM);
        failed += has_failed;
    }
    assert_in_range(failed, 20, 200);
}

static void test_wire_run_request_encode__no_room__unchanged(void **state UNUSED)
{
    struct wire_run_request r = build_request();

    for (size_t max = 0; max < 200; max++) {
        struct buf out CLEANUP_BUF = {.max = max};
        assert_int_equal(wire_run_request_encode(&out, &r), ERR_TOO_LARGE);
        assert_int_equal(out.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_run_request_encode__requests__golden),
        cmocka_unit_test(test_wire_run_request_decode__bodies__golden),
        cmocka_unit_test(test_wire_run_request_decode__longest_values__accepted_one_more_refused),
        cmocka_unit_test(test_wire_run_request_decode__nul_bytes__refused),
        cmocka_unit_test(test_wire_run_request_decode__own_request__comes_back),
        cmocka_unit_test(test_wire_run_request_decode__each_allocation_fails__nomem),
        cmocka_unit_test(test_wire_run_request_encode__no_room__unchanged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
