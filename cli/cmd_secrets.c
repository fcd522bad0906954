/* tailgate secrets create, get, list, update, delete */
#include "base/fields.h"
#include "base/str.h"
#include "cli/call.h"
#include "cli/report.h"
#include "cli/secret_value.h"
#include "wire/secrets.h"

#include <string.h>

static const struct table_column columns[] = {
    {"NAME", "name", TABLE_TEXT, 0, false},
    {"VARIABLE", "key_name", TABLE_TEXT, 0, false},
    {"DESCRIPTION", "description", TABLE_TEXT, 2, true},
    {"OWNER", "created_by", TABLE_TEXT, 1, true},
    {"UPDATED", "updated_at", TABLE_TIME, 3, false},
};
static const struct table_column fields[] = {
    {"name", "name", TABLE_TEXT, 0, false},
    {"variable", "key_name", TABLE_TEXT, 0, false},
    {"description", "description", TABLE_TEXT, 0, false},
    {"owner", "created_by", TABLE_TEXT, 0, false},
    {"created", "created_at", TABLE_TIME, 0, false},
    {"updated", "updated_at", TABLE_TIME, 0, false},
    {"updated by", "updated_by", TABLE_TEXT, 0, false},
    {"value", "value", TABLE_TEXT, 0, false},
};

#define KEY_NAME_OPTION                                                             \
    {                                                                               \
        0, ARG_STRING, "key-name", offsetof(struct cli_args, key_name), "VARIABLE", \
            "the environment variable that it becomes in a run"                     \
    }
#define DESCRIPTION_OPTION                                                            \
    {                                                                                 \
        0, ARG_STRING, "description", offsetof(struct cli_args, description), "TEXT", \
            "what it is for"                                                          \
    }
#define VALUE_FILE_OPTION                                                           \
    {                                                                               \
        0, ARG_STRING, "value-file", offsetof(struct cli_args, value_file), "FILE", \
            "take the value from FILE, - for standard input"                        \
    }

static const struct arg_option create_options[] = {KEY_NAME_OPTION, DESCRIPTION_OPTION,
                                                   VALUE_FILE_OPTION, CALL_OUTPUT_OPTION};
static const struct arg_option update_options[] = {
    KEY_NAME_OPTION,
    DESCRIPTION_OPTION,
    {0, ARG_FLAG, "value", offsetof(struct cli_args, value), NULL,
     "a new value, from standard input or asked for"},
    VALUE_FILE_OPTION,
    CALL_OUTPUT_OPTION,
};
static const struct arg_option get_options[] = {
    {0, ARG_FLAG, "value", offsetof(struct cli_args, value), NULL, "print the value alone"},
    CALL_OUTPUT_OPTION,
};
static const struct arg_option output_options[] = {CALL_OUTPUT_OPTION};

