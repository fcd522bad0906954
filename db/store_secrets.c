/* secrets. Who may change a row is part of the statement that changes it: nothing happens between
 * the look and the change. */
#include "db/store_secrets.h"

#include "base/err.h"
#include "db/store.h"

#include <string.h>

#define COLUMNS                                                                                   \
    "name, key_name, description, created_by, updated_by, tg_us(created_at), tg_us(updated_at), " \
    "created_by_request_id, modified_by_request_id, key_id"

static const char *text_of(const struct db_result *r, size_t row, size_t col)
{
    const char *text = db_get_text(r, 0, row, col);
    return text ? text : "";
}

static void read_row(const struct db_result *r, size_t row, struct store_secret *ret)
{
    *ret = (struct store_secret){
        .about = {.name = text_of(r, row, 0),
                  .key_name = text_of(r, row, 1),
                  .description = text_of(r, row, 2),
                  .created_by = text_of(r, row, 3),
                  .updated_by = text_of(r, row, 4),
                  .created_at_us = db_get_i64(r, 0, row, 5),
                  .updated_at_us = db_get_i64(r, 0, row, 6),
                  .created_by_request_id = text_of(r, row, 7),
                  .modified_by_request_id = text_of(r, row, 8)},
        .key_id = text_of(r, row, 9),
    };
    ret->sealed = db_get_bytes(r, 0, row, 10, &ret->sealed_len);
}

static void on_rows(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    size_t n = err < 0 ? 0 : db_rows(r, 0);
    struct store_secret *rows = calloc(n + 1, sizeof(*rows));
    if (err == 0 && !rows)
        err = ERR_NOMEM;
    for (size_t i = 0; rows && i < n; i++)
        read_row(r, i, &rows[i]);
    c.fn.secrets(c.user, err, err < 0 ? NULL : rows, err < 0 ? 0 : n);
    free(rows);
}

static void on_done(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    if (err == 0 && db_rows(r, 0) == 0)
        err = ERR_NOT_FOUND;
    c.fn.done(c.user, err);
}

int store_secret_create(struct db_pool *p, const struct store_secret *s,
                        const struct store_audit *a, store_secret_done_fn fn, void *user)
{
    static const struct db_stmt create_secret = {
        .name = "create_secret",
        .sql = "WITH made AS (INSERT INTO secrets (name, key_name, description, key_id, sealed, "
               "created_by, updated_by, created_by_request_id, modified_by_request_id) VALUES "
               "($8::text, $9::text, $10::text, $11::text, $12::bytea, $1::text, $1::text, "
               "$4::text, $4::text) RETURNING name), "
               "told AS (" STORE_AUDIT_SQL " FROM made) SELECT name FROM made",
    };
    struct db_value params[STORE_AUDIT_PARAMS + 5];
    store_audit_values(a, params);
    struct db_value *more = params + STORE_AUDIT_PARAMS;
    more[0] = db_text(s->about.name);
    more[1] = db_text(s->about.key_name);
    more[2] = db_text(s->about.description);
    more[3] = db_text(s->key_id);
    more[4] = db_bytes(s->sealed, s->sealed_len);
    return store_query(p, &create_secret, params, ARRAY_SIZE(params), on_done,
                       (struct store_call){{.done = fn}, user});
}

int store_secret_list(struct db_pool *p, const char *created_by, store_secrets_fn fn, void *user)
{
    static const struct db_stmt list_secrets = {
        .name = "list_secrets",
        .sql = "SELECT " COLUMNS ", NULL::bytea FROM secrets "
               "WHERE $1::text IS NULL OR created_by = $1::text ORDER BY name",
    };
    const struct db_value params[] = {db_text(created_by)};
    return store_query(p, &list_secrets, params, ARRAY_SIZE(params), on_rows,
                       (struct store_call){{.secrets = fn}, user});
}

/* Names in one parameter, apart by a character that no name has. */
static char *join(const char *const *names, size_t n)
{
    size_t size = 1;
    for (size_t i = 0; i < n; i++)
        size += strlen(names[i]) + 1;
    char *ret = malloc(size), *at = ret;
    for (size_t i = 0; ret && i < n; i++) {
        size_t len = strlen(names[i]);
        memcpy(at, names[i], len);
        at += len;
        *at++ = '\n';
    }
    if (ret)
        *(at > ret ? at - 1 : at) = '\0';
    return ret;
}

int store_secret_get(struct db_pool *p, const char *const *names, size_t n, store_secrets_fn fn,
                     void *user)
{
    static const struct db_stmt get_secrets = {
        .name = "get_secrets",
        .sql = "SELECT " COLUMNS ", sealed FROM secrets "
               "WHERE name = ANY (string_to_array($1::text, E'\\n')) ORDER BY name",
    };
    char *joined = join(names, n);
    if (!joined)
        return ERR_NOMEM;
    const struct db_value params[] = {db_text(joined)};
    int r = store_query(p, &get_secrets, params, ARRAY_SIZE(params), on_rows,
                        (struct store_call){{.secrets = fn}, user});
    free(joined);
    return r;
}

