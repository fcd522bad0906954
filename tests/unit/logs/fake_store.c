#include "tests/unit/logs/fake_store.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "db/store_executions.h"
#include "db/store_logs.h"
#include "tests/unit/logs/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STATEMENTS_MAX 4200

enum op_kind { OP_CHUNK, OP_STATE, OP_OFFSET };
struct op {
    enum op_kind kind;
    struct fake_chunk chunk;
    int64_t key, fence;
    char *owner;
    uint64_t last_seq, offset;
    struct exec_state from, to;
};
struct db_batch {
    struct op *ops;
    size_t n;
};
struct db_result {
    int64_t affected[STATEMENTS_MAX];
    int64_t keys[FAKE_ROWS];
    size_t rows;
    const char *sqlstate;
};
struct fake_pending {
    struct fake_pending *next;
    enum fake_call call;
    void *user;
    int64_t key;
    uint64_t after;
    size_t max;
    struct db_batch *batch;
    struct fake_chunk merged;
    store_execution_fn on_row;
    store_chunks_fn on_chunks;
    db_batch_fn on_batch;
};

/* Zeroed; not by the functions whose failure a test plays. */
static void *obtain(size_t n)
{
    void *p = reallocarray(NULL, 1, n);
    assert_non_null(p);
    memset(p, 0, n);
    return p;
}

/* ---- batches ---- */

int db_batch_new(struct db_batch **ret)
{
    *ret = obtain(sizeof **ret);
    (*ret)->ops = obtain(STATEMENTS_MAX * sizeof(struct op));
    return 0;
}

void db_batch_free(struct db_batch *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->n; i++) {
        free(b->ops[i].chunk.data);
        free(b->ops[i].owner);
    }
    free(b->ops);
    free(b);
}

size_t db_batch_count(const struct db_batch *b)
{
    return b->n;
}

int64_t db_affected(const struct db_result *r, size_t stmt)
{
    return r->affected[stmt];
}

size_t db_rows(const struct db_result *r, size_t stmt)
{
    (void)stmt;
    return r->rows;
}

int64_t db_get_i64(const struct db_result *r, size_t stmt, size_t row, size_t col)
{
    (void)stmt;
    return r->keys[row + col];
}

const char *db_sqlstate(const struct db_result *r)
{
    return r->sqlstate ? r->sqlstate : "";
}

static struct fake_chunk copy_chunk(const struct store_chunk *c, bool small)
{
    struct fake_chunk f = {.key = c->execution_key,
                           .first_seq = c->first_seq,
                           .last_seq = c->last_seq,
                           .raw_bytes = c->raw_bytes,
                           .data = obtain(c->data_len),
                           .len = c->data_len,
                           .small = small};
    memcpy(f.data, c->data, c->data_len);
    return f;
}

static struct op *add_op(struct db_batch *b, enum op_kind kind, int64_t key, const char *owner,
                         int64_t fence)
{
    assert_true(b->n < STATEMENTS_MAX);
    struct op *op = &b->ops[b->n++];
    op->kind = kind;
    op->key = key;
    op->fence = fence;
    assert_int_equal(str_set(&op->owner, owner), 0);
    return op;
}

int store_chunk_add(struct db_batch *b, const struct store_chunk *c, const char *owner,
                    int64_t fence, uint64_t spool_offset, bool small)
{
    struct op *op = add_op(b, OP_CHUNK, c->execution_key, owner, fence);
    op->chunk = copy_chunk(c, small);
    op->offset = spool_offset;
    return 0;
}

int store_offset_add(struct db_batch *b, int64_t key, const char *owner, int64_t fence,
                     uint64_t last_seq, uint64_t spool_offset)
{
    struct op *op = add_op(b, OP_OFFSET, key, owner, fence);
    op->last_seq = last_seq;
    op->offset = spool_offset;
    return 0;
}

int store_transition_add(struct db_batch *b, int64_t key, const char *owner, int64_t fence,
                         const struct exec_state *from, const struct exec_state *to,
                         const char *cause, const char *request_id)
{
    assert_string_equal(cause, "test");
    assert_string_equal(request_id, "request-1");
    assert_int_equal(to->version, from->version + 1);
    struct op *op = add_op(b, OP_STATE, key, owner, fence);
    op->from = *from;
    op->to = *to;
    return 0;
}

/* ---- effects ---- */

struct execution *fake_add_row(struct db_pool *p, const struct execution *row)
{
    assert_true(p->n_rows < FAKE_ROWS);
    p->rows[p->n_rows] = *row;
    return &p->rows[p->n_rows++];
}

