/* The JSON of a reconcile (runvoy-v1.md). */
#ifndef TAILGATE_WIRE_HEALTH_H
#define TAILGATE_WIRE_HEALTH_H

#include "base/health.h"

/* {"status","report":{…}} */
MUST_CHECK int wire_reconcile(struct buf *out, const struct health_report *r);

/* {"status":"ok","version","provider","ready","checks":[{"name","status","details"}]} */
MUST_CHECK int wire_health_checks(struct buf *out, const char *version, const char *provider,
                                  bool is_ready, const struct health_line *lines, size_t n);

#endif
