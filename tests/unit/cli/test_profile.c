/* The configuration file read, hostile ones too. */
#include "cli/profile.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/base/unit.h"

#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];
static bool read_fails;

ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __wrap_read(int fd, void *p, size_t n);

ssize_t __wrap_read(int fd, void *p, size_t n)
{
    if (!read_fails)
        return __real_read(fd, p, n);
    errno = EIO;
    return -1;
}

static int make_file(void **state UNUSED)
{
    (void)snprintf(path, sizeof path, "/tmp/tg-profile-XXXXXX");
    int fd = mkstemp(path);
    read_fails = false;
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state UNUSED)
{
    (void)unlink(path);
    return 0;
}

static void fill(const char *text, size_t len)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static void test_profile_read__good__values(void **state UNUSED)
{
    static const struct {
        const char *text, *endpoint, *key, *ca;
    } rows[] = {
        {"api_endpoint: http://h:1\napi_key: tg_x\n", "http://h:1", "tg_x", NULL},
        {"# comment\n\"api_key\": 'a b'\nca_file: \"/c\"\n", NULL, "a b", "/c"},
        {"", NULL, NULL, NULL},
        {"# nothing\n", NULL, NULL, NULL},
        {"---\n...\n", NULL, NULL, NULL},
        {"api_key: \"\"\n", NULL, NULL, NULL},
        {"web_url: x\nother:\n  deep: [1, {a: b}, [c]]\n  api_key: no\napi_key: yes\n", NULL, "yes",
         NULL},
        {"{api_endpoint: e, api_key: k}", "e", "k", NULL},
        {"x: &a [1,2]\ny: *a\napi_key: k\n", NULL, "k", NULL},
        {"\"api_key\\0x\": no\napi_key: k\n", NULL, "k", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct profile v CLEANUP(profile_done) = {0};
        struct problem p = {0};
        fill(rows[i].text, strlen(rows[i].text));
        assert_int_equal(profile_read(path, &v, &p), 0);
        assert_true(str_eq(v.api_endpoint, rows[i].endpoint));
        assert_true(str_eq(v.api_key, rows[i].key));
        assert_true(str_eq(v.ca_file, rows[i].ca));
        assert_false(v.is_exposed);
    }
}

static void test_profile_read__hostile__refused_with_the_line(void **state UNUSED)
{
    static const struct {
        const char *text, *where;
    } rows[] = {
        {"api_key: a\napi_key: b\n", ":2: the setting is given twice"},
        {"api_key: [a]\n", ":1: the value must be a plain text"},
        {"x: &k secret\napi_key: *k\n", ":2: the value must be a plain text"},
        {"api_key: \"a\\nX-Evil: 1\"\n", ":1: the value holds a control character"},
        {"api_key: \"a\\0b\"\n", ":1: the value holds a control character"},
        {"- a\n- b\n", ":1: settings must be"},
        {"just text\n", ":1: settings must be"},
        {"api_key: \"open\n", ":"},
        {"a: b: c\n", ":1:"},
        {"\t: x\n", ":"},
        {"api_key: k\n--- \napi_key: l\n", ":3: the setting is given twice"},
        {"*a\n", ":"},
        {"? {a: b}\n: c\n", ":1: a setting's name must be a plain text"},
        {"%YAML 9.9\n---\n", ":"},
        {"api_key", ":1: settings must be"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct profile v CLEANUP(profile_done) = {0};
        struct problem p = {0};
        fill(rows[i].text, strlen(rows[i].text));
        assert_int_equal(profile_read(path, &v, &p), ERR_INVALID);
        assert_string_equal(p.error, "unusable configuration");
        assert_non_null(strstr(p.details, rows[i].where));
        assert_null(v.api_key);
    }
}

static void test_profile_read__bytes_that_are_no_text__refused(void **state UNUSED)
{
    struct profile v CLEANUP(profile_done) = {0};
    struct problem p = {0};
    fill("api_key: \xff\xfe\n", 12);
    assert_int_equal(profile_read(path, &v, &p), ERR_INVALID);
    fill("a\0b", 3);
    assert_int_equal(profile_read(path, &v, &p), ERR_INVALID);
}

static void test_profile_read__deep_and_large__bounded(void **state UNUSED)
{
    static char text[PROFILE_BYTES_MAX + 1];
    struct profile v CLEANUP(profile_done) = {0};
    struct problem p = {0};
    memset(text, '[', sizeof text);
    fill(text, PROFILE_BYTES_MAX);
    assert_int_equal(profile_read(path, &v, &p), ERR_INVALID);
    fill(text, PROFILE_BYTES_MAX + 1);
    assert_int_equal(profile_read(path, &v, &p), ERR_TOO_LARGE);
    assert_non_null(strstr(p.details, "more than 65536 bytes"));
}

static void test_profile_read__file_states__as_documented(void **state UNUSED)
{
    struct profile v CLEANUP(profile_done) = {0};
    struct problem p = {0};
    fill("api_key: k\n", 11);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(profile_read(path, &v, &p), 0);
    assert_true(v.is_exposed);
    profile_done(&v);
    read_fails = true;
    assert_int_equal(profile_read(path, &v, &p), ERR_SYS);
    read_fails = false;
    assert_int_equal(profile_read("/tmp", &v, &p), ERR_SYS);
    assert_int_equal(profile_read("/dev/null/x", &v, &p), ERR_SYS);
    assert_int_equal(profile_read("/tmp/tg-no-such-file", &v, &p), 0);
    assert_null(v.api_key);
}

static void test_profile_read__no_memory__reported(void **state UNUSED)
{
    const char *text = "api_endpoint: e\napi_key: k\nother: [1, 2]\n";
    fill(text, strlen(text));
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        struct profile v CLEANUP(profile_done) = {0};
        struct problem p = {0};
        int r = profile_read(path, &v, &p);
        assert_int_equal(r, fail_alloc_off() ? ERR_NOMEM : 0);
    }
}

static void test_profile_path__environment__as_xdg_says(void **state UNUSED)
{
    static const struct {
        const char *xdg, *home, *path;
    } rows[] = {
        {"/x", "/h", "/x/tailgate/config.yaml"},
        {NULL, "/h", "/h/.config/tailgate/config.yaml"},
        {"relative", "/h", "/h/.config/tailgate/config.yaml"},
        {"", "relative", NULL},
        {NULL, NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf b CLEANUP_BUF;
        struct problem p = {0};
        buf_init(&b, 4096);
        (void)unsetenv("XDG_CONFIG_HOME");
        (void)unsetenv("HOME");
        if (rows[i].xdg != NULL)
            (void)setenv("XDG_CONFIG_HOME", rows[i].xdg, 1);
        if (rows[i].home != NULL)
            (void)setenv("HOME", rows[i].home, 1);
        int r = profile_path(&b, &p);
        assert_int_equal(r, rows[i].path != NULL ? 0 : ERR_INVALID);
        if (rows[i].path != NULL)
            assert_string_equal(b.data, rows[i].path);
    }
    struct buf tiny CLEANUP_BUF;
    struct problem p = {0};
    buf_init(&tiny, 4);
    (void)setenv("HOME", "/h", 1);
    assert_int_equal(profile_path(&tiny, &p), ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_profile_read__good__values),
        cmocka_unit_test(test_profile_read__hostile__refused_with_the_line),
        cmocka_unit_test(test_profile_read__bytes_that_are_no_text__refused),
        cmocka_unit_test(test_profile_read__deep_and_large__bounded),
        cmocka_unit_test(test_profile_read__file_states__as_documented),
        cmocka_unit_test(test_profile_read__no_memory__reported),
        cmocka_unit_test(test_profile_path__environment__as_xdg_says),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
