/* Records as they reach standard error and the sinks; the clock, write and isatty are wrapped. */
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "fail_alloc.h"
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <sys/types.h>

int64_t __wrap_clock_wall_us(void);
ssize_t __wrap_write(int fd, const void *data, size_t n);
int __wrap_isatty(int fd);
ssize_t __real_write(int fd, const void *data, size_t n);

static struct {
    struct buf text;
    bool capture, terminal;
    size_t at_most;  /* bytes a write takes; 0 = all */
    int failures[2]; /* errno of the next writes */
    char sunk[2000];
    char sunk_request[100];
    int sunk_count;
} fake;

int64_t __wrap_clock_wall_us(void)
{
    return 1767323045678901;
}

int __wrap_isatty(int fd)
{
    assert_int_equal(fd, 2);
    return fake.terminal;
}

ssize_t __wrap_write(int fd, const void *data, size_t n)
{
    if (!fake.capture || fd != 2)
        return __real_write(fd, data, n);
    if (fake.failures[0]) {
        errno = fake.failures[0];
        fake.failures[0] = fake.failures[1];
        fake.failures[1] = 0;
        return -1;
    }
    if (fake.at_most && n > fake.at_most)
        n = fake.at_most;
    assert_int_equal(buf_append(&fake.text, data, n), 0);
    return (ssize_t)n;
}

static int setup(void **state UNUSED)
{
    memset(&fake, 0, sizeof(fake));
    buf_init(&fake.text, 1 << 20);
    fake.capture = true;
    log_setup(LOG_INFO, LOG_LOGFMT);
    log_set_request_id(NULL);
    return 0;
}

static int teardown(void **state UNUSED)
{
    buf_done(&fake.text);
    fake.capture = false;
    return 0;
}

#define TIME "2026-01-02T03:04:05.678Z"

static void test_log_write__logfmt__quoted_where_needed(void **state UNUSED)
{
    log_set_request_id("req-1");
    log_warn("two words", "a", "bare", "b", "with space", "c", "", "d", "x=y", "e", "say \"hi\"",
             "f", "two\nlines\033[0m", "g", "gr\xC3\xBC\xC3\x9F", "h", "back\\slash", "skipped",
             (const char *)NULL, "n", LOG_NUM(-42));
    assert_string_equal(fake.text.data,
                        "time=" TIME " level=warn msg=\"two words\" request_id=req-1 a=bare "
                        "b=\"with space\" c=\"\" d=\"x=y\" e=\"say \\\"hi\\\"\" "
                        "f=\"two\\nlines\\u001b[0m\" g=\"gr\xC3\xBC\xC3\x9F\" "
                        "h=\"back\\\\slash\" n=-42\n");
}

static void test_log_write__json__one_object(void **state UNUSED)
{
    json_t *j CLEANUP_JSON = NULL;
    struct problem p;

    log_setup(LOG_DEBUG, LOG_JSON);
    log_debug("started", "port", LOG_NUM(8080), "bad", "\xff\n");
    assert_string_equal(fake.text.data,
                        "{\"time\":\"" TIME "\",\"level\":\"debug\",\"msg\":\"started\""
                        ",\"port\":\"8080\",\"bad\":\"\xEF\xBF\xBD\\n\"}\n");
    assert_int_equal(json_parse(fake.text.data, fake.text.len, &j, &p), 0);
}

static void test_log_write__below_the_level__nothing(void **state UNUSED)
{
    log_setup(LOG_ERROR, LOG_LOGFMT);
    log_debug("no");
    log_info("no");
    log_warn("no");
    assert_int_equal(fake.text.len, 0);
    log_error("yes");
    assert_string_equal(fake.text.data, "time=" TIME " level=error msg=yes\n");
}

static void test_log_write__secret_names__starred(void **state UNUSED)
{
    static const char *const names[] = {"token",    "key",           "api_key",       "secret",
                                        "password", "authorization", "Authorization", "TOKEN"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        buf_clear(&fake.text);
        log_info("m", names[i], "tg_very_private");
        assert_null(strstr(fake.text.data, "private"));
        assert_non_null(strstr(fake.text.data, "=***\n"));
    }
}

static void test_log_write__long_value__cut_and_well_formed(void **state UNUSED)
{
    static char big[100001];
    json_t *j CLEANUP_JSON = NULL;
    struct problem p;

    memset(big, '\001', sizeof(big) - 1); /* 6 bytes each once escaped */
    log_setup(LOG_INFO, LOG_JSON);
    log_info("m", "a", big, "b", big, "c", big, "d", big, "e", big, "f", big, "last", "ok");
    assert_int_equal(json_parse(fake.text.data, fake.text.len, &j, &p), 0);
    assert_int_equal(json_string_length(json_object_get(j, "a")), 2048);
    assert_null(json_object_get(j, "f"));
    assert_string_equal(json_string_value(json_object_get(j, "last")), "ok");
}

