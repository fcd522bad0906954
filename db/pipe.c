/*
 * The pipeline of one connection. On the wire, for a batch whose second statement is used here for
 * the first time:
 *
 *   Parse(2) Sync │ Bind/Execute(1) Bind/Execute(2) … Sync
 *
 * The Parse has a Sync of its own, so that an error of an earlier statement cannot skip it and
 * batches behind this one may count on it. libpq's answers: a result and a NULL for each Parse and
 * each Execute, PGRES_PIPELINE_SYNC for each Sync; after an error PGRES_PIPELINE_ABORTED for the
 * rest up to the Sync.
 */
#include "db/pipe.h"

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

#define SLOTS_MAX 256 /* distinct statements; the stores have some thirty */
#define NAME_SIZE 96
#define NULLS_MAX 4 /* NULLs in a row that libpq can mean; more: it has lost the thread */

struct db_pipe_slot {
    const struct db_stmt *stmt;
    bool prepared; /* or being prepared in front of what is sent next */
};

void db_pipe_init(struct db_pipe *p)
{
    memset(p, 0, sizeof(*p));
    list_init(&p->in_flight);
}

void db_pipe_done(struct db_pipe *p)
{
    free(p->slots);
    db_pipe_init(p);
}

int db_pipe_open(struct db_pipe *p, PGconn *pg)
{
    if (!PQenterPipelineMode(pg))
        return ERR_DB_AWAY;
    p->pg = pg;
    p->slot_count = 0;
    return 0;
}

static int find_slot(struct db_pipe *p, const struct db_stmt *s, size_t *ret)
{
    for (size_t i = 0; i < p->slot_count; i++) {
        if (p->slots[i].stmt == s) {
            *ret = i;
            return 0;
        }
    }
    if (p->slot_count == SLOTS_MAX)
        return ERR_NOMEM;
    if (p->slot_count == p->slot_cap) {
        size_t cap = p->slot_cap ? p->slot_cap * 2 : 16;
        struct db_pipe_slot *slots = reallocarray(p->slots, cap, sizeof(*slots));
        if (!slots)
            return ERR_NOMEM;
        p->slots = slots;
        p->slot_cap = cap;
    }
    *ret = p->slot_count;
    p->slots[p->slot_count++] = (struct db_pipe_slot){.stmt = s};
    return 0;
}

/* The number keeps names apart whatever the stores call their statements. */
static void statement_name(const struct db_pipe *p, size_t slot, char ret[NAME_SIZE])
{
    snprintf(ret, NAME_SIZE, "%zu_%.80s", slot, p->slots[slot].stmt->name);
}

static int send_prepares(struct db_pipe *p, struct db_batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        struct batch_call *c = &b->calls[i];
        char name[NAME_SIZE];
        c->prepares = !p->slots[c->slot].prepared;
        if (!c->prepares)
            continue;
        statement_name(p, c->slot, name);
        if (!PQsendPrepare(p->pg, name, c->stmt->sql, 0, NULL) || !PQpipelineSync(p->pg))
            return ERR_DB_AWAY;
        p->slots[c->slot].prepared = true;
    }
    return 0;
}

static int send_calls(struct db_pipe *p, const struct db_batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct batch_call *c = &b->calls[i];
        struct db_batch_args args;
        char name[NAME_SIZE];
        statement_name(p, c->slot, name);
        db_batch_args(b, c, &args);
        if (!PQsendQueryPrepared(p->pg, name, (int)c->count, args.values, args.lengths,
                                 args.formats, 1))
            return ERR_DB_AWAY;
    }
    return PQpipelineSync(p->pg) ? 0 : ERR_DB_AWAY;
}

int db_pipe_send(struct db_pipe *p, struct db_batch *b)
{
    int r = db_batch_ready(b);
    for (size_t i = 0; r == 0 && i < b->count; i++)
        r = find_slot(p, b->calls[i].stmt, &b->calls[i].slot);
    if (r < 0)
        return r;
    list_remove(&b->node);
    list_append(&p->in_flight, &b->node);
    p->depth++;
    p->bytes += b->bytes;
    r = send_prepares(p, b);
    if (r == 0)
        r = send_calls(p, b);
    buf_done(&b->values); /* libpq has its own copy */
    return r;
}