int store_secret_update(struct db_pool *p, const struct store_secret *s, const char *owner,
                        const struct store_audit *a, store_secret_done_fn fn, void *user)
{
    static const struct db_stmt update_secret = {
        .name = "update_secret",
        .sql = "WITH done AS (UPDATE secrets SET key_name = coalesce($10::text, key_name), "
               "description = coalesce($11::text, description), "
               "key_id = coalesce($12::text, key_id), sealed = coalesce($13::bytea, sealed), "
               "updated_by = $1::text, updated_at = now(), modified_by_request_id = $4::text "
               "WHERE name = $8::text AND ($9::text IS NULL OR created_by = $9::text) "
               "RETURNING name), "
               "told AS (" STORE_AUDIT_SQL " FROM done) SELECT name FROM done",
    };
    /* Without a new value the key's column is not named: one that was replaced may still stand
     * there. */
    static const struct db_stmt update_secret_words = {
        .name = "update_secret_words",
        .sql = "WITH done AS (UPDATE secrets SET key_name = coalesce($10::text, key_name), "
               "description = coalesce($11::text, description), "
               "updated_by = $1::text, updated_at = now(), modified_by_request_id = $4::text "
               "WHERE name = $8::text AND ($9::text IS NULL OR created_by = $9::text) "
               "RETURNING name), "
               "told AS (" STORE_AUDIT_SQL " FROM done) SELECT name FROM done",
    };
    struct db_value params[STORE_AUDIT_PARAMS + 6];
    store_audit_values(a, params);
    struct db_value *more = params + STORE_AUDIT_PARAMS;
    more[0] = db_text(s->about.name);
    more[1] = db_text(owner);
    more[2] = db_text(s->about.key_name);
    more[3] = db_text(s->about.description);
    more[4] = db_text(s->key_id);
    more[5] = s->sealed ? db_bytes(s->sealed, s->sealed_len) : db_null();
    return s->sealed ? store_query(p, &update_secret, params, ARRAY_SIZE(params), on_done,
                                   (struct store_call){{.done = fn}, user})
                     : store_query(p, &update_secret_words, params, ARRAY_SIZE(params) - 2, on_done,
                                   (struct store_call){{.done = fn}, user});
}

int store_secret_delete(struct db_pool *p, const char *name, const char *owner,
                        const struct store_audit *a, store_secret_done_fn fn, void *user)
{
    static const struct db_stmt delete_secret = {
        .name = "delete_secret",
        .sql = "WITH gone AS (DELETE FROM secrets WHERE name = $8::text "
               "AND ($9::text IS NULL OR created_by = $9::text) RETURNING name), "
               "told AS (" STORE_AUDIT_SQL " FROM gone) SELECT name FROM gone",
    };
    struct db_value params[STORE_AUDIT_PARAMS + 2];
    store_audit_values(a, params);
    params[STORE_AUDIT_PARAMS] = db_text(name);
    params[STORE_AUDIT_PARAMS + 1] = db_text(owner);
    return store_query(p, &delete_secret, params, ARRAY_SIZE(params), on_done,
                       (struct store_call){{.done = fn}, user});
}

/* ---- rotation ---- */

int store_key_retire(struct db_pool *p, const char *key_id, db_batch_fn fn, void *user)
{
    static const struct db_stmt retire_key = {
        .name = "retire_key",
        .sql = "SELECT tg_retire_key($1::text) IS NULL",
    };
    const struct db_value params[] = {db_text(key_id)};
    return db_query(p, &retire_key, params, ARRAY_SIZE(params), fn, user);
}

static void on_sealed(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    size_t n = err < 0 ? 0 : db_rows(r, 0);
    struct store_sealed *rows = calloc(n + 1, sizeof(*rows));
    if (err == 0 && !rows)
        err = ERR_NOMEM;
    for (size_t i = 0; rows && i < n; i++) {
        rows[i].name = text_of(r, i, 0);
        rows[i].key_id = text_of(r, i, 1);
        rows[i].sealed = db_get_bytes(r, 0, i, 2, &rows[i].sealed_len);
    }
    c.fn.sealed(c.user, err, err < 0 ? NULL : rows, err < 0 ? 0 : n);
    free(rows);
}

int store_sealed_list(struct db_pool *p, enum store_sealed_in in, const char *key_id,
                      const char *after, size_t limit, store_sealed_fn fn, void *user)
{
    static const struct db_stmt list_sealed[STORE_SEALED_KINDS] = {
        {.name = "list_sealed_secrets",
         .sql = "SELECT name, key_id, sealed FROM secrets WHERE key_id = $1::text "
                "AND name > $3::text ORDER BY name LIMIT $2::bigint"},
        {.name = "list_sealed_runs",
         .sql = "SELECT execution_id, key_id, sealed FROM execution_environments "
                "JOIN executions USING (execution_key) WHERE key_id = $1::text "
                "AND execution_id > $3::text ORDER BY execution_id LIMIT $2::bigint"},
    };
    const struct db_value params[] = {db_text(key_id), db_i64((int64_t)limit), db_text(after)};
    return store_query(p, &list_sealed[in], params, ARRAY_SIZE(params), on_sealed,
                       (struct store_call){{.sealed = fn}, user});
}

int store_sealed_replace(struct db_batch *b, enum store_sealed_in in,
                         const struct store_sealed *old, const struct store_sealed *new_bytes)
{
    static const struct db_stmt replace_sealed[STORE_SEALED_KINDS] = {
        {.name = "replace_sealed_secret",
         .sql = "UPDATE secrets SET key_id = $4::text, sealed = $5::bytea "
                "WHERE name = $1::text AND key_id = $2::text AND sealed = $3::bytea"},
        {.name = "replace_sealed_run",
         .sql = "UPDATE execution_environments SET key_id = $4::text, sealed = $5::bytea "
                "WHERE execution_key = (SELECT execution_key FROM executions "
                "WHERE execution_id = $1::text) AND key_id = $2::text AND sealed = $3::bytea"},
    };
    const struct db_value params[] = {
        db_text(old->name),
        db_text(old->key_id),
        db_bytes(old->sealed, old->sealed_len),
        db_text(new_bytes->key_id),
        db_bytes(new_bytes->sealed, new_bytes->sealed_len),
    };
    return db_batch_add(b, &replace_sealed[in], params, ARRAY_SIZE(params));
}
