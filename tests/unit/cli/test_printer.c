/* Lines, parts and joins: what stands in the two files afterwards. */
#include "cli/printer.h"
#include "tests/unit/base/unit.h"

#include "base/model.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct row_line {
    char stream;
    bool part;
    const char *text;
};

enum { SHARED = 1, TIMES = 2, COLOUR = 4, JSON = 8, OUT_TERMINAL = 16 };

struct row {
    unsigned how;
    struct row_line lines[6];
    size_t count;
    const char *out, *err; /* err NULL when shared */
};

static const struct row rows[] = {
    {0, {{'o', 0, "a"}, {'e', 0, "b"}, {'s', 0, "c"}, {'o', 0, ""}}, 4, "a\n\n", "b\nc\n"},
    {0, {{'o', 1, "a"}, {'o', 1, "b"}, {'o', 0, "c"}}, 3, "abc\n", ""},
    {0, {{'o', 1, "a"}, {'e', 0, "E"}, {'o', 0, "b"}}, 3, "ab\n", "E\n"},
    {0, {{'e', 1, "a"}, {'s', 0, "S"}, {'e', 0, "b"}}, 3, "", "a\nS\nb\n"},
    {SHARED, {{'o', 1, "a"}, {'e', 0, "E"}, {'o', 0, "b"}}, 3, "a\nE\nb\n", NULL},
    {SHARED, {{'o', 1, "a"}, {'e', 0, "E"}, {'o', 0, ""}}, 3, "a\nE\n", NULL},
    {SHARED,
     {{'o', 1, "a"}, {'e', 1, "E"}, {'o', 1, "b"}, {'e', 0, "F"}, {'o', 0, "c"}},
     5,
     "a\nE\nb\nF\nc\n",
     NULL},
    {SHARED, {{'o', 1, "a"}, {'e', 0, "E"}, {'o', 1, ""}, {'o', 0, "b"}}, 4, "a\nE\nb\n", NULL},
    {SHARED, {{'o', 1, "a"}, {'o', 0, ""}, {'e', 0, "E"}}, 3, "a\nE\n", NULL},
    {SHARED, {{'o', 1, "prompt: "}}, 1, "prompt: \n", NULL},
    {0, {{'o', 1, "prompt: "}}, 1, "prompt: ", ""},
    {OUT_TERMINAL, {{'o', 1, "prompt: "}}, 1, "prompt: \n", ""},
    {0, {{'e', 1, "prompt: "}}, 1, "", "prompt: \n"},
    {TIMES,
     {{'o', 1, "a"}, {'o', 0, "b"}, {'e', 0, "E"}},
     3,
     "1970-01-01T00:00:01.500Z ab\n",
     "1970-01-01T00:00:01.500Z E\n"},
    {TIMES | SHARED,
     {{'o', 1, "a"}, {'e', 0, "E"}, {'o', 0, "b"}},
     3,
     "1970-01-01T00:00:01.500Z a\n1970-01-01T00:00:01.500Z E\n1970-01-01T00:00:01.500Z b\n",
     NULL},
    {COLOUR,
     {{'o', 0, "a"}, {'e', 0, "\033[1mb"}, {'s', 0, "c"}, {'e', 0, ""}},
     4,
     "a\n",
     "\033[31m\033[1mb\033[0m\n\033[2mc\033[0m\n\n"},
    {JSON | TIMES | COLOUR,
     {{'o', 0, "a\"\033"}, {'e', 1, "b"}, {'s', 0, "c"}},
     3,
     "{\"seq\":1,\"timestamp\":1500,\"stream\":\"stdout\",\"message\":\"a\\\"\\u001b\"}\n"
     "{\"seq\":2,\"timestamp\":1500,\"stream\":\"stderr\",\"message\":\"b\",\"part\":true}\n"
     "{\"seq\":3,\"timestamp\":1500,\"stream\":\"system\",\"message\":\"c\"}\n",
     ""},
};

static struct printer_options options_for(unsigned how, int out, int err)
{
    return (struct printer_options){.out_fd = out,
                                    .err_fd = err,
                                    .format = (how & JSON) != 0 ? OUTPUT_JSON : OUTPUT_TEXT,
                                    .timestamps = (how & TIMES) != 0,
                                    .is_shared = (how & SHARED) != 0,
                                    .out_is_terminal = (how & OUT_TERMINAL) != 0,
                                    .err_colour = (how & COLOUR) != 0};
}

