/* A rotation as a program's run: how the database is found, what is said, how it ends. */
#include "gateway/rotate.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "db/cluster.h"
#include "db/migrate.h"
#include "db/pool.h"
#include "orchestrator/rotate.h"
#include "orchestrator/seal.h"

#include "../base/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what rotate_run calls: each answers in the loop's next turn, as it is told ---- */

enum step {
    NO_LOOP,
    CLUSTER_CALL,
    CLUSTER,
    MIGRATE_CALL,
    MIGRATE,
    POOL,
    READY,
    ROTATE_CALL,
    ROTATE
};

static struct {
    enum step fails; /* the step that fails, with err */
    int err;
    struct rotation_result done;
    /* what was seen */
    char conninfo[64];
    unsigned clusters, stops, cluster_frees, pools, pool_frees, rotation_frees;
    int64_t deadline_ms;
    size_t pool_size;
} seam;

struct later {
    struct loop_timer *timer;
    loop_fn fn;
    void *user;
    int err;
    enum { PLAIN, WITH_ERR, MIGRATED, ROTATED } kind;
    void (*err_fn)(void *user, int err);
    db_migrate_fn migrated;
    rotation_fn rotated;
};
static struct later laters[8];
static size_t n_laters;
static struct loop *loop;

static void on_later(void *user)
{
    struct later *l = user;
    switch (l->kind) {
    case PLAIN:
        l->fn(l->user);
        break;
    case WITH_ERR:
        l->err_fn(l->user, l->err);
        break;
    case MIGRATED:
        l->migrated(l->user, l->err, 0);
        break;
    case ROTATED:
        l->rotated(l->user, l->err, &seam.done);
        break;
    }
}

static void later(struct later what)
{
    assert_true(n_laters < ARRAY_SIZE(laters));
    struct later *l = &laters[n_laters++];
    *l = what;
    assert_int_equal(loop_timer_new(loop, on_later, l, &l->timer), 0);
    loop_timer_start(l->timer, 0, 0);
}

static int err_at(enum step s)
{
    return seam.fails == s ? seam.err : 0;
}

int __real_loop_new(struct loop **ret);
int __wrap_loop_new(struct loop **ret);
int __wrap_loop_new(struct loop **ret)
{
    if (seam.fails == NO_LOOP && seam.err < 0)
        return seam.err;
    int r = __real_loop_new(ret);
    loop = *ret;
    return r;
}

void __real_loop_free(struct loop *l);
void __wrap_loop_free(struct loop *l);
void __wrap_loop_free(struct loop *l)
{
    while (n_laters > 0)
        loop_timer_free(laters[--n_laters].timer);
    __real_loop_free(l);
}

static char cluster_object, pool_object, rotation_object;

int __wrap_db_cluster_start(struct loop *l, const char *state_dir, const char *bin_dir,
                            db_cluster_fn fn, void *user, struct db_cluster **ret);
int __wrap_db_cluster_start(struct loop *l UNUSED, const char *state_dir, const char *bin_dir,
                            db_cluster_fn fn, void *user, struct db_cluster **ret)
{
    assert_string_equal(state_dir, "/state");
    assert_string_equal(bin_dir, "/pg/bin");
    if (err_at(CLUSTER_CALL) < 0)
        return seam.err;
    seam.clusters++;
    *ret = (struct db_cluster *)&cluster_object;
    later((struct later){.kind = WITH_ERR, .err_fn = fn, .user = user, .err = err_at(CLUSTER)});
    return 0;
}

const char *__wrap_db_cluster_conninfo(const struct db_cluster *c);
const char *__wrap_db_cluster_conninfo(const struct db_cluster *c)
{
    assert_ptr_equal(c, &cluster_object);
    return "host=/state/pg";
}

void __wrap_db_cluster_stop(struct db_cluster *c, db_cluster_fn fn, void *user);
void __wrap_db_cluster_stop(struct db_cluster *c, db_cluster_fn fn, void *user)
{
    assert_ptr_equal(c, &cluster_object);
    seam.stops++;
    later((struct later){.kind = WITH_ERR, .err_fn = fn, .user = user});
}

void __wrap_db_cluster_free(struct db_cluster *c);
void __wrap_db_cluster_free(struct db_cluster *c)
{
    seam.cluster_frees += c != NULL;
}

