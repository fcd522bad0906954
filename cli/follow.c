/* The table of endings, and the backoff. */
#include "cli/follow.h"

#include <stdlib.h>

void follow_init(struct follow *f, int64_t timeout_ms, bool retry_first)
{
    *f = (struct follow){.timeout_ms = timeout_ms, .retry_first = retry_first, .lost_since_ms = -1};
}

bool follow_progress(struct follow *f)
{
    bool was_lost = f->lost_since_ms >= 0;
    f->had_progress = true;
    f->lost_since_ms = -1;
    f->attempts = 0;
    return was_lost;
}

/* Endings that another attempt would only repeat (api.md, "Streams"). */
static const struct {
    int close_code, http_status, err;
    const char *details;
} final[] = {
    {4401, 0, ERR_BAD_KEY, "the API key is not accepted"},
    {4408, 0, ERR_BAD_KEY, "the server got no API key in time"},
    {1008, 0, ERR_FORBIDDEN, "not allowed"},
    {1002, 0, ERR_INVALID, "the server saw a broken protocol"},
    {1003, 0, ERR_INVALID, "the server does not take the message"},
    {1007, 0, ERR_INVALID, "broken text"},
    {1009, 0, ERR_INVALID, "a message is too large"},
    {0, 400, ERR_INVALID, "bad request"},
    {0, 401, ERR_BAD_KEY, "the API key is not accepted"},
    {0, 403, ERR_FORBIDDEN, "not allowed"},
    {0, 404, ERR_INVALID, "no Tailgate server answers there"},
};

static int final_error(const struct stream_end *end, const char **ret_details)
{
    for (size_t i = 0; i < ARRAY_SIZE(final); i++)
        if ((end->close_code != 0 && final[i].close_code == end->close_code) ||
            (end->http_status != 0 && final[i].http_status == end->http_status)) {
            *ret_details = final[i].details;
            return final[i].err;
        }
    return 0;
}

/* Doubled each time; the upper half is random, so that many clients do not come back at once. */
static int64_t delay_of(unsigned attempts)
{
    int64_t delay = FOLLOW_DELAY_MIN_MS;
    for (unsigned i = 1; i < attempts && delay < FOLLOW_DELAY_MAX_MS; i++)
        delay *= 2;
    if (delay > FOLLOW_DELAY_MAX_MS)
        delay = FOLLOW_DELAY_MAX_MS;
    return delay / 2 + (int64_t)arc4random_uniform((uint32_t)(delay / 2) + 1);
}

int follow_lost(struct follow *f, int64_t now_ms, const struct stream_end *end,
                int64_t *ret_delay_ms, struct problem *p)
{
    const char *details = NULL;
    int err = final_error(end, &details);
    if (err != 0)
        return problem_set(p, err, "the server refused the stream", "%s%s%s", details,
                           end->reason[0] != '\0' ? ": " : "", end->reason);
    const char *reason = end->reason[0] != '\0' ? end->reason : "closed by the server";
    if (!f->had_progress && !f->retry_first)
        return problem_set(p, ERR_SYS, "cannot connect", "%s", reason);
    if (f->lost_since_ms < 0)
        f->lost_since_ms = now_ms;
    int64_t left = f->timeout_ms - (now_ms - f->lost_since_ms);
    if (left <= 0)
        return problem_set(p, ERR_SYS, "connection lost", "%s; gave up after %lld s", reason,
                           (long long)(f->timeout_ms / 1000));
    f->attempts++;
    int64_t delay = delay_of(f->attempts);
    *ret_delay_ms = delay < left ? delay : left;
    return 0;
}
