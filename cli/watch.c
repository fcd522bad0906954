/*
 * The live list over tailgate.v1: of each execution the last version printed is kept, so that one
 * told twice is printed once. A lost connection goes on at the cursor.
 */
#include "cli/watch.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/execution_text.h"
#include "cli/out.h"
#include "cli/report.h"
#include "cli/stream.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)16 << 20)
#define CURSOR_MAX ((size_t)3000) /* a longer one is forgotten: the list begins anew */

struct live_list {
    struct interrupt *intr;
    struct stream *stream;
    struct follow follow;
    bool as_json, is_done, is_lost, had_snapshot;
    size_t columns;
    json_t *versions; /* by id */
    char cursor[CURSOR_MAX];
    struct buf text;
    int code;
};

static int finish(struct live_list *l, int code)
{
    if (!l->is_done)
        l->code = code;
    l->is_done = true;
    return -1;
}

static int fail(struct live_list *l, int err, const char *error, const char *details)
{
    struct problem p;
    if (l->is_done)
        return -1;
    (void)problem_set(&p, err, error, "%s", details);
    return finish(l, command_answer_failed(&p));
}

static bool is_ended(const json_t *row)
{
    const char *status = json_string_value(json_object_get(row, "status"));
    return str_eq(status, "SUCCEEDED") || str_eq(status, "FAILED") || str_eq(status, "STOPPED");
}

static int print_row(struct live_list *l, const json_t *row)
{
    struct problem p = {0};
    if (!l->as_json)
        return execution_text_row(&l->text, row, l->columns, &p);
    int r = json_append(&l->text, row);
    return r != 0 ? r : buf_append_char(&l->text, '\n');
}

/* What had ended before anyone watched is only remembered. */
static int take_row(struct live_list *l, const json_t *row, bool is_snapshot)
{
    const char *id = json_string_value(json_object_get(row, "execution_id"));
    json_int_t version = json_integer_value(json_object_get(row, "version"));
    if (id == NULL)
        return ERR_INVALID;
    if (version <= json_integer_value(json_object_get(l->versions, id)))
        return 0;
    if (json_object_set_new(l->versions, id, json_integer(version)) != 0)
        return ERR_NOMEM;
    return is_snapshot && !l->had_snapshot && is_ended(row) ? 0 : print_row(l, row);
}

static int take_rows(struct live_list *l, const json_t *m)
{
    const json_t *rows = json_object_get(m, "executions");
    bool is_snapshot = json_is_true(json_object_get(m, "snapshot"));
    const char *cursor = json_string_value(json_object_get(m, "cursor"));
    int r = json_is_array(rows) ? 0 : ERR_INVALID;
    for (size_t i = 0; i < json_array_size(rows) && r == 0; i++)
        r = take_row(l, json_array_get(rows, i), is_snapshot);
    if (r != 0)
        return fail(l, r, "unusable message from the server", "an execution is malformed");
    if (cursor != NULL && str_copy(l->cursor, sizeof l->cursor, cursor) != 0)
        l->cursor[0] = '\0';
    if (is_snapshot && cursor != NULL)
        l->had_snapshot = true;
    if (follow_progress(&l->follow) && l->is_lost)
        report("connected again");
    l->is_lost = false;
    int code = command_print(l->intr, &l->text);
    buf_clear(&l->text);
    return code == EXIT_DONE ? 0 : finish(l, code);
}

static int subscribe(struct live_list *l)
{
    struct buf text CLEANUP_BUF = {.max = STREAM_SEND_MAX};
    int r = buf_append_str(&text, "{\"type\":\"subscribe\",\"executions\":true");
    if (r == 0 && l->cursor[0] != '\0')
        r = buf_append_str(&text, ",\"since\":");
    if (r == 0 && l->cursor[0] != '\0')
        r = json_append_string(&text, l->cursor, strlen(l->cursor));
    if (r == 0)
        r = buf_append_char(&text, '}');
    return r == 0 ? stream_send(l->stream, text.data, text.len) : r;
}

static int on_message(void *user, const char *text, size_t len)
{
    struct live_list *l = user;
    json_t *m CLEANUP_JSON = json_loadb(text, len, 0, NULL);
    const char *type = json_string_value(json_object_get(m, "type"));
    if (l->is_done)
        return -1;
    if (str_eq(type, "hello"))
        return subscribe(l);
    if (str_eq(type, "executions"))
        return take_rows(l, m);
    if (str_eq(type, "error")) {
        const char *details = json_string_value(json_object_get(m, "details"));
        return fail(l, ERR_INVALID, "the server refused", details != NULL ? details : "");
    }
    return type != NULL ? 0 : fail(l, ERR_INVALID, "unusable message from the server", "no type");
}

static void on_opened(UNUSED void *user)
{
    /* hello comes next. */
}

static void on_lost(void *user, const struct stream_end *end)
{
    struct live_list *l = user;
    struct problem p;
    int64_t delay_ms = 0;
    if (l->is_done)
        return;
    if (follow_lost(&l->follow, clock_mono_ms(), end, &delay_ms, &p) != 0) {
        (void)finish(l, command_answer_failed(&p));
        return;
    }
    if (!l->is_lost)
        report("connection lost, connecting again: %s", end->reason);
    l->is_lost = true;
    stream_start_timer(l->stream, delay_ms);
}

static void on_timer(void *user)
{
    struct live_list *l = user;
    if (!l->is_done)
        stream_connect(l->stream);
}

/* The interrupt's handler, also called while a write blocks. */
static bool on_signal(void *user, int signum)
{
    (void)finish(user, signum == SIGTERM ? EXIT_TERMINATED : EXIT_INTERRUPTED);
    return true;
}

static void on_signals(void *user)
{
    struct live_list *l = user;
    (void)interrupt_dispatch(l->intr);
}

static void turn_until_done(struct live_list *l, const struct settings *settings)
{
    static const struct stream_events events = {.opened = on_opened,
                                                .message = on_message,
                                                .lost = on_lost,
                                                .timer = on_timer,
                                                .signal = on_signals};
    struct problem p = {0};
    if (stream_new(settings, l->intr, &events, l, &l->stream, &p) != 0) {
        (void)finish(l, command_answer_failed(&p));
        return;
    }
    l->intr->fn = on_signal;
    l->intr->user = l;
    stream_connect(l->stream);
    while (!l->is_done) {
        if (stream_turn(l->stream) != 0)
            (void)fail(l, ERR_INTERNAL, "the stream broke", "libwebsockets gave up");
    }
    l->intr->fn = NULL;
    stream_free(l->stream);
}

int watch_list(const struct cli_args *args, const struct settings *settings)
{
    struct interrupt intr CLEANUP(interrupt_done) = {.fd = -1};
    struct live_list l = {.intr = &intr,
                          .as_json = args->output == OUTPUT_JSON,
                          .columns = out_columns(STDOUT_FILENO),
                          .versions = json_object(),
                          .text = {.max = TEXT_MAX}};
    follow_init(&l.follow, FOLLOW_TIMEOUT_MS, false);
    if (interrupt_init(&intr) != 0) {
        report("cannot watch signals");
        (void)finish(&l, EXIT_OTHER);
    } else if (l.versions == NULL ||
               (!l.as_json && execution_text_header(&l.text, l.columns) != 0)) {
        report("out of memory");
        (void)finish(&l, EXIT_OTHER);
    } else {
        turn_until_done(&l, settings);
    }
    json_decref(l.versions);
    buf_done(&l.text);
    return l.code;
}