int __wrap_db_migrate(struct loop *l, const char *conninfo, db_migrate_fn fn, void *user);
int __wrap_db_migrate(struct loop *l UNUSED, const char *conninfo, db_migrate_fn fn, void *user)
{
    (void)snprintf(seam.conninfo, sizeof seam.conninfo, "%s", conninfo);
    if (err_at(MIGRATE_CALL) < 0)
        return seam.err;
    later((struct later){.kind = MIGRATED, .migrated = fn, .user = user, .err = err_at(MIGRATE)});
    return 0;
}

int __wrap_db_pool_new(struct loop *l, const struct db_pool_opts *opts, struct db_pool **ret);
int __wrap_db_pool_new(struct loop *l UNUSED, const struct db_pool_opts *opts, struct db_pool **ret)
{
    assert_string_equal(opts->conninfo, seam.conninfo);
    seam.deadline_ms = opts->deadline_ms;
    seam.pool_size = opts->size;
    if (err_at(POOL) < 0)
        return seam.err;
    seam.pools++;
    *ret = (struct db_pool *)&pool_object;
    return 0;
}

void __wrap_db_pool_on_ready(struct db_pool *p, loop_fn fn, void *user);
void __wrap_db_pool_on_ready(struct db_pool *p UNUSED, loop_fn fn, void *user)
{
    if (err_at(READY) == 0) /* otherwise it is never ready */
        later((struct later){.kind = PLAIN, .fn = fn, .user = user});
}

void __wrap_db_pool_free(struct db_pool *p);
void __wrap_db_pool_free(struct db_pool *p)
{
    seam.pool_frees += p != NULL;
}

int __wrap_rotation_start(struct db_pool *p, struct sealer *s, rotation_fn fn, void *user,
                          struct rotation **ret);
int __wrap_rotation_start(struct db_pool *p, struct sealer *s, rotation_fn fn, void *user,
                          struct rotation **ret)
{
    assert_ptr_equal(p, &pool_object);
    assert_non_null(s);
    if (err_at(ROTATE_CALL) < 0)
        return seam.err;
    *ret = (struct rotation *)&rotation_object;
    later((struct later){.kind = ROTATED, .rotated = fn, .user = user, .err = err_at(ROTATE)});
    return 0;
}

void __wrap_rotation_free(struct rotation *r);
void __wrap_rotation_free(struct rotation *r)
{
    assert_int_equal(seam.pool_frees, seam.pools); /* behind the pool */
    seam.rotation_frees += r != NULL;
}

/* ---- a test's world ---- */

static char key_path[64];
static struct sealer *sealer;

static int set_up(void **state UNUSED)
{
    struct buf error CLEANUP_BUF = {.max = 512};
    memset(&seam, 0, sizeof seam);
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    (void)snprintf(key_path, sizeof key_path, "/tmp/tg-rotate-run-%d.key", (int)getpid());
    assert_int_equal(sealer_new(key_path, true, &error, &sealer), 0);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    sealer_free(sealer);
    return unlink(key_path);
}

/* What the program prints goes to a file of ours meanwhile. */
struct captured {
    int code;
    char out[512], err[512];
};

static int redirect(int fd, FILE *to)
{
    int saved = dup(fd);
    assert_true(saved >= 0 && dup2(fileno(to), fd) == fd);
    return saved;
}

static void restore(int fd, int saved, FILE *from, char *text, size_t size)
{
    assert_int_equal(dup2(saved, fd), fd);
    (void)close(saved);
    rewind(from);
    text[fread(text, 1, size - 1, from)] = '\0';
    (void)fclose(from);
}

static struct captured run(const char *database_url, bool owns)
{
    char url[] = "postgresql://db", dir[] = "/state", bin[] = "/pg/bin";
    const struct options o = {.database_url = database_url ? url : NULL,
                              .state_dir = dir,
                              .postgres_bin_dir = bin,
                              .db_deadline_ms = 50};
    struct captured c = {0};
    FILE *out = tmpfile(), *err = tmpfile();
    assert_true(out && err);
    (void)fflush(stdout);
    (void)fflush(stderr);
    int saved_out = redirect(STDOUT_FILENO, out), saved_err = redirect(STDERR_FILENO, err);
    c.code = rotate_run(&o, sealer, owns);
    (void)fflush(stdout);
    (void)fflush(stderr);
    restore(STDOUT_FILENO, saved_out, out, c.out, sizeof c.out);
    restore(STDERR_FILENO, saved_err, err, c.err, sizeof c.err);
    assert_int_equal(seam.pool_frees, seam.pools);
    assert_int_equal(seam.cluster_frees, seam.clusters);
    return c;
}

