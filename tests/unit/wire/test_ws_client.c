/* tailgate.v1's client messages: decoded by golden files, encoded and decoded back. */
#include "../base/fail_alloc.h"
#include "../base/unit.h"
#include "build.h"
#include "golden.h"
#include "wire/messages.h"

#include <inttypes.h>
#include <string.h>

#define CODEC "wire-ws-client"

static void describe(struct buf *out, const struct wire_client_message *m)
{
    static const char *const types[] = {"AUTH", "SUBSCRIBE", "UNSUBSCRIBE"};

    assert_int_equal(buf_printf(out, "%s key=%s executions=%d id=%s", types[m->type],
                                m->key ? m->key : "-", m->executions, m->id.hex),
                     0);
    if (m->since)
        assert_int_equal(buf_printf(out, " since=%s", m->since), 0);
    if (m->has_after)
        assert_int_equal(buf_printf(out, " after=%" PRIu64, m->after), 0);
    if (m->has_tail)
        assert_int_equal(buf_printf(out, " tail=%" PRIu64, m->tail), 0);
    assert_int_equal(buf_printf(out, " follow=%d", m->follow), 0);
}

static void decode_and_check(const char *codec, const char *name, const char *text, size_t len)
{
    struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};
    struct wire_client_message m;
    struct problem p;

    int r = wire_client_decode(text, len, &m, &p);
    if (r < 0) {
        assert_int_equal(buf_printf(&out, "%s: %s: %s", err_name(r), p.error, p.details), 0);
    } else {
        describe(&out, &m);
        wire_client_done(&m);
    }
    golden_check(codec, name, "decoded.txt", out.data);
}

static void check(const char *name, struct buf *out, int r)
{
    assert_int_equal(r, 0);
    golden_check(CODEC, name, "in.json", out->data);
    buf_clear(out);
}

static void test_wire_client__encoders__golden(void **state UNUSED)
{
    static const struct execution_id id = {BUILD_ID};
    struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};

    check("own-auth", &out, wire_client_auth(&out, "tg_key\"with quote"));
    check("own-subscribe", &out, wire_client_subscribe(&out, &id, false, 7, false, 7, true));
    check("own-subscribe-after", &out, wire_client_subscribe(&out, &id, true, 0, false, 7, true));
    check("own-subscribe-tail", &out, wire_client_subscribe(&out, &id, false, 7, true, 100, false));
}

static void test_wire_client_decode__messages__golden(void **state UNUSED)
{
    golden_each(CODEC, "in.json", decode_and_check);
}

static void test_wire_client_decode__each_allocation_fails__nomem(void **state UNUSED)
{
    static const char text[] = "{\"type\":\"subscribe\",\"execution_id\":\"" BUILD_ID "\"}";
    unsigned failed = 0;

    for (unsigned n = 1; fail_alloc_at(n); n++) {
        struct wire_client_message m = {0};
        struct problem p;
        int r = wire_client_decode(text, strlen(text), &m, &p);
        if (fail_alloc_off()) {
            assert_int_equal(r, ERR_NOMEM);
            assert_null(m.doc);
            failed++;
        } else {
            assert_int_equal(r, 0);
        }
        wire_client_done(&m);
    }
    assert_in_range(failed, 5, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_client__encoders__golden),
        cmocka_unit_test(test_wire_client_decode__messages__golden),
        cmocka_unit_test(test_wire_client_decode__each_allocation_fails__nomem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
