/* tailgate trace REQUEST_ID: the server's records of a request, then what the request touched. */
#include "base/str.h"
#include "cli/call.h"
#include "cli/plain_text.h"
#include "cli/report.h"

#include <string.h>

static const struct arg_option options[] = {CALL_OUTPUT_OPTION};

/* Of the log's records: what stands before the rest, and what every record of a trace has. */
static const char *const leading[] = {"time", "level", "msg"};
static bool is_known(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(leading); i++)
        if (strcmp(name, leading[i]) == 0)
            return true;
    return false;
}

static int append_value(struct buf *out, const json_t *value)
{
    const char *text = json_string_value(value);
    return text != NULL ? plain_text_append(out, text, 0) : json_append(out, value);
}

/* "TIME  level  msg  name=value …"; what is no record stands as it is. */
static int append_record(struct buf *out, const char *message)
{
    struct problem p = {0};
    json_t *record CLEANUP_JSON = NULL;
    const char *name;
    json_t *value;
    int r = 0;
    if (json_parse(message, strlen(message), &record, &p) != 0 || !json_is_object(record)) {
        r = plain_text_append(out, message, 0);
        return r != 0 ? r : buf_append_char(out, '\n');
    }
    for (size_t i = 0; i < ARRAY_SIZE(leading) && r == 0; i++) {
        const json_t *part = json_object_get(record, leading[i]);
        r = i > 0 ? buf_append_str(out, "  ") : 0;
        if (r == 0 && part != NULL)
            r = append_value(out, part);
    }
    json_object_foreach (record, name, value) {
        if (r != 0 || is_known(name))
            continue;
        r = buf_append_str(out, "  ");
        if (r == 0)
            r = plain_text_append(out, name, 0);
        if (r == 0)
            r = buf_append_char(out, '=');
        if (r == 0)
            r = append_value(out, value);
    }
    return r != 0 ? r : buf_append_char(out, '\n');
}

static const struct {
    const char *kind, *name, *more; /* of the array, and of its objects' fields */
} resources[] = {
    {"executions", "execution_id", "command"},
    {"secrets", "name", "key_name"},
    {"users", "email", "role"},
    {"images", "image_id", "image"},
};

static int append_resource(struct buf *out, const char *kind, const json_t *name,
                           const json_t *more)
{
    int r = buf_printf(out, "%s  ", kind);
    if (r == 0 && name != NULL)
        r = append_value(out, name);
    if (r == 0 && more != NULL)
        r = buf_append_str(out, "  ");
    if (r == 0 && more != NULL)
        r = append_value(out, more);
    return r != 0 ? r : buf_append_char(out, '\n');
}

static int append_trace(struct buf *out, const json_t *doc)
{
    size_t i;
    const json_t *item;
    int r = 0;
    json_array_foreach (json_object_get(doc, "logs"), i, item) {
        const char *message = json_string_value(json_object_get(item, "message"));
        if (r == 0 && message != NULL)
            r = append_record(out, message);
    }
    const json_t *related = json_object_get(doc, "related_resources");
    for (size_t k = 0; k < ARRAY_SIZE(resources); k++) {
        json_array_foreach (json_object_get(related, resources[k].kind), i, item) {
            if (r == 0)
                r = append_resource(out, resources[k].kind,
                                    json_object_get(item, resources[k].name),
                                    json_object_get(item, resources[k].more));
        }
    }
    return r;
}

static int run(const struct cli_args *args, const struct settings *settings)
{
    json_t *doc CLEANUP_JSON = NULL;
    struct buf path CLEANUP_BUF = {0}, text CLEANUP_BUF = {.max = (size_t)64 << 20};
    int code = call_path(&path, "/trace", args->operands[0]);
    if (code == EXIT_DONE)
        code = call_json(settings, "GET", path.data, NULL, &doc, NULL);
    if (code != EXIT_DONE)
        return code;
    if (args->output == OUTPUT_JSON)
        return call_print_object(args, NULL, 0, doc);
    if (append_trace(&text, doc) != 0)
        return call_no_memory();
    if (text.len == 0)
        report("nothing is known of request %s", args->operands[0]);
    return command_print(NULL, &text);
}

const struct command command_trace = {
    .name = "trace",
    .usage = "[-o text|json] REQUEST_ID",
    .summary = "Print what the server did for a request, and what the request touched.",
    .notes = "REQUEST_ID is an answer's X-Request-ID header, or one that the client sent itself.\n",
    .table = {options, ARRAY_SIZE(options), false},
    .min_operands = 1,
    .max_operands = 1,
    .needs_settings = true,
    .run = run,
};
