/*
 * From the API's JSON, through wire's decoder, to text. Control characters of commands are blanked,
 * so that a command cannot draw on the terminal.
 */
#include "cli/execution_text.h"

#include "base/clock.h"
#include "base/model.h"
#include "base/str.h"
#include "wire/messages.h"

#include <stdio.h>
#include <string.h>

#define ROW "%-32s  %-11s  %4s  %-20s  %8s  %-24s  "
/* Width of ROW and of the least that is shown of a command: a narrower terminal wraps. */
#define ROW_COLUMNS_MIN (111 + 24)

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

/* Appends s with control characters blanked, at most columns characters (0 = all). */
static int append_cut(struct buf *out, const char *s, size_t columns)
{
    size_t shown = 0;
    for (const char *c = s; *c != '\0'; c++) {
        bool starts_character = ((unsigned char)*c & 0xc0) != 0x80;
        if (starts_character && columns != 0 && ++shown > columns)
            return 0;
        bool is_control = (unsigned char)*c < 0x20 || *c == 0x7f;
        int r = is_control ? buf_append_char(out, ' ') : buf_append_char(out, *c);
        if (r != 0)
            return r;
    }
    return 0;
}

static int field(struct buf *out, const char *name, const char *value)
{
    int r = buf_printf(out, "%-12s ", name);
    if (r == 0)
        r = append_cut(out, value, 0);
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

int execution_text_header(struct buf *out)
{
    return buf_printf(out, ROW "%s\n", "ID", "STATUS", "EXIT", "STARTED", "DURATION", "CREATED BY",
                      "COMMAND");
}

int execution_text_row(struct buf *out, const json_t *execution, size_t columns, struct problem *p)
{
    struct execution e CLEANUP(execution_done) = {0};
    char exit_code[16], started[STR_TIME_SIZE], duration[32];
    struct buf line CLEANUP_BUF;
    buf_init(&line, (size_t)4 << 20);
    int r = wire_execution_decode(execution, &e, p);
    if (r != 0)
        return r;
    exit_text(&e.state, exit_code, sizeof exit_code);
    time_text(e.state.started_at_us, started);
    duration_text(&e.state, duration, sizeof duration);
    r = buf_printf(&line, ROW "%s", e.id.hex, exec_status_name(e.state.status), exit_code, started,
                   duration, text_of(e.created_by), text_of(e.command));
    if (columns != 0 && columns < ROW_COLUMNS_MIN)
        columns = ROW_COLUMNS_MIN;
    if (r == 0)
        r = append_cut(out, line.data, columns);
    return r != 0 ? r : buf_append_char(out, '\n');
}
