/*
 * Log lines on standard output and standard error, as text or as JSON.
 *
 * A line may come in parts (LINE_PART). They are printed as they come, without a newline, and the
 * next part of that stream goes on behind them. Where both streams end in one place (a terminal, or
 * 2>&1), a line of another stream would be glued to the unfinished one: a newline is put between,
 * and the rest of the unfinished line then begins a line of its own.
 */
#ifndef TAILGATE_CLI_PRINTER_H
#define TAILGATE_CLI_PRINTER_H

#include "base/buf.h"
#include "cli/args.h"
#include "cli/interrupt.h"
#include "wire/messages.h"

struct printer_options {
    int out_fd, err_fd;
    enum output_format format;
    bool timestamps;
    bool is_shared; /* both descriptors are the same place */
    bool out_is_terminal;
    bool err_colour;
    struct interrupt *intr; /* NULL = blocking writes */
};

struct printer_sink {
    int fd;
    char open_stream; /* stream whose unfinished line stands at the end; 0 = at a line's begin */
};

struct printer {
    struct printer_options opt;
    struct buf pending; /* not yet written, all for one sink */
    struct printer_sink sinks[2];
    struct printer_sink *current; /* whose bytes are pending */
    bool in_part[3], was_broken[3];
};

/* The options for this process's standard output and standard error. */
struct printer_options printer_options_here(const struct cli_args *args, struct interrupt *intr);
void printer_init(struct printer *p, const struct printer_options *opt);
void printer_done(struct printer *p);

/* ERR_CLOSED (nobody reads), ERR_AGAIN (a signal said stop), ERR_SYS, ERR_NOMEM; so for the next
 * ones. What is printed may wait in memory until printer_flush, bounded by PRINTER_PENDING_MAX. */
#define PRINTER_PENDING_MAX ((size_t)4 << 20)
MUST_CHECK int printer_line(struct printer *p, uint64_t seq, const struct wire_line *line);
MUST_CHECK int printer_flush(struct printer *p);
/* Before a notice goes to standard error, and at the end: finishes an unfinished line there and on
 * a terminal, and flushes. */
MUST_CHECK int printer_break(struct printer *p);

#endif
