/*
 * The pipeline of one connection: batches in flight, first in, first answered; the statements
 * prepared there. Internal to db/.
 */
#ifndef TAILGATE_DB_PIPE_H
#define TAILGATE_DB_PIPE_H

#include "base/list.h"
#include "db/batch.h"

struct db_pipe_slot;
struct db_pipe {
    PGconn *pg; /* NULL while the connection is down */
    struct list in_flight;
    size_t depth; /* batches in flight … */
    size_t bytes; /* … and their parameters */
    struct db_pipe_slot *slots;
    size_t slot_count, slot_cap;
};

void db_pipe_init(struct db_pipe *p);
/* in_flight must be empty. */
void db_pipe_done(struct db_pipe *p);
/* pg is READY and idle: nothing is prepared yet. ERR_DB_AWAY when it refuses pipeline mode. */
MUST_CHECK int db_pipe_open(struct db_pipe *p, PGconn *pg);
/* Hands the batch to libpq. ERR_NOMEM: it is still the caller's and nothing of it was sent.
 * ERR_DB_AWAY: it is in flight, but the connection can only be closed. */
MUST_CHECK int db_pipe_send(struct db_pipe *p, struct db_batch *b);
/* Takes the answers that have arrived and appends finished batches (err set) to done.
 * ERR_DB_AWAY: the connection is lost or not understood any more. */
MUST_CHECK int db_pipe_receive(struct db_pipe *p, struct list *done);
/* The connection is gone: what is in flight goes to done with err. */
void db_pipe_close(struct db_pipe *p, int err, struct list *done);

#endif
