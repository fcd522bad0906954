/* tailgated's settings: one table (options.c) that parses, documents and defaults them all. */
#ifndef TAILGATE_GATEWAY_OPTIONS_H
#define TAILGATE_GATEWAY_OPTIONS_H

#include "base/config.h"

struct options {
    /* Together, without holes between them. */
    bool dev, rotate_secrets_key, insecure_http, queue, stream_deflate, docker_read_only,
        remove_orphans;
    char *state_dir;
    char *listen; /* HOST:PORT; port 0 picks one */
    char *database_url;
    char *postgres_bin_dir;
    char *secrets_key_file; /* STATE_DIR/secrets.key */
    char *runner;           /* path of tailgate-runner; default: beside tailgated */
    int64_t log_format;     /* 0 auto, 1 logfmt, 2 json */
    char *log_level;
    char *public_url;
    char *trusted_proxies; /* comma-separated addresses or CIDR */
    char *cors_origins;    /* comma-separated, "*" possible */
    char *tls_cert, *tls_key;
    int64_t max_connections;
    int64_t max_live;
    int64_t max_running, max_running_per_user; /* on all gateways; 0 = any number */
    int64_t queue_max;
    int64_t idempotency_retention_ms;
    char *git_protocols;
    uint64_t max_body_bytes;
    uint64_t max_message_bytes; /* WebSocket, 64 KiB */
    int64_t request_timeout_ms;
    uint64_t socket_send_bytes; /* SO_SNDBUF of accepted sockets */
    int64_t reader_idle_timeout_ms;
    int64_t ping_interval_ms, pong_timeout_ms, auth_timeout_ms;
    int64_t leave_timeout_ms;  /* at SIGTERM: how long requests may finish */
    int64_t max_subscriptions; /* of one socket */
    int64_t max_searches, search_queue, search_time_ms;
    int64_t commit_gap_ms;
    int64_t list_limit;
    uint64_t ring_bytes, ring_total_bytes;
    uint64_t group_bytes, feed_bytes, inline_compress_bytes;
    uint64_t spool_bytes;
    int64_t drain_ms;
    int64_t default_timeout_s, max_timeout_s, default_grace_s;
    int64_t spool_full; /* 0 block, 1 fail */
    uint64_t max_command_bytes, max_env_bytes;
    int64_t trace_retention_ms;
    uint64_t trace_queue_bytes;
    int64_t audit_queue;
    int64_t log_retention_ms, workspace_retention_ms;
    int64_t db_pool_size, db_deadline_ms;
    int64_t lease_ms, gateway_lost_ms;
    char *run_user;
    int64_t engine;    /* 0 process, 1 docker */
    char *docker_host; /* NULL = DOCKER_HOST, or Docker's usual socket */
    char *docker_host_state_dir, *docker_network, *docker_user;
    int64_t pull; /* enum docker_pull_policy */
    int64_t pull_timeout_ms, docker_pids;
    char *registry_secrets;
    uint64_t docker_memory;
    char *sandbox_read_paths, *sandbox_write_paths;
    int64_t token_ttl_ms;
    char *admin_email; /* --dev's admin */
    char *bootstrap_admin;
    int64_t claim_ttl_ms, max_keys_per_user;
    int64_t reconcile_interval_ms, health_timeout_ms;
};

extern const struct config_table options_table;
/* Rules across settings (--insecure-http, state dir, TLS pair …). ERR_INVALID, one line in error.
 */
MUST_CHECK int options_check(const struct options *o, struct buf *error);

#endif
