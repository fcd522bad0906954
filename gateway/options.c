/* tailgated's settings: the table, and the rules across settings. */
#include "gateway/options.h"

#include "base/err.h"
#include "base/fields.h"
#include "base/log.h"
#include "base/str.h"
#include "gateway/boot_engine.h"
#include "gateway/client_address.h"
#include "gateway/cors.h"
#include "gateway/listen.h"
#include "orchestrator/git_protocols.h"
#include "orchestrator/registries.h"

#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define AT(field) offsetof(struct options, field)
#define STRING(n, field, a, d, h)                                                        \
    {                                                                                    \
        .name = (n), .type = CONFIG_STRING, .offset = AT(field), .arg = (a), .def = (d), \
        .help = (h)                                                                      \
    }
#define FLAG(n, field, h)                                                  \
    {                                                                      \
        .name = (n), .type = CONFIG_BOOL, .offset = AT(field), .help = (h) \
    }
#define NUMBER(n, field, a, d, lo, hi, h)                                                          \
    {                                                                                              \
        .name = (n), .type = CONFIG_INT, .offset = AT(field), .arg = (a), .def = (d), .min = (lo), \
        .max = (hi), .help = (h)                                                                   \
    }
#define BYTES(n, field, d, lo, hi, h)                                                       \
    {                                                                                       \
        .name = (n), .type = CONFIG_BYTES, .offset = AT(field), .arg = "BYTES", .def = (d), \
        .min = (lo), .max = (hi), .help = (h)                                               \
    }
#define DURATION(n, field, d, lo, hi, h)                                                      \
    {                                                                                         \
        .name = (n), .type = CONFIG_DURATION, .offset = AT(field), .arg = "TIME", .def = (d), \
        .min = (lo), .max = (hi), .help = (h)                                                 \
    }

#define KIB (1LL << 10)
#define MIB (1LL << 20)
#define GIB (1LL << 30)
#define DAY_MS (24LL * 3600 * 1000)

