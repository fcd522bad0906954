/* GET /: the first page, compiled in, under a strict Content-Security-Policy. */
#include "base/str.h"
#include "gateway/http.h"
#include "gateway/page_data.h"

#include <string.h>

static int add_policy(struct http_request *r)
{
    const char *base = http_public_base(r);
    bool secure = str_starts_with(base, "https://");
    struct buf policy CLEANUP_BUF = {.max = 1024};
    /* The socket is named because not every browser's 'self' includes ws:. */
    int err = buf_printf(&policy,
                         "default-src 'none'; script-src 'self'; style-src 'self'; "
                         "connect-src 'self' %s://%s; base-uri 'none'; form-action 'none'; "
                         "frame-ancestors 'none'",
                         secure ? "wss" : "ws", base + (secure ? 8 : 7));
    if (!err)
        err = http_add_header(r, "Content-Security-Policy", policy.data);
    return err ? err : http_add_header(r, "Referrer-Policy", "no-referrer");
}

static void serve(struct http_request *r, const char *type, const unsigned char *data, size_t len)
{
    struct problem p;
    if (add_policy(r)) {
        (void)problem_set(&p, ERR_INTERNAL, "failed to serve the page", "out of memory");
        http_respond_problem(r, &p);
        return;
    }
    http_respond(r, 200, type, data, len);
}

static void get_page(struct http_request *r)
{
    serve(r, "text/html; charset=utf-8", page_html, page_html_len);
}

static void get_script(struct http_request *r)
{
    serve(r, "text/javascript; charset=utf-8", page_js, page_js_len);
}

static void get_style(struct http_request *r)
{
    serve(r, "text/css; charset=utf-8", page_css, page_css_len);
}

const struct route routes_page[] = {
    {HTTP_GET, POLICY_PUBLIC, "/", get_page},
    {HTTP_GET, POLICY_PUBLIC, "/page.js", get_script},
    {HTTP_GET, POLICY_PUBLIC, "/page.css", get_style},
};
const size_t routes_page_count = ARRAY_SIZE(routes_page);
