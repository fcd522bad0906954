/* The forms in which a value may be printed (redact.h), added to an automaton. Internal to
 * redact.c. */
#ifndef TAILGATE_LOGS_REDACT_FORMS_H
#define TAILGATE_LOGS_REDACT_FORMS_H

#include "logs/automaton.h"

/* ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int redact_forms_add(struct automaton *a, const uint8_t *value, size_t len);

#endif
