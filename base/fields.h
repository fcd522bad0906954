/*
 * The rules of the fields that people fill in, one row a field: the API, the CLI and docs/fields.md
 * all take them from here.
 */
#ifndef TAILGATE_BASE_FIELDS_H
#define TAILGATE_BASE_FIELDS_H

#include "base/compiler.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum field {
    FIELD_EMAIL,
    FIELD_ROLE,
    FIELD_KEY_DESCRIPTION, /* an API key's */
    FIELD_SECRET_NAME,
    FIELD_KEY_NAME, /* the variable that a secret's value goes into */
    FIELD_SECRET_VALUE,
    FIELD_DESCRIPTION, /* a secret's */
    FIELD_IMAGE,       /* base/image_ref.h takes it apart */
    FIELD_RUNTIME_PLATFORM,
    FIELD_ROLE_NAME, /* task_role_name */
    FIELD_EXECUTION_ROLE_NAME,
    FIELD_ENV_NAME,
    FIELD_IDEMPOTENCY_KEY,
    FIELD_GIT_REPO,
    FIELD_GIT_REF,
    FIELD_GIT_PATH,
};
#define FIELD_COUNT 16

struct field_rule {
    const char *json;  /* its name in a body */
    const char *where; /* what it belongs to, for the docs: "users" */
    const char *rule;  /* what follows "must be": "one of …" */
    size_t max;        /* in characters, or in bytes */
    bool counts_bytes;
    bool is_optional; /* "" passes */
};
/* NULL for a number that is no field. */
const struct field_rule *field_rule(enum field f);

/*
 * 0, or ERR_INVALID with `title` as what failed and details that name the field, its rule and what
 * is wrong, never the value. NULL counts as empty; every field is valid UTF-8 without control
 * characters (a secret's value may have any but NUL).
 */
MUST_CHECK int field_check(enum field f, const char *title, const char *value, struct problem *p);

#endif
