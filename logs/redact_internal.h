/* What redact.c and redaction.c share. */
#ifndef TAILGATE_LOGS_REDACT_INTERNAL_H
#define TAILGATE_LOGS_REDACT_INTERNAL_H

#include "logs/automaton.h"

struct redactor {
    struct automaton *automaton;
};

#endif
