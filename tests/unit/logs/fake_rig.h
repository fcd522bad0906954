/* Loop, fake store, hub, keeper and writer for one test: the *state of cmocka. */
#ifndef TAILGATE_TESTS_UNIT_LOGS_FAKE_RIG_H
#define TAILGATE_TESTS_UNIT_LOGS_FAKE_RIG_H

#include "tests/unit/logs/fake_store.h"
#include "tests/unit/logs/rig.h"

struct fake_rig {
    struct loop *loop;
    struct db_pool *pool;
    struct hub *hub;
    struct writer *writer; /* no keeper: tests of the keeper make their own */
};
int fake_rig_setup(void **state);
int fake_rig_teardown(void **state);
/* Other options: the ones made at set-up are replaced. */
void fake_rig_hub(struct fake_rig *r, const struct hub_opts *opts);
void fake_rig_writer(struct fake_rig *r, const struct writer_opts *opts);
struct writer_opts fake_rig_writer_opts(void);
void fake_rig_nothing(void *user); /* a loop_fn */

/* An execution that is fed here, with a live reader from its beginning. */
struct fed {
    struct fake_rig *rig;
    struct run_dir dir;
    struct owner owner;
    struct reader reader;
    struct topic *topic;
    int64_t key;
};
void fed_open(struct fed *f, struct fake_rig *r, uint32_t n);
/* The feed too, unless it was freed. */
void fed_close(struct fed *f);
/* Writes n lines and waits until the reader has them. */
void fed_lines(struct fed *f, uint64_t n);
/* Exit record, then waits for the end at the reader; every line is stored and acknowledged. */
void fed_finish(struct fed *f);

#endif
