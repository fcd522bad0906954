#include "tests/unit/logs/fake_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct writer_opts fake_rig_writer_opts(void)
{
    struct writer_opts o = WRITER_DEFAULTS;
    o.owner = RIG_OWNER;
    return o;
}

int fake_rig_setup(void **state)
{
    struct fake_rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    assert_int_equal(loop_new(&r->loop), 0);
    r->pool = fake_new(r->loop);
    const struct hub_opts ho = HUB_DEFAULTS;
    assert_int_equal(hub_new(r->loop, r->pool, &ho, &r->hub), 0);
    struct writer_opts wo = fake_rig_writer_opts();
    assert_int_equal(writer_new(r->loop, r->pool, r->hub, &wo, &r->writer), 0);
    *state = r;
    return 0;
}

int fake_rig_teardown(void **state)
{
    struct fake_rig *r = *state;
    writer_free(r->writer);
    hub_free(r->hub);
    fake_free(r->pool);
    loop_free(r->loop);
    free(r);
    return 0;
}

void fake_rig_nothing(void *user)
{
    (void)user;
}

void fake_rig_writer(struct fake_rig *r, const struct writer_opts *opts)
{
    writer_free(r->writer);
    assert_int_equal(writer_new(r->loop, r->pool, r->hub, opts, &r->writer), 0);
}

void fake_rig_hub(struct fake_rig *r, const struct hub_opts *opts)
{
    struct writer_opts wo = fake_rig_writer_opts();
    writer_free(r->writer);
    hub_free(r->hub);
    assert_int_equal(hub_new(r->loop, r->pool, opts, &r->hub), 0);
    assert_int_equal(writer_new(r->loop, r->pool, r->hub, &wo, &r->writer), 0);
}

void fed_open(struct fed *f, struct fake_rig *r, uint32_t n)
{
    *f = (struct fed){.rig = r, .key = rig_key(n), .reader = {.check_text = true}};
    struct execution row = rig_row(n);
    (void)fake_add_row(r->pool, &row);
    run_dir_make(&f->dir, &row.id);
    assert_int_equal(owner_open(&f->owner, r->writer, &f->dir, &row), 0);
    assert_int_equal(hub_topic_open(r->hub, &row, &f->topic), 0);
    assert_ptr_equal(feed_topic(f->owner.feed), f->topic);
    reader_open(&f->reader, f->topic, 0);
}

void fed_close(struct fed *f)
{
    reader_close(&f->reader);
    topic_unref(f->topic);
    feed_free(f->owner.feed);
    run_dir_remove(&f->dir);
}

void fed_lines(struct fed *f, uint64_t n)
{
    run_dir_lines(&f->dir, n, 0);
    reader_await(f->rig->loop, &f->reader, f->dir.lines);
}

void fed_finish(struct fed *f)
{
    run_dir_exit(&f->dir, 0);
    await_flag(f->rig->loop, &f->owner.ended);
    await_flag(f->rig->loop, &f->reader.ended);
    if (f->owner.feed)
        await_flag(f->rig->loop, &f->owner.drained);
    assert_int_equal(f->reader.next, f->dir.lines + 1);
    assert_int_equal(topic_last_seq(f->topic), f->dir.lines);
    fake_assert_stored_once(f->rig->pool, f->key, f->dir.lines);
    const struct execution *row = fake_row(f->rig->pool, f->key);
    assert_int_equal(row->state.status, EXEC_SUCCEEDED);
    assert_int_equal(row->state.last_seq, f->dir.lines);
    assert_int_equal(row->spool_offset, spool_writer_end(f->dir.writer));
    assert_int_equal(run_dir_ack(&f->dir), spool_writer_end(f->dir.writer));
}
