/* One write a report, so that lines of several writers to one terminal stay whole. */
#include "cli/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Holds a struct problem's two texts and the program's name. */
#define REPORT_MAX 1024

void report(const char *fmt, ...)
{
    static const char prefix[] = "tailgate: ";
    char line[REPORT_MAX];
    size_t len = sizeof prefix - 1;
    memcpy(line, prefix, len);
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line + len, sizeof line - len - 1, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    len += strlen(line + len);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = ' ';
    line[len++] = '\n';
    if (write(STDERR_FILENO, line, len) < 0)
        return; /* there is nobody left to tell */
}

void report_problem(const struct problem *p)
{
    if (p->details[0] == '\0')
        report("%s", p->error);
    else
        report("%s: %s", p->error, p->details);
}
