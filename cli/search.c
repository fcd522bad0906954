/* Pages by their cursors; a page is printed before the next one is asked for. */
#include "cli/search.h"

#include "base/json.h"
#include "base/str.h"
#include "cli/api.h"
#include "cli/call.h"
#include "cli/out.h"
#include "cli/printer.h"
#include "cli/report.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define PAGE_LINES 1000
#define PATH_MAX_BYTES 8192u /* of which an expression of 1 KiB takes 3 */
#define MATCH_ON "\033[7m"
#define MATCH_OFF "\033[27m" /* the colour of the line goes on */

struct pages {
    struct printer *printer;
    struct buf line; /* with its highlights */
    bool out_colour, err_colour;
};

static int make_path(const struct cli_args *args, const struct execution_id *id, const char *cursor,
                     struct buf *path)
{
    buf_clear(path);
    int r = buf_printf(path, "/executions/%s/logs?limit=%d", id->hex, PAGE_LINES);
    if (r == 0)
        r = call_append_text(path, "q", args->grep);
    if (r == 0)
        r = call_append_text(path, "regex", args->regex);
    if (r == 0 && args->ignore_case)
        r = buf_append_str(path, "&ignore_case=1");
    if (r == 0 && args->after.given)
        r = buf_printf(path, "&after=%" PRId64, args->after.value);
    return r != 0 ? r : call_append_text(path, "cursor", cursor);
}

/* Bytes of the text's first `units` UTF-16 code units, going on from *at, *unit. */
static size_t bytes_to(const char *text, size_t len, json_int_t units, size_t *at, json_int_t *unit)
{
    while (*at < len && *unit < units) {
        bool valid;
        size_t step = str_utf8_step(text + *at, len - *at, &valid);
        *unit += valid && step == 4 ? 2 : 1;
        *at += step;
    }
    return *at;
}

static int highlight(struct buf *out, const char *text, size_t len, const json_t *spans)
{
    size_t at = 0, done = 0;
    json_int_t unit = 0;
    int r = 0;
    buf_clear(out);
    for (size_t i = 0; i < json_array_size(spans) && r == 0; i++) {
        const json_t *span = json_array_get(spans, i);
        size_t from = bytes_to(text, len, json_integer_value(json_array_get(span, 0)), &at, &unit);
        size_t to = bytes_to(text, len, json_integer_value(json_array_get(span, 1)), &at, &unit);
        r = buf_append(out, text + done, from - done);
        if (r == 0 && to > from)
            r = buf_append_str(out, MATCH_ON);
        if (r == 0)
            r = buf_append(out, text + from, to - from);
        if (r == 0 && to > from)
            r = buf_append_str(out, MATCH_OFF);
        done = to;
    }
    return r != 0 ? r : buf_append(out, text + done, len - done);
}

static char stream_of(const char *name)
{
    if (str_eq(name, "stdout"))
        return STREAM_STDOUT;
    return str_eq(name, "stderr") ? (char)STREAM_STDERR : (char)STREAM_SYSTEM;
}

static int print_event(struct pages *s, const json_t *event)
{
    const json_t *message = json_object_get(event, "message");
    const char *stream = json_string_value(json_object_get(event, "stream"));
    if (!json_is_string(message) || stream == NULL)
        return ERR_INVALID;
    struct wire_line line = {
        .time_ms = json_integer_value(json_object_get(event, "timestamp")),
        .stream = stream_of(stream),
        .text = json_string_value(message),
        .len = json_string_length(message),
    };
    if (line.stream == STREAM_STDOUT ? s->out_colour : s->err_colour) {
        int r = highlight(&s->line, line.text, line.len, json_object_get(event, "spans"));
        if (r != 0)
            return r;
        line.text = s->line.data != NULL ? s->line.data : "";
        line.len = s->line.len;
    }
    return printer_line(s->printer, (uint64_t)json_integer_value(json_object_get(event, "seq")),
                        &line);
}

static int print_page(struct pages *s, const json_t *page)
{
    const json_t *events = json_object_get(page, "events");
    int r = json_is_array(events) ? 0 : ERR_INVALID;
    for (size_t i = 0; i < json_array_size(events) && r == 0; i++)
        r = print_event(s, json_array_get(events, i));
    return r != 0 ? r : printer_flush(s->printer);
}

/* Whether there is another page: its cursor is in *ret. */
static bool next_page(const json_t *page, char ret[80])
{
    const char *cursor = json_string_value(json_object_get(page, "cursor"));
    return json_is_true(json_object_get(page, "more")) && cursor != NULL && !str_eq(cursor, ret) &&
           str_copy(ret, 80, cursor) == 0;
}

static int print_pages(struct pages *s, const struct cli_args *args, const struct execution_id *id,
                       struct rest *rest)
{
    struct buf path CLEANUP_BUF = {.max = PATH_MAX_BYTES};
    char cursor[80] = "";
    bool is_more = true;
    while (is_more) {
        struct rest_answer answer CLEANUP(rest_answer_done) = {0};
        json_t *page CLEANUP_JSON = NULL;
        struct problem p = {0};
        if (make_path(args, id, cursor[0] != '\0' ? cursor : NULL, &path) != 0) {
            report("wrong usage: what is searched for is too long");
            return EXIT_USAGE;
        }
        int r = rest_call(rest, "GET", path.data, NULL, &answer, &p);
        if (r == 0)
            r = api_parse(&answer, &page, &p);
        if (r != 0)
            return r == ERR_AGAIN ? EXIT_INTERRUPTED : command_answer_failed(&p);
        r = print_page(s, page);
        if (r == ERR_INVALID) {
            report("unusable answer from the server");
            return EXIT_REFUSED;
        }
        if (r != 0)
            return exit_of_output(r);
        is_more = next_page(page, cursor);
    }
    return EXIT_DONE;
}

int search_print(const struct cli_args *args, const struct settings *settings,
                 const struct execution_id *id, struct interrupt *intr)
{
    struct rest *rest CLEANUP(rest_cleanup) = NULL;
    struct printer_options printing = printer_options_here(args, intr);
    struct printer printer CLEANUP(printer_done);
    bool is_text = printing.format == OUTPUT_TEXT;
    printer_init(&printer, &printing);
    if (rest_new(settings, intr, &rest) != 0)
        return call_no_memory();
    struct pages s = {.printer = &printer,
                      .out_colour = is_text && out_has_colour(STDOUT_FILENO),
                      .err_colour = is_text && printing.err_colour};
    buf_init(&s.line, PRINTER_PENDING_MAX);
    int code = print_pages(&s, args, id, rest);
    buf_done(&s.line);
    return code;
}