/* ---- */

static void test_rotate_run__database_url__no_cluster(void **state UNUSED)
{
    char line[64];
    seam.fails = ROTATE;
    seam.done = (struct rotation_result){.resealed = 26, .dropped = 1};
    struct captured c = run("url", true);
    assert_int_equal(c.code, 0);
    assert_string_equal(c.err, "");
    (void)snprintf(line, sizeof line, "Current key: %s\n", sealer_key_id(sealer));
    assert_non_null(strstr(c.out, line));
    assert_non_null(strstr(c.out, "Sealed anew: 26; old keys dropped: 1\n"));
    assert_null(strstr(c.out, "Cannot be opened"));
    assert_string_equal(seam.conninfo, "postgresql://db");
    assert_int_equal(seam.clusters, 0);
    assert_int_equal(seam.pool_size, 1);
    assert_int_equal(seam.deadline_ms, 50);
    assert_int_equal(seam.rotation_frees, 1);
}

static void test_rotate_run__private_cluster__stopped_only_when_ours(void **state UNUSED)
{
    for (int owns = 0; owns < 2; owns++) {
        memset(&seam, 0, sizeof seam);
        struct captured c = run(NULL, owns == 1);
        assert_int_equal(c.code, 0);
        assert_string_equal(seam.conninfo, "host=/state/pg");
        assert_int_equal(seam.clusters, 1);
        assert_int_equal(seam.stops, owns);
    }
}

static void test_rotate_run__rows_that_no_key_opens__told_and_not_a_success(void **state UNUSED)
{
    seam.done = (struct rotation_result){.resealed = 3, .failed = 2};
    struct captured c = run("url", true);
    assert_int_equal(c.code, 1);
    assert_non_null(strstr(c.out, "Cannot be opened with any key of the file: 2"));
    assert_non_null(strstr(c.err, err_name(ERR_CORRUPT)));
}

static void test_rotate_run__step_fails__named_and_everything_given_back(void **state UNUSED)
{
    static const struct {
        const char *url;
        enum step fails;
        int err;
        const char *step;
        int said; /* 0 = err */
    } ROWS[] = {
        {NULL, CLUSTER_CALL, ERR_NOT_FOUND, "private PostgreSQL", 0},
        {NULL, CLUSTER, ERR_SYS, "private PostgreSQL", 0},
        {"url", MIGRATE_CALL, ERR_NOMEM, "database", 0},
        {NULL, MIGRATE_CALL, ERR_NOMEM, "database", 0},
        {"url", MIGRATE, ERR_CONFLICT, "database", 0},
        {"url", POOL, ERR_NOMEM, "database", 0},
        {"url", READY, ERR_DB, "database", ERR_DB_AWAY}, /* in vain until the deadline */
        {"url", ROTATE_CALL, ERR_LIMIT, "rotation", 0},
        {"url", ROTATE, ERR_DB_AWAY, "rotation", 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        memset(&seam, 0, sizeof seam);
        seam.fails = ROWS[i].fails;
        seam.err = ROWS[i].err;
        struct captured c = run(ROWS[i].url, true);
        assert_int_equal(c.code, 1);
        assert_non_null(strstr(c.err, "tailgated: the secrets key was not replaced: "));
        assert_non_null(strstr(c.err, ROWS[i].step));
        assert_non_null(strstr(c.err, err_name(ROWS[i].said ? ROWS[i].said : ROWS[i].err)));
        assert_int_equal(seam.stops, seam.clusters);
    }
}

static void test_rotate_run__no_loop__nothing_is_begun(void **state UNUSED)
{
    seam.fails = NO_LOOP;
    seam.err = ERR_NOMEM;
    struct captured c = run(NULL, true);
    assert_int_equal(c.code, 1);
    assert_int_equal(seam.clusters, 0);
    assert_string_equal(c.out, "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rotate_run__database_url__no_cluster),
        TEST(test_rotate_run__private_cluster__stopped_only_when_ours),
        TEST(test_rotate_run__rows_that_no_key_opens__told_and_not_a_success),
        TEST(test_rotate_run__step_fails__named_and_everything_given_back),
        TEST(test_rotate_run__no_loop__nothing_is_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
