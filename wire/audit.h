/* The JSON of the audit and of traces (runvoy-v1.md: trace). */
#ifndef TAILGATE_WIRE_AUDIT_H
#define TAILGATE_WIRE_AUDIT_H

#include "base/audit.h"
#include "base/buf.h"
#include "base/trace.h"

/* {"entries":[…]} */
MUST_CHECK int wire_audit(struct buf *out, const struct audit_entry *entries, size_t n);
/* {"logs":[…] or null,"related_resources":{…}} */
MUST_CHECK int wire_trace(struct buf *out, const struct trace *t);

#endif
