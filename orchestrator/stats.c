/* The orchestrator's figures, and those of what it works with. */
#include "orchestrator/live.h"

static struct orchestrator_database_stats database(const struct db_pool *p)
{
    struct db_pool_stats s;
    db_pool_stats(p, &s);
    return (struct orchestrator_database_stats){s.connections, s.ready, s.waiting, s.wait_seconds};
}

void orchestrator_stats(const struct orchestrator *o, struct orchestrator_stats *ret)
{
    *ret = (struct orchestrator_stats){
        .api = database(o->pool),
        .writer = database(writer_pool(o->writer)),
        .spool_bytes = writer_spool_bytes(o->writer),
        .audit_dropped = o->audit_dropped,
        .trace_dropped = o->trace_dropped,
    };
    writer_stats(o->writer, &ret->log);
    LIST_FOREACH (it, &o->lives) {
        const struct live *l = LIST_ENTRY(it, struct live, node);
        if (!l->is_forgotten)
            ret->live[l->row.state.status]++;
    }
}
