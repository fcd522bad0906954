/* The stores without a database: a pool that takes or refuses what they submit, and memory that
 * ends. */
#include "base/err.h"
#include "db/batch.h"
#include "db/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int submit_err;
static int allocations_left = -1; /* -1 = without end */
static struct {
    struct db_batch *batch;
    db_batch_fn fn;
    void *user;
} taken;

int __wrap_db_submit(struct db_pool *p, struct db_batch *b, db_batch_fn fn, void *user);
int __wrap_db_submit(struct db_pool *p, struct db_batch *b, db_batch_fn fn, void *user)
{
    (void)p;
    if (submit_err < 0) {
        db_batch_free(b);
        return submit_err;
    }
    taken.batch = b;
    taken.fn = fn;
    taken.user = user;
    return 0;
}

static bool may_allocate(void)
{
    if (allocations_left == 0)
        return false;
    if (allocations_left > 0)
        allocations_left--;
    return true;
}

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n)
{
    return may_allocate() ? __real_malloc(n) : NULL;
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    return may_allocate() ? __real_calloc(n, size) : NULL;
}

void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
    return may_allocate() ? __real_reallocarray(p, n, size) : NULL;
}

static int calls, last_err;

static void on_execution(void *user, int err, const struct execution *e)
{
    (void)user;
    calls++;
    last_err = err;
    assert_null(e);
}

static void on_executions(void *user, int err, const struct execution *rows, size_t n)
{
    (void)user;
    (void)rows;
    calls++;
    last_err = err;
    assert_int_equal(n, 0);
}

static void on_created(void *user, int err, const struct execution *e, enum store_refusal refusal)
{
    assert_int_equal(refusal, STORE_REFUSED_NOT);
    on_execution(user, err, e);
}

static void on_earlier(void *user, int err, const struct execution *e, bool is_same)
{
    assert_false(is_same);
    on_execution(user, err, e);
}

static void on_launches(void *user, int err, const struct store_launch *rows, size_t n)
{
    (void)user;
    (void)rows;
    calls++;
    last_err = err;
    assert_int_equal(n, 0);
}

static void on_chunks(void *user, int err, const struct store_chunk *rows, size_t n)
{
    (void)user;
    (void)rows;
    calls++;
    last_err = err;
    assert_int_equal(n, 0);
}

static void on_principal(void *user, int err, const struct principal *who)
{
    (void)user;
    calls++;
    last_err = err;
    assert_null(who);
}

static void on_batch(void *user, int err, const struct db_result *r)
{
    (void)user;
    (void)r;
    calls++;
    last_err = err;
}

/* ---- one function for each operation ---- */

static int op_create(void)
{
    const struct principal who = {.email = "a@b"};
    const struct store_new_execution n = {.by = {.who = &who}, .command = "c", .owner = "o"};
    return store_execution_create(NULL, &n, on_created, NULL);
}

static int op_create_limited(void)
{
    const struct principal who = {.email = "a@b"};
    const struct store_new_execution n = {.by = {.who = &who},
                                          .command = "c",
                                          .owner = "o",
                                          .idempotency.key = "k",
                                          .limits.running = 1};
    return store_execution_create(NULL, &n, on_created, NULL);
}

static int op_earlier(void)
{
    const struct store_idempotency i = {.key = "k"};
    return store_execution_earlier(NULL, 1, &i, on_earlier, NULL);
}

static int op_dequeue(void)
{
    const struct store_run_limits limits = {1, 1};
    return store_execution_dequeue(NULL, "o", &limits, on_launches, NULL);
}

static int op_dequeued(void)
{
    return store_execution_dequeued(NULL, "o", on_launches, NULL);
}

static int op_cancel(void)
{
    const struct principal who = {.email = "a@b"};
    const struct caller by = {.who = &who};
    const struct execution e = {.key = 1};
    const struct exec_state to = {.status = EXEC_STOPPED};
    return store_execution_cancel(NULL, &by, &e, &to, "killed", on_batch, NULL);
}

static int op_get(void)
{
    struct execution_id id;
    execution_id_make(5, 6, &id);
    return store_execution_get(NULL, &id, on_execution, NULL);
}

static int op_list(void)
{
    const struct store_execution_filter f = {.limit = 5000, .status_mask = ~0u};
    return store_execution_list(NULL, &f, on_executions, NULL);
}

static int op_adopt(void)
{
    return store_execution_adopt(NULL, "o", on_launches, NULL);
}

static int op_fetch(void)
{
    return store_chunks_fetch(NULL, 1, 2, 3, on_chunks, NULL);
}

static int op_tail(void)
{
    return store_tail_fetch(NULL, 1, SIZE_MAX, on_chunks, NULL);
}

static int op_merge(void)
{
    const struct store_chunk c = {
        .execution_key = 1, .first_seq = 1, .last_seq = 2, .data = "x", .data_len = 1};
    return store_tail_merge(NULL, &c, 2, on_batch, NULL);
}

