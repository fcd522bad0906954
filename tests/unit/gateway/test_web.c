/* The viewer's files as served; which files there are depends on whether npm was there for the
 * build. */
#include "server_rig.h"

#include "gateway/web_files.h"

#include <zlib.h>

#define ID2 RIG_ID "," RIG_ID
#define ID4 ID2 "," ID2

static const struct web_file *index_file(void)
{
    for (size_t i = 0; i < web_files_count; i++) {
        if (str_eq(web_files[i].path, "/index.html"))
            return &web_files[i];
    }
    return NULL;
}

static void assert_policy(const struct answer *a)
{
    const char *policy = answer_header(a, "Content-Security-Policy");
    assert_non_null(policy);
    assert_non_null(strstr(policy, "default-src 'none'; script-src 'self'; style-src 'self';"));
    assert_non_null(strstr(policy, "connect-src 'self' ws://gate.example;"));
    assert_null(strstr(policy, "unsafe"));
    assert_string_equal(answer_header(a, "X-Content-Type-Options"), "nosniff");
    assert_string_equal(answer_header(a, "Referrer-Policy"), "no-referrer");
}

/* Every file is reached by its path, with its type, whole, and with the cache header of its kind.
 */
static void test_web__each_file__served(void **state)
{
    (void)state;
    assert_non_null(index_file());
    for (size_t i = 0; i < web_files_count; i++) {
        const struct web_file *f = &web_files[i];
        bool is_index = str_eq(f->path, "/index.html");
        struct answer a;
        char line[256];
        (void)snprintf(line, sizeof(line), "GET %s", is_index ? "/" : f->path);
        rig_request(line, "!", NULL, &a);
        assert_int_equal(a.status, 200);
        assert_string_equal(answer_header(&a, "Content-Type"), f->type);
        assert_policy(&a);
        assert_string_equal(answer_header(&a, "Cache-Control"),
                            f->immutable ? "public, max-age=31536000, immutable" : "no-cache");
        assert_int_equal(f->immutable, str_starts_with(f->path, "/assets/"));
        assert_null(answer_header(&a, "Content-Encoding"));
        assert_int_equal(a.body.len, f->len);
        assert_memory_equal(a.body.data, f->data, f->len);
        answer_done(&a);
    }
}

