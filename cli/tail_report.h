/* What `run` and `logs` say and return when tailing is over. */
#ifndef TAILGATE_CLI_TAIL_REPORT_H
#define TAILGATE_CLI_TAIL_REPORT_H

#include "cli/tail.h"

/*
 * Reports how it ended, where there is something to say; the exit code. with_command: the command's
 * own exit code when it ended; own_failure: exit code of tailgate's failures, 0 = by kind.
 */
int tail_report(const struct execution_id *id, const struct tail_result *result, bool with_command,
                int own_failure);

#endif
