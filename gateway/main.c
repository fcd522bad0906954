/* tailgated: settings, log, state directory; then boot.c runs the server. */
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "gateway/boot.h"
#include "gateway/options.h"
#include "gateway/rotate.h"
#include "gateway/server.h"
#include "gateway/state_dir.h"
#include "orchestrator/seal.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EXIT_SETTINGS 2

/* Defaults that depend on who and where we are. */
static int complete(struct options *o, struct buf *error)
{
    char path[PATH_MAX];
    int err = 0;
    if (!o->state_dir)
        err = state_dir_default(&o->state_dir);
    if (!err)
        err = state_dir_make_absolute(&o->state_dir);
    if (!err && o->dev && geteuid() == 0 && !o->run_user)
        err = str_set(&o->run_user, "nobody");
    if (!err && !o->runner) {
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof("/tailgate-runner"));
        char *slash = n > 0 ? memrchr(path, '/', (size_t)n) : NULL;
        if (!slash)
            return buf_append_str(error, "--runner: tailgate-runner was not found") ? ERR_NOMEM
                                                                                    : ERR_INVALID;
        memcpy(slash, "/tailgate-runner", sizeof("/tailgate-runner"));
        err = str_set(&o->runner, path);
    }
    if (!err && o->secrets_key_file)
        err = state_dir_make_absolute(&o->secrets_key_file);
    if (!err)
        err = state_dir_make_absolute(&o->runner);
    if (!err && access(o->runner, X_OK) != 0) {
        err = buf_printf(error, "--runner: %s cannot be executed", o->runner);
        return err ? err : ERR_INVALID;
    }
    return err;
}

static void set_up_log(const struct options *o)
{
    enum log_level level = LOG_INFO;
    bool json = o->log_format == 2 || (o->log_format == 0 && !isatty(STDERR_FILENO));
    (void)!log_level_parse(o->log_level, &level); /* options_check passed it */
    log_setup(level, json ? LOG_JSON : LOG_LOGFMT);
}

static int print_special(const char *special)
{
    struct buf help CLEANUP_BUF = {.max = 65536};
    if (str_eq(special, "version")) {
        (void)printf("tailgated %s\n", SERVER_VERSION);
        return 0;
    }
    if (config_help(&options_table, &help))
        return 1;
    (void)fputs(help.data, stdout);
    return 0;
}

/*
 * A file that was named must be there, unless for --dev. The one in the state directory is made
 * with it: where a server has run before, a missing one was lost, and a fresh one would open
 * nothing.
 */
static int take_keys(const struct options *o, bool is_fresh, struct buf *error, struct sealer **ret)
{
    struct buf path CLEANUP_BUF = {.max = PATH_MAX};
    bool is_default = !o->secrets_key_file;
    if (buf_printf(&path, "%s", is_default ? o->state_dir : o->secrets_key_file) ||
        (is_default && buf_append_str(&path, "/secrets.key")))
        return ERR_NOMEM;
    return sealer_new(path.data, o->dev || (is_default && is_fresh), error, ret);
}

static bool has_gateway_id(const char *state_dir)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/gateway.id", state_dir);
    return n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0;
}

/* The server may be running: then the state directory is not ours, and need not be. */
static int rotate(struct options *o, struct buf *error)
{
    struct sealer *sealer = NULL;
    int lock_fd = -1, code = EXIT_SETTINGS;
    int err = complete(o, error);
    if (!err)
        err = options_check(o, error);
    if (!err) {
        err = state_dir_take(o->state_dir, error, &lock_fd);
        err = err == ERR_CONFLICT ? 0 : err;
    }
    if (!err)
        err = take_keys(o, false, error, &sealer);
    if (err) {
        (void)fprintf(stderr, "tailgated: %s\n", error->len ? error->data : err_name(err));
    } else {
        set_up_log(o);
        code = rotate_run(o, sealer, lock_fd >= 0);
    }
    sealer_free(sealer);
    if (lock_fd >= 0)
        (void)close(lock_fd);
    return code;
}

static int run(struct options *o, struct buf *error)
{
    char gateway_id[GATEWAY_ID_SIZE];
    struct sealer *sealer = NULL;
    bool is_fresh = false;
    int lock_fd = -1;
    int err = complete(o, error);
    if (!err)
        err = options_check(o, error);
    if (!err)
        err = state_dir_take(o->state_dir, error, &lock_fd);
    if (!err) {
        is_fresh = !has_gateway_id(o->state_dir);
        err = take_keys(o, is_fresh, error, &sealer);
    }
    if (!err)
        err = state_dir_gateway_id(o->state_dir, error, gateway_id);
    if (err) {
        sealer_free(sealer);
        (void)fprintf(stderr, "tailgated: %s\n", error->len ? error->data : err_name(err));
        if (lock_fd >= 0)
            (void)close(lock_fd);
        return EXIT_SETTINGS;
    }
    set_up_log(o);
    int code = boot_run(o, gateway_id, sealer);
    sealer_free(sealer);
    (void)close(lock_fd);
    return code;
}

int main(int argc, char *argv[], char *envp[])
{
    struct options o = {0};
    struct buf error CLEANUP_BUF = {.max = 4096};
    const char *special = NULL;
    int code;
    (void)signal(SIGPIPE, SIG_IGN);
    int err = config_load(&options_table, &o, argc, argv, envp, &error, &special);
    if (err == ERR_END) {
        code = print_special(special);
    } else if (err) {
        (void)fprintf(stderr, "tailgated: %s\n", error.len ? error.data : err_name(err));
        code = EXIT_SETTINGS;
    } else {
        code = o.rotate_secrets_key ? rotate(&o, &error) : run(&o, &error);
    }
    config_done(&options_table, &o);
    return code;
}
