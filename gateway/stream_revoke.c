/* Streams whose reader was revoked end with 4401. */
#include "gateway/stream_internal.h"

#include "base/log.h"
#include "orchestrator/revocations.h"

void streams_revoke(struct streams *st, const struct revoked *list)
{
    struct problem p;

    (void)problem_set(&p, ERR_REVOKED, "Unauthorized", "API key has been revoked");
    LIST_FOREACH_SAFE (it, &st->sessions) {
        struct stream *s = LIST_ENTRY(it, struct stream, node);
        char id[STREAM_ID_SIZE];

        if (s->state != STREAM_OPEN || !revoked_has(list, &s->who))
            continue;
        stream_id_text(s->id, id);
        log_set_request_id(id);
        stream_refuse(s, &p);
        log_set_request_id(NULL);
    }
}
