/*
 * images. Changes take one lock, so that two at once see each other: exactly one image is the
 * default, and of two removals one finds the row gone.
 */
#include "db/store_images.h"

#include "base/err.h"
#include "db/store.h"

#define COLUMNS                                                                         \
    "image_id, image, registry, name, tag, digest, task_role_name, "                    \
    "task_execution_role_name, runtime_platform, cpu, memory, is_default, created_by, " \
    "tg_us(created_at), created_by_request_id, modified_by_request_id"
#define LOCK_SQL "SELECT pg_advisory_xact_lock(" STORE_IMAGES_LOCK ")"

static const struct db_stmt lock_images = {.name = "lock_images", .sql = LOCK_SQL};

static const char *text_of(const struct db_result *r, size_t stmt, size_t row, size_t col)
{
    const char *text = db_get_text(r, stmt, row, col);
    return text ? text : "";
}

static void read_row(const struct db_result *r, size_t stmt, size_t row, struct image *ret)
{
    *ret = (struct image){
        .image_id = text_of(r, stmt, row, 0),
        .image = text_of(r, stmt, row, 1),
        .registry = text_of(r, stmt, row, 2),
        .name = text_of(r, stmt, row, 3),
        .tag = text_of(r, stmt, row, 4),
        .digest = text_of(r, stmt, row, 5),
        .task_role_name = text_of(r, stmt, row, 6),
        .task_execution_role_name = text_of(r, stmt, row, 7),
        .runtime_platform = text_of(r, stmt, row, 8),
        .cpu = db_get_i64(r, stmt, row, 9),
        .memory = db_get_i64(r, stmt, row, 10),
        .is_default = db_get_i64(r, stmt, row, 11) != 0,
        .created_by = text_of(r, stmt, row, 12),
        .created_at_us = db_get_i64(r, stmt, row, 13),
        .created_by_request_id = text_of(r, stmt, row, 14),
        .modified_by_request_id = text_of(r, stmt, row, 15),
    };
}

static void answer(struct store_call c, const struct db_result *r, size_t stmt)
{
    size_t n = db_rows(r, stmt);
    struct image *rows CLEANUP_FREE = calloc(n + 1, sizeof(*rows));
    for (size_t i = 0; rows && i < n; i++)
        read_row(r, stmt, i, &rows[i]);
    c.fn.images(c.user, rows ? 0 : ERR_NOMEM, rows, rows ? n : 0);
}

static void on_rows(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    if (err < 0)
        c.fn.images(c.user, err, NULL, 0);
    else
        answer(c, r, 0);
}

int store_image_find(struct db_pool *p, const struct store_image_query *q, store_images_fn fn,
                     void *user)
{
    static const struct db_stmt find_image = {
        .name = "find_image",
        .sql = "SELECT " COLUMNS " FROM images WHERE image_id = $1::text OR image = $1::text "
               "OR (name = $3::text AND ($2::text = '' OR registry = $2::text) "
               "AND tag = $4::text AND digest = $5::text) "
               "ORDER BY image_id = $1::text DESC, image = $1::text DESC, is_default DESC, "
               "created_at DESC, image_id LIMIT 1",
    };
    const struct db_value params[] = {db_text(q->text), db_text(q->registry), db_text(q->name),
                                      db_text(q->tag), db_text(q->digest)};
    return store_query(p, &find_image, params, ARRAY_SIZE(params), on_rows,
                       (struct store_call){{.images = fn}, user});
}

int store_image_default(struct db_pool *p, store_images_fn fn, void *user)
{
    static const struct db_stmt default_image = {
        .name = "default_image",
        .sql = "SELECT " COLUMNS " FROM images WHERE is_default",
    };
    return store_query(p, &default_image, NULL, 0, on_rows,
                       (struct store_call){{.images = fn}, user});
}

int store_image_list(struct db_pool *p, store_images_fn fn, void *user)
{
    static const struct db_stmt list_images = {
        .name = "list_images",
        .sql = "SELECT " COLUMNS " FROM images ORDER BY created_at, image_id",
    };
    return store_query(p, &list_images, NULL, 0, on_rows,
                       (struct store_call){{.images = fn}, user});
}

/* ---- registering ---- */

