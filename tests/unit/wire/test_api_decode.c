/*
 * The API's answers as the client reads them: our own (the golden files of wire-response), and what
 * other servers and proxies may send (wire-answer-foreign, wire-error).
 */
#include "../base/fail_alloc.h"
#include "../base/unit.h"
#include "golden.h"
#include "wire/messages.h"

#include <inttypes.h>
#include <string.h>

static void append_string(struct buf *out, const char *name, const char *value)
{
    assert_int_equal(buf_printf(out, "%s=%s\n", name, value ? value : "-"), 0);
}

static void describe(struct buf *out, const struct execution *e)
{
    const struct exec_state *s = &e->state;

    assert_int_equal(buf_printf(out, "id=%s key=%" PRId64 "\nstatus=%s ", e->id.hex, e->key,
                                exec_status_name(s->status)),
                     0);
    if (s->exit_code == EXIT_CODE_NONE)
        assert_int_equal(buf_append_str(out, "exit_code=none "), 0);
    else
        assert_int_equal(buf_printf(out, "exit_code=%d ", s->exit_code), 0);
    assert_int_equal(buf_printf(out, "signal=%d reason=%s last_seq=%" PRIu64 "\n", s->signal,
                                s->reason, s->last_seq),
                     0);
    assert_int_equal(buf_printf(out, "started_at_us=%" PRId64 " completed_at_us=%" PRId64 "\n",
                                s->started_at_us, s->completed_at_us),
                     0);
    append_string(out, "command", e->command);
    append_string(out, "image_id", e->image_id);
    append_string(out, "created_by", e->created_by);
    append_string(out, "created_by_request_id", e->created_by_request_id);
    append_string(out, "modified_by_request_id", e->modified_by_request_id);
    assert_int_equal(buf_append_str(out, "end"), 0);
}

static void decode_and_check(const char *codec, const char *name, const char *text, size_t len)
{
    struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};
    json_t *doc CLEANUP_JSON = NULL;
    struct execution e;
    struct problem p;

    assert_int_equal(json_parse_nul(text, len, &doc, &p), 0);
    int r = wire_execution_decode(doc, &e, &p);
    if (r < 0) {
        assert_int_equal(buf_printf(&out, "%s: %s: %s", err_name(r), p.error, p.details), 0);
    } else {
        describe(&out, &e);
        execution_done(&e);
    }
    golden_check(codec, name, "decoded.txt", out.data);
}

static void decode_own(const char *codec, const char *name, const char *text, size_t len)
{
    /* The rest is read by other clients, or not as an execution. */
    if (strncmp(name, "execution-", 10) == 0 || strncmp(name, "status-", 7) == 0 ||
        strncmp(name, "run-", 4) == 0 || strncmp(name, "kill-", 5) == 0)
        decode_and_check(codec, name, text, len);
}

static void test_wire_execution_decode__own_answers__golden(void **state UNUSED)
{
    golden_each("wire-response", "out.json", decode_own);
}

static void test_wire_execution_decode__foreign_answers__golden(void **state UNUSED)
{
    golden_each("wire-answer-foreign", "in.json", decode_and_check);
}

static void test_wire_execution_decode__each_allocation_fails__nomem(void **state UNUSED)
{
    static const char text[] = "{\"command\":\"c\",\"image_id\":\"i\",\"created_by\":\"u\","
                               "\"created_by_request_id\":\"r\",\"modified_by_request_id\":\"s\"}";
    json_t *doc CLEANUP_JSON = NULL;
    struct problem p;
    unsigned failed = 0;

    assert_int_equal(json_parse(text, strlen(text), &doc, &p), 0);
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        struct execution e = {0};
        int r = wire_execution_decode(doc, &e, &p);
        bool has_failed = fail_alloc_off();
        assert_int_equal(r, has_failed ? ERR_NOMEM : 0);
        failed += has_failed;
        execution_done(&e);
    }
    assert_int_equal(failed, 5);
}

