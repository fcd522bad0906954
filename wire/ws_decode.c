/* tailgate.v1's server messages as the command line client reads them. */
#include "base/str.h"
#include "wire/messages.h"

#include <string.h>

#define NAME_MAX_LEN 64
#define TEXT_MAX_LEN (64 * 1024)

#define NEEDS(field) (1u << (field))
enum field { FIELD_ID, FIELD_FIRST, FIELD_LAST_SEQ, FIELD_FROM, FIELD_TO, FIELD_SEQ, FIELD_STATUS };

/* What a message of each type cannot do without. */
static const struct {
    const char *name;
    enum wire_server_type type;
    unsigned needs;
} types[] = {
    {"hello", WIRE_HELLO, 0},
    {"subscribed", WIRE_SUBSCRIBED, NEEDS(FIELD_ID) | NEEDS(FIELD_STATUS) | NEEDS(FIELD_LAST_SEQ)},
    {"logs", WIRE_LOGS, NEEDS(FIELD_ID) | NEEDS(FIELD_FIRST)},
    {"live", WIRE_LIVE, NEEDS(FIELD_ID) | NEEDS(FIELD_SEQ)},
    {"gap", WIRE_GAP, NEEDS(FIELD_ID) | NEEDS(FIELD_FROM) | NEEDS(FIELD_TO)},
    {"status", WIRE_STATUS, NEEDS(FIELD_ID) | NEEDS(FIELD_STATUS)},
    {"end", WIRE_END, NEEDS(FIELD_ID) | NEEDS(FIELD_STATUS) | NEEDS(FIELD_LAST_SEQ)},
    {"error", WIRE_ERROR, 0},
};

static int decode_numbers(struct wire_server_message *m, unsigned needs, struct problem *p)
{
    const struct {
        const char *name;
        enum field field;
        uint64_t *place;
    } numbers[] = {
        {"first", FIELD_FIRST, &m->first}, {"last_seq", FIELD_LAST_SEQ, &m->last_seq},
        {"from", FIELD_FROM, &m->from},    {"to", FIELD_TO, &m->to},
        {"seq", FIELD_SEQ, &m->seq},
    };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        int64_t n = 0;
        bool required = (needs & NEEDS(numbers[i].field)) != 0;
        int r = json_get_i64(m->doc, numbers[i].name, required, 0, INT64_MAX, &n, p);

        if (r < 0)
            return r;
        *numbers[i].place = (uint64_t)n;
    }
    return 0;
}

static int decode_state(struct wire_server_message *m, unsigned needs, struct problem *p)
{
    const char *status = NULL;
    int64_t exit_code = EXIT_CODE_NONE;
    bool required = (needs & NEEDS(FIELD_STATUS)) != 0;

    int r = json_get_str(m->doc, "status", required, NAME_MAX_LEN, &status, p);
    if (r == 0)
        r = json_get_i64(m->doc, "exit_code", false, INT32_MIN, INT32_MAX, &exit_code, p);
    if (r < 0)
        return r;
    if (status && exec_status_parse(status, &m->status) < 0)
        return problem_set(p, ERR_INVALID, "", "status must be a known state");
    m->exit_code = (int32_t)exit_code;
    return 0;
}

static int decode_lines(struct wire_server_message *m, struct problem *p)
{
    m->lines = json_object_get(m->doc, "lines");
    if (!json_is_array(m->lines))
        return problem_set(p, ERR_INVALID, "", "lines must be an array");
    return 0;
}

static int decode_fields(struct wire_server_message *m, unsigned needs, struct problem *p)
{
    bool needs_id = (needs & NEEDS(FIELD_ID)) != 0;
    int r = json_get_str(m->doc, "execution_id", needs_id, NAME_MAX_LEN, &m->execution_id, p);

    if (r == 0)
        r = decode_numbers(m, needs, p);
    if (r == 0)
        r = decode_state(m, needs, p);
    if (r == 0)
        r = json_get_str(m->doc, "code", m->type == WIRE_ERROR, NAME_MAX_LEN, &m->code, p);
    if (r == 0)
        r = json_get_str(m->doc, "details", false, TEXT_MAX_LEN, &m->details, p);
    if (r == 0)
        r = json_get_str(m->doc, "reason", false, TEXT_MAX_LEN, &m->reason, p);
    if (r == 0)
        r = json_get_bool(m->doc, "fatal", false, &m->fatal, p);
    if (r == 0 && m->type == WIRE_LOGS)
        r = decode_lines(m, p);
    return r;
}

static int decode_message(struct wire_server_message *m, struct problem *p)
{
    const char *name = NULL;

    int r = json_get_str(m->doc, "type", true, NAME_MAX_LEN, &name, p);
    if (r < 0)
        return r;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (strcmp(name, types[i].name) == 0) {
            m->type = types[i].type;
            return decode_fields(m, types[i].needs, p);
        }
    }
    return 0; /* of a later version: WIRE_OTHER */
}

int wire_server_decode(const char *text, size_t len, struct wire_server_message *ret,
                       struct problem *p)
{
    struct wire_server_message m = {.type = WIRE_OTHER, .exit_code = EXIT_CODE_NONE};

    int r = json_parse_nul(text, len, &m.doc, p);
    if (r == 0)
        r = decode_message(&m, p);
    if (r < 0) {
        problem_retitle(p, "invalid message");
        wire_server_done(&m);
        return r;
    }
    *ret = m;
    return 0;
}

void wire_server_done(struct wire_server_message *m)
{
    json_decref(m->doc);
    memset(m, 0, sizeof(*m));
}

int wire_server_line(const struct wire_server_message *m, size_t i, struct wire_line *ret)
{
    const json_t *line = json_array_get(m->lines, i);
    const json_t *time = json_array_get(line, 0);
    const json_t *stream = json_array_get(line, 1);
    const json_t *text = json_array_get(line, 2);
    const json_t *part = json_array_get(line, 3);

    if (i >= json_array_size(m->lines))
        return ERR_END;
    if (!json_is_integer(time) || json_string_length(stream) != 1 || !json_is_string(text))
        return ERR_INVALID;
    *ret = (struct wire_line){.time_ms = json_integer_value(time),
                              .stream = json_string_value(stream)[0],
                              .part = json_integer_value(part) == 1,
                              .text = json_string_value(text),
                              .len = json_string_length(text)};
    return 0;
}
