/* GET /metrics: Prometheus' text, made from what the modules count. docs/metrics.md lists it. */
#include "base/metrics.h"

#include "base/loop.h"
#include "base/process_stats.h"
#include "gateway/http.h"
#include "gateway/http_metrics.h"
#include "gateway/server_internal.h"
#include "gateway/stream.h"

#define TEXT_MAX (1u << 20)

static void single(struct metrics_text *t, const char *name, enum metrics_type type,
                   const char *help, uint64_t n)
{
    metrics_family(t, name, type, help);
    metrics_sample(t, name, NULL, NULL, n);
}

static void histogram(struct metrics_text *t, const char *name, const char *help,
                      const struct metrics_histogram *h)
{
    metrics_family(t, name, METRICS_HISTOGRAM, help);
    metrics_sample_histogram(t, name, h);
}

static void add_server(struct metrics_text *t, const struct server *s)
{
    const struct streams_stats *st = streams_stats(s->streams);

    metrics_family(t, "tailgate_build_info", METRICS_GAUGE, "1, labelled with the version.");
    metrics_sample(t, "tailgate_build_info", "version", SERVER_VERSION, 1);
    single(t, "tailgate_connections", METRICS_GAUGE, "Connections that are open.",
           s->connections_count);
    single(t, "tailgate_connections_max", METRICS_GAUGE, "Connections that may be open.",
           s->connections_max);
    single(t, "tailgate_streams", METRICS_GAUGE, "WebSocket streams that are open.",
           streams_count(s->streams));
    single(t, "tailgate_streams_opened_total", METRICS_COUNTER, "WebSocket streams ever opened.",
           st->opened);
    single(t, "tailgate_sent_lines_total", METRICS_COUNTER,
           "Lines handed to the sockets of WebSocket readers, once a reader.", st->sent_lines);
    single(t, "tailgate_sent_bytes_total", METRICS_COUNTER,
           "Bytes handed to the sockets of WebSocket readers.", st->sent_bytes);
    histogram(t, "tailgate_commit_to_send_seconds",
              "From a frame's commit until a live reader's socket has it.", &st->commit_to_send);
    metrics_family(t, "tailgate_loop_turn_longest_seconds", METRICS_GAUGE,
                   "Longest turn of the event loop since the last scrape, waiting not counted.");
    metrics_sample_us(t, "tailgate_loop_turn_longest_seconds", loop_take_longest_turn_us(s->loop));
    histogram(t, "tailgate_loop_turn_seconds", "Turns of the event loop, waiting not counted.",
              loop_turn_seconds(s->loop));
}

static void add_hub(struct metrics_text *t, const struct server *s)
{
    struct hub_stats hub;
    struct hub_backlog behind;

    hub_stats(s->hub, &hub);
    hub_backlog(s->hub, &behind);
    single(t, "tailgate_subscriptions", METRICS_GAUGE, "Cursors of readers.", hub.cursors);
    single(t, "tailgate_topics", METRICS_GAUGE, "Executions in memory.", hub.topics);
    single(t, "tailgate_ring_bytes", METRICS_GAUGE, "Memory held by the latest lines.",
           hub.ring_bytes);
    single(t, "tailgate_replay_pages_total", METRICS_COUNTER,
           "Pages of stored chunks read for readers.", hub.replay_pages);
    single(t, "tailgate_readers_behind", METRICS_GAUGE, "Readers that have not caught up.",
           behind.cursors);
    single(t, "tailgate_readers_behind_lines", METRICS_GAUGE, "Lines they are behind, summed.",
           behind.lines);
    single(t, "tailgate_readers_behind_lines_max", METRICS_GAUGE,
           "Lines that the one furthest behind is behind.", behind.lines_max);
}

static void add_writer(struct metrics_text *t, const struct orchestrator_stats *o)
{
    const struct writer_stats *w = &o->log;

    single(t, "tailgate_committed_lines_total", METRICS_COUNTER, "Lines committed.", w->lines);
    single(t, "tailgate_committed_bytes_total", METRICS_COUNTER, "Their bytes, uncompressed.",
           w->bytes);
    single(t, "tailgate_committed_chunks_total", METRICS_COUNTER, "Chunks committed.", w->chunks);
    single(t, "tailgate_commits_total", METRICS_COUNTER, "Transactions of chunks and states.",
           w->groups);
    single(t, "tailgate_commit_retries_total", METRICS_COUNTER, "Of them, tried again.",
           w->retries);
    histogram(t, "tailgate_commit_seconds", "One transaction of chunks and states.",
              &w->commit_seconds);
    single(t, "tailgate_dropped_lines_total", METRICS_COUNTER,
           "Lines that PostgreSQL refused for good; must stay 0.", w->dropped_lines);
    single(t, "tailgate_uncommitted_bytes", METRICS_GAUGE,
           "Lines in memory that wait for a commit.", w->waiting_bytes);
    single(t, "tailgate_spool_uncommitted_bytes", METRICS_GAUGE,
           "Bytes in spools that wait for a commit.", o->spool_bytes);
}

