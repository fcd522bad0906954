/* tailgate users create, list, revoke */
#include "base/fields.h"
#include "cli/call.h"
#include "cli/report.h"
#include "wire/people.h"

#include <string.h>

static const struct table_column columns[] = {
    {"EMAIL", "email", TABLE_TEXT, 0, false},
    {"ROLE", "role", TABLE_TEXT, 0, false},
    {"CREATED", "created_at", TABLE_TIME, 2, false},
    {"LAST USED", "last_used", TABLE_TIME, 1, false},
    {"REVOKED", "revoked", TABLE_FLAG, 0, false},
};
static const struct table_column created[] = {
    {"email", "email", TABLE_TEXT, 0, false},
    {"role", "role", TABLE_TEXT, 0, false},
    {"claim token", "claim_token", TABLE_TEXT, 0, false},
};

static const struct arg_option create_options[] = {
    {0, ARG_STRING, "role", offsetof(struct cli_args, role), "ROLE",
     "admin, operator, developer or viewer (developer)"},
    CALL_OUTPUT_OPTION,
};
static const struct arg_option output_options[] = {CALL_OUTPUT_OPTION};

/* The claim token stands beside the user in the answer; people see one list of fields. */
static int print_created(const struct cli_args *args, json_t *doc)
{
    json_t *user = json_object_get(doc, "user"), *token = json_object_get(doc, "claim_token");
    if (args->output == OUTPUT_JSON || !json_is_object(user))
        return call_print_object(args, created, ARRAY_SIZE(created), doc);
    if (json_object_set(user, "claim_token", token) != 0)
        return call_no_memory();
    int code = call_print_object(args, created, ARRAY_SIZE(created), user);
    if (code == EXIT_DONE)
        report("the new user takes the key with `tailgate claim TOKEN`: once, within 15 minutes");
    return code;
}

static int create(const struct cli_args *args, const struct settings *settings)
{
    json_t *doc CLEANUP_JSON = NULL;
    struct buf body CLEANUP_BUF = {.max = 8192};
    struct problem p = {0};
    const struct wire_people_request request = {
        .email = args->operands[0], .role = args->role != NULL ? args->role : "developer"};
    if (field_check(FIELD_EMAIL, "wrong usage", request.email, &p) != 0 ||
        field_check(FIELD_ROLE, "wrong usage", request.role, &p) != 0)
        return call_usage_failed(&p);
    if (wire_people_request_encode(&body, &request) != 0)
        return call_no_memory();
    int code = call_json(settings, "POST", "/users/create", &body, &doc, NULL);
    return code != EXIT_DONE ? code : print_created(args, doc);
}

static int list(const struct cli_args *args, const struct settings *settings)
{
    json_t *doc CLEANUP_JSON = NULL;
    int code = call_json(settings, "GET", "/users", NULL, &doc, NULL);
    return code != EXIT_DONE
               ? code
               : call_print_rows(args, columns, ARRAY_SIZE(columns), json_object_get(doc, "users"));
}

static int revoke_one(const struct cli_args *args, const struct settings *settings)
{
    json_t *doc CLEANUP_JSON = NULL;
    struct buf body CLEANUP_BUF = {.max = 8192};
    struct problem p = {0};
    const struct wire_people_request request = {.email = args->operands[0]};
    if (field_check(FIELD_EMAIL, "wrong usage", request.email, &p) != 0)
        return call_usage_failed(&p);
    if (wire_people_request_encode(&body, &request) != 0)
        return call_no_memory();
    int code = call_json(settings, "POST", "/users/revoke", &body, &doc, NULL);
    if (code != EXIT_DONE || args->output == OUTPUT_JSON)
        return code != EXIT_DONE ? code : call_print_object(args, NULL, 0, doc);
    report("%s is revoked: keys, streams and sockets end now", args->operands[0]);
    return EXIT_DONE;
}

const struct command command_users_create = {
    .name = "users create",
    .usage = "[--role ROLE] [-o text|json] EMAIL",
    .summary = "Add a user; prints the token that the first key is claimed with.",
    .notes = "The token is shown once, here.\n",
    .table = {create_options, ARRAY_SIZE(create_options), false},
    .min_operands = 1,
    .max_operands = 1,
    .needs_settings = true,
    .run = create,
};

const struct command command_users_list = {
    .name = "users list",
    .usage = "[-o text|json]",
    .summary = "List users, by e-mail.",
    .notes = "",
    .table = {output_options, ARRAY_SIZE(output_options), false},
    .needs_settings = true,
    .run = list,
};

const struct command command_users_revoke = {
    .name = "users revoke",
    .usage = "[-o text|json] EMAIL",
    .summary = "End a user's access at once: keys, streams, open sockets.",
    .notes = "",
    .table = {output_options, ARRAY_SIZE(output_options), false},
    .min_operands = 1,
    .max_operands = 1,
    .needs_settings = true,
    .run = revoke_one,
};