struct execution *fake_row(struct db_pool *p, int64_t key)
{
    for (size_t i = 0; i < p->n_rows; i++)
        if (p->rows[i].key == key)
            return &p->rows[i];
    return NULL;
}

static void store(struct db_pool *p, struct fake_chunk c)
{
    assert_true(p->n_chunks < FAKE_CHUNKS);
    size_t i = p->n_chunks++;
    for (; i > 0 && (p->chunks[i - 1].key > c.key ||
                     (p->chunks[i - 1].key == c.key && p->chunks[i - 1].first_seq > c.first_seq));
         i--)
        p->chunks[i] = p->chunks[i - 1];
    p->chunks[i] = c;
}

static int64_t apply(struct db_pool *p, struct op *op)
{
    struct execution *e = fake_row(p, op->key);
    if (!e || !str_eq(e->owner, op->owner) || e->fence != op->fence)
        return 0;
    switch (op->kind) {
    case OP_CHUNK:
        if (e->state.last_seq != op->chunk.first_seq - 1)
            return 0;
        e->state.last_seq = op->chunk.last_seq;
        e->spool_offset = op->offset;
        store(p, op->chunk);
        op->chunk.data = NULL;
        return 1;
    case OP_STATE:
        if (e->state.version != op->from.version || e->state.status != op->from.status)
            return 0;
        op->to.last_seq = e->state.last_seq;
        e->state = op->to;
        return 1;
    default:
        if (e->state.last_seq != op->last_seq)
            return 0;
        e->spool_offset = op->offset;
        return 1;
    }
}

static void look_at_group(struct db_pool *p, const struct db_batch *b)
{
    p->in_group = b->n;
    p->feeds_in_group = 0;
    for (size_t i = 0; i < b->n; i++)
        if (i == 0 || b->ops[i].key != b->ops[i - 1].key)
            p->feeds_in_group++;
}

static bool is_poisoned(const struct db_pool *p, const struct db_batch *b)
{
    for (size_t i = 0; p->poison && i < b->n; i++)
        if (b->ops[i].key == p->poison)
            return true;
    return false;
}

void fake_add_chunk(struct db_pool *p, int64_t key, uint64_t first_seq, uint32_t n, bool small)
{
    struct chunk *c = rig_chunk(key, first_seq, n, 0);
    struct buf b CLEANUP_BUF = {0};
    buf_init(&b, 1 << 20);
    assert_int_equal(chunk_encode(c, &b), 0);
    const struct store_chunk s = {.execution_key = key,
                                  .first_seq = first_seq,
                                  .last_seq = chunk_last_seq(c),
                                  .raw_bytes = c->text_len,
                                  .data = b.data,
                                  .data_len = b.len};
    store(p, copy_chunk(&s, small));
    chunk_unref(c);
}

static void remove_chunk(struct db_pool *p, size_t i)
{
    free(p->chunks[i].data);
    memmove(&p->chunks[i], &p->chunks[i + 1], (p->n_chunks - i - 1) * sizeof p->chunks[0]);
    p->n_chunks--;
}

void fake_remove_chunks(struct db_pool *p, int64_t key, uint64_t up_to)
{
    for (size_t i = p->n_chunks; i-- > 0;)
        if (p->chunks[i].key == key && p->chunks[i].last_seq <= up_to)
            remove_chunk(p, i);
}

static int merge(struct db_pool *p, struct fake_pending *c)
{
    size_t found = 0;
    for (size_t i = 0; i < p->n_chunks; i++)
        if (p->chunks[i].key == c->key && p->chunks[i].small &&
            p->chunks[i].first_seq >= c->merged.first_seq &&
            p->chunks[i].last_seq <= c->merged.last_seq)
            found++;
    if (found != c->max)
        return ERR_STALE;
    for (size_t i = p->n_chunks; i-- > 0;)
        if (p->chunks[i].key == c->key && p->chunks[i].small &&
            p->chunks[i].first_seq >= c->merged.first_seq &&
            p->chunks[i].last_seq <= c->merged.last_seq)
            remove_chunk(p, i);
    store(p, c->merged);
    c->merged.data = NULL;
    return 0;
}

/* ---- the queue ---- */

static void on_next(void *user)
{
    struct db_pool *p = user;
    if (p->paused)
        return;
    (void)fake_answer(p);
    if (p->first)
        loop_defer_schedule(p->next);
}

