/* One call: its answer is whole in memory before anything is printed. */
#include "cli/call.h"

#include "base/clock.h"
#include "base/str.h"
#include "cli/api.h"
#include "cli/out.h"
#include "cli/report.h"

#include <string.h>
#include <unistd.h>

#define PRINT_MAX ((size_t)64 << 20)

int call_no_memory(void)
{
    report("out of memory");
    return EXIT_OTHER;
}

int call_usage_failed(const struct problem *p)
{
    report("wrong usage: %s", p->details);
    return p->err == ERR_NOMEM ? EXIT_OTHER : EXIT_USAGE;
}

int call_json(const struct settings *settings, const char *method, const char *path,
              const struct buf *body, json_t **ret, char next[1024])
{
    struct rest *rest CLEANUP(rest_cleanup) = NULL;
    struct rest_answer answer CLEANUP(rest_answer_done) = {0};
    struct problem p = {0};
    if (rest_new(settings, NULL, &rest) != 0)
        return call_no_memory();
    int r = rest_call(rest, method, path, body, &answer, &p);
    if (r == 0 && answer.body.len > 0)
        r = api_parse(&answer, ret, &p);
    if (answer.body.data != NULL) /* it may hold a key or a secret */
        explicit_bzero(answer.body.data, answer.body.len);
    if (r != 0)
        return command_answer_failed(&p);
    if (next != NULL && str_copy(next, 1024, answer.next) != 0)
        next[0] = '\0';
    return EXIT_DONE;
}

int call_append_segment(struct buf *path, const char *text)
{
    int r = 0;
    for (const char *c = text; *c != '\0' && r == 0; c++) {
        bool plain = (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') ||
                     (*c >= 'a' && *c <= 'z') || strchr("-_.~", *c) != NULL;
        r = plain ? buf_append_char(path, *c) : buf_printf(path, "%%%02X", (unsigned char)*c);
    }
    return r;
}

int call_append_time(struct buf *path, const char *name, const char *text)
{
    int64_t ago_ms, at_us;
    char time[STR_TIME_SIZE];
    if (text == NULL)
        return 0;
    if (str_to_duration_ms(text, &ago_ms) == 0)
        str_time(clock_wall_us() - ago_ms * 1000, time);
    else if (str_parse_time(text, &at_us) == 0)
        str_time(at_us, time);
    else
        return ERR_INVALID;
    int r = buf_printf(path, "&%s=", name);
    return r != 0 ? r : call_append_segment(path, time);
}

int call_append_text(struct buf *path, const char *name, const char *text)
{
    int r = text != NULL ? buf_printf(path, "&%s=", name) : 0;
    return r != 0 || text == NULL ? r : call_append_segment(path, text);
}

int call_path(struct buf *path, const char *prefix, const char *segment)
{
    buf_init(path, 4096);
    int r = buf_printf(path, "%s/", prefix);
    if (r == 0)
        r = call_append_segment(path, segment);
    if (r == 0)
        return EXIT_DONE;
    report("wrong usage: the name is too long");
    return EXIT_USAGE;
}

static int append_json(struct buf *out, const json_t *value)
{
    int r = json_append(out, value);
    return r == 0 ? buf_append_char(out, '\n') : r;
}

static int finish(struct buf *text, int err, struct problem *p)
{
    int code;
    if (err == 0) {
        code = command_print(NULL, text);
    } else {
        if (p->err == 0)
            (void)problem_set(p, err, "cannot print", "out of memory");
        code = command_answer_failed(p);
    }
    if (text->data != NULL)
        explicit_bzero(text->data, text->len);
    return code;
}

int call_print_rows(const struct cli_args *args, const struct table_column *table, size_t n,
                    const json_t *rows)
{
    struct buf text CLEANUP_BUF = {.max = PRINT_MAX};
    struct problem p = {0};
    int r = 0;
    size_t i;
    const json_t *row;
    if (args->output != OUTPUT_JSON) {
        r = table_append(&text, table, n, rows, out_columns(STDOUT_FILENO), &p);
        return finish(&text, r, &p);
    }
    json_array_foreach (rows, i, row) {
        if (r == 0)
            r = append_json(&text, row);
    }
    return finish(&text, r, &p);
}

int call_print_object(const struct cli_args *args, const struct table_column *table, size_t n,
                      const json_t *object)
{
    struct buf text CLEANUP_BUF = {.max = PRINT_MAX};
    struct problem p = {0};
    int r = args->output == OUTPUT_JSON ? append_json(&text, object)
                                        : table_append_fields(&text, table, n, object);
    return finish(&text, r, &p);
}
