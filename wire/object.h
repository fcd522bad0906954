/*
 * Writes one JSON object to a buffer, field by field. The first failure is kept and what follows
 * does nothing, so that an encoder checks once, at the end; a failed object leaves the buffer as it
 * was.
 */
#ifndef TAILGATE_WIRE_OBJECT_H
#define TAILGATE_WIRE_OBJECT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct wire_object { /* a plain value, on the encoder's stack */
    struct buf *out;
    size_t start; /* out->len before the object */
    int err;
    bool has_field;
};

void wire_object_begin(struct wire_object *o, struct buf *out);
/* Names are constants of ours and need no escaping. A NULL string is written as "". */
void wire_object_str(struct wire_object *o, const char *name, const char *value);
void wire_object_int(struct wire_object *o, const char *name, int64_t value);
void wire_object_bool(struct wire_object *o, const char *name, bool value);
void wire_object_null(struct wire_object *o, const char *name);
/* RFC 3339. */
void wire_object_time(struct wire_object *o, const char *name, int64_t us);
/* The name and the colon; the caller appends the value to o->out through wire_object_raw. */
void wire_object_name(struct wire_object *o, const char *name);
void wire_object_raw(struct wire_object *o, const char *text, size_t len);
void wire_object_string(struct wire_object *o, const char *text, size_t len);
/* 0, ERR_NOMEM or ERR_TOO_LARGE. */
MUST_CHECK int wire_object_end(struct wire_object *o);
/* The same without the closing brace: the object goes on in later calls. */
MUST_CHECK int wire_object_pause(struct wire_object *o);

/* Decimal digits of n appended; log lines are too many for printf. */
MUST_CHECK int wire_append_int(struct buf *out, int64_t n);

#endif
