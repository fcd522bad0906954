/* A reconcile's report in JSON: Runvoy's names, every field always there. */
#include "wire/health.h"

#include "wire/object.h"

#include <string.h>

static void add_names(struct wire_object *o, const char *field, const struct buf *names)
{
    wire_object_name(o, field);
    wire_object_raw(o, "[", 1);
    for (size_t at = 0; at < names->len;) {
        size_t len = strlen(names->data + at);
        if (at > 0)
            wire_object_raw(o, ",", 1);
        wire_object_string(o, names->data + at, len);
        at += len + 1;
    }
    wire_object_raw(o, "]", 1);
}

static void begin_part(struct wire_object *o, struct wire_object *part, const char *name)
{
    wire_object_name(o, name);
    *part = *o;
    if (o->err == 0)
        wire_object_begin(part, o->out);
}

static void end_part(struct wire_object *o, struct wire_object *part)
{
    if (o->err == 0)
        o->err = wire_object_end(part);
}

static void add_compute(struct wire_object *o, const struct health_report *r)
{
    struct wire_object part;
    begin_part(o, &part, "compute_status");
    wire_object_int(&part, "total_resources", r->compute.total);
    wire_object_int(&part, "verified_count", r->compute.verified);
    wire_object_int(&part, "recreated_count", r->compute.recreated);
    wire_object_int(&part, "tag_updated_count", r->compute.tag_updated);
    wire_object_int(&part, "orphaned_count", r->compute.orphaned);
    add_names(&part, "orphaned_resources", &r->compute.orphans);
    end_part(o, &part);
}

static void add_secrets(struct wire_object *o, const struct health_report *r)
{
    struct wire_object part;
    begin_part(o, &part, "secrets_status");
    wire_object_int(&part, "total_secrets", r->secrets.total);
    wire_object_int(&part, "verified_count", r->secrets.verified);
    wire_object_int(&part, "tag_updated_count", r->secrets.tag_updated);
    wire_object_int(&part, "missing_count", r->secrets.missing);
    wire_object_int(&part, "orphaned_count", r->secrets.orphaned);
    add_names(&part, "orphaned_parameters", &r->secrets.orphans);
    end_part(o, &part);
}

static void add_identity(struct wire_object *o, const struct health_report *r)
{
    struct wire_object part;
    begin_part(o, &part, "identity_status");
    wire_object_bool(&part, "default_roles_verified", r->identity.default_roles_verified);
    wire_object_int(&part, "custom_roles_verified", r->identity.custom_verified);
    wire_object_int(&part, "custom_roles_total", r->identity.custom_total);
    add_names(&part, "missing_roles", &r->identity.missing);
    end_part(o, &part);
}

static void add_authorizer(struct wire_object *o, const struct health_report *r)
{
    struct wire_object part;
    begin_part(o, &part, "authorizer_status");
    add_names(&part, "users_with_invalid_roles", &r->authorizer.invalid_roles);
    add_names(&part, "users_with_missing_roles", &r->authorizer.missing_roles);
    add_names(&part, "resources_with_missing_owners", &r->authorizer.missing_owners);
    add_names(&part, "orphaned_ownerships", &r->authorizer.orphaned);
    add_names(&part, "missing_ownerships", &r->authorizer.missing);
    wire_object_int(&part, "total_users_checked", r->authorizer.users);
    wire_object_int(&part, "total_resources_checked", r->authorizer.resources);
    end_part(o, &part);
}

static int append_issue(struct buf *out, const struct health_issue *i)
{
    struct wire_object o;
    wire_object_begin(&o, out);
    wire_object_str(&o, "resource_type", i->resource_type);
    wire_object_str(&o, "resource_id", i->resource_id);
    wire_object_str(&o, "severity", i->severity == HEALTH_ERROR ? "error" : "warning");
    wire_object_str(&o, "message", i->message);
    wire_object_str(&o, "action", i->action);
    return wire_object_end(&o);
}

static void add_issues(struct wire_object *o, const struct health_report *r)
{
    wire_object_name(o, "issues");
    wire_object_raw(o, "[", 1);
    for (size_t i = 0; i < r->issue_count; i++) {
        if (i > 0)
            wire_object_raw(o, ",", 1);
        if (o->err == 0)
            o->err = append_issue(o->out, &r->issues[i]);
    }
    wire_object_raw(o, "]", 1);
}

int wire_reconcile(struct buf *out, const struct health_report *r)
{
    struct wire_object o, report;
    wire_object_begin(&o, out);
    wire_object_str(&o, "status", health_status(r));
    begin_part(&o, &report, "report");
    wire_object_time(&report, "timestamp", r->at_us);
    add_compute(&report, r);
    add_secrets(&report, r);
    add_identity(&report, r);
    add_authorizer(&report, r);
    add_issues(&report, r);
    wire_object_int(&report, "reconciled_count", r->reconciled);
    wire_object_int(&report, "error_count", r->errors);
    end_part(&o, &report);
    return wire_object_end(&o);
}

static int append_check(struct buf *out, const struct health_line *l)
{
    struct wire_object o;
    wire_object_begin(&o, out);
    wire_object_str(&o, "name", l->name);
    wire_object_str(&o, "status", l->is_ok ? "ok" : "failed");
    wire_object_str(&o, "details", l->details);
    return wire_object_end(&o);
}

int wire_health_checks(struct buf *out, const char *version, const char *provider, bool is_ready,
                       const struct health_line *lines, size_t n)
{
    struct wire_object o;
    wire_object_begin(&o, out);
    wire_object_str(&o, "status", "ok");
    wire_object_str(&o, "version", version);
    wire_object_str(&o, "provider", provider);
    wire_object_bool(&o, "ready", is_ready);
    wire_object_name(&o, "checks");
    wire_object_raw(&o, "[", 1);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            wire_object_raw(&o, ",", 1);
        if (o.err == 0)
            o.err = append_check(o.out, &lines[i]);
    }
    wire_object_raw(&o, "]", 1);
    return wire_object_end(&o);
}
