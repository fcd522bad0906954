/* An orchestrator in a temporary directory on top of the fakes, and builders. */
#include "fake.h"

#include "base/log.h"
#include "base/str.h"
#include "orchestrator/seal.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void fake_store_reset(void);
void fake_feed_reset(void);

struct orchestrator_opts fake_opts(const struct world *w)
{
    return (struct orchestrator_opts){
        .state_dir = w->dir,
        .gateway_id = "gw1",
        .workspace_retention_ms = 1000,
        .default_timeout_s = 0,
        .max_timeout_s = 0,
        .default_grace_s = 10,
        .command_bytes_max = 4096,
        .env_bytes_max = 4096,
        .max_live = 4,
        .spool_max = 1 << 20,
        .settle_ms = INT64_C(1) << 40, /* no orphans, unless a test is about them */
        .drain_ms = 100,
        .run_user = geteuid() == 0 ? "nobody" : NULL,
        .token_ttl_s = 3600,
        .audit_queue_max = 40,
        .trace_retention_ms = 3600000,
        .trace_queue_bytes = 4096,
        .sealer = w->sealer,
        .claim_ttl_ms = 900000,
        .max_keys_per_user = 20,
        .lease_ms = 15000,
        .gateway_lost_ms = 60000,
        .health_timeout_ms = 5000,
        .idempotency_ttl_ms = 86400000,
        .git_protocols = "https,ssh",
    };
}

static void ignore_start(void *user, int err)
{
    assert_int_equal(err, 0);
    *(bool *)user = true;
}

int fake_setup_unstarted(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    log_setup(LOG_ERROR, LOG_LOGFMT);
    fake_store_reset();
    fake_feed_reset();
    static const struct engine_ops *usual;
    if (!usual)
        usual = fake_engine.base.ops;
    fake_engine = (struct fake_engine){.base.ops = usual, .liveness = RUNDIR_ALIVE};
    (void)snprintf(w->dir, sizeof w->dir, "/tmp/orchestrator.XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    assert_int_equal(chmod(w->dir, 0755), 0);
    char key_file[96];
    struct buf error CLEANUP_BUF = {.max = 256};
    (void)snprintf(key_file, sizeof key_file, "%s/secrets.key", w->dir);
    assert_int_equal(sealer_new(key_file, true, &error, &w->sealer), 0);
    struct orchestrator_opts opts = fake_opts(w);
    assert_int_equal(orchestrator_new(NULL, NULL, NULL, NULL, &fake_engine.base, &opts, &w->o), 0);
    *state = w;
    return 0;
}

int fake_setup(void **state)
{
    bool started = false;
    if (fake_setup_unstarted(state) != 0)
        return -1;
    struct world *w = *state;
    assert_int_equal(orchestrator_start(w->o, ignore_start, &started), 0);
    fake_answer_batch(CALL_SERVER_KEY, 0);
    fake_answer_batch(CALL_HEARTBEAT, 0);
    fake_answer_rows(CALL_ADOPT, 0, NULL, 0);
    assert_true(started);
    return 0;
}

int fake_teardown(void **state)
{
    struct world *w = *state;
    char command[192];
    orchestrator_free(w->o);
    while (fake_waiting(CALL_HEARTBEAT) > 0)
        fake_answer_batch(CALL_HEARTBEAT, ERR_CLOSED);
    while (fake_waiting(CALL_STRAYS) > 0)
        fake_answer_strays(ERR_CLOSED, NULL, 0);
    while (fake_waiting(CALL_DEQUEUE) > 0)
        fake_answer_launch(CALL_DEQUEUE, ERR_CLOSED, NULL);
    assert_int_equal(fake_feeds(), 0);
    assert_int_equal(fake_timers(), 0);
    (void)snprintf(command, sizeof command, "rm -rf %s", w->dir);
    assert_int_equal(system(command), 0); /* NOLINT: a fixed path of our own */
    sealer_free(w->sealer);
    free(w);
    return 0;
}

struct execution fake_row(uint32_t n, enum exec_status status)
{
    struct execution e = {
        .key = (INT64_C(20454) << 32) + n,
        .state = {.status = status,
                  .version = 1 + (status > EXEC_STARTING) + (status > EXEC_RUNNING),
                  .exit_code = EXIT_CODE_NONE,
                  .started_at_us = INT64_C(1767225600000000)},
        .command = (char *)(uintptr_t) "true",
        .image_id = (char *)(uintptr_t) "host",
        .created_by = (char *)(uintptr_t) "dev@x",
        .created_by_request_id = (char *)(uintptr_t) "req",
        .modified_by_request_id = (char *)(uintptr_t) "req",
        .owner = (char *)(uintptr_t) "gw1",
        .fence = 1,
        .grace_s = 10,
    };
    execution_id_make(e.key, UINT64_C(0x1111222233334444) + n, &e.id);
    return e;
}

struct principal fake_who(enum role role, const char *email)
{
    struct principal who = {.user_key = 7, .key_id = 3, .role = role};
    assert_int_equal(str_copy(who.email, sizeof who.email, email), 0);
    return who;
}

struct caller fake_caller(const struct principal *who)
{
    return (struct caller){who, "192.0.2.1", "req-1"};
}

struct live *fake_live(struct world *w, uint32_t n, enum exec_status status)
{
    struct plan plan;
    struct live *l;
    struct execution row = fake_row(n, EXEC_STARTING);
    assert_int_equal(live_new(w->o, &row, &l), 0);
    plan_init(&plan);
    live_launch(l, &plan);
    assert_non_null(l->feed);
    /* As if everything before had been committed. */
    row = fake_row(n, status);
    l->row.state = l->feed->state = row.state;
    return l;
}

bool fake_exists(const char *path)
{
    return access(path, F_OK) == 0;
}