static int op_key(void)
{
    static const uint8_t hash[STORE_KEY_HASH_LEN];
    return store_key_lookup(NULL, hash, on_principal, NULL);
}

static int op_user(void)
{
    return store_user_lookup(NULL, 1, on_principal, NULL);
}

static int op_bootstrap(void)
{
    static const uint8_t hash[STORE_KEY_HASH_LEN];
    return store_bootstrap_admin(NULL, "a@b", hash, "tg_", on_batch, NULL);
}

static void on_users(void *user, int err, const struct user *rows, size_t n)
{
    (void)user;
    (void)rows;
    calls++;
    last_err = err;
    assert_int_equal(n, 0);
}

static void on_claim(void *user, int err, const char *email)
{
    (void)user;
    calls++;
    last_err = err;
    assert_null(email);
}

static void on_keys(void *user, int err, const struct api_key *rows, size_t n)
{
    (void)user;
    (void)rows;
    calls++;
    last_err = err;
    assert_int_equal(n, 0);
}

static void on_revocations(void *user, int err, const struct store_revocation *rows, size_t n,
                           int64_t now_us)
{
    (void)user;
    (void)rows;
    calls++;
    last_err = err;
    assert_int_equal(n, 0);
    assert_int_equal(now_us, 0);
}

static const uint8_t some_hash[STORE_KEY_HASH_LEN];
static const struct store_audit some_audit = {{0}, "a.b", "c/", "ok"};
static const struct store_new_user some_user = {"a@b.c", ROLE_ADMIN, some_hash, 1};

static int op_user_create(void)
{
    return store_user_create(NULL, &some_user, &some_audit, on_users, NULL);
}

static int op_user_list(void)
{
    return store_user_list(NULL, on_users, NULL);
}

static int op_user_revoke(void)
{
    return store_user_revoke(NULL, "a@b.c", &some_audit, on_users, NULL);
}

static int op_user_bootstrap(void)
{
    return store_user_bootstrap(NULL, &some_user, &some_audit, on_batch, NULL);
}

static int op_claim_use(void)
{
    const struct store_claim c = {some_hash, some_hash, "tg_"};
    return store_claim_use(NULL, &c, &some_audit, on_claim, NULL);
}

static int op_key_create(void)
{
    const struct store_new_api_key n = {1, some_hash, "tg_", "", 20};
    return store_api_key_create(NULL, &n, &some_audit, on_keys, NULL);
}

static int op_key_list(void)
{
    return store_api_key_list(NULL, 1, on_keys, NULL);
}

static int op_key_revoke(void)
{
    return store_api_key_revoke(NULL, 1, 2, &some_audit, on_keys, NULL);
}

static int op_revocations(void)
{
    return store_revocations(NULL, 1, on_revocations, NULL);
}

static void on_trace(void *user, int err, const struct trace *found)
{
    (void)user;
    calls++;
    last_err = err;
    assert_int_equal(found != NULL, err == 0);
}

static void on_images(void *user, int err, const struct image *rows, size_t n)
{
    (void)user;
    (void)rows;
    calls++;
    last_err = err;
    assert_int_equal(n, 0);
}

static void on_secrets(void *user, int err, const struct store_secret *rows, size_t n)
{
    (void)user;
    (void)rows;
    calls++;
    last_err = err;
    assert_int_equal(n, 0);
}

static void on_sealed(void *user, int err, const struct store_sealed *rows, size_t n)
{
    (void)user;
    (void)rows;
    calls++;
    last_err = err;
    assert_int_equal(n, 0);
}

static void on_done(void *user, int err)
{
    (void)user;
    calls++;
    last_err = err;
}

static int op_trace_write(void)
{
    return store_trace_write(NULL, "[]", 2, 1, on_batch, NULL);
}

static int op_trace_get(void)
{
    return store_trace_get(NULL, "r1", on_trace, NULL);
}

static int op_image_find(void)
{
    const struct store_image_query q = {"a", "", "a", "", ""};
    return store_image_find(NULL, &q, on_images, NULL);
}

static int op_image_default(void)
{
    return store_image_default(NULL, on_images, NULL);
}

static int op_image_list(void)
{
    return store_image_list(NULL, on_images, NULL);
}

static int op_image_register(void)
{
    const struct image i = {.image_id = "i", .is_default = true};
    return store_image_register(NULL, &i, &some_audit, on_images, NULL);
}

static int op_image_remove(void)
{
    return store_image_remove(NULL, "i", &some_audit, on_images, NULL);
}

static const struct store_secret some_secret = {
    .about = {.name = "n", .key_name = "K", .description = ""},
    .key_id = "k",
    .sealed = "x",
    .sealed_len = 1};

