/* From the API's JSON, through wire's decoder, to text that cannot draw on the terminal. */
#include "cli/execution_text.h"

#include "base/clock.h"
#include "base/model.h"
#include "base/str.h"
#include "cli/plain_text.h"
#include "wire/messages.h"

#include <stdio.h>
#include <string.h>

static const char *text_of(const char *s)
{
    return str_is_empty(s) ? "-" : s;
}

static void exit_text(const struct exec_state *s, char *ret, size_t size)
{
    if (s->exit_code == EXIT_CODE_NONE)
        (void)snprintf(ret, size, "-");
    else
        (void)snprintf(ret, size, "%d", s->exit_code);
}

/* "2026-01-02T03:04:05Z": without the milliseconds. */
static void time_text(int64_t us, char ret[STR_TIME_SIZE])
{
    if (us == 0) {
        (void)snprintf(ret, STR_TIME_SIZE, "-");
        return;
    }
    str_time(us, ret);
    char *dot = strchr(ret, '.');
    if (dot != NULL)
        (void)snprintf(dot, 2, "Z");
}

static void duration_text(const struct exec_state *s, char *ret, size_t size)
{
    int64_t end = s->completed_at_us != 0 ? s->completed_at_us : clock_wall_us();
    int64_t ms = (end - s->started_at_us) / 1000;
    if (s->started_at_us == 0 || ms < 0)
        (void)snprintf(ret, size, "-");
    else if (ms < 60000)
        (void)snprintf(ret, size, "%lld.%llds", (long long)(ms / 1000),
                       (long long)(ms % 1000 / 100));
    else if (ms < 3600000)
        (void)snprintf(ret, size, "%lldm%02llds", (long long)(ms / 60000),
                       (long long)(ms / 1000 % 60));
    else
        (void)snprintf(ret, size, "%lldh%02lldm", (long long)(ms / 3600000),
                       (long long)(ms / 60000 % 60));
}

static int field(struct buf *out, const char *name, const char *value)
{
    int r = buf_printf(out, "%-12s ", name);
    if (r == 0)
        r = plain_text_append(out, value, 0);
    return r != 0 ? r : buf_append_char(out, '\n');
}

int execution_text_fields(struct buf *out, const json_t *execution, struct problem *p)
{
    struct execution e CLEANUP(execution_done) = {0};
    int r = wire_execution_decode(execution, &e, p);
    if (r != 0)
        return r;
    char exit_code[16], started[STR_TIME_SIZE], ended[STR_TIME_SIZE], duration[32], seq[24];
    exit_text(&e.state, exit_code, sizeof exit_code);
    time_text(e.state.started_at_us, started);
    time_text(e.state.completed_at_us, ended);
    duration_text(&e.state, duration, sizeof duration);
    (void)snprintf(seq, sizeof seq, "%llu", (unsigned long long)e.state.last_seq);
    const char *const fields[][2] = {
        {"execution", e.id.hex},
        {"status", exec_status_name(e.state.status)},
        {"exit code", exit_code},
        {"reason", text_of(e.state.reason)},
        {"started", started},
        {"completed", ended},
        {"duration", duration},
        {"lines", seq},
        {"created by", text_of(e.created_by)},
        {"image", text_of(e.image_id)},
        {"command", text_of(e.command)},
    };
    for (size_t i = 0; i < ARRAY_SIZE(fields) && r == 0; i++)
        r = field(out, fields[i][0], fields[i][1]);
    return r;
}

/*
 * The table's columns; min_columns: the least terminal that has room for it. The command takes what
 * is left, at least COMMAND_MIN.
 */
enum part { PART_ID, PART_STATUS, PART_EXIT, PART_STARTED, PART_DURATION, PART_CREATED_BY };
#define PART_COUNT 6
static const struct {
    const char *title;
    int width; /* below 0: aligned to the left */
    size_t min_columns;
} parts[PART_COUNT] = {
    [PART_ID] = {"ID", -32, 0},
    [PART_STATUS] = {"STATUS", -11, 0},
    [PART_EXIT] = {"EXIT", 4, 77},
    [PART_STARTED] = {"STARTED", -20, 99},
    [PART_DURATION] = {"DURATION", 8, 109},
    [PART_CREATED_BY] = {"CREATED BY", -24, 135},
};
#define COMMAND_MIN 8

/* texts NULL = the titles. The command goes behind it, cut where the line ends. */
static int append_line(struct buf *out, const char *const texts[PART_COUNT], const char *command,
                       size_t columns)
{
    size_t used = 0;
    int r = 0;
    for (size_t i = 0; i < PART_COUNT && r == 0; i++) {
        if (columns != 0 && columns < parts[i].min_columns)
            continue;
        const char *text = texts != NULL ? texts[i] : parts[i].title;
        size_t before = out->len;
        r = buf_printf(out, "%*s  ", parts[i].width, text);
        if (r == 0)
            used += plain_text_width(out->data + before);
    }
    size_t left = columns > used + COMMAND_MIN ? columns - used : COMMAND_MIN;
    if (r == 0)
        r = plain_text_append(out, command, columns == 0 ? 0 : left);
    return r != 0 ? r : buf_append_char(out, '\n');
}

int execution_text_header(struct buf *out, size_t columns)
{
    return append_line(out, NULL, "COMMAND", columns);
}

int execution_text_row(struct buf *out, const json_t *execution, size_t columns, struct problem *p)
{
    struct execution e CLEANUP(execution_done) = {0};
    char exit_code[16], started[STR_TIME_SIZE], duration[32];
    struct buf created_by CLEANUP_BUF = {.max = 4096};
    int r = wire_execution_decode(execution, &e, p);
    if (r == 0)
        r = plain_text_append(&created_by, text_of(e.created_by), 0);
    if (r != 0)
        return r;
    exit_text(&e.state, exit_code, sizeof exit_code);
    time_text(e.state.started_at_us, started);
    duration_text(&e.state, duration, sizeof duration);
    const char *const texts[PART_COUNT] = {
        [PART_ID] = e.id.hex,       [PART_STATUS] = exec_status_name(e.state.status),
        [PART_EXIT] = exit_code,    [PART_STARTED] = started,
        [PART_DURATION] = duration, [PART_CREATED_BY] = created_by.data,
    };
    return append_line(out, texts, text_of(e.command), columns);
}
