/* The JSON of GET /session: who asks, and what the role allows. */
#ifndef TAILGATE_WIRE_SESSION_H
#define TAILGATE_WIRE_SESSION_H

#include "base/buf.h"
#include "base/err.h"

struct wire_permission {
    const char *resource, *action, *scope; /* "executions", "list", "all" or "own" */
};
struct wire_session {
    const char *email, *role, *version;
    const struct wire_permission *may; /* those of one resource stand together */
    size_t may_count;
};
/* {"email","role","version","may":{"executions":{"list":"own",…},…}} */
MUST_CHECK int wire_session(struct buf *out, const struct wire_session *s);

#endif
