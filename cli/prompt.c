/* The terminal's echo is switched back on whatever happens: signals wait until then. */
#include "cli/prompt.h"

#include "base/buf.h"
#include "base/err.h"
#include "cli/interrupt.h"
#include "cli/out.h"

#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define ANSWER_MAX 4096

/* Byte by byte, so that nothing behind the line is taken away from who reads next. */
static int read_line(struct interrupt *intr, struct buf *line)
{
    for (;;) {
        char c;
        int r = interrupt_wait(intr, STDIN_FILENO, POLLIN);
        if (r != 0)
            return r;
        ssize_t n = read(STDIN_FILENO, &c, 1);
        if (n < 0)
            return ERR_SYS;
        if (n == 0)
            return line->len > 0 ? 0 : ERR_END;
        if (c == '\n')
            return 0;
        r = c == '\0' ? ERR_INVALID : buf_append_char(line, c);
        if (r != 0)
            return r;
    }
}

static int ask(struct interrupt *intr, const char *text, struct buf *line)
{
    int r = out_write(intr, STDERR_FILENO, text, strlen(text));
    return r != 0 ? r : read_line(intr, line);
}

static int ask_hidden(struct interrupt *intr, const char *text, struct buf *line)
{
    struct termios saved;
    if (tcgetattr(STDIN_FILENO, &saved) != 0)
        return ask(intr, text, line);
    struct termios silent = saved;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) != 0)
        return ERR_SYS;
    int r = ask(intr, text, line);
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved) != 0 && r == 0)
        r = ERR_SYS;
    int newline = out_write(intr, STDERR_FILENO, "\n", 1);
    return r != 0 ? r : newline;
}

int prompt_line(const char *text, bool is_hidden, char **ret)
{
    struct interrupt intr CLEANUP(interrupt_done) = {.fd = -1};
    struct buf line CLEANUP_BUF;
    size_t len;
    buf_init(&line, ANSWER_MAX);
    int r = interrupt_init(&intr);
    if (r == 0)
        r = is_hidden ? ask_hidden(&intr, text, &line) : ask(&intr, text, &line);
    if (r == 0 && line.len > 0 && line.data[line.len - 1] == '\r')
        line.data[--line.len] = '\0';
    if (r != 0) {
        if (line.data != NULL)
            explicit_bzero(line.data, line.len);
        return r;
    }
    return buf_take(&line, ret, &len);
}