static void test_web__gzip_taken__the_same_bytes_packed(void **state)
{
    (void)state;
    for (size_t i = 0; i < web_files_count; i++) {
        const struct web_file *f = &web_files[i];
        bool is_index = str_eq(f->path, "/index.html");
        char line[256], tag[64];
        struct answer a;
        if (!f->gzip)
            continue;
        (void)snprintf(line, sizeof(line), "GET %s", is_index ? "/" : f->path);
        rig_request(line, "!Accept-Encoding: gzip, br\r\n", NULL, &a);
        assert_int_equal(a.status, 200);
        assert_string_equal(answer_header(&a, "Content-Encoding"), "gzip");
        assert_string_equal(answer_header(&a, "Vary"), "Accept-Encoding");
        (void)snprintf(tag, sizeof(tag), "\"%s-gzip\"", f->hash);
        assert_string_equal(answer_header(&a, "ETag"), tag);
        assert_int_equal(a.body.len, f->gzip_len);
        assert_true(f->gzip_len < f->len);

        unsigned char *raw = malloc(f->len);
        assert_non_null(raw);
        z_stream z = {.next_in = (unsigned char *)a.body.data,
                      .avail_in = (unsigned)a.body.len,
                      .next_out = raw,
                      .avail_out = (unsigned)f->len};
        assert_int_equal(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
        assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
        assert_int_equal(z.total_out, f->len);
        assert_memory_equal(raw, f->data, f->len);
        assert_int_equal(inflateEnd(&z), Z_OK);
        free(raw);
        answer_done(&a);
    }
}

static void test_web__copy_known__304_without_a_body(void **state)
{
    struct answer a;
    char request[256];
    (void)state;
    int n = snprintf(request, sizeof(request),
                     "GET /settings HTTP/1.1\r\nHost: gate.example\r\n"
                     "If-None-Match: \"x\", W/\"%s\"\r\n\r\n",
                     index_file()->hash);
    int fd = rig_connect();
    for (int i = 0; i < 2; i++) { /* the connection goes on */
        rig_send(fd, request, (size_t)n);
        rig_receive(fd, &a, false);
        assert_int_equal(a.status, 304);
        assert_null(answer_header(&a, "Content-Type"));
        assert_null(answer_header(&a, "Content-Length"));
        assert_non_null(strstr(answer_header(&a, "ETag"), index_file()->hash));
        assert_string_equal(answer_header(&a, "Cache-Control"), "no-cache");
        answer_done(&a);
    }
    (void)close(fd);
    rig_request("GET /settings", "!If-None-Match: \"old\"\r\n", NULL, &a);
    assert_int_equal(a.status, 200);
    answer_done(&a);
}

static void test_web__each_path__the_index(void **state)
{
    static const char *const paths[] = {
        "/",
        "/?execution_id=" RIG_ID,
        "/executions",
        "/executions/",
        "/executions/" RIG_ID,
        "/executions/" ID2,
        "/executions/" RIG_ID "%2C" RIG_ID,
        "/executions/" ID4 "," ID4,
        "/run?from=" RIG_ID,
        "/secrets",
        "/images",
        "/users",
        "/keys",
        "/health",
        "/audit",
        "/settings",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        struct answer a;
        char line[512];
        (void)snprintf(line, sizeof(line), "GET %s", paths[i]);
        rig_request(line, "!", NULL, &a);
        assert_int_equal(a.status, 200);
        assert_string_equal(answer_header(&a, "Content-Type"), "text/html; charset=utf-8");
        assert_int_equal(a.body.len, index_file()->len);
        answer_done(&a);
    }
}

static void test_web__other_paths__404(void **state)
{
    static const char *const paths[] = {
        "/index.html",
        "/nothing",
        "/page.js",
        "/executions/none",
        "/executions/" RIG_ID ",",
        "/executions/" RIG_ID ";" RIG_ID,
        "/executions/," RIG_ID,
        "/executions/" ID4 "," ID4 "," RIG_ID,
        "/executions/" RIG_ID "/logs",
        "/run/x",
        "/assets/",
        "/assets/none.js",
        "/assets/../index.html",
        "/assets/%2e%2e/index.html",
        "/assets/..%2findex.html",
        "/assets//etc/passwd",
        "/../../etc/passwd",
        "/favicon.ico",
        "/Settings",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        struct answer a;
        char line[512];
        (void)snprintf(line, sizeof(line), "GET %s", paths[i]);
        rig_request(line, "!If-None-Match: *\r\nAccept-Encoding: gzip\r\n", NULL, &a);
        assert_in_set((unsigned long)a.status, ((unsigned long[]){404, 400, 403}), 3);
        assert_null(answer_header(&a, "Content-Encoding"));
        answer_done(&a);
    }
}

static void test_web__other_path_in_a_browser__404_with_the_page(void **state)
{
    static const struct {
        const char *line, *headers;
        bool is_page;
    } rows[] = {
        {"GET /nothing", "!Accept: text/html,application/xhtml+xml;q=0.9\r\n", true},
        {"GET /executions/none", "!Accept: Text/HTML\r\nAccept-Encoding: gzip\r\n", true},
        {"GET /nothing", "!Accept: */*\r\n", false},
        {"GET /nothing", "!Accept: application/json\r\n", false},
        {"GET /api/v1/nothing", "!Accept: text/html\r\n", false},
        {"GET /assets/none.js", "!Accept: text/html\r\n", false},
        {"POST /nothing", "!Accept: text/html\r\n", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct answer a;
        rig_request(rows[i].line, rows[i].headers, NULL, &a);
        assert_int_equal(a.status, 404);
        assert_string_equal(answer_header(&a, "Cache-Control"), "no-store");
        assert_null(answer_header(&a, "Content-Encoding"));
        if (rows[i].is_page) {
            assert_policy(&a);
            assert_int_equal(a.body.len, index_file()->len);
        } else {
            assert_non_null(strstr(a.body.data, "\"NOT_FOUND\""));
        }
        answer_done(&a);
    }
}

static void test_web__head_and_post__length_alone_and_refused(void **state)
{
    static const char head[] = "HEAD /settings HTTP/1.1\r\nHost: gate.example\r\n\r\n";
    struct answer a;
    char length[32];
    (void)state;
    int fd = rig_connect();
    rig_send(fd, head, sizeof(head) - 1);
    rig_receive(fd, &a, false);
    assert_int_equal(a.status, 200);
    (void)snprintf(length, sizeof(length), "%zu", index_file()->len);
    assert_string_equal(answer_header(&a, "Content-Length"), length);
    answer_done(&a);
    (void)close(fd);
    rig_expect("POST /settings", "!", NULL, 405, "method");
}

/* The headers that a request has brought make the policy; over TLS the socket is wss:. */
static void test_web__behind_a_proxy__its_own_socket(void **state)
{
    struct answer a;
    (void)state;
    rig_stop();
    rig_start((char *[]){"--public-url", "https://logs.example/", NULL});
    rig_request("GET /", "!", NULL, &a);
    assert_non_null(strstr(answer_header(&a, "Content-Security-Policy"),
                           "connect-src 'self' wss://logs.example;"));
    answer_done(&a);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_web__each_file__served),
        TEST(test_web__gzip_taken__the_same_bytes_packed),
        TEST(test_web__copy_known__304_without_a_body),
        TEST(test_web__each_path__the_index),
        TEST(test_web__other_paths__404),
        TEST(test_web__other_path_in_a_browser__404_with_the_page),
        TEST(test_web__head_and_post__length_alone_and_refused),
        TEST(test_web__behind_a_proxy__its_own_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
