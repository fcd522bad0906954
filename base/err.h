/*
 * Tailgate's error codes. A fallible function returns 0 or one of these (all negative); its comment
 * names the ones a caller should expect. ERR_AGAIN is flow control: nothing failed, call again when
 * told. ERR_END is the regular end of a sequence.
 */
#ifndef TAILGATE_BASE_ERR_H
#define TAILGATE_BASE_ERR_H

#include "base/compiler.h"

enum err {
    ERR_OK = 0,
    ERR_AGAIN = -1,         /* not now; a callback says when */
    ERR_END = -2,           /* nothing more will come */
    ERR_NOMEM = -3,         /* allocation failed */
    ERR_SYS = -4,           /* a system call failed; logged with errno where it happened */
    ERR_INVALID = -5,       /* input breaks a rule: HTTP 400 INVALID_REQUEST */
    ERR_NOT_FOUND = -6,     /* 404 NOT_FOUND */
    ERR_CONFLICT = -7,      /* 409 CONFLICT */
    ERR_TOO_LARGE = -8,     /* a buffer's or a body's maximum reached: 413 */
    ERR_LIMIT = -9,         /* a named limit reached: 429 */
    ERR_UNAUTHORIZED = -10, /* no key: 401 UNAUTHORIZED */
    ERR_BAD_KEY = -11,      /* wrong key: 401 INVALID_API_KEY */
    ERR_REVOKED = -12,      /* revoked key or user: 401 API_KEY_REVOKED */
    ERR_FORBIDDEN = -13,    /* 403 */
    ERR_TIMEOUT = -14,      /* a deadline passed */
    ERR_DB_AWAY = -15,      /* PostgreSQL unreachable: 503 DATABASE_ERROR */
    ERR_DB = -16, /* PostgreSQL refused the statement; logged with SQLSTATE: 503 DATABASE_ERROR */
    ERR_CORRUPT = -17,  /* stored or spooled bytes break their format */
    ERR_STALE = -18,    /* a guarded update matched no row: someone else owns or advanced it */
    ERR_GAP = -19,      /* log lines before this point were removed by retention */
    ERR_CLOSED = -20,   /* the object is shutting down: 503 SERVICE_UNAVAILABLE */
    ERR_INTERNAL = -21, /* a bug: 500 INTERNAL_ERROR */
};

/* The code's name without the prefix ("NOT_FOUND"); "UNKNOWN" for other numbers. Static storage. */
const char *err_name(int err);

/*
 * An error on its way to a person: code (one of enum err), and the three fields of the API's error
 * body (api.md, "Errors"). A plain value; copies are independent.
 */
struct problem {
    int err;
    char error[128];   /* what failed, enough by itself */
    char code[32];     /* MACHINE_CODE; "" = the default for err (err_api_code) */
    char details[512]; /* why, in words for a person */
};

/* Fills *p and returns err. details is printf-like and is cut at its size. */
int problem_set(struct problem *p, int err, const char *error, const char *details, ...)
    PRINTF_LIKE(4, 5);

/* Puts the caller's words for what failed over those from further down; the rest stays. */
void problem_retitle(struct problem *p, const char *error);

/* The API's machine code and HTTP status for err (api.md, "Errors"); INTERNAL_ERROR/500 for
 * unknown. */
const char *err_api_code(int err);
int err_http_status(int err);

#endif