static void test_log_write__partial_and_interrupted_writes__whole_record(void **state UNUSED)
{
    fake.at_most = 7;
    fake.failures[0] = EINTR;
    log_info("hello");
    assert_string_equal(fake.text.data, "time=" TIME " level=info msg=hello\n");
    buf_clear(&fake.text);
    fake.failures[0] = EPIPE;
    log_info("lost");
    assert_int_equal(fake.text.len, 0);
}

static void test_log_write__no_memory__says_so(void **state UNUSED)
{
    assert_int_equal(buf_reserve(&fake.text, 4096), 0);
    assert_true(fail_alloc_at(1));
    log_info("m");
    assert_true(fail_alloc_off());
    assert_string_equal(fake.text.data,
                        "level=error msg=\"a log record was lost: out of memory\"\n");
}

static void remember(void *user, enum log_level level, const char *request_id, const char *json)
{
    assert_ptr_equal(user, &fake);
    assert_int_equal(level, LOG_INFO);
    (void)snprintf(fake.sunk, sizeof(fake.sunk), "%s", json);
    (void)snprintf(fake.sunk_request, sizeof(fake.sunk_request), "%s", request_id);
    fake.sunk_count++;
    log_info("from the sink");
}

static void test_log_add_sink__record__as_json_and_not_its_own(void **state UNUSED)
{
    assert_int_equal(log_add_sink(remember, &fake), 0);
    log_set_request_id("r7");
    log_info("m", "key", "private", "a", "b");
    log_debug("below the level");
    assert_int_equal(fake.sunk_count, 1);
    assert_string_equal(fake.sunk, "{\"time\":\"" TIME "\",\"level\":\"info\",\"msg\":\"m\","
                                   "\"request_id\":\"r7\",\"key\":\"***\",\"a\":\"b\"}");
    assert_string_equal(fake.sunk_request, "r7");
    assert_non_null(strstr(fake.text.data, "from the sink"));
    assert_non_null(strstr(fake.text.data, "msg=m"));
    log_remove_sink(remember, NULL);
    log_info("still");
    assert_int_equal(fake.sunk_count, 2);
    log_remove_sink(remember, &fake);
    log_info("gone");
    assert_int_equal(fake.sunk_count, 2);
}

static void test_log_add_sink__too_many__limit(void **state UNUSED)
{
    int users[LOG_SINKS_MAX + 1];

    for (int i = 0; i < LOG_SINKS_MAX; i++)
        assert_int_equal(log_add_sink(remember, &users[i]), 0);
    assert_int_equal(log_add_sink(remember, &users[LOG_SINKS_MAX]), ERR_LIMIT);
    for (int i = 0; i < LOG_SINKS_MAX; i++)
        log_remove_sink(remember, &users[i]);
    assert_int_equal(log_add_sink(remember, &fake), 0);
    log_remove_sink(remember, &fake);
}

static void test_log_set_request_id__long__cut_at_64(void **state UNUSED)
{
    char id[200];

    memset(id, 'r', sizeof(id) - 1);
    id[sizeof(id) - 1] = '\0';
    assert_string_equal(log_request_id(), "");
    log_set_request_id(id);
    assert_int_equal(strlen(log_request_id()), 64);
    log_set_request_id(log_request_id());
    assert_int_equal(strlen(log_request_id()), 64);
    log_set_request_id(NULL);
    assert_string_equal(log_request_id(), "");
}

static void test_log_level_parse__names__level_or_invalid(void **state UNUSED)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    enum log_level level = LOG_DEBUG;

    for (int i = 0; i < 4; i++) {
        assert_int_equal(log_level_parse(names[i], &level), 0);
        assert_int_equal(level, i);
    }
    assert_int_equal(log_level_parse("trace", &level), ERR_INVALID);
    assert_int_equal(log_level_parse("INFO", &level), ERR_INVALID);
}

static void test_log_format_default__terminal_or_not__logfmt_or_json(void **state UNUSED)
{
    assert_int_equal(log_format_default(), LOG_JSON);
    fake.terminal = true;
    assert_int_equal(log_format_default(), LOG_LOGFMT);
}

#define LOG_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(test_log_write__logfmt__quoted_where_needed),
        LOG_TEST(test_log_write__json__one_object),
        LOG_TEST(test_log_write__below_the_level__nothing),
        LOG_TEST(test_log_write__secret_names__starred),
        LOG_TEST(test_log_write__long_value__cut_and_well_formed),
        LOG_TEST(test_log_write__partial_and_interrupted_writes__whole_record),
        LOG_TEST(test_log_write__no_memory__says_so),
        LOG_TEST(test_log_add_sink__record__as_json_and_not_its_own),
        LOG_TEST(test_log_add_sink__too_many__limit),
        LOG_TEST(test_log_set_request_id__long__cut_at_64),
        LOG_TEST(test_log_level_parse__names__level_or_invalid),
        LOG_TEST(test_log_format_default__terminal_or_not__logfmt_or_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
