/* The engine that the settings name: part of the wiring (boot.c). */
#ifndef TAILGATE_GATEWAY_BOOT_ENGINE_H
#define TAILGATE_GATEWAY_BOOT_ENGINE_H

#include "gateway/options.h"

struct engine;
struct loop;

/* ERR_INVALID, ERR_NOMEM. */
MUST_CHECK int boot_engine_new(struct loop *l, const struct options *o, const char *gateway_id,
                               struct engine **ret);
/* Whom commands run as in containers; "" = the image's user. A new string, NULL without memory. */
char *boot_container_user(const struct options *o);
/* Rules across the engine's settings. ERR_INVALID, one line in error. */
MUST_CHECK int boot_engine_check(const struct options *o, struct buf *error);

#endif