struct db_pool *fake_new(struct loop *l)
{
    struct db_pool *p = obtain(sizeof *p);
    p->loop = l;
    assert_int_equal(loop_defer_new(l, on_next, p, &p->next), 0);
    return p;
}

static struct fake_pending *take(struct db_pool *p)
{
    struct fake_pending *c = p->first;
    if (!c)
        return NULL;
    p->first = c->next;
    if (!p->first)
        p->last = NULL;
    return c;
}

static void finish(struct fake_pending *c, int err, const struct execution *row,
                   const struct store_chunk *chunks, size_t n, const struct db_result *r)
{
    if (c->on_row)
        c->on_row(c->user, err, err == 0 ? row : NULL);
    else if (c->on_chunks)
        c->on_chunks(c->user, err, err == 0 ? chunks : NULL, err == 0 ? n : 0);
    else
        c->on_batch(c->user, err, r);
    db_batch_free(c->batch);
    free(c->merged.data);
    free(c);
}

void fake_free(struct db_pool *p)
{
    for (struct fake_pending *c = take(p); c; c = take(p))
        finish(c, ERR_CLOSED, NULL, NULL, 0, NULL);
    while (p->n_chunks > 0)
        remove_chunk(p, p->n_chunks - 1);
    loop_defer_free(p->next);
    free(p);
}

size_t fake_pending_count(const struct db_pool *p)
{
    size_t n = 0;
    for (const struct fake_pending *c = p->first; c; c = c->next)
        n++;
    return n;
}

static size_t select_chunks(struct db_pool *p, const struct fake_pending *c,
                            struct store_chunk *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_chunks && n < c->max; i++) {
        const struct fake_chunk *f = &p->chunks[i];
        if (f->key != c->key || f->last_seq <= c->after || (c->call == FAKE_TAIL && !f->small))
            continue;
        ret[n++] =
            (struct store_chunk){f->key, f->first_seq, f->last_seq, f->raw_bytes, f->data, f->len};
    }
    return n;
}

static int run_group(struct db_pool *p, struct fake_pending *c, struct db_result *r)
{
    look_at_group(p, c->batch);
    if (is_poisoned(p, c->batch))
        return ERR_DB;
    if (p->ignore_guards > 0) {
        p->ignore_guards--;
        return 0;
    }
    for (size_t i = 0; i < c->batch->n; i++)
        r->affected[i] = apply(p, &c->batch->ops[i]);
    return 0;
}

static void select_leftovers(struct db_pool *p, struct db_result *r)
{
    for (size_t i = 0; i < p->n_rows; i++)
        if (exec_status_is_terminal(p->rows[i].state.status) &&
            fake_count_chunks(p, p->rows[i].key, true) > 0)
            r->keys[r->rows++] = p->rows[i].key;
}

bool fake_answer(struct db_pool *p)
{
    static struct db_result r;
    struct fake_pending *c = take(p);
    if (!c)
        return false;
    memset(&r, 0, sizeof r);
    int err = 0;
    bool effect = true;
    if (p->before)
        p->before(c->call);
    if (p->script[c->call].times > 0) {
        p->script[c->call].times--;
        err = p->script[c->call].err;
        effect = p->script[c->call].apply;
        r.sqlstate = p->script[c->call].sqlstate;
    }
    struct store_chunk *chunks = obtain((c->max + 1) * sizeof *chunks);
    size_t n = 0;
    int rc = 0;
    if (effect && c->call == FAKE_GROUP)
        rc = run_group(p, c, &r);
    else if (effect && c->call == FAKE_ROW)
        rc = fake_row(p, c->key) ? 0 : ERR_NOT_FOUND;
    else if (effect && (c->call == FAKE_FETCH || c->call == FAKE_TAIL))
        n = select_chunks(p, c, chunks);
    else if (effect && c->call == FAKE_MERGE)
        rc = merge(p, c);
    else if (effect && c->call == FAKE_LEFTOVERS)
        select_leftovers(p, &r);
    else if (effect && c->call == FAKE_SIZE)
        memcpy(r.keys, p->tail_bytes, sizeof p->tail_bytes);
    if (err == 0)
        err = rc;
    struct execution *row = fake_row(p, c->key);
    finish(c, err, row, chunks, n, &r);
    free(chunks);
    return true;
}

