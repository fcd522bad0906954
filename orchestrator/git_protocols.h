/* Protocols that repositories are cloned over (--git-protocols). */
#ifndef TAILGATE_ORCHESTRATOR_GIT_PROTOCOLS_H
#define TAILGATE_ORCHESTRATOR_GIT_PROTOCOLS_H

#include <stdbool.h>

#define GIT_PROTOCOLS "https,ssh,http,git,file"

/* Whether list is some of GIT_PROTOCOLS with commas between; "" and NULL are: none. */
bool git_protocols_are_valid(const char *list);

#endif
