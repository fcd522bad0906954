/*
 * One execution's small chunks into full ones.
 *
 *   read a bounded number of small chunks ─▶ the first run of them that fills a chunk ─▶ merged in
 *   one transaction ─▶ the next run … ─▶ all that was read is done ─▶ read again, until nothing is
 * left
 *
 * A run is small chunks whose lines follow each other and fit into one chunk. While the execution
 * lives only full runs are merged, and those that a full chunk behind them closes; the rest waits.
 * One run is decoded and compressed a turn of the loop.
 */
#include "base/err.h"
#include "base/log.h"
#include "db/store_logs.h"
#include "logs/keeper_internal.h"

#include <string.h>

/* What one read may bring, and keep in memory. */
#define ROWS_MAX 1024u
#define ROWS_BYTES_MAX (4u << 20)

struct row {
    uint64_t first_seq, last_seq;
    uint32_t raw_bytes;
    size_t offset, len; /* into data */
};
struct merge {
    struct keeper *k; /* NULL: gone */
    int64_t key;
    bool ended;
    bool more; /* the table held more than was read */
    size_t merged;
    struct row *rows;
    size_t n_rows, next;
    struct buf data;
};

static void step(struct merge *m);

static void merge_free(struct merge *m)
{
    free(m->rows);
    buf_done(&m->data);
    free(m);
}

static void finish(struct merge *m, int err)
{
    struct keeper *k = m->k;
    if (k) {
        k->merge = NULL;
        size_t left = 0;
        for (size_t i = m->next; i < m->n_rows; i++)
            left += m->rows[i].raw_bytes;
        keeper_merged(k, m->key, err, &(struct merge_result){m->ended, m->merged, left});
    }
    merge_free(m);
}

/* ---- one run ---- */

static bool joins(const struct row *a, const struct row *b, uint64_t lines, uint64_t bytes)
{
    return b->first_seq == a->last_seq + 1 && lines <= CHUNK_LINES_MAX && bytes <= CHUNK_BYTES_MAX;
}

/*
 * How many rows from m->next on are one run; 0: it is not time for it, or what belongs to it was
 * not read yet.
 */
static size_t run_length(const struct merge *m)
{
    const struct row *r = &m->rows[m->next];
    size_t n = 1;
    uint64_t lines = r->last_seq - r->first_seq + 1, bytes = r->raw_bytes;
    bool closed = false;
    for (; m->next + n < m->n_rows && !closed; n++) {
        lines += r[n].last_seq - r[n].first_seq + 1;
        bytes += r[n].raw_bytes;
        if (!joins(&r[n - 1], &r[n], lines, bytes)) {
            closed = true;
            break;
        }
    }
    if (closed || (m->ended && !m->more))
        return n;
    /* As much as one read brings: merged, though it is no full chunk, so that it goes on. */
    return m->more && m->next == 0 ? n : 0;
}

/* Adds one small chunk's lines to the builder. */
static int add_row(struct keeper *k, const struct merge *m, const struct row *r)
{
    struct chunk *c = NULL;
    int rc =
        chunk_codec_decode(k->codec, m->data.data + r->offset, r->len, m->key, r->first_seq, &c);
    if (rc < 0)
        return rc;
    if (chunk_last_seq(c) != r->last_seq)
        rc = ERR_CORRUPT;
    for (uint32_t i = 0; rc == 0 && i < c->n_lines; i++) {
        const struct chunk_line *l = &c->lines[i];
        rc = chunk_builder_add(k->builder, l->time_us, l->stream, l->flags, c->text + l->offset,
                               l->len);
    }
    chunk_unref(c);
    return rc == ERR_TOO_LARGE ? ERR_CORRUPT : rc;
}

static void on_merged(void *user, int err, const struct db_result *r UNUSED)
{
    struct merge *m = user;
    if (!m->k || err < 0) {
        finish(m, err);
        return;
    }
    m->merged++;
    step(m);
}

static int merge_run(struct merge *m, size_t n)
{
    struct keeper *k = m->k;
    const struct row *r = &m->rows[m->next];
    int rc = 0;
    chunk_builder_clear(k->builder);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = add_row(k, m, &r[i]);
    struct chunk *c = NULL;
    if (rc == 0)
        rc = chunk_builder_finish(k->builder, m->key, r->first_seq, &c);
    buf_clear(&k->scratch);
    if (rc == 0)
        rc = chunk_codec_encode(k->codec, c, &k->scratch);
    if (rc == 0) {
        const struct store_chunk merged = {
            .execution_key = m->key,
            .first_seq = c->first_seq,
            .last_seq = chunk_last_seq(c),
            .raw_bytes = c->text_len,
            .data = k->scratch.data,
            .data_len = k->scratch.len,
        };
        m->next += n;
        rc = store_tail_merge(k->pool, &merged, n, on_merged, m);
    }
    chunk_unref(c);
    return rc;
}

/* ---- reading ---- */

static int keep_rows(struct merge *m, const struct store_chunk *chunks, size_t n)
{
    m->n_rows = m->next = 0;
    m->more = n == ROWS_MAX;
    buf_clear(&m->data);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && m->data.len + chunks[i].data_len > ROWS_BYTES_MAX) {
            m->more = true;
            break;
        }
        struct row *r = &m->rows[m->n_rows];
        *r = (struct row){.first_seq = chunks[i].first_seq,
                          .last_seq = chunks[i].last_seq,
                          .raw_bytes = chunks[i].raw_bytes,
                          .offset = m->data.len,
                          .len = chunks[i].data_len};
        int rc = buf_append(&m->data, chunks[i].data, chunks[i].data_len);
        if (rc < 0)
            return rc;
        m->n_rows++;
    }
    return 0;
}

static void on_rows(void *user, int err, const struct store_chunk *chunks, size_t n)
{
    struct merge *m = user;
    if (m->k && err == 0)
        err = keep_rows(m, chunks, n);
    if (!m->k || err < 0 || n == 0)
        finish(m, err);
    else
        step(m);
}

static int read_rows(struct merge *m)
{
    return store_tail_fetch(m->k->pool, m->key, ROWS_MAX, on_rows, m);
}

/* The next run of what was read; at its end what the table holds now. */
static void step(struct merge *m)
{
    size_t n = m->next < m->n_rows ? run_length(m) : 0;
    int rc = 0;
    if (n > 0)
        rc = merge_run(m, n);
    else if (m->more && m->next > 0)
        rc = read_rows(m);
    else {
        finish(m, 0);
        return;
    }
    if (rc < 0)
        finish(m, rc);
}

int merge_start(struct keeper *k, int64_t key, bool ended)
{
    struct merge *m = calloc(1, sizeof *m);
    if (!m)
        return ERR_NOMEM;
    m->k = k;
    m->key = key;
    m->ended = ended;
    buf_init(&m->data, 2 * ROWS_BYTES_MAX);
    m->rows = calloc(ROWS_MAX, sizeof *m->rows);
    int rc = m->rows ? read_rows(m) : ERR_NOMEM;
    if (rc < 0) {
        merge_free(m);
        return rc;
    }
    k->merge = m;
    return 0;
}

void merge_orphan(struct keeper *k)
{
    if (k->merge)
        k->merge->k = NULL;
    k->merge = NULL;
}
