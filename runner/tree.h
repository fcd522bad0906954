/*
 * The descendants of this process, which is a subreaper: whatever they did to their session, group
 * or parent, they are found by following parents in /proc.
 */
#ifndef TAILGATE_RUNNER_TREE_H
#define TAILGATE_RUNNER_TREE_H

#include <stddef.h>
#include <sys/types.h>

/* Sends signum to every living descendant, again until a look finds none that has not got it.
 * group: signalled as a process group when /proc cannot be read. Returns how many were signalled.
 */
size_t tree_signal(int signum, pid_t group);

#endif
