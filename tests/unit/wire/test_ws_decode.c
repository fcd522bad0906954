/*
 * tailgate.v1's server messages as the client reads them: what our own encoder makes (the golden
 * files of wire-ws-server), and what a stranger or a later version may send (wire-ws-foreign).
 */
#include "../base/fail_alloc.h"
#include "../base/unit.h"
#include "golden.h"
#include "wire/messages.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const type_names[] = {"HELLO",  "SUBSCRIBED", "LOGS",  "LIVE", "GAP",
                                         "STATUS", "END",        "ERROR", "OTHER"};

static const char *or_none(const char *s)
{
    return s ? s : "-";
}

static void describe_lines(struct buf *out, const struct wire_server_message *m)
{
    struct wire_line line;
    int r;

    for (size_t i = 0; (r = wire_server_line(m, i, &line)) != ERR_END; i++) {
        if (r == ERR_INVALID) {
            assert_int_equal(buf_append_str(out, "\ninvalid line"), 0);
            continue;
        }
        assert_int_equal(r, 0);
        assert_int_equal(buf_printf(out, "\n%" PRId64 " %c %s %zu ", line.time_ms, line.stream,
                                    line.part ? "part" : "whole", line.len),
                         0);
        assert_int_equal(json_append_string(out, line.text, line.len), 0);
    }
}

/* Everything that was decoded, in words. */
static void describe(struct buf *out, const struct wire_server_message *m)
{
    assert_int_equal(buf_printf(out,
                                "%s id=%s first=%" PRIu64 " last_seq=%" PRIu64 " from=%" PRIu64
                                " to=%" PRIu64 " seq=%" PRIu64 " status=%s",
                                type_names[m->type], or_none(m->execution_id), m->first,
                                m->last_seq, m->from, m->to, m->seq, exec_status_name(m->status)),
                     0);
    if (m->exit_code == EXIT_CODE_NONE)
        assert_int_equal(buf_append_str(out, " exit_code=none"), 0);
    else
        assert_int_equal(buf_printf(out, " exit_code=%d", m->exit_code), 0);
    assert_int_equal(buf_printf(out, " code=%s details=%s reason=%s fatal=%d", or_none(m->code),
                                or_none(m->details), or_none(m->reason), m->fatal),
                     0);
    describe_lines(out, m);
}

static void decode_and_check(const char *codec, const char *name, const char *text, size_t len)
{
    struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};
    struct wire_server_message m;
    struct problem p;

    int r = wire_server_decode(text, len, &m, &p);
    if (r < 0) {
        assert_int_equal(buf_printf(&out, "%s: %s: %s", err_name(r), p.error, p.details), 0);
    } else {
        describe(&out, &m);
        wire_server_done(&m);
    }
    golden_check(codec, name, "decoded.txt", out.data);
}

static void test_wire_server_decode__own_messages__golden(void **state UNUSED)
{
    golden_each("wire-ws-server", "out.json", decode_and_check);
}

static void test_wire_server_decode__foreign_messages__golden(void **state UNUSED)
{
    golden_each("wire-ws-foreign", "in.json", decode_and_check);
}

static void test_wire_server_decode__each_allocation_fails__nomem(void **state UNUSED)
{
    static const char text[] =
        "{\"type\":\"logs\",\"execution_id\":\"x\",\"first\":1,\"lines\":[[1,\"o\",\"text\"]]}";
    unsigned failed = 0;

    for (unsigned n = 1; fail_alloc_at(n); n++) {
        struct wire_server_message m = {0};
        struct problem p;
        int r = wire_server_decode(text, strlen(text), &m, &p);
        if (fail_alloc_off()) {
            assert_int_equal(r, ERR_NOMEM);
            assert_null(m.doc);
            failed++;
        } else {
            assert_int_equal(r, 0);
        }
        wire_server_done(&m);
    }
    assert_in_range(failed, 10, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_server_decode__own_messages__golden),
        cmocka_unit_test(test_wire_server_decode__foreign_messages__golden),
        cmocka_unit_test(test_wire_server_decode__each_allocation_fails__nomem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
