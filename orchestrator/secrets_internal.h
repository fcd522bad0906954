/* What secrets.c, secrets_run.c and rotate.c share. */
#ifndef TAILGATE_ORCHESTRATOR_SECRETS_INTERNAL_H
#define TAILGATE_ORCHESTRATOR_SECRETS_INTERNAL_H

#include "db/store_secrets.h"
#include "orchestrator/internal.h"
#include "orchestrator/secrets.h"

#define SECRET_NAME_SIZE 129 /* FIELD_SECRET_NAME's longest */
#define SECRET_CONTEXT_SIZE (SECRET_NAME_SIZE + 16)

/* What a value is sealed for (seal.h), and what the audit calls it: "secret/NAME". */
void secret_context(const char *name, char ret[SECRET_CONTEXT_SIZE]);
/* There is no key file. */
int secret_no_key(struct problem *p, const char *failed);
/* The value: back to seal_wipe. Fills *p. */
MUST_CHECK int secret_open(const struct orchestrator *o, const struct store_secret *row,
                           const char *failed, void **ret, size_t *ret_len, struct problem *p);

#endif