static void on_registered(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    if (err < 0)
        c.fn.images(c.user, err, NULL, 0);
    else
        answer(c, r, 2);
}

static int add_registration(struct db_batch *b, const struct image *i)
{
    static const struct db_stmt free_default = {
        .name = "free_default_image",
        .sql = "UPDATE images SET is_default = false, modified_by_request_id = $3::text "
               "WHERE is_default AND $2::boolean AND image_id <> $1::text",
    };
    static const struct db_stmt register_image = {
        .name = "register_image",
        .sql = "INSERT INTO images AS i (image_id, image, registry, name, tag, digest, "
               "task_role_name, task_execution_role_name, runtime_platform, cpu, memory, "
               "is_default, created_by, created_by_request_id, modified_by_request_id) "
               "VALUES ($1::text, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text, "
               "$10::text, $11::text, $12::bigint, $13::bigint, "
               "$2::boolean OR NOT EXISTS (SELECT FROM images WHERE is_default), "
               "$14::text, $3::text, $3::text) "
               "ON CONFLICT (image_id) DO UPDATE SET modified_by_request_id = $3::text, "
               "is_default = i.is_default OR excluded.is_default RETURNING " COLUMNS,
    };
    const struct db_value params[] = {
        db_text(i->image_id),
        db_bool(i->is_default),
        db_text(i->created_by_request_id),
        db_text(i->image),
        db_text(i->registry),
        db_text(i->name),
        db_text(i->tag),
        db_text(i->digest),
        db_text(i->task_role_name),
        db_text(i->task_execution_role_name),
        db_text(i->runtime_platform),
        db_i64(i->cpu),
        db_i64(i->memory),
        db_text(i->created_by),
    };
    int r = db_batch_add(b, &free_default, params, 3);
    return r < 0 ? r : db_batch_add(b, &register_image, params, ARRAY_SIZE(params));
}

int store_image_register(struct db_pool *p, const struct image *i, const struct store_audit *a,
                         store_images_fn fn, void *user)
{
    struct db_batch *b;
    int r = db_batch_of(&lock_images, NULL, 0, &b);
    if (r < 0)
        return r;
    r = add_registration(b, i);
    if (r == 0)
        r = store_audit_add(b, a);
    if (r < 0) {
        db_batch_free(b);
        return r;
    }
    return store_submit(p, b, on_registered, (struct store_call){{.images = fn}, user});
}

/* ---- removing ---- */

static void on_removed(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    if (err == 0 && db_rows(r, 1) == 0)
        err = db_rows(r, 2) > 0 ? ERR_CONFLICT : ERR_NOT_FOUND;
    if (err < 0)
        c.fn.images(c.user, err, NULL, 0);
    else
        answer(c, r, 1);
}

static int add_removal(struct db_batch *b, const char *image_id, const struct store_audit *a)
{
    static const struct db_stmt remove_image = {
        .name = "remove_image",
        .sql = "WITH gone AS (DELETE FROM images WHERE image_id = $8::text AND NOT EXISTS "
               "(SELECT FROM executions WHERE status IN " STORE_LIVE " "
               "AND executions.image_id = $8::text) RETURNING *), "
               "told AS (" STORE_AUDIT_SQL " FROM gone) "
               "SELECT " COLUMNS " FROM gone",
    };
    static const struct db_stmt left_image = {
        .name = "left_image",
        .sql = "SELECT 1::bigint FROM images WHERE image_id = $1::text",
    };
    struct db_value params[STORE_AUDIT_PARAMS + 1];
    store_audit_values(a, params);
    params[STORE_AUDIT_PARAMS] = db_text(image_id);
    int r = db_batch_add(b, &remove_image, params, ARRAY_SIZE(params));
    return r < 0 ? r : db_batch_add(b, &left_image, params + STORE_AUDIT_PARAMS, 1);
}

int store_image_remove(struct db_pool *p, const char *image_id, const struct store_audit *a,
                       store_images_fn fn, void *user)
{
    struct db_batch *b;
    int r = db_batch_of(&lock_images, NULL, 0, &b);
    if (r < 0)
        return r;
    r = add_removal(b, image_id, a);
    if (r < 0) {
        db_batch_free(b);
        return r;
    }
    return store_submit(p, b, on_removed, (struct store_call){{.images = fn}, user});
}
