#include "gateway/options.h"

#include "base/err.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PEM_FILE "unit_options.pem"

static uid_t fake_uid;

uid_t __wrap_geteuid(void);
uid_t __wrap_geteuid(void)
{
    return fake_uid;
}

#define ARGS_MAX 8

static int load(char *const *flags, struct options *o, struct buf *error)
{
    char *argv[ARGS_MAX + 4] = {(char *)"tailgated", (char *)"--state-dir", (char *)"/tmp/x"};
    char *const none[] = {NULL};
    const char *special = NULL;
    int argc = 3;
    memset(o, 0, sizeof(*o));
    buf_clear(error);
    while (*flags)
        argv[argc++] = *flags++;
    return config_load(&options_table, o, argc, argv, none, error, &special);
}

static void test_options_check__table(void **state)
{
    static const struct {
        uid_t uid;
        const char *flags[ARGS_MAX];
        const char *error; /* NULL: fine */
    } rows[] = {
        {1000, {NULL}, NULL},
        {1000, {"--listen", "[::1]:0", NULL}, NULL},
        {1000, {"--listen", "localhost:0", NULL}, NULL},
        {1000, {"--listen", "0.0.0.0:0", NULL}, "--insecure-http"},
        {1000, {"--listen", "*:0", NULL}, "--insecure-http"},
        {1000, {"--bootstrap-admin", "me@example.org", NULL}, NULL},
        {1000, {"--bootstrap-admin", "me", NULL}, "--bootstrap-admin: email must be"},
        {1000, {"--admin-email", "a b@c.d", NULL}, "--admin-email: email must be"},
        {1000, {"--listen", "*:0", "--insecure-http", NULL}, NULL},
        {1000, {"--listen", "nonsense", NULL}, "--listen nonsense: must be HOST:PORT"},
        {1000, {"--listen", "1.2.3.4:99999", NULL}, "HOST:PORT"},
        {1000, {"--listen", "::1:80", NULL}, "HOST:PORT"},
        {1000, {"--listen", "no such host:80", NULL}, "--listen no such host:80"},
        {1000, {"--tls-cert", "/etc/passwd", NULL}, "go together"},
        {1000, {"--tls-key", "/etc/passwd", NULL}, "go together"},
        {1000, {"--tls-cert", "/nonexistent", "--tls-key", "/etc/passwd", NULL}, "--tls-cert"},
        {1000, {"--tls-cert", "/etc/passwd", "--tls-key", "/nonexistent", NULL}, "--tls-key"},
        {1000, {"--tls-cert", PEM_FILE, "--tls-key", PEM_FILE, "--listen", "*:0", NULL}, NULL},
        {1000, {"--tls-cert", "/etc/passwd", "--tls-key", PEM_FILE, NULL}, "--tls-cert: must hold"},
        {1000, {"--tls-cert", PEM_FILE, "--tls-key", "/etc/passwd", NULL}, "--tls-key: must hold"},
        {1000, {"--state-dir", "relative", NULL}, "--state-dir: must be an absolute path"},
        {1000, {"--runner", "relative", NULL}, "--runner"},
        {1000,
         {"--secrets-key-file", "relative", NULL},
         "--secrets-key-file: must be an absolute path"},
        {1000, {"--log-level", "loud", NULL}, "--log-level"},
        {1000, {"--run-user", "nobody", NULL}, "only root"},
        {0, {NULL}, "--run-user"},
        {0, {"--run-user", "root", NULL}, "never run as root"},
        {0, {"--run-user", "no-such-user", NULL}, "no such user"},
        {0, {"--run-user", "nobody", NULL}, NULL},
        {1000, {"--default-timeout", "10", "--max-timeout", "5", NULL}, "--default-timeout"},
        {1000, {"--ring-bytes", "2GiB", NULL}, "--ring-bytes"},
        {1000, {"--public-url", "gate.example", NULL}, "--public-url"},
        {1000, {"--public-url", "https://gate.example", NULL}, NULL},
        {1000, {"--cors-origins", "x", NULL}, "--cors-origins"},
        {1000, {"--trusted-proxies", "proxy", NULL}, "--trusted-proxies"},
        {1000, {"--trusted-proxies", "10.0.0.0/8", "--cors-origins", "*", NULL}, NULL},
    };
    struct buf error CLEANUP_BUF = {.max = 1024};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct options o;
        fake_uid = rows[i].uid;
        assert_int_equal(load((char *const *)(const void *)rows[i].flags, &o, &error), 0);
        int err = options_check(&o, &error);
        if (err != (rows[i].error ? ERR_INVALID : 0))
            fail_msg("row %zu: %d %s", i, err, error.data ? error.data : "");
        if (err) {
            assert_non_null(strstr(error.data, rows[i].error));
            assert_null(strchr(error.data, '\n'));
        }
        config_done(&options_table, &o);
    }
}

static void test_options_table__every_row__is_documented_and_has_a_good_default(void **state)
{
    struct options o = {0};
    struct buf help CLEANUP_BUF = {.max = 65536};
    (void)state;
    assert_int_equal(config_defaults(&options_table, &o), 0);
    assert_int_equal(o.max_body_bytes, 1u << 20);
    assert_int_equal(o.max_message_bytes, 65536);
    assert_int_equal(o.spool_bytes, 256u << 20);
    assert_int_equal(o.ping_interval_ms, 25000);
    assert_int_equal(o.token_ttl_ms, 24 * 3600 * 1000);
    assert_int_equal(o.default_grace_s, 10);
    assert_int_equal(config_help(&options_table, &help), 0);
    for (size_t i = 0; i < options_table.count; i++) {
        const struct config_option *row = &options_table.options[i];
        assert_non_null(row->help);
        assert_non_null(strstr(help.data, row->name));
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(row->name, options_table.options[k].name);
            assert_int_not_equal(row->offset, options_table.options[k].offset);
        }
    }
    config_done(&options_table, &o);
}

static int setup_pem(void **state)
{
    static const char text[] = "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n";
    (void)state;
    FILE *f = fopen(PEM_FILE, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    return fclose(f);
}

static int teardown_pem(void **state)
{
    (void)state;
    return unlink(PEM_FILE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_check__table),
        cmocka_unit_test(test_options_table__every_row__is_documented_and_has_a_good_default),
    };
    return cmocka_run_group_tests(tests, setup_pem, teardown_pem);
}
