/*
 * Questions to the orchestrator that a stream may not live to hear answered, a bounded number at a
 * time: thousands of readers that come back at once wait here for their turn, while the database's
 * queue keeps room for API calls.
 *
 *   op: new ─▶ waiting ─▶ asked ─▶ answered, freed
 *                └─ forgotten: freed   └─ forgotten: freed when the answer comes
 */
#include "gateway/stream_internal.h"

#include "base/log.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void stream_id_text(uint64_t number, char ret[STREAM_ID_SIZE])
{
    (void)snprintf(ret, STREAM_ID_SIZE, "%016" PRIx64, number);
}

static void op_free(struct stream_op *op)
{
    list_remove(&op->node);
    if (op->key)
        explicit_bzero(op->key, strlen(op->key));
    free(op->key);
    free(op);
}

/* Asks under the stream's request id, whoever's answer made room for it. */
static void ask(struct stream_op *op)
{
    char before[65], id[STREAM_ID_SIZE];
    stream_refused_fn refused = op->refused;
    struct problem p = {0};
    struct stream *s;
    struct sub *sub;

    (void)snprintf(before, sizeof before, "%s", log_request_id());
    stream_id_text(op->stream->id, id);
    log_set_request_id(id);
    list_append(&op->st->asked, &op->node);
    op->st->asking++;
    op->is_asked = true;
    if (op->start(op, &p) != 0 && stream_op_done(op, &s, &sub))
        refused(s, sub, &p);
    log_set_request_id(before[0] != '\0' ? before : NULL);
}

static void ask_waiting(struct streams *st)
{
    struct list *node;

    if (st->is_asking)
        return; /* called from a refusal in the loop below */
    st->is_asking = true;
    while (st->asking < STREAM_ASKING_MAX && (node = list_pop(&st->waiting)) != NULL) {
        assert(st->waiting.next != node); /* ask may free it */
        ask(LIST_ENTRY(node, struct stream_op, node));
    }
    st->is_asking = false;
}

int stream_ask(struct stream *s, struct sub *sub, const char *key, int64_t user_key,
               stream_start_fn start, stream_refused_fn refused)
{
    struct stream_op *op = calloc(1, sizeof *op);

    if (!op)
        return ERR_NOMEM;
    list_init(&op->node);
    if (key && !(op->key = strdup(key))) {
        op_free(op);
        return ERR_NOMEM;
    }
    op->st = s->st;
    op->stream = s;
    op->sub = sub;
    op->user_key = user_key;
    op->start = start;
    op->refused = refused;
    *(sub ? &sub->op : &s->op) = op;
    list_append(&s->st->waiting, &op->node);
    ask_waiting(s->st);
    return 0;
}

bool stream_op_done(struct stream_op *op, struct stream **ret_s, struct sub **ret_sub)
{
    struct streams *st = op->st;
    struct stream *s = op->stream;
    struct sub *sub = op->sub;

    op_free(op);
    if (st) {
        st->asking--;
        ask_waiting(st);
    }
    if (!s)
        return false;
    *(sub ? &sub->op : &s->op) = NULL;
    *ret_s = s;
    *ret_sub = sub;
    return true;
}

void stream_op_forget(struct stream_op *op)
{
    if (!op)
        return;
    op->stream = NULL;
    if (!op->is_asked)
        op_free(op);
}

void stream_ask_free(struct streams *st)
{
    LIST_FOREACH_SAFE (it, &st->asked) {
        list_remove(it);
        LIST_ENTRY(it, struct stream_op, node)->st = NULL;
    }
}
