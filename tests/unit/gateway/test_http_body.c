#include "gateway/http_internal.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MAX 64

/* A request by hand: only what the body needs. */
struct rig {
    struct options options;
    struct server server;
    struct http_request request;
};

static void begin(struct rig *g, enum http_method method, const char *length, const char *coding)
{
    memset(g, 0, sizeof(*g));
    g->options.max_body_bytes = MAX;
    g->server.options = &g->options;
    g->request.server = &g->server;
    g->request.method = method;
    g->request.headers[HEADER_CONTENT_LENGTH] = (char *)(uintptr_t)length;
    g->request.headers[HEADER_TRANSFER_ENCODING] = (char *)(uintptr_t)coding;
}

static void test_http_body_begin__table(void **state)
{
    static const struct {
        enum http_method method;
        const char *length, *coding;
        int err;
        bool complete, must_close;
    } rows[] = {
        {HTTP_GET, NULL, NULL, 0, true, false},
        {HTTP_GET, "3", NULL, 0, false, false},
        {HTTP_POST, "3", NULL, 0, false, false},
        {HTTP_POST, "0", NULL, 0, true, false},
        {HTTP_POST, "64", NULL, 0, false, false},
        {HTTP_POST, "65", NULL, ERR_TOO_LARGE, false, false},
        {HTTP_POST, "99999999999999999999", NULL, ERR_INVALID, false, false},
        {HTTP_POST, "-1", NULL, ERR_INVALID, false, false},
        {HTTP_POST, "1, 1", NULL, ERR_INVALID, false, false},
        {HTTP_POST, NULL, NULL, 0, true, true},
        {HTTP_PUT, NULL, "chunked", 0, false, true},
        {HTTP_POST, NULL, "Chunked", 0, false, true},
        {HTTP_POST, NULL, "gzip, chunked", ERR_INVALID, false, false},
        {HTTP_POST, "3", "chunked", ERR_INVALID, false, false},
        {HTTP_DELETE, NULL, "chunked", 0, true, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig g;
        struct problem p = {0};
        begin(&g, rows[i].method, rows[i].length, rows[i].coding);
        int err = http_body_begin(&g.request, &p);
        assert_int_equal(err, rows[i].err);
        assert_int_equal(p.err, rows[i].err);
        if (err)
            continue;
        assert_int_equal(g.request.body_complete, rows[i].complete);
        assert_int_equal(g.request.must_close, rows[i].must_close);
    }
}

/* Every way to cut the bytes in two gives the same. */
static void take_cut(const char *coding, const char *length, const char *bytes, size_t cut,
                     int want, const char *body)
{
    struct rig g;
    struct problem p = {0};
    begin(&g, HTTP_POST, length, coding);
    assert_int_equal(http_body_begin(&g.request, &p), 0);
    int err = http_body_take(&g.request, bytes, cut, &p);
    if (!err)
        err = http_body_take(&g.request, bytes + cut, strlen(bytes) - cut, &p);
    assert_int_equal(err, want);
    if (!err) {
        assert_true(g.request.body_complete);
        assert_int_equal(g.request.body.len, strlen(body));
        assert_memory_equal(g.request.body.data ? g.request.body.data : "", body, strlen(body));
    }
    buf_done(&g.request.body);
}

static void test_http_body_take__table__whatever_the_cut(void **state)
{
    static const struct {
        const char *coding, *length, *bytes;
        int err;
        const char *body;
    } rows[] = {
        {NULL, "5", "hello", 0, "hello"},
        {NULL, "5", "hello and more", 0, "hello"},
        {"chunked", NULL, "5\r\nhello\r\n0\r\n\r\n", 0, "hello"},
        {"chunked", NULL, "0\r\n\r\n", 0, ""},
        {"chunked", NULL, "000002\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nT: x\r\nU: y\r\n\r\nrest", 0,
         "hello"},
        {"chunked", NULL, "A\r\n0123456789\r\na\r\nabcdefghij\r\n0\r\n\r\n", 0,
         "0123456789abcdefghij"},
        {"chunked", NULL, "x\r\n", ERR_INVALID, NULL},
        {"chunked", NULL, "\r\n", ERR_INVALID, NULL},
        {"chunked", NULL, "1\r\nab", ERR_INVALID, NULL},
        {"chunked", NULL, "1234567890123456\r\n", ERR_INVALID, NULL},
        {"chunked", NULL, "41\r\nx", ERR_TOO_LARGE, NULL}, /* 65 bytes announced, 64 allowed */
        {"chunked", NULL,
         "20\r\n01234567890123456789012345678901\r\n"
         "21\r\n012345678901234567890123456789012\r\n0\r\n\r\n",
         ERR_TOO_LARGE, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t cut = 0; cut <= strlen(rows[i].bytes); cut++)
            take_cut(rows[i].coding, rows[i].length, rows[i].bytes, cut, rows[i].err, rows[i].body);
    }
}

static void test_http_body_take__endless_extension_or_trailer__refused(void **state)
{
    static const char *const starts[] = {"1;", "0\r\n"};
    char junk[1024];
    (void)state;
    memset(junk, 'x', sizeof(junk));
    for (size_t i = 0; i < 2; i++) {
        struct rig g;
        struct problem p = {0};
        int err = 0;
        begin(&g, HTTP_POST, NULL, "chunked");
        assert_int_equal(http_body_begin(&g.request, &p), 0);
        assert_int_equal(http_body_take(&g.request, starts[i], strlen(starts[i]), &p), 0);
        for (int n = 0; n < 32 && !err; n++)
            err = http_body_take(&g.request, junk, sizeof(junk), &p);
        assert_int_equal(err, ERR_INVALID);
        buf_done(&g.request.body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_body_begin__table),
        cmocka_unit_test(test_http_body_take__table__whatever_the_cut),
        cmocka_unit_test(test_http_body_take__endless_extension_or_trailer__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