static void test_wire_error_decode__bodies__problem(void **state UNUSED)
{
    static const struct {
        int http_status;
        const char *body;
        int err;
        const char *error, *code, *details;
    } rows[] = {
        {400, "{\"error\":\"e\",\"code\":\"INVALID_REQUEST\",\"details\":\"d\"}", ERR_INVALID, "e",
         "INVALID_REQUEST", "d"},
        {401, "{\"error\":\"e\",\"code\":\"UNAUTHORIZED\"}", ERR_UNAUTHORIZED, "e", "UNAUTHORIZED",
         ""},
        {401, "{\"error\":\"e\",\"code\":\"INVALID_API_KEY\"}", ERR_BAD_KEY, "e", "INVALID_API_KEY",
         ""},
        {401, "{\"error\":\"e\",\"code\":\"API_KEY_REVOKED\"}", ERR_REVOKED, "e", "API_KEY_REVOKED",
         ""},
        {401, "{\"error\":\"Unauthorized\",\"details\":\"API key is required\"}", ERR_UNAUTHORIZED,
         "Unauthorized", "", "API key is required"},
        {403, "{\"error\":\"e\"}", ERR_FORBIDDEN, "e", "", ""},
        {404, "{\"error\":\"e\",\"code\":\"SECRET_NOT_FOUND\"}", ERR_NOT_FOUND, "e",
         "SECRET_NOT_FOUND", ""},
        {408, "{\"error\":\"e\"}", ERR_TIMEOUT, "e", "", ""},
        {409, "{\"error\":\"e\"}", ERR_CONFLICT, "e", "", ""},
        {413, "{\"error\":\"e\"}", ERR_TOO_LARGE, "e", "", ""},
        {429, "{\"error\":\"e\"}", ERR_LIMIT, "e", "", ""},
        {500, "{\"error\":\"e\",\"code\":\"INTERNAL_ERROR\"}", ERR_INTERNAL, "e", "INTERNAL_ERROR",
         ""},
        {503, "{\"error\":\"e\",\"code\":\"DATABASE_ERROR\"}", ERR_DB_AWAY, "e", "DATABASE_ERROR",
         ""},
        {503, "{\"error\":\"e\",\"code\":\"SERVICE_UNAVAILABLE\"}", ERR_CLOSED, "e",
         "SERVICE_UNAVAILABLE", ""},
        {502, "<html>\r\n<b>Bad Gateway</b>", ERR_INTERNAL, "HTTP status 502", "", "<html>"},
        {404, "404 page not found\n", ERR_NOT_FOUND, "HTTP status 404", "", "404 page not found"},
        {503, "", ERR_CLOSED, "HTTP status 503", "", ""},
        {400, "\033[31m\tx\xff", ERR_INVALID, "HTTP status 400", "", "?[31m?x?"},
        {400, "[]", ERR_INVALID, "HTTP status 400", "", "[]"},
        {400, "{\"error\":5}", ERR_INVALID, "HTTP status 400", "", "{\"error\":5}"},
        {400, "{\"error\":\"e\",\"code\":[]}", ERR_INVALID, "HTTP status 400", "",
         "{\"error\":\"e\",\"code\":[]}"},
        {200, "{\"error\":\"e\"}", ERR_INTERNAL, "e", "", ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct problem p = {.code = "OLD"};
        wire_error_decode(rows[i].body, strlen(rows[i].body), rows[i].http_status, &p);
        assert_int_equal(p.err, rows[i].err);
        assert_string_equal(p.error, rows[i].error);
        assert_string_equal(p.code, rows[i].code);
        assert_string_equal(p.details, rows[i].details);
    }
}

static void test_wire_error_decode__long_foreign_body__cut(void **state UNUSED)
{
    static char body[10000];
    struct problem p;

    wire_error_decode(NULL, 0, 500, &p);
    assert_string_equal(p.details, "");
    memset(body, 'x', sizeof(body));
    wire_error_decode(body, sizeof(body), 500, &p);
    assert_int_equal(strlen(p.details), sizeof(p.details) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_execution_decode__own_answers__golden),
        cmocka_unit_test(test_wire_execution_decode__foreign_answers__golden),
        cmocka_unit_test(test_wire_execution_decode__each_allocation_fails__nomem),
        cmocka_unit_test(test_wire_error_decode__bodies__problem),
        cmocka_unit_test(test_wire_error_decode__long_foreign_body__cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
