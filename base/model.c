/* Names, parsers and the transition table of the plain values; copies of an execution's row. */
#include "base/model.h"

#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int execution_id_parse(const char *s, struct execution_id *ret)
{
    size_t n = strspn(s, "0123456789abcdef");

    if (n != EXECUTION_ID_LEN || s[n] != '\0')
        return ERR_INVALID;
    memcpy(ret->hex, s, EXECUTION_ID_LEN + 1);
    return 0;
}

int64_t execution_id_key(const struct execution_id *id)
{
    unsigned char bytes[8] = {0};
    char high[17];
    uint64_t key = 0;

    memcpy(high, id->hex, 16);
    high[16] = '\0';
    if (str_unhex(high, sizeof(bytes), bytes) < 0)
        return 0; /* a zeroed id */
    for (size_t i = 0; i < sizeof(bytes); i++)
        key = key << 8 | bytes[i];
    return (int64_t)key;
}

void execution_id_make(int64_t key, uint64_t random, struct execution_id *ret)
{
    (void)snprintf(ret->hex, sizeof(ret->hex), "%016" PRIx64 "%016" PRIx64, (uint64_t)key, random);
}

static const char *const status_names[EXEC_STATUS_COUNT] = {
    [EXEC_PENDING] = "PENDING",         [EXEC_STARTING] = "STARTING",   [EXEC_RUNNING] = "RUNNING",
    [EXEC_TERMINATING] = "TERMINATING", [EXEC_SUCCEEDED] = "SUCCEEDED", [EXEC_FAILED] = "FAILED",
    [EXEC_STOPPED] = "STOPPED",
};

/* api.md, "Executions": one bit for each state that the row's state may become. */
#define TO(state) (1u << EXEC_##state)
static const unsigned transitions[EXEC_STATUS_COUNT] = {
    [EXEC_PENDING] = TO(STARTING) | TO(FAILED) | TO(STOPPED),
    [EXEC_STARTING] = TO(RUNNING) | TO(FAILED) | TO(TERMINATING),
    [EXEC_RUNNING] = TO(SUCCEEDED) | TO(FAILED) | TO(STOPPED) | TO(TERMINATING),
    [EXEC_TERMINATING] = TO(STOPPED) | TO(FAILED),
    [EXEC_SUCCEEDED] = 0,
    [EXEC_FAILED] = 0,
    [EXEC_STOPPED] = 0,
};

/* Values come from a database too, so they are checked before they index. */
static bool status_is_known(enum exec_status s)
{
    return (unsigned)s < EXEC_STATUS_COUNT;
}

const char *exec_status_name(enum exec_status s)
{
    return status_is_known(s) ? status_names[s] : "UNKNOWN";
}

int exec_status_parse(const char *s, enum exec_status *ret)
{
    for (int i = 0; i < EXEC_STATUS_COUNT; i++) {
        if (strcmp(s, status_names[i]) == 0) {
            *ret = (enum exec_status)i;
            return 0;
        }
    }
    return ERR_INVALID;
}

bool exec_status_is_terminal(enum exec_status s)
{
    return status_is_known(s) && transitions[s] == 0;
}

bool exec_state_is_unreachable(const struct exec_state *s)
{
    return strcmp(s->reason, EXEC_REASON_UNREACHABLE) == 0;
}

bool exec_state_is_news(const struct exec_state *s, int64_t version, bool was_unreachable)
{
    return s->version > version ||
           (s->version == version && exec_state_is_unreachable(s) != was_unreachable);
}

bool exec_status_may_become(enum exec_status from, enum exec_status to)
{
    return status_is_known(from) && status_is_known(to) && (transitions[from] & (1u << to)) != 0;
}

void execution_done(struct execution *e)
{
    free(e->command);
    free(e->image_id);
    free(e->created_by);
    free(e->created_by_request_id);
    free(e->modified_by_request_id);
    free(e->owner);
    memset(e, 0, sizeof(*e));
}

int execution_copy(struct execution *dst, const struct execution *src)
{
    struct execution copy = *src;

    copy.command = copy.image_id = copy.created_by = NULL;
    copy.created_by_request_id = copy.modified_by_request_id = copy.owner = NULL;
    if (str_set(&copy.command, src->command) < 0 || str_set(&copy.image_id, src->image_id) < 0 ||
        str_set(&copy.created_by, src->created_by) < 0 ||
        str_set(&copy.created_by_request_id, src->created_by_request_id) < 0 ||
        str_set(&copy.modified_by_request_id, src->modified_by_request_id) < 0 ||
        str_set(&copy.owner, src->owner) < 0) {
        execution_done(&copy);
        return ERR_NOMEM;
    }
    *dst = copy;
    return 0;
}

static const char *const role_names[] = {
    [ROLE_ADMIN] = "admin",
    [ROLE_OPERATOR] = "operator",
    [ROLE_DEVELOPER] = "developer",
    [ROLE_VIEWER] = "viewer",
};

const char *role_name(enum role r)
{
    return (unsigned)r < ARRAY_SIZE(role_names) ? role_names[r] : "unknown";
}

int role_parse(const char *s, enum role *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(role_names); i++) {
        if (strcmp(s, role_names[i]) == 0) {
            *ret = (enum role)i;
            return 0;
        }
    }
    return ERR_INVALID;
}