static int op_secret_create(void)
{
    return store_secret_create(NULL, &some_secret, &some_audit, on_done, NULL);
}

static int op_secret_update(void)
{
    return store_secret_update(NULL, &some_secret, "a@b.c", &some_audit, on_done, NULL);
}

static int op_secret_delete(void)
{
    return store_secret_delete(NULL, "n", "a@b.c", &some_audit, on_done, NULL);
}

static int op_secret_list(void)
{
    return store_secret_list(NULL, "a@b.c", on_secrets, NULL);
}

static int op_secret_get(void)
{
    static const char *const names[] = {"n"};
    return store_secret_get(NULL, names, 1, on_secrets, NULL);
}

static int op_sealed_secrets(void)
{
    return store_sealed_list(NULL, STORE_SEALED_SECRETS, "k", "", 1, on_sealed, NULL);
}

static int op_sealed_runs(void)
{
    return store_sealed_list(NULL, STORE_SEALED_RUNS, "k", "", 1, on_sealed, NULL);
}

static int (*const operations[])(void) = {op_create,         op_get,
                                          op_list,           op_adopt,
                                          op_fetch,          op_tail,
                                          op_merge,          op_key,
                                          op_user,           op_bootstrap,
                                          op_create_limited, op_earlier,
                                          op_dequeue,        op_dequeued,
                                          op_cancel,         op_user_create,
                                          op_user_list,      op_user_revoke,
                                          op_user_bootstrap, op_claim_use,
                                          op_key_create,     op_key_list,
                                          op_key_revoke,     op_revocations,
                                          op_trace_write,    op_trace_get,
                                          op_image_find,     op_image_default,
                                          op_image_list,     op_image_register,
                                          op_image_remove,   op_secret_create,
                                          op_secret_update,  op_secret_delete,
                                          op_secret_list,    op_secret_get,
                                          op_sealed_secrets, op_sealed_runs};

static void answer(int err)
{
    static const struct db_result none;
    calls = 0;
    taken.fn(taken.user, err, &none);
    db_batch_free(taken.batch);
    assert_int_equal(calls, 1);
}

static void test_stores__pool_refuses__error_and_no_call(void **state)
{
    (void)state;
    submit_err = ERR_LIMIT;
    calls = 0;
    for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
        assert_int_equal(operations[i](), ERR_LIMIT);
    assert_int_equal(calls, 0);
    submit_err = 0;
}

static void test_stores__batch_fails__its_error_is_passed_on(void **state)
{
    (void)state;
    static const int errors[] = {ERR_DB, ERR_DB_AWAY, ERR_TIMEOUT, ERR_CLOSED};
    for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
        for (size_t k = 0; k < ARRAY_SIZE(errors); k++) {
            assert_int_equal(operations[i](), 0);
            answer(errors[k]);
            assert_int_equal(last_err, errors[k]);
        }
    }
}

static void test_stores__no_rows__what_each_makes_of_it(void **state)
{
    (void)state;
    static const int expected[] = {ERR_CORRUPT,
                                   ERR_NOT_FOUND,
                                   0,
                                   0,
                                   0,
                                   0,
                                   ERR_STALE,
                                   ERR_BAD_KEY,
                                   ERR_NOT_FOUND,
                                   0,
                                   ERR_CORRUPT,
                                   ERR_NOT_FOUND,
                                   0,
                                   0,
                                   ERR_STALE,
                                   ERR_CONFLICT,
                                   0,
                                   ERR_NOT_FOUND,
                                   ERR_CONFLICT,
                                   ERR_NOT_FOUND,
                                   ERR_REVOKED,
                                   0,
                                   ERR_NOT_FOUND,
                                   ERR_CORRUPT,
                                   0,
                                   0,
                                   0,
                                   0,
                                   0,
                                   0,
                                   ERR_NOT_FOUND,
                                   ERR_NOT_FOUND,
                                   ERR_NOT_FOUND,
                                   ERR_NOT_FOUND,
                                   0,
                                   0,
                                   0,
                                   0};
    assert_int_equal(ARRAY_SIZE(expected), ARRAY_SIZE(operations));
    for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
        assert_int_equal(operations[i](), 0);
        answer(0);
        assert_int_equal(last_err, expected[i]);
    }
}

static void test_stores__each_allocation_fails__nomem_and_nothing_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
        int r = ERR_NOMEM;
        for (int n = 0; r != 0; n++) {
            allocations_left = n;
            r = operations[i]();
            allocations_left = -1;
            assert_true(r == 0 || r == ERR_NOMEM);
        }
        answer(ERR_CLOSED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stores__pool_refuses__error_and_no_call),
        cmocka_unit_test(test_stores__batch_fails__its_error_is_passed_on),
        cmocka_unit_test(test_stores__no_rows__what_each_makes_of_it),
        cmocka_unit_test(test_stores__each_allocation_fails__nomem_and_nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
