/* Read whole, bounded, and wiped when it is freed. */
#include "cli/secret_value.h"

#include "cli/profile.h"
#include "cli/prompt.h"
#include "cli/report.h"

#include <string.h>
#include <unistd.h>

void secret_value_free(char **value)
{
    if (*value != NULL)
        explicit_bzero(*value, strlen(*value));
    free(*value);
    *value = NULL;
}

static int ask(char **ret)
{
    int r = prompt_line("Value (not shown): ", true, ret);
    if (r == 0 || r == ERR_AGAIN)
        return r == 0 ? EXIT_DONE : EXIT_INTERRUPTED;
    if (r == ERR_TOO_LARGE)
        report("a line of that length cannot be typed; use --value-file or standard input");
    else
        report("no value: nothing was changed");
    return r == ERR_NOMEM ? EXIT_OTHER : EXIT_USAGE;
}

static int slurp(const char *path, struct buf *text)
{
    struct problem p = {0};
    bool is_exposed;
    int r = profile_slurp(strcmp(path, "-") == 0 ? "/dev/stdin" : path, text, &p, &is_exposed);
    if (r == ERR_TOO_LARGE)
        report("wrong usage: a value must be at most %zu bytes", SECRET_VALUE_MAX);
    else if (r != 0)
        report_problem(&p);
    return r == 0 ? EXIT_DONE : EXIT_USAGE;
}

int secret_value_read(const char *path, char **ret)
{
    struct buf text;
    size_t len;
    if (path == NULL && isatty(STDIN_FILENO) == 1)
        return ask(ret);
    buf_init(&text, SECRET_VALUE_MAX + 1);
    int code = slurp(path != NULL ? path : "-", &text);
    if (code == EXIT_DONE && text.len > 0 && text.data[text.len - 1] == '\n')
        text.data[--text.len] = '\0';
    if (code == EXIT_DONE && text.len > 0 && memchr(text.data, '\0', text.len) != NULL) {
        report("wrong usage: a value is text: it holds a NUL character");
        code = EXIT_USAGE;
    }
    if (code == EXIT_DONE && buf_take(&text, ret, &len) != 0) {
        report("out of memory");
        code = EXIT_OTHER;
    }
    if (code != EXIT_DONE && text.data != NULL)
        explicit_bzero(text.data, text.len);
    buf_done(&text);
    return code;
}