static void add_database(struct metrics_text *t, const struct orchestrator_stats *o)
{
    static const struct metrics_label api = {"pool", "api"}, writer = {"pool", "writer"};

    metrics_family(t, "tailgate_database_connections", METRICS_GAUGE,
                   "PostgreSQL connections that are kept.");
    metrics_sample_labels(t, "tailgate_database_connections", &api, 1, o->api.connections);
    metrics_sample_labels(t, "tailgate_database_connections", &writer, 1, o->writer.connections);
    metrics_family(t, "tailgate_database_connections_ready", METRICS_GAUGE,
                   "PostgreSQL connections that are ready.");
    metrics_sample_labels(t, "tailgate_database_connections_ready", &api, 1, o->api.ready);
    metrics_sample_labels(t, "tailgate_database_connections_ready", &writer, 1, o->writer.ready);
    metrics_family(t, "tailgate_database_waiting", METRICS_GAUGE,
                   "Transactions that no connection has taken yet.");
    metrics_sample_labels(t, "tailgate_database_waiting", &api, 1, o->api.waiting);
    metrics_sample_labels(t, "tailgate_database_waiting", &writer, 1, o->writer.waiting);
    metrics_family(t, "tailgate_database_wait_seconds", METRICS_HISTOGRAM,
                   "From a transaction's submission until a connection takes it.");
    metrics_sample_histogram_labels(t, "tailgate_database_wait_seconds", &api, 1,
                                    &o->api.wait_seconds);
    metrics_sample_histogram_labels(t, "tailgate_database_wait_seconds", &writer, 1,
                                    &o->writer.wait_seconds);
}

static void add_process(struct metrics_text *t)
{
    struct process_stats p;

    process_stats(&p);
    metrics_family(t, "process_cpu_seconds_total", METRICS_COUNTER,
                   "User and system CPU time of the server.");
    metrics_sample_us(t, "process_cpu_seconds_total", p.cpu_us);
    single(t, "process_resident_memory_bytes", METRICS_GAUGE, "Resident memory of the server.",
           p.resident_bytes);
    single(t, "process_virtual_memory_bytes", METRICS_GAUGE, "Virtual memory of the server.",
           p.virtual_bytes);
    single(t, "process_open_fds", METRICS_GAUGE, "Open file descriptors.", p.open_fds);
    single(t, "process_max_fds", METRICS_GAUGE, "Most file descriptors that may be open.",
           p.max_fds);
}

static void add_orchestrator(struct metrics_text *t, const struct orchestrator_stats *o)
{
    metrics_family(t, "tailgate_executions", METRICS_GAUGE, "Live executions by state.");
    for (int s = 0; s < EXEC_STATUS_COUNT; s++) {
        if (!exec_status_is_terminal((enum exec_status)s))
            metrics_sample(t, "tailgate_executions", "status",
                           exec_status_name((enum exec_status)s), o->live[s]);
    }
    single(t, "tailgate_audit_dropped_total", METRICS_COUNTER,
           "Refusals that found no room in the audit's queue.", o->audit_dropped);
    single(t, "tailgate_trace_dropped_total", METRICS_COUNTER,
           "Log records that found no room in the traces' queue.", o->trace_dropped);
}

static void get_metrics(struct http_request *r)
{
    struct server *s = http_server(r);
    struct buf body CLEANUP_BUF = {.max = TEXT_MAX};
    struct metrics_text t = {.out = &body};
    struct orchestrator_stats o;

    orchestrator_stats(s->orch, &o);
    add_server(&t, s);
    add_hub(&t, s);
    add_writer(&t, &o);
    add_orchestrator(&t, &o);
    add_database(&t, &o);
    http_metrics_add(s->http_metrics, &t);
    add_process(&t);
    if (t.err) {
        struct problem p;
        (void)problem_set(&p, ERR_INTERNAL, "failed to report metrics", "out of memory");
        http_respond_problem(r, &p);
        return;
    }
    http_respond(r, 200, "text/plain; version=0.0.4; charset=utf-8", body.data, body.len);
}

const struct route routes_metrics[] = {
    {HTTP_GET, POLICY_PUBLIC, "/metrics", get_metrics},
};
const size_t routes_metrics_count = ARRAY_SIZE(routes_metrics);
