/* The word for a report. */
#include "base/health.h"

const char *health_status(const struct health_report *r)
{
    if (r->errors > 0)
        return "unhealthy";
    return r->warnings > 0 ? "degraded" : "healthy";
}
