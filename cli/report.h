/* What tailgate itself has to say, on standard error: one line, "tailgate: what failed: details".
 */
#ifndef TAILGATE_CLI_REPORT_H
#define TAILGATE_CLI_REPORT_H

#include "base/compiler.h"
#include "base/err.h"

/* Line feeds and other control characters inside become spaces: one report is one line. */
void report(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* "tailgate: ERROR: DETAILS" */
void report_problem(const struct problem *p);

#endif
