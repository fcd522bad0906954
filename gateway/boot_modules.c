#include "gateway/boot_modules.h"

#include "base/err.h"
#include "base/str.h"
#include "db/pool.h"
#include "gateway/boot_engine.h"
#include "gateway/revoke.h"
#include "gateway/server.h"
#include "gateway/stream_list.h"
#include "logs/hub.h"
#include "logs/keeper.h"
#include "logs/search.h"
#include "logs/writer.h"
#include "orchestrator/hints.h"
#include "orchestrator/orchestrator.h"
#include "orchestrator/revocations.h"
#include "orchestrator/watch.h"

#include <unistd.h>

#define SETTLE_DEADLINES 3 /* statements that hang are over by then */
#define KEEPER_INTERVAL_MS (10 * 60 * 1000)

int modules_connect(struct modules *m)
{
    struct db_pool_opts opts = DB_POOL_DEFAULTS;
    opts.conninfo = m->conninfo;
    opts.size = (size_t)m->o->db_pool_size;
    opts.deadline_ms = m->o->db_deadline_ms;
    opts.application_name = "tailgated";
    int err = db_pool_new(m->loop, &opts, &m->pool);
    opts.size = 1; /* one connection, so that chunks and transitions keep their order */
    opts.application_name = "tailgated writer";
    return err ? err : db_pool_new(m->loop, &opts, &m->writer_pool);
}

static int make_logs(struct modules *m)
{
    const struct options *o = m->o;
    struct hub_opts hub = HUB_DEFAULTS;
    struct writer_opts writer = WRITER_DEFAULTS;
    const struct keeper_opts keeper = {.retention_ms = o->log_retention_ms,
                                       .interval_ms = KEEPER_INTERVAL_MS};
    hub.ring_bytes = o->ring_bytes;
    hub.ring_total_bytes = o->ring_total_bytes;
    int err = hub_new(m->loop, m->pool, &hub, &m->hub);
    if (!err)
        err = keeper_new(m->loop, m->pool, &keeper, &m->keeper);
    writer.owner = m->gateway_id;
    writer.group_bytes_max = o->group_bytes;
    writer.commit_gap_ms = o->commit_gap_ms;
    writer.feed_bytes_max = o->feed_bytes;
    /* What waits is not acknowledged: it must not fill the spool. */
    writer.held_bytes_max = o->feed_bytes < o->spool_bytes / 4 ? o->feed_bytes : o->spool_bytes / 4;
    writer.inline_compress_bytes = o->inline_compress_bytes;
    writer.keeper = m->keeper;
    if (!err)
        err = writer_new(m->loop, m->writer_pool, m->hub, &writer, &m->writer);
    return err ? err : hints_new(m->loop, m->conninfo, m->hub, &m->hints);
}

static int make_list(struct modules *m)
{
    struct watch_opts opts = WATCH_DEFAULTS;
    opts.encode = stream_list_encode;
    opts.snapshot_max = (size_t)m->o->list_limit;
    int err = watch_new(m->loop, m->pool, &opts, &m->watch);
    if (err)
        return err;
    server_set_watch(m->server, m->watch);
    hints_on_change(m->hints, watch_hint, m->watch);
    return 0;
}

static int make_search(struct modules *m)
{
    const struct options *o = m->o;
    const struct searcher_opts opts = {.running_max = (size_t)o->max_searches,
                                       .waiting_max = (size_t)o->search_queue,
                                       .time_ms = o->search_time_ms};
    int err = searcher_new(m->loop, m->pool, &opts, &m->searcher);
    if (!err)
        server_set_searcher(m->server, m->searcher);
    return err;
}

static int make_orchestrator(struct modules *m)
{
    const struct options *o = m->o;
    char *container_user CLEANUP_FREE = boot_container_user(o);
    const struct orchestrator_opts opts = {
        .state_dir = o->state_dir,
        .sealer = m->sealer,
        .gateway_id = m->gateway_id,
        .workspace_retention_ms = o->workspace_retention_ms,
        .default_timeout_s = o->default_timeout_s,
        .max_timeout_s = o->max_timeout_s,
        .default_grace_s = o->default_grace_s,
        .command_bytes_max = o->max_command_bytes,
        .env_bytes_max = o->max_env_bytes,
        .max_live = (size_t)o->max_live,
        .max_running = o->max_running,
        .max_running_per_user = o->max_running_per_user,
        .queue_max = o->queue ? o->queue_max : 0,
        .idempotency_ttl_ms = o->idempotency_retention_ms,
        .git_protocols = o->git_protocols,
        .settle_ms = o->db_deadline_ms * SETTLE_DEADLINES,
        .spool_max = o->spool_bytes,
        .spool_full_fails = o->spool_full == 1,
        .drain_ms = o->drain_ms,
        .run_user = geteuid() == 0 ? o->run_user : NULL,
        .audit_queue_max = (size_t)o->audit_queue,
        .trace_retention_ms = o->trace_retention_ms,
        .trace_queue_bytes = o->trace_queue_bytes,
        .sandbox_read_paths = o->sandbox_read_paths,
        .sandbox_write_paths = o->sandbox_write_paths,
        .container_user = str_is_empty(container_user) ? NULL : container_user,
        .registry_secrets = o->registry_secrets,
        .token_ttl_s = o->token_ttl_ms / 1000,
        .claim_ttl_ms = o->claim_ttl_ms,
        .max_keys_per_user = o->max_keys_per_user,
        .lease_ms = o->lease_ms,
        .gateway_lost_ms = o->gateway_lost_ms,
        .reconcile_interval_ms = o->reconcile_interval_ms,
        .health_timeout_ms = o->health_timeout_ms,
        .remove_orphans = o->remove_orphans,
    };
    int err = container_user ? boot_engine_new(m->loop, o, m->gateway_id, &m->engine) : ERR_NOMEM;
    if (!err)
        err = orchestrator_new(m->loop, m->pool, m->hub, m->writer, m->engine, &opts, &m->orch);
    if (!err) {
        orchestrator_tell_stop(m->orch, hints_tell_stop, m->hints);
        hints_on_stop(m->hints, orchestrator_stop_told, m->orch);
    }
    return err;
}

int modules_make(struct modules *m)
{
    int err = make_logs(m);
    if (!err)
        err = make_orchestrator(m);
    if (!err)
        err = server_new(m->loop, m->o, m->hub, m->orch, &m->server);
    if (!err)
        err = make_search(m);
    if (!err)
        err = make_list(m);
    return err ? err
               : revocations_new(m->loop, m->conninfo, m->pool, server_revoke, m->server,
                                 &m->revocations);
}

void modules_free(struct modules *m)
{
    revocations_free(m->revocations);
    server_free(m->server);
    orchestrator_free(m->orch);
    hints_free(m->hints);
    writer_free(m->writer);
    keeper_free(m->keeper);
    searcher_free(m->searcher);
    watch_free(m->watch);
    hub_free(m->hub);
    db_pool_free(m->writer_pool);
    db_pool_free(m->pool);
    if (m->engine)
        m->engine->ops->free(m->engine);
}