static int check(const struct wire_secret_request *r, bool is_new)
{
    struct problem p = {0};
    const struct {
        const char *value;
        enum field field;
        bool is_needed;
    } rows[] = {
        {r->name, FIELD_SECRET_NAME, is_new},
        {r->key_name, FIELD_KEY_NAME, is_new},
        {r->description, FIELD_DESCRIPTION, false},
        {r->value, FIELD_SECRET_VALUE, is_new},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if ((rows[i].is_needed || rows[i].value != NULL) &&
            field_check(rows[i].field, "wrong usage", rows[i].value, &p) != 0)
            return call_usage_failed(&p);
    return EXIT_DONE;
}

/* Sends it and says what came of it; the body is wiped. */
static int send(const struct cli_args *args, const struct settings *settings, const char *method,
                const char *path, const struct wire_secret_request *request, const char *done)
{
    json_t *doc CLEANUP_JSON = NULL;
    struct buf body CLEANUP_BUF = {.max = (size_t)1 << 20};
    int code = wire_secret_request_encode(&body, request) != 0 ? call_no_memory() : EXIT_DONE;
    if (code == EXIT_DONE)
        code = call_json(settings, method, path, &body, &doc, NULL);
    if (body.data != NULL)
        explicit_bzero(body.data, body.len);
    if (code != EXIT_DONE || args->output == OUTPUT_JSON)
        return code != EXIT_DONE ? code : call_print_object(args, NULL, 0, doc);
    report("secret %s is %s", args->operands[0], done);
    return EXIT_DONE;
}

static int create(const struct cli_args *args, const struct settings *settings)
{
    char *value CLEANUP(secret_value_free) = NULL;
    struct wire_secret_request r = {.name = args->operands[0],
                                    .key_name = args->key_name,
                                    .description = args->description,
                                    .value = "-"};
    if (args->key_name == NULL) {
        report("wrong usage: --key-name is required");
        return EXIT_USAGE;
    }
    int code = check(&r, true); /* before a value is asked for */
    if (code == EXIT_DONE)
        code = secret_value_read(args->value_file, &value);
    r.value = value;
    if (code == EXIT_DONE)
        code = check(&r, true);
    return code != EXIT_DONE ? code : send(args, settings, "POST", "/secrets", &r, "created");
}

static int update(const struct cli_args *args, const struct settings *settings)
{
    char *value CLEANUP(secret_value_free) = NULL;
    struct buf path CLEANUP_BUF = {0};
    struct wire_secret_request r = {.key_name = args->key_name, .description = args->description};
    bool has_value = args->value || args->value_file != NULL;
    if (r.key_name == NULL && r.description == NULL && !has_value) {
        report("wrong usage: nothing to change; give --key-name, --description or --value");
        return EXIT_USAGE;
    }
    int code = call_path(&path, "/secrets", args->operands[0]);
    if (code == EXIT_DONE)
        code = check(&r, false);
    if (code == EXIT_DONE && has_value)
        code = secret_value_read(args->value_file, &value);
    r.value = value;
    if (code == EXIT_DONE)
        code = check(&r, false);
    return code != EXIT_DONE ? code : send(args, settings, "PUT", path.data, &r, "changed");
}

static int print_value(const json_t *secret)
{
    struct buf text CLEANUP_BUF = {.max = (size_t)1 << 20};
    const char *value = json_string_value(json_object_get(secret, "value"));
    if (value == NULL) {
        report("unusable answer from the server: the value is missing");
        return EXIT_REFUSED;
    }
    int code =
        buf_printf(&text, "%s\n", value) != 0 ? call_no_memory() : command_print(NULL, &text);
    if (text.data != NULL)
        explicit_bzero(text.data, text.len);
    return code;
}

static int get(const struct cli_args *args, const struct settings *settings)
{
    json_t *doc CLEANUP_JSON = NULL;
    struct buf path CLEANUP_BUF = {0};
    int code = call_path(&path, "/secrets", args->operands[0]);
    if (code == EXIT_DONE)
        code = call_json(settings, "GET", path.data, NULL, &doc, NULL);
    if (code != EXIT_DONE)
        return code;
    const json_t *secret = json_object_get(doc, "secret");
    return args->value ? print_value(secret)
                       : call_print_object(args, fields, ARRAY_SIZE(fields), secret);
}

static int list(const struct cli_args *args, const struct settings *settings)
{
    json_t *doc CLEANUP_JSON = NULL;
    int code = call_json(settings, "GET", "/secrets", NULL, &doc, NULL);
    return code != EXIT_DONE ? code
                             : call_print_rows(args, columns, ARRAY_SIZE(columns),
                                               json_object_get(doc, "secrets"));
}

static int remove_one(const struct cli_args *args, const struct settings *settings)
{
    json_t *doc CLEANUP_JSON = NULL;
    struct buf path CLEANUP_BUF = {0};
    int code = call_path(&path, "/secrets", args->operands[0]);
    if (code == EXIT_DONE)
        code = call_json(settings, "DELETE", path.data, NULL, &doc, NULL);
    if (code != EXIT_DONE || args->output == OUTPUT_JSON)
        return code != EXIT_DONE ? code : call_print_object(args, NULL, 0, doc);
    report("secret %s is deleted", args->operands[0]);
    return EXIT_DONE;
}

#define VALUE_NOTE                                                                            \
    "The value comes from standard input; on a terminal it is asked for and not shown. One\n" \
    "newline at its end is not part of it.\n"

const struct command command_secrets_create = {
    .name = "secrets create",
    .usage = "--key-name VARIABLE [--description TEXT] [--value-file FILE] NAME",
    .summary = "Store a secret that runs get as an environment variable.",
    .notes = VALUE_NOTE,
    .table = {create_options, ARRAY_SIZE(create_options), false},
    .min_operands = 1,
    .max_operands = 1,
    .needs_settings = true,
    .run = create,
};

const struct command command_secrets_get = {
    .name = "secrets get",
    .usage = "[--value] [-o text|json] NAME",
    .summary = "Print a secret, its value included.",
    .notes = "",
    .table = {get_options, ARRAY_SIZE(get_options), false},
    .min_operands = 1,
    .max_operands = 1,
    .needs_settings = true,
    .run = get,
};

const struct command command_secrets_list = {
    .name = "secrets list",
    .usage = "[-o text|json]",
    .summary = "List secrets, never their values.",
    .notes = "",
    .table = {output_options, ARRAY_SIZE(output_options), false},
    .needs_settings = true,
    .run = list,
};

const struct command command_secrets_update = {
    .name = "secrets update",
    .usage = "[--key-name VARIABLE] [--description TEXT] [--value] … NAME",
    .summary = "Change a secret; what is not given stays.",
    .notes = VALUE_NOTE,
    .table = {update_options, ARRAY_SIZE(update_options), false},
    .min_operands = 1,
    .max_operands = 1,
    .needs_settings = true,
    .run = update,
};

const struct command command_secrets_delete = {
    .name = "secrets delete",
    .usage = "[-o text|json] NAME",
    .summary = "Remove a secret.",
    .notes = "Runs that have it go on with it.\n",
    .table = {output_options, ARRAY_SIZE(output_options), false},
    .min_operands = 1,
    .max_operands = 1,
    .needs_settings = true,
    .run = remove_one,
};
