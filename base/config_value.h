/* One option's value: from text into the settings struct, checked against the table. */
#ifndef TAILGATE_BASE_CONFIG_VALUE_H
#define TAILGATE_BASE_CONFIG_VALUE_H

#include "base/config.h"

/* A shown value of 64 bytes, each escaped to at most 6, and the longest list of choices. */
#define CONFIG_RULE_MAX 1024

/*
 * Text into the option's place. ERR_INVALID: *rule (one line without the option's name, "must be
 * …") says why, with the text unless the option is secret. ERR_NOMEM.
 */
MUST_CHECK int config_set(const struct config_option *o, void *settings, const char *text,
                          struct buf *rule);
/* The option of that name; NULL when there is none. */
const struct config_option *config_find(const struct config_table *t, const char *name,
                                        size_t name_len);
/* "TAILGATE_RING_BYTES" of "ring-bytes". */
MUST_CHECK int config_variable(const char *name, struct buf *out);

#endif
