/* Users' roles, and who owns what. */
#include "orchestrator/health_internal.h"

#include "base/str.h"
#include "db/store_health.h"

#include <stdio.h>
#include <string.h>

/* What is said of a finding of this kind. */
struct kind {
    const char *name, *type;
    enum health_severity severity;
    const char *message; /* %s: what the row names */
    const char *action;
};
static const struct kind kinds[] = {
    {"invalid_role", "user", HEALTH_ERROR, "the role \"%s\" is unknown; it allows nothing",
     "give the account a role that there is, in the database"},
    {"missing_role", "user", HEALTH_ERROR, "it has no role%s; it may do nothing",
     "give the account a role, in the database"},
    {"missing_owner", "ownership", HEALTH_WARNING, "nobody owns it%s",
     "admins and operators reach it: delete it, or set created_by"},
    {"orphaned_owner", "ownership", HEALTH_WARNING, "its owner \"%s\" is no user",
     "delete it, or make the account again"},
};

static struct buf *list_of(struct health_report *r, size_t kind)
{
    switch (kind) {
    case 0:
        return &r->authorizer.invalid_roles;
    case 1:
        return &r->authorizer.missing_roles;
    case 2:
        return &r->authorizer.missing_owners;
    default:
        return &r->authorizer.orphaned;
    }
}

static void found(struct health_report *r, const char *name, const char *resource, const char *what)
{
    char message[320];
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        if (!str_eq(kinds[k].name, name))
            continue;
        const char *gap = strstr(kinds[k].message, "%s");
        int before = (int)(gap - kinds[k].message);
        (void)snprintf(message, sizeof message, "%.*s%.200s%s", before, kinds[k].message, what,
                       gap + 2);
        health_name(list_of(r, k), resource);
        health_issue(r, kinds[k].severity, kinds[k].type, resource, message, kinds[k].action);
    }
}

static void on_owners(void *user, int err, const struct db_result *r)
{
    struct health_check *c = user;
    if (!health_release(c))
        return;
    if (err < 0) {
        health_failed(c, err, NULL);
        return;
    }
    struct health_report *report = &c->h->report;
    for (size_t i = 0; i < db_rows(r, 0); i++)
        found(report, db_get_text(r, 0, i, 0), db_get_text(r, 0, i, 1), db_get_text(r, 0, i, 2));
    if (db_rows(r, 1) > 0) {
        report->authorizer.users = db_get_i64(r, 1, 0, 0);
        report->authorizer.resources = db_get_i64(r, 1, 0, 1);
    }
    health_done(c);
}

int health_check_owners(struct health_check *c)
{
    health_hold(c);
    int r = store_health_owners(c->h->o->pool, on_owners, c);
    if (r < 0)
        (void)health_release(c);
    return r;
}