static void assert_file(int fd, const char *expected)
{
    char text[4096];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    assert_string_equal(text, expected);
}

static void test_printer_line__rows__expected_files(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int out = memfd_create("out", 0);
        int err = memfd_create("err", 0);
        struct printer_options opt = options_for(rows[i].how, out, err);
        struct printer p;
        printer_init(&p, &opt);
        for (size_t k = 0; k < rows[i].count; k++) {
            const struct row_line *l = &rows[i].lines[k];
            const struct wire_line line = {.time_ms = 1500,
                                           .stream = l->stream,
                                           .part = l->part,
                                           .text = l->text,
                                           .len = strlen(l->text)};
            assert_int_equal(printer_line(&p, k + 1, &line), 0);
        }
        assert_int_equal(printer_break(&p), 0);
        assert_int_equal(printer_break(&p), 0);
        printer_done(&p);
        assert_file(out, rows[i].out);
        if (rows[i].err != NULL)
            assert_file(err, rows[i].err);
        assert_int_equal(close(out) + close(err), 0);
    }
}

static void test_printer_line__nul_and_bytes__unchanged(void **state UNUSED)
{
    int out = memfd_create("out", 0);
    struct printer_options opt = options_for(0, out, out);
    struct printer p;
    char text[8];
    printer_init(&p, &opt);
    const struct wire_line line = {.stream = 'o', .text = "a\0\xef\xbf\xbd\r", .len = 6};
    assert_int_equal(printer_line(&p, 1, &line), 0);
    assert_int_equal(printer_flush(&p), 0);
    assert_int_equal(pread(out, text, sizeof text, 0), 7);
    assert_memory_equal(text, "a\0\xef\xbf\xbd\r\n", 7);
    printer_done(&p);
    assert_int_equal(close(out), 0);
}

static void test_printer_line__much__is_written_before_the_flush(void **state UNUSED)
{
    static char big[40000];
    int out = memfd_create("out", 0);
    struct printer_options opt = options_for(0, out, out);
    struct printer p;
    printer_init(&p, &opt);
    memset(big, 'x', sizeof big);
    const struct wire_line line = {.stream = 'o', .text = big, .len = sizeof big};
    assert_int_equal(printer_line(&p, 1, &line), 0);
    assert_int_equal(lseek(out, 0, SEEK_END), 0);
    assert_int_equal(printer_line(&p, 2, &line), 0);
    assert_int_equal(lseek(out, 0, SEEK_END), 2 * (sizeof big + 1));
    printer_done(&p);
    assert_int_equal(close(out), 0);
}

static void test_printer_line__nobody_reads__closed(void **state UNUSED)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(close(fds[0]), 0);
    (void)signal(SIGPIPE, SIG_IGN);
    struct printer_options opt = options_for(SHARED, fds[1], fds[1]);
    struct printer p;
    printer_init(&p, &opt);
    const struct wire_line line = {.stream = 'o', .part = true, .text = "x", .len = 1};
    assert_int_equal(printer_line(&p, 1, &line), 0);
    assert_int_equal(printer_break(&p), ERR_CLOSED);
    printer_done(&p);
    assert_int_equal(close(fds[1]), 0);
}

static void test_printer_options_here__this_process__as_it_is(void **state UNUSED)
{
    struct cli_args args = {.timestamps = true, .output = OUTPUT_JSON};
    struct printer_options opt = printer_options_here(&args, NULL);
    assert_int_equal(opt.out_fd, 1);
    assert_int_equal(opt.err_fd, 2);
    assert_true(opt.timestamps);
    assert_int_equal(opt.format, OUTPUT_JSON);
    assert_null(opt.intr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_printer_line__rows__expected_files),
        cmocka_unit_test(test_printer_line__nul_and_bytes__unchanged),
        cmocka_unit_test(test_printer_line__much__is_written_before_the_flush),
        cmocka_unit_test(test_printer_line__nobody_reads__closed),
        cmocka_unit_test(test_printer_options_here__this_process__as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
