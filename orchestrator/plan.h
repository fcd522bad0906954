/*
 * A run's plan: what it needs besides its row — variables, repository, image. It is settled when
 * the request is accepted and kept sealed with the execution until that has ended, so that no
 * restart and no changed or deleted secret makes a difference to it.
 *
 * Plain bytes: "P1", then fields of one letter, u32 length, bytes; letters are listed in plan.c.
 */
#ifndef TAILGATE_ORCHESTRATOR_PLAN_H
#define TAILGATE_ORCHESTRATOR_PLAN_H

#include "base/buf.h"
#include "base/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct orchestrator;
struct redactor;

#define PLAN_BYTES_MAX (16u << 20)

struct plan_var {
    char *text;     /* NAME=VALUE */
    bool is_secret; /* a secret's, otherwise the request's */
};
struct plan { /* NULL = none */
    struct plan_var *vars;
    size_t var_count;
    char *git_repo, *git_ref, *git_path;
    char *image;         /* reference, for engines that run images */
    char *platform;      /* "linux/arm64" */
    char *registry_auth; /* what the image is pulled with: X-Registry-Auth */
    int64_t cpu, memory;
};

void plan_init(struct plan *p);
void plan_done(struct plan *p); /* wipes */
/* Nothing in it: it needs no keeping. */
bool plan_is_empty(const struct plan *p);
/* Sets a variable, in the place of an earlier one with that name. ERR_NOMEM. */
MUST_CHECK int plan_set(struct plan *p, const char *name, const char *value, bool is_secret);
/* The value of a variable; NULL: not there. */
const char *plan_get(const struct plan *p, const char *name);

/* ERR_NOMEM, ERR_TOO_LARGE; ERR_CORRUPT. */
MUST_CHECK int plan_encode(const struct plan *p, struct buf *out);
MUST_CHECK int plan_decode(const void *p, size_t len, struct plan *ret);

/*
 * Sealed for the execution whose id ends in `random`. key_id: SEAL_KEY_ID_SIZE bytes. ERR_NOMEM,
 * ERR_TOO_LARGE, ERR_INTERNAL.
 */
MUST_CHECK int plan_seal(struct orchestrator *o, const struct plan *p, uint64_t random,
                         struct buf *out, char *ret_key_id);
/* key_id NULL: nothing was sealed, an empty plan. ERR_NOMEM; ERR_NOT_FOUND (the key), ERR_CORRUPT.
 */
MUST_CHECK int plan_open(struct orchestrator *o, const struct execution_id *id, const char *key_id,
                         const void *sealed, size_t len, struct plan *ret);

/*
 * What is secret of it: the secrets' values and those of variables whose names say so. *ret is NULL
 * when there is nothing to redact. ERR_LIMIT: too much; ERR_NOMEM.
 */
MUST_CHECK int plan_redactor(const struct plan *p, struct redactor **ret);
/* So much is secret that plan_redactor takes longer than a turn of the loop may: redactor_job.h.
 * The redactor of any other plan stays under its limit. */
bool plan_is_large(const struct plan *p);
/* The names of those that are too short to be redacted, "A, B"; nothing when there are none. */
MUST_CHECK int plan_unredacted(const struct plan *p, struct buf *out);

#endif
