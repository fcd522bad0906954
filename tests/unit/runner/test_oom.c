/* What a control group says of memory, of both versions. */
#include "base/compiler.h"
#include "runner/oom.h"

#include "../base/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static int setup(void **state UNUSED)
{
    char path[128];
    (void)snprintf(dir, sizeof dir, "/tmp/tg-oom-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    (void)snprintf(path, sizeof path, "%s/memory", dir);
    return mkdir(path, 0700);
}

static void forget(const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    (void)unlink(path);
}

static int teardown(void **state UNUSED)
{
    char path[128];
    forget("memory.events");
    forget("memory.max");
    forget("memory/memory.oom_control");
    forget("memory/memory.limit_in_bytes");
    (void)snprintf(path, sizeof path, "%s/memory", dir);
    (void)rmdir(path);
    return rmdir(dir);
}

static void put(const char *name, const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void test_oom_kills__each_version__the_count(void **state UNUSED)
{
    static const struct {
        const char *name, *text;
        int64_t kills;
    } rows[] = {
        {"memory.events", "low 0\nhigh 0\nmax 31\noom 2\noom_kill 2\noom_group_kill 0\n", 2},
        {"memory.events", "oom_kill 7\n", 7},
        {"memory.events", "oom 3\noom_kill_not 4\n", 0},
        {"memory.events", "oom_kill x\n", 0},
        {"memory.events", "oom_kill -1\n", 0},
        {"memory.events", "oom_kill 99999999999999999999\n", 0},
        {"memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n", 1},
        {"memory/memory.oom_control", "oom_kill_disable 1\nunder_oom 0\n", 0},
    };
    assert_int_equal(oom_kills(dir), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put(rows[i].name, rows[i].text);
        assert_int_equal(oom_kills(dir), rows[i].kills);
        forget(rows[i].name);
    }
}

static void test_oom_limit__each_version__bytes(void **state UNUSED)
{
    static const struct {
        const char *name, *text;
        int64_t limit;
    } rows[] = {
        {"memory.max", "33554432\n", 33554432},
        {"memory.max", "max\n", 0},
        {"memory.max", "", 0},
        {"memory/memory.limit_in_bytes", "67108864\n", 67108864},
        {"memory/memory.limit_in_bytes", "9223372036854771712\n", 0},
    };
    assert_int_equal(oom_limit(dir), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put(rows[i].name, rows[i].text);
        assert_int_equal(oom_limit(dir), rows[i].limit);
        forget(rows[i].name);
    }
}

static void test_oom__path_too_long__nothing(void **state UNUSED)
{
    char path[5000];
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(oom_kills(path), 0);
    assert_int_equal(oom_limit(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_oom_kills__each_version__the_count, setup, teardown),
        cmocka_unit_test_setup_teardown(test_oom_limit__each_version__bytes, setup, teardown),
        cmocka_unit_test(test_oom__path_too_long__nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
