/* A rotation over rows in memory: all of them end under the new key, or say why not. */
#include "orchestrator/rotate.h"

#include "base/err.h"
#include "base/str.h"
#include "db/store_secrets.h"
#include "orchestrator/seal.h"
#include "tests/unit/base/fail_alloc.h"

#include "../base/unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROWS 30
#define RUN_ID "0000512b0000000064b076f08d766a12"

static struct row {
    enum store_sealed_in in;
    char name[64], key_id[SEAL_KEY_ID_SIZE];
    uint8_t sealed[128];
    size_t len;
} rows[ROWS];
static size_t n_rows;

/* One call waits at a time, for turn(). */
static struct {
    db_batch_fn batch;
    store_sealed_fn sealed;
    void *user;
    enum store_sealed_in in;
    char key_id[SEAL_KEY_ID_SIZE], after[64];
    size_t limit;
} waiting;
static int fail_next;  /* what the next answer is, once */
static int takes_none; /* what the store's next call returns, once, if < 0 */
static size_t retired, to_replace;

static int taken(void)
{
    int err = takes_none;
    takes_none = 0;
    return err;
}

static struct result {
    int calls, err;
    struct rotation_result r;
} result;

int __wrap_store_key_retire(struct db_pool *p, const char *key_id, db_batch_fn fn, void *user);
int __wrap_store_key_retire(struct db_pool *p UNUSED, const char *key_id UNUSED, db_batch_fn fn,
                            void *user)
{
    retired++;
    waiting.batch = fn;
    waiting.user = user;
    return taken();
}

int __wrap_store_sealed_list(struct db_pool *p, enum store_sealed_in in, const char *key_id,
                             const char *after, size_t limit, store_sealed_fn fn, void *user);
int __wrap_store_sealed_list(struct db_pool *p UNUSED, enum store_sealed_in in, const char *key_id,
                             const char *after, size_t limit, store_sealed_fn fn, void *user)
{
    waiting.sealed = fn;
    waiting.user = user;
    waiting.in = in;
    waiting.limit = limit;
    assert_int_equal(str_copy(waiting.key_id, sizeof waiting.key_id, key_id), 0);
    assert_int_equal(str_copy(waiting.after, sizeof waiting.after, after), 0);
    return taken();
}

static struct row *find(enum store_sealed_in in, const char *name)
{
    for (size_t i = 0; i < n_rows; i++) {
        if (rows[i].in == in && str_eq(rows[i].name, name))
            return &rows[i];
    }
    fail_msg("no row %s", name);
    return NULL;
}

int __real_store_sealed_replace(struct db_batch *b, enum store_sealed_in in,
                                const struct store_sealed *old, const struct store_sealed *fresh);
int __wrap_store_sealed_replace(struct db_batch *b, enum store_sealed_in in,
                                const struct store_sealed *old, const struct store_sealed *fresh);
int __wrap_store_sealed_replace(struct db_batch *b, enum store_sealed_in in,
                                const struct store_sealed *old, const struct store_sealed *fresh)
{
    struct row *row = find(in, old->name);
    assert_int_equal(row->len, old->sealed_len);
    assert_memory_equal(row->sealed, old->sealed, row->len);
    memcpy(row->sealed, fresh->sealed, fresh->sealed_len);
    assert_int_equal(str_copy(row->key_id, sizeof row->key_id, fresh->key_id), 0);
    to_replace++;
    return __real_store_sealed_replace(b, in, old, fresh);
}

int __wrap_db_submit(struct db_pool *p, struct db_batch *b, db_batch_fn fn, void *user);
int __wrap_db_submit(struct db_pool *p UNUSED, struct db_batch *b, db_batch_fn fn, void *user)
{
    db_batch_free(b);
    waiting.batch = fn;
    waiting.user = user;
    return taken();
}

int64_t __wrap_db_affected(const struct db_result *r, size_t stmt);
int64_t __wrap_db_affected(const struct db_result *r UNUSED, size_t stmt UNUSED)
{
    return 1;
}

