/* A quiet end is one that the exit code tells; everything else gets a line. */
#include "cli/tail_report.h"

#include "cli/exit.h"
#include "cli/report.h"

#include <inttypes.h>
#include <signal.h>

static int report_left(const struct execution_id *id, const struct tail_result *r)
{
    report("left; the execution goes on. Come back with: tailgate logs -f %s --after %" PRIu64,
           id->hex, r->last_seq);
    return r->signum == SIGTERM ? EXIT_TERMINATED : EXIT_INTERRUPTED;
}

static int report_end(const struct execution_id *id, const struct tail_result *r, bool with_command,
                      int own_failure)
{
    if (r->status == EXEC_STOPPED)
        report("%s was stopped", id->hex);
    else if (r->reason[0] != '\0')
        report("%s %s: %s", id->hex, exec_status_name(r->status), r->reason);
    if (!with_command)
        return EXIT_DONE;
    if (r->exit_code >= 0 && r->exit_code <= 255)
        return r->exit_code;
    report("%s has no exit code", id->hex);
    return own_failure != 0 ? own_failure : EXIT_OTHER;
}

int tail_report(const struct execution_id *id, const struct tail_result *r, bool with_command,
                int own_failure)
{
    int code;
    switch (r->outcome) {
    case TAIL_ENDED:
        return report_end(id, r, with_command, own_failure);
    case TAIL_CAUGHT_UP:
        return EXIT_DONE;
    case TAIL_LEFT:
        return report_left(id, r);
    case TAIL_OUTPUT:
        code = exit_of_output(r->err);
        if (code != EXIT_OTHER)
            return code; /* nobody reads any more: nothing to say */
        report("cannot write the lines; come back with: tailgate logs -f %s --after %" PRIu64,
               id->hex, r->last_seq);
        return own_failure != 0 ? own_failure : code;
    case TAIL_FAILED:
        break;
    }
    report_problem(&r->p);
    /* Where nothing was printed yet there is nothing to come back to, unless it was started now. */
    if (r->p.err == ERR_SYS && (r->last_seq > 0 || own_failure != 0))
        report("come back with: tailgate logs -f %s --after %" PRIu64, id->hex, r->last_seq);
    return own_failure != 0 ? own_failure : exit_of_answer(r->p.err);
}
