/* tailgate health, tailgate health reconcile: tables, and exit codes that tell how it stands. */
#include "cli/call.h"
#include "cli/report.h"

#include <string.h>

static const struct arg_option options[] = {CALL_OUTPUT_OPTION};

static const struct table_column server_fields[] = {
    {"status", "status", TABLE_TEXT, 0, false},
    {"version", "version", TABLE_TEXT, 0, false},
    {"provider", "provider", TABLE_TEXT, 0, false},
    {"ready", "ready", TABLE_FLAG, 0, false},
};

static const struct table_column check_columns[] = {
    {"CHECK", "name", TABLE_TEXT, 0, false},
    {"STATUS", "status", TABLE_TEXT, 0, false},
    {"DETAILS", "details", TABLE_TEXT, 0, true},
};

static const struct table_column report_fields[] = {
    {"status", "status", TABLE_TEXT, 0, false},
    {"errors", "error_count", TABLE_TEXT, 0, false},
    {"repaired", "reconciled_count", TABLE_TEXT, 0, false},
};

static const struct table_column issue_columns[] = {
    {"SEVERITY", "severity", TABLE_TEXT, 0, false},
    {"TYPE", "resource_type", TABLE_TEXT, 0, false},
    {"RESOURCE", "resource_id", TABLE_TEXT, 0, true},
    {"MESSAGE", "message", TABLE_TEXT, 0, true},
    {"ACTION", "action", TABLE_TEXT, 1, true},
};

static int run_health(const struct cli_args *args, const struct settings *settings)
{
    json_t *doc CLEANUP_JSON = NULL;
    int code = call_json(settings, "GET", "/health?verbose", NULL, &doc, NULL);
    if (code != EXIT_DONE)
        return code;
    code = call_print_object(args, server_fields, ARRAY_SIZE(server_fields), doc);
    if (code == EXIT_DONE && args->output != OUTPUT_JSON)
        code = call_print_rows(args, check_columns, ARRAY_SIZE(check_columns),
                               json_object_get(doc, "checks"));
    if (code != EXIT_DONE)
        return code;
    return json_is_true(json_object_get(doc, "ready")) ? EXIT_DONE : EXIT_UNHEALTHY;
}

/* The report's counts beside the status, as one object. */
static int print_summary(const struct cli_args *args, const json_t *doc, const json_t *report)
{
    json_t *summary CLEANUP_JSON = json_copy((json_t *)report);
    if (summary == NULL || json_object_set(summary, "status", json_object_get(doc, "status")) != 0)
        return call_no_memory();
    return call_print_object(args, report_fields, ARRAY_SIZE(report_fields), summary);
}

static int print_report(const struct cli_args *args, const json_t *doc)
{
    const json_t *report = json_object_get(doc, "report");
    const json_t *issues = json_object_get(report, "issues");
    if (args->output == OUTPUT_JSON)
        return call_print_object(args, NULL, 0, doc);
    int code = print_summary(args, doc, report);
    if (code == EXIT_DONE && json_array_size(issues) > 0)
        code = call_print_rows(args, issue_columns, ARRAY_SIZE(issue_columns), issues);
    return code;
}

static int run_reconcile(const struct cli_args *args, const struct settings *settings)
{
    json_t *doc CLEANUP_JSON = NULL;
    int code = call_json(settings, "POST", "/health/reconcile", NULL, &doc, NULL);
    if (code != EXIT_DONE)
        return code;
    const char *status = json_string_value(json_object_get(doc, "status"));
    if (status == NULL || !json_is_object(json_object_get(doc, "report"))) {
        report("the server's answer is no report");
        return EXIT_REFUSED;
    }
    code = print_report(args, doc);
    if (code != EXIT_DONE || strcmp(status, "healthy") == 0)
        return code;
    return strcmp(status, "degraded") == 0 ? EXIT_DEGRADED : EXIT_UNHEALTHY;
}

const struct command command_health = {
    .name = "health",
    .usage = "[-o text|json]",
    .summary = "Show whether the server is ready, and what that needs.",
    .notes = "",
    .table = {options, ARRAY_SIZE(options), false},
    .needs_settings = true,
    .run = run_health,
};

const struct command command_health_reconcile = {
    .name = "health reconcile",
    .usage = "[-o text|json]",
    .summary = "Hold the database against what is there; repair what can be, list what cannot.",
    .notes = "For admins and operators. Returns 0 when all is healthy, 7 when there are warnings,\n"
             "8 when there are errors.\n",
    .table = {options, ARRAY_SIZE(options), false},
    .needs_settings = true,
    .run = run_reconcile,
};