/* clang-format off: one row a setting */
static const struct config_option rows[] = {
    FLAG("dev", dev, "make an admin key in STATE_DIR/admin.key; as root, commands run as `nobody`"),
    STRING("state-dir", state_dir, "DIR", NULL,
           "where runs, keys and the private cluster live (/var/lib/tailgate as root, else "
           "$XDG_STATE_HOME/tailgate)"),
    STRING("listen", listen, "HOST:PORT", "127.0.0.1:8080",
           "address to serve; port 0 picks one, [::1]:8080 for IPv6, *:8080 for all"),
    {.name = "database-url",
     .type = CONFIG_STRING,
     .offset = AT(database_url),
     .arg = "URL",
     .secret = true,
     .help =
         "PostgreSQL 15 or newer; without it a private cluster is started in the state directory"},
    STRING("postgres-bin-dir", postgres_bin_dir, "DIR", NULL,
           "where initdb and pg_ctl are, for the private cluster"),
    STRING(
        "secrets-key-file", secrets_key_file, "FILE", NULL,
        "keys that secrets are sealed with (STATE_DIR/secrets.key, made at the first start); all "
        "gateways of a database need the same"),
    FLAG("rotate-secrets-key", rotate_secrets_key,
         "put a new key into that file, seal everything anew, drop the old keys, and exit; works "
         "while gateways run"),
    STRING("runner", runner, "FILE", NULL, "tailgate-runner (beside tailgated)"),
    {.name = "log-format",
     .type = CONFIG_CHOICE,
     .offset = AT(log_format),
     .arg = "auto|logfmt|json",
     .def = "auto",
     .help = "of the server's own log on standard error; auto: logfmt on a terminal"},
    STRING("log-level", log_level, "LEVEL", "info", "debug, info, warn or error"),
    STRING("public-url", public_url, "URL", NULL,
           "scheme and host that clients see, for links in answers"),
    STRING("trusted-proxies", trusted_proxies, "LIST", NULL,
           "addresses or CIDR ranges whose X-Forwarded-* headers are believed"),
    STRING("cors-origins", cors_origins, "LIST", NULL,
           "origins that browsers may call from; * for all; the same origin always may"),
    STRING("tls-cert", tls_cert, "FILE", NULL,
           "certificate chain in PEM; serves HTTPS together with --tls-key"),
    STRING("tls-key", tls_key, "FILE", NULL, "its private key in PEM"),
    FLAG("insecure-http", insecure_http, "allow plain HTTP on other than loopback"),
    NUMBER("max-connections", max_connections, "N", "10000", 1, 1000000,
           "connections at a time; more are answered 503"),
    NUMBER("max-live", max_live, "N", "1000", 1, 1000000,
           "executions that this server runs at a time; more are answered 429, or queued"),
    NUMBER("max-running", max_running, "N", "0", 0, 1000000,
           "executions that run at a time on all servers of the database; 0 = any number"),
    NUMBER("max-running-per-user", max_running_per_user, "N", "0", 0, 1000000,
           "of one user; 0 = any number"),
    FLAG("queue", queue, "runs past these limits wait (PENDING) instead of being answered 429"),
    NUMBER("queue-max", queue_max, "N", "1000", 1, 1000000,
           "runs that wait at a time; more are answered 429"),
    DURATION("idempotency-retention", idempotency_retention_ms, "24h", 1000, 365 * DAY_MS,
             "how long the idempotency key of a run is remembered"),
    STRING("git-protocols", git_protocols, "LIST", "https,ssh",
           "of repositories that runs may clone: any of https, ssh, http, git, file"),
    BYTES("max-body-bytes", max_body_bytes, "1MiB", 1, GIB, "largest request body"),
    BYTES("max-message-bytes", max_message_bytes, "64KiB", 128, 16 * MIB,
          "largest WebSocket message from a client"),
    DURATION("request-timeout", request_timeout_ms, "30s", 10, DAY_MS,
             "for a request to arrive whole; then 408"),
    BYTES("socket-send-buffer", socket_send_bytes, "128KiB", 16 * KIB, 64 * MIB,
          "what the kernel holds of a connection's unsent output (SO_SNDBUF; net.core.wmem_max "
          "bounds "
          "it)"),
    DURATION(
        "reader-idle-timeout", reader_idle_timeout_ms, "5m", 10, DAY_MS,
        "how long a reader may take nothing of what waits for it; then it is closed with 1008"),
    FLAG("stream-deflate", stream_deflate,
         "offer permessage-deflate to tailgate.v1's readers: deflated once for all of them"),
    DURATION("ping-interval", ping_interval_ms, "25s", 10, DAY_MS, "between WebSocket pings"),
    DURATION("pong-timeout", pong_timeout_ms, "10s", 10, DAY_MS, "for the answer to one"),
    DURATION("auth-timeout", auth_timeout_ms, "10s", 10, DAY_MS,
             "for a WebSocket's first message to bring a key"),
    DURATION("leave-timeout", leave_timeout_ms, "10s", 0, DAY_MS,
             "how long requests may finish after SIGTERM"),
    NUMBER("max-subscriptions", max_subscriptions, "N", "1000", 1, 1000000, "of one WebSocket"),
    NUMBER("max-searches", max_searches, "N", "2", 1, 64,
           "log searches that run at a time; more wait"),
    NUMBER("search-queue", search_queue, "N", "32", 0, 10000,
           "log searches that wait; more are answered 429"),
    DURATION("search-time", search_time_ms, "2s", 10, DAY_MS,
             "of one page of a search; then it ends, and the next one goes on"),
    NUMBER("list-limit", list_limit, "N", "1000", 1, 100000,
           "executions of the live list's snapshot, beside those that are live"),
    BYTES("ring-bytes", ring_bytes, "8MiB", 64 * KIB, 64 * GIB,
          "latest lines of one execution kept in memory"),
    BYTES("ring-total-bytes", ring_total_bytes, "512MiB", 64 * KIB, 1024 * GIB,
          "of all executions"),
    BYTES("group-bytes", group_bytes, "1MiB", 64 * KIB, GIB, "lines committed in one transaction"),
    DURATION("commit-gap", commit_gap_ms, "4ms", 0, 1000,
             "that few lines wait for company after the last commit; 0: none"),
    BYTES("feed-bytes", feed_bytes, "1MiB", 64 * KIB, GIB,
          "uncommitted lines of one execution in memory"),
    BYTES("inline-compress-bytes", inline_compress_bytes, "4KiB", 0, 64 * KIB,
          "larger chunks are compressed in the thread pool"),
    BYTES("spool-bytes", spool_bytes, "256MiB", 64 * KIB, 1024 * GIB,
          "uncommitted lines of one execution on disk"),
    {.name = "spool-full",
     .type = CONFIG_CHOICE,
     .offset = AT(spool_full),
     .arg = "block|fail",
     .def = "block",
     .help =
         "past --spool-bytes, or with a full disk: the command waits until there is room, or is "
         "ended as FAILED (spool_full, disk_full)"},
    DURATION("drain-time", drain_ms, "2s", 0, DAY_MS,
             "how long output of descendants is read after a command's end"),
    NUMBER("default-timeout", default_timeout_s, "SECONDS", "0", 0, 365 * 86400LL,
           "of a run that names none; 0 = none"),
    NUMBER("max-timeout", max_timeout_s, "SECONDS", "0", 0, 365 * 86400LL,
           "longest that a run may ask for; 0 = any"),
    NUMBER("default-grace", default_grace_s, "SECONDS", "10", 0, 86400,
           "between SIGTERM and SIGKILL"),
    BYTES("max-command-bytes", max_command_bytes, "64KiB", 1, 128 * KIB, "largest command"),
    BYTES("max-env-bytes", max_env_bytes, "256KiB", 0, MIB,
          "all names and values of a run's environment"),
    DURATION("log-retention", log_retention_ms, "0", 0, 100 * 365 * DAY_MS,
             "how long log lines are kept, in days; 0 = for ever"),
    DURATION("trace-retention", trace_retention_ms, "7d", 0, 100 * 365 * DAY_MS,
             "how long the server's own log records of requests are kept for traces; 0 = for ever"),
    BYTES("trace-queue-bytes", trace_queue_bytes, "4MiB", 64 * KIB, GIB,
          "such records that wait to be stored; more are left out and counted"),
    NUMBER("audit-queue", audit_queue, "N", "256", 1, 100000,
           "kinds of refusals that wait to be audited; more are left out and counted"),
    DURATION("workspace-retention", workspace_retention_ms, "1h", 0, 365 * DAY_MS,
             "how long a workspace stays after its run's end"),
    NUMBER("db-pool-size", db_pool_size, "N", "4", 1, 64,
           "PostgreSQL connections beside the log writer's"),
    DURATION("db-deadline", db_deadline_ms, "10s", 100, DAY_MS, "for one PostgreSQL transaction"),
    DURATION("lease", lease_ms, "10s", 100, DAY_MS,
             "how long this server counts as alive without word from it; then others take its "
             "executions over"),
    DURATION("gateway-lost-after", gateway_lost_ms, "1h", 0, 365 * DAY_MS,
             "executions of a server that is gone for so long, and whose state directory this one "
             "cannot reach, are ended as FAILED (gateway_lost)"),
    STRING("run-user", run_user, "USER", NULL,
           "as root: the user that commands run as (nobody with --dev)"),
    {.name = "engine",
     .type = CONFIG_CHOICE,
     .offset = AT(engine),
     .arg = "process|docker",
     .def = "process",
     .help = "what runs commands: processes of this host, or containers of registered images"},
    STRING("docker-host", docker_host, "URL", NULL,
           "unix:///PATH of Docker's or Podman's socket (DOCKER_HOST, else /var/run/docker.sock)"),
    STRING("docker-host-state-dir", docker_host_state_dir, "DIR", NULL,
           "the state directory as the Docker host sees it, for a tailgated in a container; "
           "--runner must be in it then"),
    {.name = "pull",
     .type = CONFIG_CHOICE,
     .offset = AT(pull),
     .arg = "missing|always|never",
     .def = "missing",
     .help = "when an image is pulled before a run"},
    DURATION("pull-timeout", pull_timeout_ms, "60s", 1000, DAY_MS,
             "how long a pull may stand still"),
    STRING(
        "registry-secrets", registry_secrets, "LIST", NULL,
        "REGISTRY=SECRET, with commas between: a secret whose value is USER:PASSWORD, with which "
        "images of that registry are pulled"),
    STRING("docker-network", docker_network, "MODE", "bridge",
           "network of containers: none, bridge, or a network's name"),
    STRING(
        "docker-user", docker_user, "USER", NULL,
        "whom commands run as in containers, as UID[:GID] or a name of the image (the image's own "
        "user as root, else who runs tailgated)"),
    NUMBER("docker-pids", docker_pids, "N", "1024", 2, 4194304, "processes of one container"),
    BYTES("docker-memory", docker_memory, "0", 0, 1LL << 50,
          "memory of a container whose image names none; 0 = no limit"),
    FLAG("docker-read-only", docker_read_only, "containers may write to /workspace and /tmp alone"),
    STRING("sandbox-read-paths", sandbox_read_paths, "PATHS", NULL,
           "colon-separated; more that commands may read where Landlock confines them"),
    STRING("sandbox-write-paths", sandbox_write_paths, "PATHS", NULL,
           "colon-separated; more that they may write"),
    DURATION("token-ttl", token_ttl_ms, "24h", 1000, 365 * DAY_MS,
             "how long a websocket_url is good for"),
    STRING("admin-email", admin_email, "EMAIL", "admin@localhost", "the admin that --dev makes"),
    STRING("bootstrap-admin", bootstrap_admin, "EMAIL", NULL,
           "make this admin if absent, and print a claim token until that admin has a key"),
    DURATION("claim-ttl", claim_ttl_ms, "15m", 1000, 365 * DAY_MS,
             "how long a new user's claim token is good for"),
    NUMBER("max-keys-per-user", max_keys_per_user, "N", "20", 1, 1000000,
           "API keys of one user that are not revoked; more are answered 429"),
    DURATION("reconcile-interval", reconcile_interval_ms, "1h", 0, 365 * DAY_MS,
             "between two reconciles (POST /health/reconcile); 0 = only when asked"),
    DURATION("health-check-timeout", health_timeout_ms, "5s", 10, DAY_MS,
             "for one check of a reconcile, or of /readyz?verbose"),
    FLAG("remove-orphans", remove_orphans,
         "a reconcile removes containers and run directories that belong to no live execution"),
};
/* clang-format on */

