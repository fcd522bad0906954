/* Command lines against scripted answers, one row each: what is asked, what is printed. */
#ifndef TAILGATE_TESTS_CLI_ROWS_H
#define TAILGATE_TESTS_CLI_ROWS_H

#include "run_cli.h"

#include "tests/unit/base/unit.h"

#include <string.h>

struct cli_row {
    const char *words, *input;
    struct fake_answer answer; /* status 0 = no call is made */
    int code;
    const char *request; /* "METHOD path", or NULL */
    const char *body;    /* of the request, "" = none, NULL = whatever */
    const char *out;     /* somewhere on standard output; "" = nothing there */
    const char *err;     /* the same for standard error */
};

static inline void check_text(const char *text, const char *wanted)
{
    if (wanted == NULL)
        return;
    if (wanted[0] == '\0')
        assert_string_equal(text, "");
    else if (strstr(text, wanted) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", wanted, text);
}

static inline void check_row(const struct cli_row *row)
{
    static struct cli_result r;
    static const char base[] = "http://server:8080/api/v1";
    struct cli_run run = {.input = row->input, .answers = &row->answer, .answers_count = 1};
    run_cli(row->words, &run, &r);
    if (r.code != row->code)
        fail_msg("%s: exit code %d: %s", row->words, r.code, r.text.err);
    check_text(r.text.out, row->out);
    check_text(r.text.err, row->err);
    assert_int_equal(fake_curl.calls, row->answer.status != 0);
    if (row->request != NULL) {
        const struct fake_request *q = &fake_curl.requests[0];
        size_t method = strcspn(row->request, " ");
        assert_int_equal(strncmp(q->method, row->request, method), 0);
        assert_int_equal(strncmp(q->url, base, sizeof base - 1), 0);
        assert_string_equal(q->url + sizeof base - 1, row->request + method + 1);
        if (row->body != NULL)
            assert_string_equal(q->body, row->body);
    }
}

static inline void check_rows(const struct cli_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_row(&rows[i]);
}

/* Answers that every command tells in the same way. */
#define REFUSED                                                                                \
    {                                                                                          \
        .status = 403,                                                                         \
        .body = "{\"error\":\"Forbidden\",\"code\":\"FORBIDDEN\",\"details\":\"not for you\"}" \
    }
#define ABSENT                                                                            \
    {                                                                                     \
        .status = 404,                                                                    \
        .body = "{\"error\":\"failed\",\"code\":\"NOT_FOUND\",\"details\":\"not there\"}" \
    }
#define OK(text)                      \
    {                                 \
        .status = 200, .body = (text) \
    }
#define MADE(text)                    \
    {                                 \
        .status = 201, .body = (text) \
    }

#endif
