#include "tests/unit/logs/rig.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "spool/rundir.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

void await_fn(struct loop *l, bool (*is_true)(void *), void *user)
{
    int64_t until = clock_mono_ms() + RIG_PATIENCE_MS;
    while (!is_true(user) && clock_mono_ms() < until)
        assert_int_equal(loop_turn(l, 20), 0);
    assert_true(is_true(user));
}

static bool flag_is_set(void *user)
{
    return *(const bool *)user;
}

void await_flag(struct loop *l, const bool *flag)
{
    await_fn(l, flag_is_set, (void *)(uintptr_t)flag);
}

void spin(struct loop *l, int turns)
{
    for (int i = 0; i < turns; i++)
        assert_int_equal(loop_turn(l, 0), 0);
}

int64_t rig_key(uint32_t n)
{
    return (int64_t)RIG_DAY << 32 | n;
}

struct execution rig_row(uint32_t n)
{
    struct execution e = {
        .key = rig_key(n),
        .state = {.status = EXEC_STARTING,
                  .version = 1,
                  .exit_code = EXIT_CODE_NONE,
                  .started_at_us = 1000},
        .owner = (char *)(uintptr_t)RIG_OWNER,
        .fence = 1,
    };
    execution_id_make(e.key, 0x1234567890abcdefu, &e.id);
    return e;
}

/* ---- run directories ---- */

void run_dir_make(struct run_dir *d, const struct execution_id *id)
{
    *d = (struct run_dir){.time_us = 1000000};
    strcpy(d->path, "/tmp/tailgate-logs-XXXXXX");
    assert_non_null(mkdtemp(d->path));
    assert_int_equal(rmdir(d->path), 0);
    assert_int_equal(rundir_create(d->path, id->hex, d->time_us), 0);
    snprintf(d->spool, sizeof d->spool, "%s/" RUNDIR_SPOOL, d->path);
    d->fd = open(d->spool, O_RDWR | O_APPEND | O_CLOEXEC);
    assert_true(d->fd >= 0);
    assert_int_equal(spool_writer_new(d->fd, &d->writer), 0);
}

void run_dir_remove(struct run_dir *d)
{
    spool_writer_free(d->writer);
    close(d->fd);
    assert_int_equal(rundir_remove(d->path), 0);
}

static void append(struct run_dir *d, uint8_t kind, const void *p, uint32_t n)
{
    d->time_us += 10;
    int rc = spool_writer_append(d->writer, d->time_us, kind, 0, p, n);
    if (rc < 0) {
        assert_int_equal(spool_writer_flush(d->writer), 0);
        rc = spool_writer_append(d->writer, d->time_us, kind, 0, p, n);
    }
    assert_int_equal(rc, 0);
}

size_t rig_text(char *ret, size_t size, uint64_t seq, size_t pad)
{
    int n = snprintf(ret, size, "line %llu ", (unsigned long long)seq);
    assert_true(n > 0 && (size_t)n + pad < size);
    for (size_t i = 0; i < pad; i++)
        ret[(size_t)n + i] = (char)('a' + (seq + i * 7) % 26);
    return (size_t)n + pad;
}

void run_dir_lines(struct run_dir *d, uint64_t n, size_t pad)
{
    char text[66000];
    for (uint64_t i = 0; i < n; i++) {
        size_t len = rig_text(text, sizeof text, ++d->lines, pad);
        append(d, d->lines % 5 == 0 ? SPOOL_KIND_STDERR : SPOOL_KIND_STDOUT, text, (uint32_t)len);
    }
    assert_int_equal(spool_writer_flush(d->writer), 0);
}

void run_dir_begin(struct run_dir *d)
{
    const uint8_t pid[4] = {0x39, 0x30, 0, 0};
    append(d, SPOOL_KIND_BEGIN, pid, sizeof pid);
    assert_int_equal(spool_writer_flush(d->writer), 0);
}

void run_dir_exit(struct run_dir *d, int exit_code)
{
    uint8_t packed[SPOOL_EXIT_LEN];
    spool_exit_pack(&(struct spool_exit){.exit_code = exit_code}, packed);
    append(d, SPOOL_KIND_EXIT, packed, sizeof packed);
    assert_int_equal(spool_writer_flush(d->writer), 0);
}