const struct config_table options_table = {
    .program = "tailgated",
    .usage = "tailgated [--dev] [--state-dir DIR] [--listen HOST:PORT] [--database-url URL] …",
    .options = rows,
    .count = ARRAY_SIZE(rows),
};

static int fail(struct buf *error, const char *option, const char *rule)
{
    int err = buf_printf(error, "%s: %s", option, rule);
    return err ? err : ERR_INVALID;
}

static bool is_http_url(const char *url)
{
    struct cors parsed;
    return (str_starts_with(url, "http://") || str_starts_with(url, "https://")) &&
           cors_parse(NULL, url, &parsed) == 0;
}

/* As root commands run as somebody else; otherwise they can only run as we do. */
static int check_run_user(const struct options *o, struct buf *error)
{
    if (geteuid() != 0)
        return o->run_user ? fail(error, "--run-user", "only root can run commands as another user")
                           : 0;
    if (!o->run_user)
        return fail(error, "--run-user", "as root, commands need a user to run as");
    const struct passwd *user = getpwnam(o->run_user);
    if (!user)
        return fail(error, "--run-user", "there is no such user");
    return user->pw_uid == 0 ? fail(error, "--run-user", "commands never run as root") : 0;
}

/* Whether a PEM file has an object of that kind. The rest is found when it is used. */
static bool has_pem(const char *path, const char *kind)
{
    char text[65536];
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    size_t n = fread(text, 1, sizeof(text), f);
    (void)fclose(f);
    const char *begin = memmem(text, n, "-----BEGIN ", 11);
    return begin && memmem(begin, n - (size_t)(begin - text), kind, strlen(kind));
}

