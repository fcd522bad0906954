/* tailgate images register, list, show, unregister */
#include "base/fields.h"
#include "cli/call.h"
#include "cli/report.h"
#include "wire/images.h"

static const struct table_column columns[] = {
    {"ID", "image_id", TABLE_TEXT, 0, false},
    {"IMAGE", "image", TABLE_TEXT, 1, true},
    {"DEFAULT", "is_default", TABLE_FLAG, 0, false},
    {"CPU", "cpu", TABLE_TEXT, 3, false},
    {"MEMORY", "memory", TABLE_TEXT, 3, false},
    {"PLATFORM", "runtime_platform", TABLE_TEXT, 4, true},
    {"OWNER", "created_by", TABLE_TEXT, 2, true},
    {"CREATED", "created_at", TABLE_TIME, 5, false},
};
static const struct table_column fields[] = {
    {"id", "image_id", TABLE_TEXT, 0, false},
    {"image", "image", TABLE_TEXT, 0, false},
    {"registry", "image_registry", TABLE_TEXT, 0, false},
    {"name", "image_name", TABLE_TEXT, 0, false},
    {"tag", "image_tag", TABLE_TEXT, 0, false},
    {"digest", "image_digest", TABLE_TEXT, 0, false},
    {"default", "is_default", TABLE_FLAG, 0, false},
    {"cpu", "cpu", TABLE_TEXT, 0, false},
    {"memory", "memory", TABLE_TEXT, 0, false},
    {"platform", "runtime_platform", TABLE_TEXT, 0, false},
    {"owner", "created_by", TABLE_TEXT, 0, false},
    {"created", "created_at", TABLE_TIME, 0, false},
};

static const struct arg_option register_options[] = {
    {0, ARG_FLAG, "default", offsetof(struct cli_args, is_default), NULL,
     "what a run gets that names no image"},
    {0, ARG_NUMBER, "cpu", offsetof(struct cli_args, cpu), "N", "CPU units, 1024 for one CPU"},
    {0, ARG_NUMBER, "memory", offsetof(struct cli_args, memory), "MIB", "memory in MiB"},
    {0, ARG_STRING, "platform", offsetof(struct cli_args, platform), "OS/ARCH",
     "such as Linux/X86_64"},
    {0, ARG_STRING, "task-role", offsetof(struct cli_args, task_role), "NAME", "the task's role"},
    {0, ARG_STRING, "execution-role", offsetof(struct cli_args, execution_role), "NAME",
     "the role that starts the task"},
    CALL_OUTPUT_OPTION,
};
static const struct arg_option output_options[] = {CALL_OUTPUT_OPTION};

static int check(const struct wire_image_request *r)
{
    struct problem p = {0};
    if (field_check(FIELD_IMAGE, "wrong usage", r->image, &p) == 0 &&
        field_check(FIELD_RUNTIME_PLATFORM, "wrong usage", r->runtime_platform, &p) == 0 &&
        field_check(FIELD_ROLE_NAME, "wrong usage", r->task_role_name, &p) == 0 &&
        field_check(FIELD_ROLE_NAME, "wrong usage", r->task_execution_role_name, &p) == 0)
        return EXIT_DONE;
    return call_usage_failed(&p);
}

/* The id is what a later `unregister` asks for. */
static int print_done(const struct cli_args *args, const json_t *doc, const char *done)
{
    const char *id = json_string_value(json_object_get(doc, "image_id"));
    if (args->output == OUTPUT_JSON)
        return call_print_object(args, NULL, 0, doc);
    report("image %s is %s", id != NULL ? id : args->operands[0], done);
    return EXIT_DONE;
}

static int register_one(const struct cli_args *args, const struct settings *settings)
{
    json_t *doc CLEANUP_JSON = NULL;
    struct buf body CLEANUP_BUF = {.max = 16384};
    const struct wire_image_request request = {
        .image = args->operands[0],
        .task_role_name = args->task_role,
        .task_execution_role_name = args->execution_role,
        .runtime_platform = args->platform,
        .cpu = args->cpu.value,
        .memory = args->memory.value,
        .is_default = args->is_default,
    };
    int code = check(&request);
    if (code == EXIT_DONE && wire_image_request_encode(&body, &request) != 0)
        code = call_no_memory();
    if (code == EXIT_DONE)
        code = call_json(settings, "POST", "/images/register", &body, &doc, NULL);
    return code != EXIT_DONE ? code : print_done(args, doc, "registered");
}

static int list(const struct cli_args *args, const struct settings *settings)
{
    json_t *doc CLEANUP_JSON = NULL;
    int code = call_json(settings, "GET", "/images", NULL, &doc, NULL);
    return code != EXIT_DONE ? code
                             : call_print_rows(args, columns, ARRAY_SIZE(columns),
                                               json_object_get(doc, "images"));
}

static int show(const struct cli_args *args, const struct settings *settings)
{
    json_t *doc CLEANUP_JSON = NULL;
    struct buf path CLEANUP_BUF = {0};
    int code = call_path(&path, "/images", args->operands[0]);
    if (code == EXIT_DONE)
        code = call_json(settings, "GET", path.data, NULL, &doc, NULL);
    return code != EXIT_DONE ? code : call_print_object(args, fields, ARRAY_SIZE(fields), doc);
}

static int unregister(const struct cli_args *args, const struct settings *settings)
{
    json_t *doc CLEANUP_JSON = NULL;
    struct buf path CLEANUP_BUF = {0};
    int code = call_path(&path, "/images", args->operands[0]);
    if (code == EXIT_DONE)
        code = call_json(settings, "DELETE", path.data, NULL, &doc, NULL);
    return code != EXIT_DONE ? code : print_done(args, doc, "removed");
}

const struct command command_images_register = {
    .name = "images register",
    .usage = "[--default] [--cpu N] [--memory MIB] … [-o text|json] REFERENCE",
    .summary = "Register an image that runs may name.",
    .notes = "The first one becomes the default.\n",
    .table = {register_options, ARRAY_SIZE(register_options), false},
    .min_operands = 1,
    .max_operands = 1,
    .needs_settings = true,
    .run = register_one,
};

const struct command command_images_list = {
    .name = "images list",
    .usage = "[-o text|json]",
    .summary = "List images.",
    .notes = "",
    .table = {output_options, ARRAY_SIZE(output_options), false},
    .needs_settings = true,
    .run = list,
};

const struct command command_images_show = {
    .name = "images show",
    .usage = "[-o text|json] IMAGE",
    .summary = "Print an image, by its id, reference or NAME:TAG.",
    .notes = "",
    .table = {output_options, ARRAY_SIZE(output_options), false},
    .min_operands = 1,
    .max_operands = 1,
    .needs_settings = true,
    .run = show,
};

const struct command command_images_unregister = {
    .name = "images unregister",
    .usage = "[-o text|json] ID",
    .summary = "Remove an image, by its exact id.",
    .notes = "An image that a running execution uses stays.\n",
    .table = {output_options, ARRAY_SIZE(output_options), false},
    .min_operands = 1,
    .max_operands = 1,
    .needs_settings = true,
    .run = unregister,
};