uint64_t run_dir_ack(const struct run_dir *d)
{
    char path[96];
    snprintf(path, sizeof path, "%s/" RUNDIR_ACK, d->path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    uint64_t ack = 0;
    assert_int_equal(rundir_ack_read(fd, &ack), 0);
    close(fd);
    return ack;
}

/* ---- owners ---- */

static void transition(struct owner *o, enum exec_status status, int32_t exit_code)
{
    struct exec_state s = *feed_state(o->feed);
    s.status = status;
    s.exit_code = exit_code;
    if (exec_status_is_terminal(status))
        s.completed_at_us = 2000;
    assert_int_equal(feed_transition(o->feed, &s, "test", "request-1"), 0);
}

static void on_begin(void *user, uint32_t pid, int64_t time_us)
{
    struct owner *o = user;
    assert_int_equal(pid, 12345);
    assert_true(time_us > 0);
    o->begun = true;
    if (feed_state(o->feed)->status == EXEC_STARTING)
        transition(o, EXEC_RUNNING, EXIT_CODE_NONE);
}

static void on_exit_record(void *user, const struct spool_exit *x)
{
    struct owner *o = user;
    o->exited = true;
    if (!o->no_end)
        transition(o, x->exit_code == 0 ? EXEC_SUCCEEDED : EXEC_FAILED, x->exit_code);
}

static void on_committed(void *user, const struct exec_state *s)
{
    struct owner *o = user;
    assert_true(o->n_states < ARRAY_SIZE(o->states));
    o->states[o->n_states++] = *s;
    if (!exec_status_is_terminal(s->status))
        return;
    o->ended = true;
    if (o->free_at_end)
        feed_free(TAKE_PTR(o->feed));
}

static void on_break(void *user, enum feed_break why, const char *details)
{
    struct owner *o = user;
    o->broken = true;
    o->why = why;
    snprintf(o->details, sizeof o->details, "%s", details);
}

static void on_drained(void *user)
{
    struct owner *o = user;
    assert_true(feed_is_drained(o->feed));
    o->drained = true;
}

int owner_open(struct owner *o, struct writer *w, const struct run_dir *d,
               const struct execution *row)
{
    static const struct feed_callbacks callbacks = {.on_begin = on_begin,
                                                    .on_exit = on_exit_record,
                                                    .on_committed = on_committed,
                                                    .on_break = on_break,
                                                    .on_drained = on_drained};
    char ack[96];
    snprintf(ack, sizeof ack, "%s/" RUNDIR_ACK, d->path);
    int spool_fd = open(d->spool, O_RDWR | O_CLOEXEC), ack_fd = open(ack, O_RDWR | O_CLOEXEC);
    assert_true(spool_fd >= 0 && ack_fd >= 0);
    return feed_open(w, row, d->spool, spool_fd, ack_fd, &callbacks, o, &o->feed);
}

/* ---- readers ---- */

static void check_chunk(struct reader *r, const struct chunk *c, uint32_t first)
{
    assert_true(first < c->n_lines);
    for (uint32_t i = first; i < c->n_lines; i++, r->next++) {
        const struct chunk_line *l = &c->lines[i];
        assert_int_equal(c->first_seq + i, r->next);
        if (!r->check_text)
            continue;
        char text[64];
        size_t n = rig_text(text, sizeof text, r->next, 0);
        assert_true(l->len >= n);
        assert_memory_equal(c->text + l->offset, text, n);
        assert_int_equal(l->stream, r->next % 5 == 0 ? STREAM_STDERR : STREAM_STDOUT);
    }
}

int reader_read(struct reader *r, uint64_t chunks)
{
    for (uint64_t n = 0; chunks == 0 || n < chunks; n++) {
        struct chunk *c = NULL;
        uint32_t first = 0;
        uint64_t from = 0, to = 0;
        int rc = cursor_next(r->cursor, &c, &first, &from, &to);
        if (rc == ERR_GAP) {
            assert_int_equal(from, r->next);
            r->gap_from = r->gap_from ? r->gap_from : from;
            r->gap_to = to;
            r->next = to + 1;
            continue;
        }
        if (rc == ERR_END)
            r->ended = true;
        if (rc < 0 && rc != ERR_END && rc != ERR_AGAIN) {
            r->errors++;
            r->last_error = rc;
        }
        if (rc < 0)
            return rc;
        check_chunk(r, c, first);
        r->chunks++;
        assert_int_equal(cursor_position(r->cursor), r->next - 1);
        chunk_unref(c);
    }
    return 0;
}

static void on_wake(void *user)
{
    struct reader *r = user;
    r->wakes++;
    if (!r->by_hand)
        (void)reader_read(r, 0);
}

void reader_open(struct reader *r, struct topic *t, uint64_t after)
{
    r->next = after + 1;
    assert_int_equal(cursor_open(t, after, on_wake, r, &r->cursor), 0);
}

void reader_close(struct reader *r)
{
    cursor_close(TAKE_PTR(r->cursor));
}

void reader_await(struct loop *l, struct reader *r, uint64_t seq)
{
    int64_t until = clock_mono_ms() + RIG_PATIENCE_MS;
    while (r->next <= seq && clock_mono_ms() < until) {
        assert_int_equal(loop_turn(l, 20), 0);
        if (r->by_hand)
            (void)reader_read(r, 0);
    }
    assert_int_equal(r->next, seq + 1);
}

struct chunk *rig_chunk(int64_t key, uint64_t first_seq, uint32_t n, size_t pad)
{
    struct chunk_builder *b = NULL;
    struct chunk *c = NULL;
    char text[66000];
    assert_int_equal(chunk_builder_new(&b), 0);
    for (uint32_t i = 0; i < n; i++) {
        size_t len = rig_text(text, sizeof text, first_seq + i, pad);
        uint8_t stream = (first_seq + i) % 5 == 0 ? STREAM_STDERR : STREAM_STDOUT;
        assert_int_equal(chunk_builder_add(b, 1000 + i, stream, 0, text, len), 0);
    }
    assert_int_equal(chunk_builder_finish(b, key, first_seq, &c), 0);
    chunk_builder_free(b);
    return c;
}
