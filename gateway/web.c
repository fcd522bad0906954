/*
 * The viewer's files, compiled in: index.html at each of its paths, the rest by name. All of it is
 * public, under a strict Content-Security-Policy; what a viewer sees it asks the API for, with a
 * key.
 */
#include "gateway/web.h"
#include "base/model.h"
#include "base/str.h"
#include "gateway/http.h"
#include "gateway/negotiate.h"
#include "gateway/web_files.h"

#include <string.h>

#define ASSETS "/assets/"
#define EXECUTIONS_MAX 8 /* side by side */

static const struct web_file *find(const char *prefix, const char *name)
{
    size_t len = strlen(prefix);
    for (size_t i = 0; i < web_files_count; i++) {
        const char *path = web_files[i].path;
        if (strncmp(path, prefix, len) == 0 && str_eq(path + len, name))
            return &web_files[i];
    }
    return NULL;
}

/* On every file, scripts too: a worker is held to the policy that its own script came with. */
static int add_policy(struct http_request *r)
{
    const char *base = http_public_base(r);
    bool secure = str_starts_with(base, "https://");
    struct buf policy CLEANUP_BUF = {.max = 1024};
    /* The socket is named because not every browser's 'self' includes ws:. */
    int err = buf_printf(&policy,
                         "default-src 'none'; script-src 'self'; style-src 'self'; "
                         "worker-src 'self'; connect-src 'self' %s://%s; img-src 'self' data:; "
                         "manifest-src 'self'; base-uri 'none'; form-action 'none'; "
                         "frame-ancestors 'none'",
                         secure ? "wss" : "ws", base + (secure ? 8 : 7));
    if (!err)
        err = http_add_header(r, "Content-Security-Policy", policy.data);
    return err ? err : http_add_header(r, "Referrer-Policy", "no-referrer");
}

static int add_headers(struct http_request *r, const struct web_file *f, bool gzip, const char *tag)
{
    int err = add_policy(r);
    http_set_cache_control(r, f->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    if (!err)
        err = http_add_header(r, "ETag", tag);
    if (!err && f->gzip)
        err = http_add_header(r, "Vary", "Accept-Encoding");
    if (!err && gzip)
        err = http_add_header(r, "Content-Encoding", "gzip");
    return err;
}

/* A browser says that it wants a page; what else asks for an unknown path wants to read why. */
static bool is_person(struct http_request *r)
{
    const char *accept = http_header_accept(r);
    return http_method(r) == HTTP_GET && accept && strcasestr(accept, "text/html") &&
           !str_starts_with(http_path(r), "/api/") && !str_starts_with(http_path(r), ASSETS);
}

void web_respond_not_found(struct http_request *r)
{
    const struct web_file *page = is_person(r) ? find("/", "index.html") : NULL;
    struct problem p;
    if (page && !add_policy(r)) {
        http_respond(r, 404, page->type, page->data, page->len);
        return;
    }
    (void)problem_set(&p, ERR_NOT_FOUND, "not found", "there is nothing at this path");
    http_respond_problem(r, &p);
}

static void serve(struct http_request *r, const struct web_file *f)
{
    struct buf tag CLEANUP_BUF = {.max = 128};
    struct problem p;
    if (!f) {
        web_respond_not_found(r);
        return;
    }
    bool gzip = f->gzip && negotiate_takes_gzip(http_header_accept_encoding(r));
    int err = buf_printf(&tag, "\"%s%s\"", f->hash, gzip ? "-gzip" : "");
    bool known = !err && negotiate_has_tag(http_header_if_none_match(r), tag.data);
    if (!err)
        err = add_headers(r, f, gzip && !known, tag.data);
    if (err) {
        (void)problem_set(&p, ERR_INTERNAL, "failed to serve the page", "out of memory");
        http_respond_problem(r, &p);
    } else if (known) {
        http_respond(r, 304, NULL, NULL, 0);
    } else {
        http_respond(r, 200, f->type, gzip ? f->gzip : f->data, gzip ? f->gzip_len : f->len);
    }
}

static void get_index(struct http_request *r)
{
    serve(r, find("/", "index.html"));
}

static void get_asset(struct http_request *r)
{
    serve(r, find(ASSETS, http_param(r, "name")));
}

static void get_root_file(struct http_request *r)
{
    serve(r, find("", http_path(r)));
}

/* "ID" or "ID,ID": as many as are shown side by side. */
static bool is_executions(const char *ids)
{
    const size_t hex = sizeof(((struct execution_id *)NULL)->hex) - 1;
    for (size_t n = 0; n < EXECUTIONS_MAX; n++) {
        struct execution_id id;
        char text[sizeof(id.hex)];
        if (strnlen(ids, hex) < hex)
            return false;
        memcpy(text, ids, hex);
        text[hex] = '\0';
        if (execution_id_parse(text, &id))
            return false;
        ids += hex;
        if (*ids == '\0')
            return true;
        if (*ids++ != ',')
            return false;
    }
    return false;
}

static void get_execution(struct http_request *r)
{
    if (is_executions(http_param(r, "id")))
        get_index(r);
    else
        web_respond_not_found(r);
}

/* The paths of the viewer: web/src/app/routes.ts has the same. */
const struct route routes_web[] = {
    {HTTP_GET, POLICY_PUBLIC, "/", get_index},
    {HTTP_GET, POLICY_PUBLIC, "/executions", get_index},
    {HTTP_GET, POLICY_PUBLIC, "/executions/{id}", get_execution},
    {HTTP_GET, POLICY_PUBLIC, "/run", get_index},
    {HTTP_GET, POLICY_PUBLIC, "/secrets", get_index},
    {HTTP_GET, POLICY_PUBLIC, "/images", get_index},
    {HTTP_GET, POLICY_PUBLIC, "/users", get_index},
    {HTTP_GET, POLICY_PUBLIC, "/keys", get_index},
    {HTTP_GET, POLICY_PUBLIC, "/health", get_index},
    {HTTP_GET, POLICY_PUBLIC, "/audit", get_index},
    {HTTP_GET, POLICY_PUBLIC, "/settings", get_index},
    {HTTP_GET, POLICY_PUBLIC, "/favicon.svg", get_root_file},
    {HTTP_GET, POLICY_PUBLIC, "/manifest.webmanifest", get_root_file},
    {HTTP_GET, POLICY_PUBLIC, ASSETS "{name...}", get_asset},
};
const size_t routes_web_count = ARRAY_SIZE(routes_web);