static void answer_list(store_sealed_fn fn, int err)
{
    struct store_sealed found[ROWS];
    size_t n = 0;
    for (size_t i = 0; err == 0 && i < n_rows && n < waiting.limit; i++) {
        const struct row *r = &rows[i];
        if (r->in == waiting.in && str_eq(r->key_id, waiting.key_id) &&
            strcmp(r->name, waiting.after) > 0)
            found[n++] = (struct store_sealed){r->name, waiting.key_id, r->sealed, r->len};
    }
    /* The rows' bytes change under the caller only when it has read them: copies. */
    static struct row copies[ROWS];
    for (size_t i = 0; i < n; i++) {
        copies[i] = *find(waiting.in, found[i].name);
        found[i] = (struct store_sealed){copies[i].name, copies[i].key_id, copies[i].sealed,
                                         copies[i].len};
    }
    fn(waiting.user, err, found, n);
}

static void run_to_end(void)
{
    while (result.calls == 0) {
        db_batch_fn batch = waiting.batch;
        store_sealed_fn sealed = waiting.sealed;
        int err = fail_next;
        waiting.batch = NULL;
        waiting.sealed = NULL;
        fail_next = 0;
        assert_true(batch || sealed);
        if (batch)
            batch(waiting.user, err, NULL);
        else
            answer_list(sealed, err);
    }
}

static void on_rotated(void *user UNUSED, int err, const struct rotation_result *r)
{
    result = (struct result){result.calls + 1, err, *r};
}

/* ---- a test's world ---- */

static char path[64];
static struct sealer *sealer;

static void add_row(enum store_sealed_in in, const char *name, const char *context)
{
    struct row *r = &rows[n_rows++];
    struct buf out CLEANUP_BUF = {.max = sizeof r->sealed};
    *r = (struct row){.in = in};
    assert_int_equal(str_copy(r->name, sizeof r->name, name), 0);
    assert_int_equal(seal(sealer, context, "hunter22", 8, &out, r->key_id), 0);
    memcpy(r->sealed, out.data, out.len);
    r->len = out.len;
}

static int set_up(void **state UNUSED)
{
    struct buf error CLEANUP_BUF = {.max = 256};
    n_rows = retired = to_replace = 0;
    fail_next = takes_none = 0;
    result = (struct result){0};
    (void)snprintf(path, sizeof path, "/tmp/tg-rotate-%d.key", (int)getpid());
    assert_int_equal(sealer_new(path, true, &error, &sealer), 0);
    for (int i = 0; i < 25; i++) {
        char name[16], context[32];
        (void)snprintf(name, sizeof name, "s%02d", i);
        (void)snprintf(context, sizeof context, "secret/%s", name);
        add_row(STORE_SEALED_SECRETS, name, context);
    }
    add_row(STORE_SEALED_RUNS, RUN_ID, "execution/64b076f08d766a12");
    return 0;
}

static int tear_down(void **state UNUSED)
{
    sealer_free(sealer);
    return unlink(path);
}

static void rotate(void)
{
    struct rotation *r = NULL;
    result.calls = 0;
    assert_int_equal(rotation_start(NULL, sealer, on_rotated, NULL, &r), 0);
    run_to_end();
    rotation_free(r);
}

static void test_rotation__all_rows__under_the_new_key_alone(void **state UNUSED)
{
    char old[SEAL_KEY_ID_SIZE];
    assert_int_equal(str_copy(old, sizeof old, sealer_key_id(sealer)), 0);
    rotate();
    assert_int_equal(result.err, 0);
    assert_int_equal(result.r.resealed, 26);
    assert_int_equal(result.r.dropped, 1);
    assert_int_equal(result.r.failed, 0);
    assert_int_equal(retired, 1);
    assert_int_equal(sealer_count(sealer), 1);
    assert_string_not_equal(sealer_key_id(sealer), old);
    for (size_t i = 0; i < n_rows; i++)
        assert_string_equal(rows[i].key_id, sealer_key_id(sealer));
    void *plain;
    size_t len;
    assert_int_equal(seal_open(sealer, rows[25].key_id, "execution/64b076f08d766a12",
                               rows[25].sealed, rows[25].len, &plain, &len),
                     0);
    seal_wipe(plain);
}

