/*
 * Chunks compressed in the thread pool: a few jobs at a time, each with what waits, first come
 * first served. What is sent keeps its order: a feed sends its items up to the first one that is
 * not compressed yet.
 *
 *   item: waiting ─▶ in a job ─▶ data
 *             │          └ forgotten: the job goes on, what it makes of it is thrown away
 *             └ no memory, pool refuses: no data, compressed where the group is gathered
 *
 * A job owns all that its worker touches: a codec, a buffer and references on the chunks, whose
 * lines and text never change. References are counted on the loop alone. A job that outlives the
 * writer frees itself when its worker is done.
 */
#include "base/err.h"
#include "logs/writer_internal.h"

#include <string.h>

/* Fewer wake-ups of the loop, and larger groups, than one chunk a job; 1.4 ms of work at most. */
#define JOB_CHUNKS_MAX 4u

struct work_chunk {
    struct item *item; /* NULL: forgotten */
    struct chunk *chunk;
    char *data; /* what the worker made; NULL: memory was short */
    size_t len;
};

struct job {
    struct list node;      /* idle or busy */
    struct compressor *of; /* NULL: the writer is gone */
    struct chunk_codec *codec;
    struct buf scratch;
    size_t n;
    struct work_chunk chunks[JOB_CHUNKS_MAX];
};

struct compressor {
    struct loop *loop;
    struct list waiting; /* items */
    size_t n_waiting;
    struct list idle; /* jobs; the one used last first, its memory is in the cache */
    struct list busy;
    unsigned jobs;
};

/* The chunks go; what was made of them too, unless it was taken. */
static void job_empty(struct job *j)
{
    for (size_t i = 0; i < j->n; i++) {
        chunk_unref(j->chunks[i].chunk);
        free(j->chunks[i].data);
    }
    j->n = 0;
}

/* Its node stays in whatever list it was in: that is gone, or it is in none. */
static void job_free(struct job *j)
{
    job_empty(j);
    chunk_codec_free(j->codec);
    buf_done(&j->scratch);
    free(j);
}

static struct job *job_new(struct compressor *c)
{
    struct job *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    list_init(&j->node);
    buf_init(&j->scratch, CHUNK_ENCODED_MAX);
    j->of = c;
    if (chunk_codec_new(&j->codec) < 0) {
        job_free(j);
        return NULL;
    }
    return j;
}

int compressor_new(struct loop *l, struct compressor **ret)
{
    struct compressor *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    c->loop = l;
    list_init(&c->waiting);
    list_init(&c->idle);
    list_init(&c->busy);
    *ret = c;
    return 0;
}

void compressor_free(struct compressor *c)
{
    if (!c)
        return;
    LIST_FOREACH_SAFE (it, &c->idle) {
        job_free(LIST_ENTRY(it, struct job, node));
    }
    for (struct list *n = list_pop(&c->busy); n; n = list_pop(&c->busy))
        LIST_ENTRY(n, struct job, node)->of = NULL;
    free(c);
}

/* Off the loop. */
static void work(void *user)
{
    struct job *j = user;
    for (size_t i = 0; i < j->n; i++) {
        struct work_chunk *c = &j->chunks[i];
        buf_clear(&j->scratch);
        if (chunk_codec_encode(j->codec, c->chunk, &j->scratch) < 0)
            continue;
        c->data = malloc(j->scratch.len);
        if (!c->data)
            continue;
        memcpy(c->data, j->scratch.data, j->scratch.len);
        c->len = j->scratch.len;
    }
}

/* Cancelled when the loop ends: then nothing was made. */
static void done(void *user, int err UNUSED)
{
    struct job *j = user;
    struct compressor *c = j->of;
    if (!c) {
        job_free(j);
        return;
    }
    for (size_t i = 0; i < j->n; i++) {
        struct work_chunk *w = &j->chunks[i];
        if (!w->item)
            continue;
        w->item->job = NULL;
        w->item->data = TAKE_PTR(w->data);
        w->item->data_len = w->len;
        feed_queue(w->item->feed);
    }
    job_empty(j);
    list_remove(&j->node);
    list_prepend(&c->idle, &j->node);
    compress_pump(c, false);
}

static struct job *job_take(struct compressor *c)
{
    struct list *n = list_pop(&c->idle);
    if (n)
        return LIST_ENTRY(n, struct job, node);
    struct job *j = c->jobs < COMPRESS_JOBS_MAX ? job_new(c) : NULL;
    if (j)
        c->jobs++;
    return j;
}

/* Without data these items are compressed when they are sent. */
static void give_up(struct job *j)
{
    for (size_t i = 0; i < j->n; i++) {
        j->chunks[i].item->job = NULL;
        feed_queue(j->chunks[i].item->feed);
    }
    job_empty(j);
}

static struct item *take_waiting(struct compressor *c)
{
    c->n_waiting--;
    return LIST_ENTRY(list_pop(&c->waiting), struct item, in_compress);
}

static void begin(struct compressor *c, struct job *j, size_t n)
{
    while (j->n < n) {
        struct item *i = take_waiting(c);
        j->chunks[j->n++] = (struct work_chunk){.item = i, .chunk = chunk_ref(i->chunk)};
        i->job = j;
    }
    if (loop_work_submit(c->loop, work, done, j) < 0) {
        give_up(j);
        list_prepend(&c->idle, &j->node);
    } else {
        list_append(&c->busy, &j->node);
    }
}

/* What waits, spread over the jobs that are free. */
static size_t share(const struct compressor *c)
{
    size_t free_jobs = 1 + COMPRESS_JOBS_MAX - c->jobs;
    LIST_FOREACH (it, &c->idle) {
        free_jobs++;
    }
    size_t n = (c->n_waiting + free_jobs - 1) / free_jobs;
    return n < JOB_CHUNKS_MAX ? n : JOB_CHUNKS_MAX;
}

void compress_pump(struct compressor *c, bool more_comes)
{
    while (c->n_waiting >= (more_comes ? JOB_CHUNKS_MAX : 1)) {
        struct job *j = job_take(c);
        if (j) {
            begin(c, j, more_comes ? JOB_CHUNKS_MAX : share(c));
        } else if (!list_is_empty(&c->busy)) {
            return; /* goes on when one is done */
        } else {
            feed_queue(take_waiting(c)->feed); /* memory is short */
        }
    }
}

void compress_start(struct compressor *c, struct item *i)
{
    list_append(&c->waiting, &i->in_compress);
    c->n_waiting++;
}

bool compress_is_pending(const struct item *i)
{
    return i->job || !list_is_empty(&i->in_compress);
}

void compress_forget(struct compressor *c, struct item *i)
{
    if (!list_is_empty(&i->in_compress)) {
        list_remove(&i->in_compress);
        c->n_waiting--;
    }
    for (size_t n = 0; i->job && n < i->job->n; n++)
        if (i->job->chunks[n].item == i)
            i->job->chunks[n].item = NULL;
    i->job = NULL;
}