static int check_tls(const struct options *o, struct buf *error)
{
    if (str_is_empty(o->tls_cert) != str_is_empty(o->tls_key))
        return fail(error, o->tls_cert ? "--tls-cert" : "--tls-key",
                    "--tls-cert and --tls-key go together");
    if (o->tls_cert && access(o->tls_cert, R_OK) != 0)
        return fail(error, "--tls-cert", "the file cannot be read");
    if (o->tls_key && access(o->tls_key, R_OK) != 0)
        return fail(error, "--tls-key", "the file cannot be read");
    if (o->tls_cert && !has_pem(o->tls_cert, "CERTIFICATE-----"))
        return fail(error, "--tls-cert", "must hold a certificate in PEM");
    if (o->tls_key && !has_pem(o->tls_key, "PRIVATE KEY-----"))
        return fail(error, "--tls-key", "must hold a private key in PEM");
    return 0;
}

static int check_lists(const struct options *o, struct buf *error)
{
    struct cors cors;
    struct address_list proxies;
    if (!git_protocols_are_valid(o->git_protocols))
        return fail(error, "--git-protocols", "must be of https, ssh, http, git and file");
    if (!registries_are_valid(o->registry_secrets))
        return fail(error, "--registry-secrets", "must be REGISTRY=SECRET, with commas between");
    if (o->public_url && !is_http_url(o->public_url))
        return fail(error, "--public-url", "must be http://HOST or https://HOST");
    if (cors_parse(o->cors_origins, NULL, &cors))
        return fail(error, "--cors-origins", "must be a list of origins such as https://a.example");
    if (address_list_parse(o->trusted_proxies, &proxies, NULL))
        return fail(error, "--trusted-proxies", "must be a list of addresses or CIDR ranges");
    return 0;
}

