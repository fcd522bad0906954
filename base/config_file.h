/* The configuration file as a source of settings. */
#ifndef TAILGATE_BASE_CONFIG_FILE_H
#define TAILGATE_BASE_CONFIG_FILE_H

#include "base/config.h"

/* Largest file that is read. */
#define CONFIG_FILE_MAX (1024 * 1024)

/* ERR_INVALID: error holds one line, "path:line: …" or "path: …". ERR_NOMEM. */
MUST_CHECK int config_load_file(const struct config_table *t, void *settings, const char *path,
                                struct buf *error);

#endif
