/* One run from the command's start to the exit record in the spool. */
#ifndef TAILGATE_RUNNER_RUN_H
#define TAILGATE_RUNNER_RUN_H

#include "runner/outlet.h"
#include "spool/spec.h"

/* What main blocked before anything could be lost: read here through a signalfd. */
#define RUN_SIGNAL_STOP SIGTERM
#define RUN_SIGNAL_CHILD SIGCHLD

/*
 * Runs the spec's command to its end. The caller is a subreaper, holds the run directory's lock and
 * has blocked both signals. 0: the exit record is in the spool; -errno: it could not be written.
 */
int run_command(struct run_spec *spec, struct outlet *out);

#endif
