/*
 * Golden files of the wire's messages: tests/golden/<codec>/<case>/<file>, a newline at the end
 * that is not part of the message. TAILGATE_UPDATE_GOLDEN=1 writes what the code makes instead of
 * comparing; what then differs is reviewed against api.md.
 */
#ifndef TAILGATE_TESTS_GOLDEN_H
#define TAILGATE_TESTS_GOLDEN_H

#include "base/buf.h"

#define GOLDEN_MAX (256 * 1024)

/* The file's content must be text; fails the test otherwise. */
void golden_check(const char *codec, const char *name, const char *file, const char *text);
/* The file's content into the empty buffer. */
void golden_read(const char *codec, const char *name, const char *file, struct buf *ret);
/* Calls fn for each case of the codec that has the file, in the order of their names. */
void golden_each(const char *codec, const char *file,
                 void (*fn)(const char *codec, const char *name, const char *text, size_t len));

#endif
