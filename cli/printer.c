/* Printed bytes collect in one buffer, which is written when the sink changes or enough waits. */
#include "cli/printer.h"

#include "base/model.h"
#include "base/str.h"
#include "cli/out.h"

#include <string.h>
#include <unistd.h>

/* Enough to make writes cheap, little enough to show progress. */
#define FLUSH_BYTES ((size_t)64 << 10)

#define COLOUR_STDERR "\033[31m"
#define COLOUR_SYSTEM "\033[2m"
#define COLOUR_OFF "\033[0m"

struct printer_options printer_options_here(const struct cli_args *args, struct interrupt *intr)
{
    return (struct printer_options){
        .out_fd = STDOUT_FILENO,
        .err_fd = STDERR_FILENO,
        .format = args->output == OUTPUT_JSON ? OUTPUT_JSON : OUTPUT_TEXT,
        .timestamps = args->timestamps,
        .is_shared = out_is_same(STDOUT_FILENO, STDERR_FILENO),
        .out_is_terminal = isatty(STDOUT_FILENO) == 1,
        .err_colour = out_has_colour(STDERR_FILENO),
        .intr = intr,
    };
}

void printer_init(struct printer *p, const struct printer_options *opt)
{
    *p = (struct printer){.opt = *opt};
    buf_init(&p->pending, PRINTER_PENDING_MAX);
    p->sinks[0].fd = opt->out_fd;
    p->sinks[1].fd = opt->err_fd;
    p->current = &p->sinks[0];
}

void printer_done(struct printer *p)
{
    buf_done(&p->pending);
}

int printer_flush(struct printer *p)
{
    if (p->pending.len == 0)
        return 0;
    int r = out_write(p->opt.intr, p->current->fd, p->pending.data, p->pending.len);
    buf_clear(&p->pending);
    return r;
}

static size_t stream_index(char stream)
{
    return stream == STREAM_STDOUT ? 0 : stream == STREAM_STDERR ? 1 : 2;
}

static const char *stream_name(char stream)
{
    static const char *const names[] = {"stdout", "stderr", "system"};
    return names[stream_index(stream)];
}

static int print_json(struct printer *p, uint64_t seq, const struct wire_line *line)
{
    int r =
        buf_printf(&p->pending, "{\"seq\":%llu,\"timestamp\":%lld,\"stream\":\"%s\",\"message\":",
                   (unsigned long long)seq, (long long)line->time_ms, stream_name(line->stream));
    if (r == 0)
        r = json_append_string(&p->pending, line->text, line->len);
    return r != 0 ? r : buf_append_str(&p->pending, line->part ? ",\"part\":true}\n" : "}\n");
}

/* With one place for both streams, one sink keeps what stands at its end. */
static struct printer_sink *sink_of(struct printer *p, char stream)
{
    return &p->sinks[p->opt.is_shared || stream == STREAM_STDOUT ? 0 : 1];
}

static int select_sink(struct printer *p, struct printer_sink *sink)
{
    if (sink == p->current)
        return 0;
    int r = printer_flush(p);
    p->current = sink;
    return r;
}

static int print_prefix(struct printer *p, int64_t time_ms)
{
    char text[STR_TIME_SIZE];
    if (!p->opt.timestamps)
        return 0;
    int64_t us;
    if (__builtin_mul_overflow(time_ms, 1000, &us))
        us = 0;
    str_time(us, text);
    int r = buf_append_str(&p->pending, text);
    return r != 0 ? r : buf_append_char(&p->pending, ' ');
}

static int print_text(struct printer *p, const struct wire_line *line)
{
    const char *colour = NULL;
    if (p->opt.err_colour && line->stream != STREAM_STDOUT && line->len > 0)
        colour = line->stream == STREAM_STDERR ? COLOUR_STDERR : COLOUR_SYSTEM;
    int r = colour != NULL ? buf_append_str(&p->pending, colour) : 0;
    if (r == 0)
        r = buf_append(&p->pending, line->text, line->len);
    if (r == 0 && colour != NULL)
        r = buf_append_str(&p->pending, COLOUR_OFF);
    return r;
}

static int end_line(struct printer *p, struct printer_sink *sink)
{
    p->was_broken[stream_index(sink->open_stream)] = true;
    sink->open_stream = 0;
    return buf_append_char(&p->pending, '\n');
}

static int print_line(struct printer *p, struct printer_sink *sink, const struct wire_line *line)
{
    size_t i = stream_index(line->stream);
    bool ends_broken = p->in_part[i] && p->was_broken[i] && line->len == 0 && !line->part;
    p->in_part[i] = line->part;
    if (ends_broken)
        return 0; /* its newline was printed when another stream came between */
    int r = 0;
    if (sink->open_stream != 0 && sink->open_stream != line->stream)
        r = end_line(p, sink);
    if (r == 0 && sink->open_stream == 0)
        r = print_prefix(p, line->time_ms);
    if (r == 0)
        r = print_text(p, line);
    sink->open_stream = 0;
    if (line->part)
        sink->open_stream = line->stream;
    p->was_broken[i] = false;
    return r != 0 || line->part ? r : buf_append_char(&p->pending, '\n');
}

int printer_line(struct printer *p, uint64_t seq, const struct wire_line *line)
{
    int r;
    if (p->opt.format == OUTPUT_JSON) {
        r = print_json(p, seq, line);
    } else {
        struct printer_sink *sink = sink_of(p, line->stream);
        r = select_sink(p, sink);
        if (r == 0)
            r = print_line(p, sink, line);
    }
    if (r == 0 && p->pending.len >= FLUSH_BYTES)
        r = printer_flush(p);
    return r;
}

int printer_break(struct printer *p)
{
    for (size_t i = 0; i < ARRAY_SIZE(p->sinks); i++) {
        struct printer_sink *sink = &p->sinks[i];
        bool is_noticed = sink == sink_of(p, STREAM_SYSTEM) || p->opt.out_is_terminal;
        if (sink->open_stream == 0 || !is_noticed)
            continue;
        int r = select_sink(p, sink);
        if (r == 0)
            r = end_line(p, sink);
        if (r != 0)
            return r;
    }
    return printer_flush(p);
}