static int check_email(const char *email, const char *option, struct buf *error)
{
    struct problem p;
    return email && field_check(FIELD_EMAIL, "", email, &p) ? fail(error, option, p.details) : 0;
}

int options_check(const struct options *o, struct buf *error)
{
    enum log_level level;
    if (log_level_parse(o->log_level, &level))
        return fail(error, "--log-level", "must be debug, info, warn or error");
    if (!o->state_dir || o->state_dir[0] != '/')
        return fail(error, "--state-dir", "must be an absolute path");
    if (o->secrets_key_file && o->secrets_key_file[0] != '/')
        return fail(error, "--secrets-key-file", "must be an absolute path");
    if (o->runner && o->runner[0] != '/')
        return fail(error, "--runner", "must be an absolute path");
    if (o->max_timeout_s > 0 && o->default_timeout_s > o->max_timeout_s)
        return fail(error, "--default-timeout", "must not be longer than --max-timeout");
    if (o->ring_bytes > o->ring_total_bytes)
        return fail(error, "--ring-bytes", "must not be larger than --ring-total-bytes");
    int err = check_email(o->admin_email, "--admin-email", error);
    if (!err)
        err = check_email(o->bootstrap_admin, "--bootstrap-admin", error);
    if (!err)
        err = check_run_user(o, error);
    if (!err)
        err = boot_engine_check(o, error);
    if (!err)
        err = check_tls(o, error);
    if (!err)
        err = check_lists(o, error);
    if (!err)
        err = listen_address_check(o, error);
    return err;
}