static void test_rotation__answers_fail__nothing_lost_and_the_next_one_finishes(void **state)
{
    for (int steps = 0; steps < 5; steps++) {
        struct rotation *r = NULL;
        result = (struct result){0};
        assert_int_equal(rotation_start(NULL, sealer, on_rotated, NULL, &r), 0);
        for (int i = 0; i <= steps && result.calls == 0; i++) {
            db_batch_fn batch = waiting.batch;
            store_sealed_fn sealed = waiting.sealed;
            int err = i == steps ? ERR_DB_AWAY : 0;
            waiting.batch = NULL;
            waiting.sealed = NULL;
            if (batch)
                batch(waiting.user, err, NULL);
            else
                answer_list(sealed, err);
        }
        assert_int_equal(result.err, ERR_DB_AWAY);
        rotation_free(r);
        for (size_t i = 0; i < n_rows; i++)
            assert_true(sealer_has_key(sealer, rows[i].key_id));
    }
    rotate();
    assert_int_equal(result.err, 0);
    assert_int_equal(sealer_count(sealer), 1);
    (void)state;
}

static void test_rotation__row_that_does_not_open__its_key_stays(void **state UNUSED)
{
    rows[3].sealed[30] ^= 1;
    rotate();
    assert_int_equal(result.err, 0);
    assert_int_equal(result.r.failed, 1);
    assert_int_equal(result.r.dropped, 0);
    assert_int_equal(result.r.resealed, 25);
    assert_int_equal(sealer_count(sealer), 2);
    /* Nothing but that row left to do: the batch is empty. */
    rotate();
    assert_int_equal(result.r.failed, 1);
    assert_int_equal(result.r.dropped, 1);
    assert_int_equal(sealer_count(sealer), 2);
}

static void test_rotation__store_takes_no_call__ends_and_the_next_one_finishes(void **state)
{
    struct rotation *r = NULL;
    takes_none = ERR_LIMIT;
    assert_int_equal(rotation_start(NULL, sealer, on_rotated, NULL, &r), ERR_LIMIT);
    assert_null(r);
    assert_int_equal(result.calls, 0);
    for (int steps = 0; steps < 3; steps++) { /* the list, the replacement, the next list */
        result = (struct result){0};
        assert_int_equal(rotation_start(NULL, sealer, on_rotated, NULL, &r), 0);
        for (int i = 0; i <= steps; i++) {
            db_batch_fn batch = TAKE_PTR(waiting.batch);
            store_sealed_fn sealed = TAKE_PTR(waiting.sealed);
            takes_none = i == steps ? ERR_DB_AWAY : 0;
            if (batch)
                batch(waiting.user, 0, NULL);
            else
                answer_list(sealed, 0);
        }
        assert_int_equal(result.calls, 1);
        assert_int_equal(result.err, ERR_DB_AWAY);
        rotation_free(r);
    }
    rotate();
    assert_int_equal(result.err, 0);
    assert_int_equal(sealer_count(sealer), 1);
    (void)state;
}

static void test_rotation__no_memory__said_and_everything_still_opens(void **state UNUSED)
{
    bool is_done = false;
    for (unsigned n = 1; !is_done; n++) {
        struct rotation *r = NULL;
        result = (struct result){0};
        (void)fail_alloc_at(n);
        int err = rotation_start(NULL, sealer, on_rotated, NULL, &r);
        if (err == 0)
            run_to_end();
        is_done = !fail_alloc_off();
        assert_int_equal(err < 0 ? err : result.err, is_done ? 0 : ERR_NOMEM);
        rotation_free(r);
        assert_true(sealer_count(sealer) <= SEAL_KEYS_MAX);
        for (size_t i = 0; i < n_rows; i++)
            assert_true(sealer_has_key(sealer, rows[i].key_id));
    }
    assert_int_equal(sealer_count(sealer), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rotation__all_rows__under_the_new_key_alone),
        TEST(test_rotation__answers_fail__nothing_lost_and_the_next_one_finishes),
        TEST(test_rotation__store_takes_no_call__ends_and_the_next_one_finishes),
        TEST(test_rotation__no_memory__said_and_everything_still_opens),
        TEST(test_rotation__row_that_does_not_open__its_key_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
