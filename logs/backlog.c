/* What waits: readers behind the last line, spools behind the last commit. Computed when asked. */
#include "logs/hub_internal.h"
#include "logs/writer_internal.h"

#include <sys/stat.h>

void hub_backlog(const struct hub *h, struct hub_backlog *ret)
{
    *ret = (struct hub_backlog){0};
    LIST_FOREACH (topic_it, &h->all) {
        const struct topic *t = LIST_ENTRY(topic_it, struct topic, in_all);
        LIST_FOREACH (it, &t->cursors) {
            const struct cursor *c = LIST_ENTRY(it, struct cursor, node);
            if (c->position >= t->last_seq)
                continue;
            uint64_t lines = t->last_seq - c->position;
            ret->cursors++;
            ret->lines += lines;
            if (lines > ret->lines_max)
                ret->lines_max = lines;
        }
    }
}

uint64_t writer_spool_bytes(const struct writer *w)
{
    uint64_t sum = 0;
    LIST_FOREACH (it, &w->feeds) {
        const struct feed *f = LIST_ENTRY(it, struct feed, in_feeds);
        uint64_t done =
            f->committed_offset > SPOOL_HEADER_LEN ? f->committed_offset : SPOOL_HEADER_LEN;
        struct stat st;
        if (f->spool_fd >= 0 && fstat(f->spool_fd, &st) == 0 && (uint64_t)st.st_size > done)
            sum += (uint64_t)st.st_size - done;
    }
    return sum;
}

const struct db_pool *writer_pool(const struct writer *w)
{
    return w->pool;
}