static void finish(struct db_pipe *p, struct db_batch *b, struct list *done)
{
    p->depth--;
    p->bytes -= b->bytes;
    list_remove(&b->node);
    list_append(done, &b->node);
}

/* Remembers the first error of a batch; what follows from it says nothing new. */
static void note_error(struct db_batch *b, const struct db_stmt *s, const PGresult *res)
{
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    if (b->err != 0)
        return;
    b->err = str_eq(state, "23505") ? ERR_CONFLICT : ERR_DB;
    if (!state || str_copy(b->result.sqlstate, sizeof(b->result.sqlstate), state) < 0)
        b->result.sqlstate[0] = '\0';
    if (b->err == ERR_CONFLICT)
        log_debug("unique violation", "statement", s ? s->name : NULL);
    else
        log_error("statement refused", "statement", s ? s->name : NULL, "sqlstate", state, "error",
                  message);
}

/* FATAL and PANIC end the session (shutdown, crash of another backend, too many connections). */
static bool ends_session(const struct db_pipe *p, const PGresult *res)
{
    const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
    return PQstatus(p->pg) != CONNECTION_OK || str_eq(severity, "FATAL") ||
           str_eq(severity, "PANIC") || !PQresultErrorField(res, PG_DIAG_SQLSTATE);
}

/* The call whose Parse is to be answered next; NULL behind the last. */
static struct batch_call *preparing(struct db_batch *b)
{
    while (b->preparing < b->count && !b->calls[b->preparing].prepares)
        b->preparing++;
    return b->preparing < b->count ? &b->calls[b->preparing] : NULL;
}

static void take_sync(struct db_pipe *p, struct db_batch *b, struct list *done)
{
    if (preparing(b))
        b->preparing++;
    else
        finish(p, b, done);
}

/* One result of the first batch; owns res unless it is kept as an answer. */
static int take_result(struct db_pipe *p, struct db_batch *b, PGresult *res)
{
    ExecStatusType status = PQresultStatus(res);
    struct batch_call *parse = preparing(b);
    const struct db_stmt *stmt = parse                   ? parse->stmt
                                 : b->current < b->count ? b->calls[b->current].stmt
                                                         : NULL;
    int r = 0;
    if (status == PGRES_FATAL_ERROR && ends_session(p, res)) {
        r = ERR_DB_AWAY;
    } else if (status == PGRES_FATAL_ERROR) {
        note_error(b, stmt, res);
        if (parse)
            p->slots[parse->slot].prepared = false;
    } else if (!parse && b->current < b->count && status != PGRES_PIPELINE_ABORTED) {
        PQclear(b->result.items[b->current]);
        b->result.items[b->current] = TAKE_PTR(res);
    }
    b->answered = !parse;
    PQclear(res);
    return r;
}

int db_pipe_receive(struct db_pipe *p, struct list *done)
{
    int nulls = 0;
    while (!list_is_empty(&p->in_flight) && !PQisBusy(p->pg)) {
        struct db_batch *b = LIST_ENTRY(p->in_flight.next, struct db_batch, node);
        PGresult *res = PQgetResult(p->pg);
        if (!res) {
            if (++nulls > NULLS_MAX)
                return ERR_DB_AWAY;
            if (b->answered)
                b->current++;
            b->answered = false;
            continue;
        }
        nulls = 0;
        if (PQresultStatus(res) == PGRES_PIPELINE_SYNC) {
            PQclear(res);
            take_sync(p, b, done);
        } else if (take_result(p, b, res) < 0) {
            return ERR_DB_AWAY;
        }
    }
    return 0;
}

void db_pipe_close(struct db_pipe *p, int err, struct list *done)
{
    p->pg = NULL;
    while (!list_is_empty(&p->in_flight)) {
        struct db_batch *b = LIST_ENTRY(p->in_flight.next, struct db_batch, node);
        if (b->err == 0) /* refused, or out of time: that is known already */
            b->err = err;
        finish(p, b, done);
    }
}
