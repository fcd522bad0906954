/* tailgate keys create, list, revoke: one's own API keys */
#include "base/fields.h"
#include "base/str.h"
#include "cli/call.h"
#include "cli/report.h"
#include "wire/people.h"

#include <string.h>

static const struct table_column columns[] = {
    {"ID", "id", TABLE_TEXT, 0, false},
    {"KEY", "prefix", TABLE_TEXT, 0, false},
    {"DESCRIPTION", "description", TABLE_TEXT, 1, true},
    {"CREATED", "created_at", TABLE_TIME, 3, false},
    {"LAST USED", "last_used_at", TABLE_TIME, 2, false},
    {"REVOKED", "revoked", TABLE_FLAG, 0, false},
};

static const struct arg_option create_options[] = {
    {0, ARG_STRING, "description", offsetof(struct cli_args, description), "TEXT",
     "what it is for, at most 256 characters"},
    CALL_OUTPUT_OPTION,
};
static const struct arg_option output_options[] = {CALL_OUTPUT_OPTION};

/* The key alone on standard output: it goes to a file or a password manager. */
static int print_key(const json_t *doc)
{
    struct buf text CLEANUP_BUF = {.max = 1024};
    const char *key = json_string_value(json_object_get(doc, "api_key"));
    if (key == NULL) {
        report("unusable answer from the server: the key is missing");
        return EXIT_REFUSED;
    }
    if (buf_printf(&text, "%s\n", key) != 0)
        return call_no_memory();
    int code = command_print(NULL, &text);
    explicit_bzero(text.data, text.len);
    if (code == EXIT_DONE)
        report("keep it: it is not shown again");
    return code;
}

static int create(const struct cli_args *args, const struct settings *settings)
{
    json_t *doc CLEANUP_JSON = NULL;
    struct buf body CLEANUP_BUF = {.max = 8192};
    struct problem p = {0};
    const struct wire_people_request request = {.description = args->description};
    if (field_check(FIELD_KEY_DESCRIPTION, "wrong usage", request.description, &p) != 0)
        return call_usage_failed(&p);
    if (wire_people_request_encode(&body, &request) != 0)
        return call_no_memory();
    int code = call_json(settings, "POST", "/api-keys", &body, &doc, NULL);
    if (code != EXIT_DONE)
        return code;
    return args->output == OUTPUT_JSON ? call_print_object(args, NULL, 0, doc) : print_key(doc);
}

static int list(const struct cli_args *args, const struct settings *settings)
{
    json_t *doc CLEANUP_JSON = NULL;
    int code = call_json(settings, "GET", "/api-keys", NULL, &doc, NULL);
    return code != EXIT_DONE ? code
                             : call_print_rows(args, columns, ARRAY_SIZE(columns),
                                               json_object_get(doc, "api_keys"));
}

static int revoke_one(const struct cli_args *args, const struct settings *settings)
{
    json_t *doc CLEANUP_JSON = NULL;
    struct buf path CLEANUP_BUF = {0};
    int code = call_path(&path, "/api-keys", args->operands[0]);
    if (code == EXIT_DONE)
        code = call_json(settings, "DELETE", path.data, NULL, &doc, NULL);
    if (code != EXIT_DONE || args->output == OUTPUT_JSON)
        return code != EXIT_DONE ? code : call_print_object(args, NULL, 0, doc);
    report("key %s is revoked", args->operands[0]);
    return EXIT_DONE;
}

const struct command command_keys_create = {
    .name = "keys create",
    .usage = "[--description TEXT] [-o text|json]",
    .summary = "Make another API key of your own; prints it, once.",
    .notes = "",
    .table = {create_options, ARRAY_SIZE(create_options), false},
    .needs_settings = true,
    .run = create,
};

const struct command command_keys_list = {
    .name = "keys list",
    .usage = "[-o text|json]",
    .summary = "List your API keys: their first 8 characters, never the rest.",
    .notes = "",
    .table = {output_options, ARRAY_SIZE(output_options), false},
    .needs_settings = true,
    .run = list,
};

const struct command command_keys_revoke = {
    .name = "keys revoke",
    .usage = "[-o text|json] ID",
    .summary = "End one of your API keys at once.",
    .notes = "",
    .table = {output_options, ARRAY_SIZE(output_options), false},
    .min_operands = 1,
    .max_operands = 1,
    .needs_settings = true,
    .run = revoke_one,
};
