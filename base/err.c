/* The error codes' names and what the API makes of each: one table, indexed by the negated code. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

struct err_row {
    const char *name;
    const char *api_code;
    int http_status;
};

/* Codes without an API answer of their own never reach a client unless something is wrong. */
#define INTERNAL "INTERNAL_ERROR", 500

static const struct err_row rows[] = {
    [-ERR_OK] = {"OK", INTERNAL},
    [-ERR_AGAIN] = {"AGAIN", INTERNAL},
    [-ERR_END] = {"END", INTERNAL},
    [-ERR_NOMEM] = {"NOMEM", INTERNAL},
    [-ERR_SYS] = {"SYS", INTERNAL},
    [-ERR_INVALID] = {"INVALID", "INVALID_REQUEST", 400},
    [-ERR_NOT_FOUND] = {"NOT_FOUND", "NOT_FOUND", 404},
    [-ERR_CONFLICT] = {"CONFLICT", "CONFLICT", 409},
    [-ERR_TOO_LARGE] = {"TOO_LARGE", "PAYLOAD_TOO_LARGE", 413},
    [-ERR_LIMIT] = {"LIMIT", "LIMIT_EXCEEDED", 429},
    [-ERR_UNAUTHORIZED] = {"UNAUTHORIZED", "UNAUTHORIZED", 401},
    [-ERR_BAD_KEY] = {"BAD_KEY", "INVALID_API_KEY", 401},
    [-ERR_REVOKED] = {"REVOKED", "API_KEY_REVOKED", 401},
    [-ERR_FORBIDDEN] = {"FORBIDDEN", "FORBIDDEN", 403},
    [-ERR_TIMEOUT] = {"TIMEOUT", "REQUEST_TIMEOUT", 408},
    [-ERR_DB_AWAY] = {"DB_AWAY", "DATABASE_ERROR", 503},
    [-ERR_DB] = {"DB", "DATABASE_ERROR", 503},
    [-ERR_CORRUPT] = {"CORRUPT", INTERNAL},
    [-ERR_STALE] = {"STALE", INTERNAL},
    [-ERR_GAP] = {"GAP", INTERNAL},
    [-ERR_CLOSED] = {"CLOSED", "SERVICE_UNAVAILABLE", 503},
    [-ERR_INTERNAL] = {"INTERNAL", INTERNAL},
};

static const struct err_row *find_row(int err)
{
    if (err > 0 || err <= -(int)ARRAY_SIZE(rows))
        return NULL;
    return &rows[-err];
}

const char *err_name(int err)
{
    const struct err_row *row = find_row(err);

    return row ? row->name : "UNKNOWN";
}

const char *err_api_code(int err)
{
    const struct err_row *row = find_row(err);

    return row ? row->api_code : "INTERNAL_ERROR";
}

int err_http_status(int err)
{
    const struct err_row *row = find_row(err);

    return row ? row->http_status : 500;
}

int problem_set(struct problem *p, int err, const char *error, const char *details, ...)
{
    va_list ap;

    p->err = err;
    p->code[0] = '\0';
    /* Cutting is the contract of both texts, so the lengths that snprintf wanted do not matter. */
    (void)snprintf(p->error, sizeof(p->error), "%s", error);
    va_start(ap, details);
    (void)vsnprintf(p->details, sizeof(p->details), details, ap);
    va_end(ap);
    return err;
}

void problem_retitle(struct problem *p, const char *error)
{
    (void)snprintf(p->error, sizeof(p->error), "%s", error);
}