static int call(struct db_pool *p, struct fake_pending c)
{
    p->calls[c.call]++;
    if (p->refuse[c.call] > 0) {
        p->refuse[c.call]--;
        db_batch_free(c.batch);
        free(c.merged.data);
        return ERR_LIMIT;
    }
    struct fake_pending *copy = obtain(sizeof *copy);
    *copy = c;
    copy->next = NULL;
    if (p->last)
        p->last->next = copy;
    else
        p->first = copy;
    p->last = copy;
    loop_defer_schedule(p->next);
    return 0;
}

bool db_pool_is_ready(const struct db_pool *p)
{
    return !p->away;
}

int db_submit(struct db_pool *p, struct db_batch *b, db_batch_fn fn, void *user)
{
    return call(
        p, (struct fake_pending){.call = FAKE_GROUP, .batch = b, .on_batch = fn, .user = user});
}

int store_execution_get(struct db_pool *p, const struct execution_id *id, store_execution_fn fn,
                        void *user)
{
    return call(p, (struct fake_pending){
                       .call = FAKE_ROW, .key = execution_id_key(id), .on_row = fn, .user = user});
}

int store_chunks_fetch(struct db_pool *p, int64_t key, uint64_t after, size_t max,
                       store_chunks_fn fn, void *user)
{
    return call(p, (struct fake_pending){.call = FAKE_FETCH,
                                         .key = key,
                                         .after = after,
                                         .max = max,
                                         .on_chunks = fn,
                                         .user = user});
}

int store_tail_fetch(struct db_pool *p, int64_t key, size_t max, store_chunks_fn fn, void *user)
{
    return call(p, (struct fake_pending){
                       .call = FAKE_TAIL, .key = key, .max = max, .on_chunks = fn, .user = user});
}

int store_tail_merge(struct db_pool *p, const struct store_chunk *merged, size_t removed,
                     db_batch_fn fn, void *user)
{
    return call(p, (struct fake_pending){.call = FAKE_MERGE,
                                         .key = merged->execution_key,
                                         .max = removed,
                                         .merged = copy_chunk(merged, false),
                                         .on_batch = fn,
                                         .user = user});
}

int store_tail_leftovers(struct db_pool *p, size_t max, db_batch_fn fn, void *user)
{
    return call(
        p, (struct fake_pending){.call = FAKE_LEFTOVERS, .max = max, .on_batch = fn, .user = user});
}

int store_tail_vacuum(struct db_pool *p, db_batch_fn fn, void *user)
{
    return call(p, (struct fake_pending){.call = FAKE_VACUUM, .on_batch = fn, .user = user});
}

int store_tail_size(struct db_pool *p, db_batch_fn fn, void *user)
{
    return call(p, (struct fake_pending){.call = FAKE_SIZE, .on_batch = fn, .user = user});
}

int store_tail_reindex(struct db_pool *p, db_batch_fn fn, void *user)
{
    return call(p, (struct fake_pending){.call = FAKE_REINDEX, .on_batch = fn, .user = user});
}

int store_partitions_ensure(struct db_pool *p, int64_t day, int days, db_batch_fn fn, void *user)
{
    p->ensured_day = day;
    p->ensured_days = days;
    return call(p, (struct fake_pending){.call = FAKE_ENSURE, .on_batch = fn, .user = user});
}

int store_partitions_drop(struct db_pool *p, int64_t before_day, db_batch_fn fn, void *user)
{
    p->dropped_before = before_day;
    return call(p, (struct fake_pending){.call = FAKE_DROP, .on_batch = fn, .user = user});
}

/* ---- what is stored ---- */

size_t fake_count_chunks(const struct db_pool *p, int64_t key, bool small)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_chunks; i++)
        n += p->chunks[i].key == key && p->chunks[i].small == small;
    return n;
}

void fake_assert_stored_once(struct db_pool *p, int64_t key, uint64_t lines)
{
    uint64_t next = 1;
    for (size_t i = 0; i < p->n_chunks; i++) {
        const struct fake_chunk *f = &p->chunks[i];
        if (f->key != key)
            continue;
        struct chunk *c = NULL;
        assert_int_equal(f->first_seq, next);
        assert_int_equal(chunk_decode(f->data, f->len, key, f->first_seq, &c), 0);
        assert_int_equal(chunk_last_seq(c), f->last_seq);
        assert_int_equal(c->text_len, f->raw_bytes);
        for (uint32_t n = 0; n < c->n_lines; n++) {
            char text[64];
            size_t len = rig_text(text, sizeof text, next++, 0);
            assert_memory_equal(c->text + c->lines[n].offset, text, len);
        }
        chunk_unref(c);
    }
    assert_int_equal(next, lines + 1);
}
