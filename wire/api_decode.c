/* Bodies of the HTTP API's answers as the command line client reads them. */
#include "base/str.h"
#include "wire/messages.h"

#include <stdio.h>
#include <string.h>

/* Far above what the server lets in; an owned copy must still have a bound. */
#define TEXT_MAX (1024 * 1024)
#define NAME_LEN_MAX 64

static int decode_string(const json_t *obj, const char *name, char **ret, struct problem *p)
{
    const char *text = NULL;

    int r = json_get_str(obj, name, false, TEXT_MAX, &text, p);
    if (r == 0 && str_set(ret, text) < 0)
        r = problem_set(p, ERR_NOMEM, "", "out of memory");
    return r;
}

static int decode_time(const json_t *obj, const char *name, int64_t *ret_us, struct problem *p)
{
    const char *text = NULL;

    int r = json_get_str(obj, name, false, STR_TIME_SIZE * 2, &text, p);
    if (r < 0 || !text)
        return r;
    if (str_parse_time(text, ret_us) < 0)
        return problem_set(p, ERR_INVALID, "", "%s must be an RFC 3339 time", name);
    return 0;
}

static int decode_id(const json_t *obj, struct execution *e, struct problem *p)
{
    const char *text = NULL;

    int r = json_get_str(obj, "execution_id", false, NAME_LEN_MAX, &text, p);
    if (r < 0 || !text)
        return r;
    if (execution_id_parse(text, &e->id) < 0)
        return problem_set(p, ERR_INVALID, "invalid answer",
                           "execution_id must be 32 lower-case hexadecimal digits");
    e->key = execution_id_key(&e->id);
    return 0;
}

static int decode_status(const json_t *obj, struct exec_state *s, struct problem *p)
{
    const char *text = NULL;
    bool queued = false;

    int r = json_get_str(obj, "status", false, NAME_LEN_MAX, &text, p);
    if (r == 0)
        r = json_get_bool(obj, "queued", false, &queued, p);
    if (r < 0 || !text)
        return r;
    if (exec_status_parse(text, &s->status) < 0)
        return problem_set(p, ERR_INVALID, "", "status must be a known state");
    if (queued && s->status == EXEC_STARTING)
        s->status = EXEC_PENDING;
    return 0;
}

static int decode_state(const json_t *obj, struct exec_state *s, struct problem *p)
{
    const char *reason = NULL;
    int64_t exit_code = EXIT_CODE_NONE;
    int64_t term_signal = 0;
    int64_t last_seq = 0;

    int r = decode_status(obj, s, p);
    if (r == 0)
        r = json_get_i64(obj, "exit_code", false, INT32_MIN, INT32_MAX, &exit_code, p);
    if (r == 0)
        r = json_get_i64(obj, "signal", false, 0, INT32_MAX, &term_signal, p);
    if (r == 0)
        r = json_get_i64(obj, "last_seq", false, 0, INT64_MAX, &last_seq, p);
    if (r == 0)
        r = json_get_str(obj, "reason", false, sizeof(s->reason) - 1, &reason, p);
    if (r == 0)
        r = decode_time(obj, "started_at", &s->started_at_us, p);
    if (r == 0)
        r = decode_time(obj, "completed_at", &s->completed_at_us, p);
    if (r < 0)
        return r;
    s->exit_code = (int32_t)exit_code;
    s->signal = (int32_t)term_signal;
    s->last_seq = (uint64_t)last_seq;
    if (reason)
        (void)snprintf(s->reason, sizeof(s->reason), "%s", reason);
    return 0;
}

int wire_execution_decode(const json_t *obj, struct execution *ret, struct problem *p)
{
    struct execution e = {0};

    int r = decode_id(obj, &e, p);
    if (r == 0)
        r = decode_state(obj, &e.state, p);
    if (r == 0)
        r = decode_string(obj, "command", &e.command, p);
    if (r == 0)
        r = decode_string(obj, "image_id", &e.image_id, p);
    if (r == 0)
        r = decode_string(obj, "created_by", &e.created_by, p);
    if (r == 0)
        r = decode_string(obj, "created_by_request_id", &e.created_by_request_id, p);
    if (r == 0)
        r = decode_string(obj, "modified_by_request_id", &e.modified_by_request_id, p);
    if (r < 0) {
        problem_retitle(p, "invalid answer");
        execution_done(&e);
        return r;
    }
    *ret = e;
    return 0;
}

struct err_of_status {
    const char *code; /* NULL = any */
    int http_status;
    int err;
};

/* More exact rows first. */
static const struct err_of_status errs[] = {
    {NULL, 400, ERR_INVALID},
    {"INVALID_API_KEY", 401, ERR_BAD_KEY},
    {"API_KEY_REVOKED", 401, ERR_REVOKED},
    {NULL, 401, ERR_UNAUTHORIZED},
    {NULL, 403, ERR_FORBIDDEN},
    {NULL, 404, ERR_NOT_FOUND},
    {NULL, 408, ERR_TIMEOUT},
    {NULL, 409, ERR_CONFLICT},
    {NULL, 413, ERR_TOO_LARGE},
    {NULL, 429, ERR_LIMIT},
    {"DATABASE_ERROR", 503, ERR_DB_AWAY},
    {NULL, 503, ERR_CLOSED},
};

static int err_of(int http_status, const char *code)
{
    for (size_t i = 0; i < ARRAY_SIZE(errs); i++) {
        if (errs[i].http_status == http_status &&
            (!errs[i].code || strcmp(errs[i].code, code) == 0))
            return errs[i].err;
    }
    return ERR_INTERNAL;
}

/* An answer that is not ours, a proxy's page for instance: its first line, made printable. */
static void describe_foreign(const char *body, size_t len, int http_status, struct problem *p)
{
    (void)problem_set(p, err_of(http_status, ""), "", "%.*s",
                      (int)(len < sizeof(p->details) - 1 ? len : sizeof(p->details) - 1),
                      len > 0 ? body : "");
    (void)snprintf(p->error, sizeof(p->error), "HTTP status %d", http_status);
    p->details[strcspn(p->details, "\r\n")] = '\0';
    for (char *c = p->details; *c; c++) {
        if (*c < ' ' || *c > '~')
            *c = '?';
    }
}

void wire_error_decode(const char *body, size_t len, int http_status, struct problem *p)
{
    json_t *doc CLEANUP_JSON = NULL;
    const char *error = NULL;
    const char *code = "";
    const char *details = "";

    if (json_parse(body, len, &doc, p) < 0 ||
        json_get_str(doc, "error", true, TEXT_MAX, &error, p) < 0 ||
        json_get_str(doc, "code", false, sizeof(p->code) - 1, &code, p) < 0 ||
        json_get_str(doc, "details", false, TEXT_MAX, &details, p) < 0) {
        describe_foreign(body, len, http_status, p);
        return;
    }
    (void)problem_set(p, err_of(http_status, code), error, "%s", details);
    (void)snprintf(p->code, sizeof(p->code), "%s", code);
}
