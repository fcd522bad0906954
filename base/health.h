/* What a reconcile found and did: the sections, and the issues in order. */
#ifndef TAILGATE_BASE_HEALTH_H
#define TAILGATE_BASE_HEALTH_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEALTH_ISSUES_MAX 1000   /* more are counted, not listed */
#define HEALTH_NAMES_BYTES 65536 /* of one list */

enum health_severity { HEALTH_WARNING, HEALTH_ERROR };

struct health_issue {
    enum health_severity severity;
    char resource_type[32], resource_id[192];
    char message[320];
    char action[192]; /* what was done, or what a person can do */
};

/* Lists of names: each with its NUL, one behind the other. */
struct health_report {
    int64_t at_us;
    struct {
        int64_t total, verified, recreated, tag_updated, orphaned;
        struct buf orphans;
    } compute;
    struct {
        int64_t total, verified, tag_updated, missing, orphaned;
        struct buf orphans;
    } secrets;
    struct {
        bool default_roles_verified;
        int64_t custom_verified, custom_total;
        struct buf missing;
    } identity;
    struct {
        struct buf invalid_roles, missing_roles; /* users */
        struct buf missing_owners;               /* resources */
        struct buf orphaned, missing;            /* ownerships */
        int64_t users, resources;
    } authorizer;
    struct health_issue *issues;
    size_t issue_count;
    int64_t reconciled, errors, warnings; /* errors and warnings: issues that are still there */
};

/* One thing that readiness needs. */
struct health_line {
    const char *name;
    bool is_ok;
    char details[256]; /* why not */
};

/* "healthy", "degraded" (warnings) or "unhealthy" (errors). */
const char *health_status(const struct health_report *r);

#endif
