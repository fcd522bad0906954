/*
 * Credentials for registries (--registry-secrets): for each registry the name of the secret whose
 * value is USER:PASSWORD. The operator has said so, so whoever runs an image needs no right to that
 * secret, and never sees it.
 */
#ifndef TAILGATE_ORCHESTRATOR_REGISTRIES_H
#define TAILGATE_ORCHESTRATOR_REGISTRIES_H

#include "orchestrator/orchestrator.h"

/* "REGISTRY=SECRET", with commas between; NULL and "": none. */
bool registries_are_valid(const char *list);
/* Whether there is one for the image's registry. */
bool registries_is_secret(const struct orchestrator *o, const char *image);

/* auth: base64url JSON, as the Engine API wants it in X-Registry-Auth; NULL with p. Valid during
 * the call, wiped behind it. */
typedef void (*registries_fn)(void *user, const struct problem *p, const char *auth);
/* For an image whose registry has one. Never before it returns. ERR_*: p is filled, fn is not
 * called. In fn also ERR_INVALID: no such secret, or its value is not of that form. */
MUST_CHECK int registries_ask(struct orchestrator *o, const char *image, registries_fn fn,
                              void *user, struct problem *p);

#endif
