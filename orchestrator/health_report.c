/* A report being filled. What finds no memory or no room is counted all the same. */
#include "orchestrator/health_internal.h"

#include <stdio.h>
#include <stdlib.h>

void health_report_init(struct health_report *r)
{
    *r = (struct health_report){0};
    buf_init(&r->compute.orphans, HEALTH_NAMES_BYTES);
    buf_init(&r->secrets.orphans, HEALTH_NAMES_BYTES);
    buf_init(&r->identity.missing, HEALTH_NAMES_BYTES);
    buf_init(&r->authorizer.invalid_roles, HEALTH_NAMES_BYTES);
    buf_init(&r->authorizer.missing_roles, HEALTH_NAMES_BYTES);
    buf_init(&r->authorizer.missing_owners, HEALTH_NAMES_BYTES);
    buf_init(&r->authorizer.orphaned, HEALTH_NAMES_BYTES);
    buf_init(&r->authorizer.missing, HEALTH_NAMES_BYTES);
}

void health_report_done(struct health_report *r)
{
    buf_done(&r->compute.orphans);
    buf_done(&r->secrets.orphans);
    buf_done(&r->identity.missing);
    buf_done(&r->authorizer.invalid_roles);
    buf_done(&r->authorizer.missing_roles);
    buf_done(&r->authorizer.missing_owners);
    buf_done(&r->authorizer.orphaned);
    buf_done(&r->authorizer.missing);
    free(r->issues);
    r->issues = NULL;
    r->issue_count = 0;
}

static void add(struct health_report *r, const struct health_issue *issue)
{
    if (r->issue_count == HEALTH_ISSUES_MAX)
        return;
    struct health_issue *more =
        reallocarray(r->issues, r->issue_count + 1, sizeof(struct health_issue));
    if (!more)
        return;
    r->issues = more;
    r->issues[r->issue_count++] = *issue;
}

static struct health_issue make(enum health_severity severity, const char *type, const char *id,
                                const char *message, const char *action)
{
    struct health_issue issue = {.severity = severity};
    (void)snprintf(issue.resource_type, sizeof issue.resource_type, "%s", type);
    (void)snprintf(issue.resource_id, sizeof issue.resource_id, "%s", id);
    (void)snprintf(issue.message, sizeof issue.message, "%s", message);
    (void)snprintf(issue.action, sizeof issue.action, "%s", action);
    return issue;
}

void health_issue(struct health_report *r, enum health_severity severity, const char *type,
                  const char *id, const char *message, const char *action)
{
    const struct health_issue issue = make(severity, type, id, message, action);
    if (severity == HEALTH_ERROR)
        r->errors++;
    else
        r->warnings++;
    add(r, &issue);
}

void health_repaired(struct health_report *r, const char *type, const char *id, const char *message,
                     const char *action)
{
    const struct health_issue issue = make(HEALTH_WARNING, type, id, message, action);
    r->reconciled++;
    r->warnings++;
    add(r, &issue);
}

void health_name(struct buf *names, const char *name)
{
    size_t before = names->len;
    if (buf_append_str(names, name) < 0 || buf_append_char(names, '\0') < 0)
        names->len = before;
}
