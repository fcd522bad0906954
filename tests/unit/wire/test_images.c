/* Images in JSON, both ways. */
#include "wire/images.h"

#include "tests/unit/base/unit.h"

#include <string.h>

static struct image full(void)
{
    return (struct image){.image_id = "app:1-01234567",
                          .image = "ghcr.io/app:1",
                          .registry = "ghcr.io",
                          .name = "app",
                          .tag = "1",
                          .digest = "sha256:00",
                          .task_role_name = "a",
                          .task_execution_role_name = "b",
                          .runtime_platform = "Linux/ARM64",
                          .cpu = 512,
                          .memory = 1024,
                          .is_default = true,
                          .created_by = "a@x",
                          .created_at_us = 1700000000000000,
                          .created_by_request_id = "r1",
                          .modified_by_request_id = "r2"};
}

static void test_wire_image__full_and_own__fields(void **state UNUSED)
{
    struct buf b CLEANUP_BUF = {.max = 4096};
    struct image own = {.image_id = "host",
                        .image = "host",
                        .registry = "",
                        .name = "host",
                        .tag = "",
                        .digest = "",
                        .task_role_name = "",
                        .task_execution_role_name = "",
                        .runtime_platform = "",
                        .created_by = "",
                        .created_by_request_id = "",
                        .modified_by_request_id = ""};
    struct image i = full();
    assert_int_equal(wire_image(&b, &i), 0);
    assert_string_equal(
        b.data, "{\"image_id\":\"app:1-01234567\",\"image\":\"ghcr.io/app:1\",\"is_default\":true,"
                "\"task_role_name\":\"a\",\"task_execution_role_name\":\"b\",\"cpu\":512,"
                "\"memory\":1024,\"runtime_platform\":\"Linux/ARM64\","
                "\"image_registry\":\"ghcr.io\",\"image_name\":\"app\",\"image_tag\":\"1\","
                "\"image_digest\":\"sha256:00\",\"created_by\":\"a@x\",\"owned_by\":[\"a@x\"],"
                "\"created_at\":\"2023-11-14T22:13:20.000Z\",\"created_by_request_id\":\"r1\","
                "\"modified_by_request_id\":\"r2\"}");
    buf_clear(&b);
    assert_int_equal(wire_image(&b, &own), 0);
    assert_string_equal(b.data, "{\"image_id\":\"host\",\"image\":\"host\",\"is_default\":false,"
                                "\"image_name\":\"host\",\"owned_by\":[],\"created_at\":null,"
                                "\"created_by_request_id\":\"\",\"modified_by_request_id\":\"\"}");
}

static void test_wire_images__any_size__whole_or_nothing(void **state UNUSED)
{
    struct image rows[2] = {full(), full()};
    for (size_t max = 0; max < 1100; max += 37) {
        struct buf b CLEANUP_BUF = {.max = max};
        int r = wire_images(&b, rows, 2);
        assert_true(r == 0 || r == ERR_TOO_LARGE);
        assert_true(r == 0 || b.len == 0);
    }
    struct buf b CLEANUP_BUF = {.max = 4096};
    assert_int_equal(wire_images(&b, rows, 0), 0);
    assert_string_equal(b.data, "{\"images\":[]}");
    buf_clear(&b);
    assert_int_equal(wire_image_done(&b, &rows[0], "done"), 0);
    assert_string_equal(b.data, "{\"image\":\"ghcr.io/app:1\",\"image_id\":\"app:1-01234567\","
                                "\"message\":\"done\"}");
}

static void test_wire_image_request__encoded__decoded_again(void **state UNUSED)
{
    const struct wire_image_request q = {.image = "app",
                                         .task_role_name = "a",
                                         .task_execution_role_name = "b",
                                         .runtime_platform = "c",
                                         .cpu = 1,
                                         .memory = 2,
                                         .is_default = true};
    struct wire_image_request r;
    struct buf b CLEANUP_BUF = {.max = 4096};
    struct problem p;
    assert_int_equal(wire_image_request_encode(&b, &q), 0);
    assert_int_equal(wire_image_request_decode(b.data, b.len, &r, &p), 0);
    assert_string_equal(r.image, q.image);
    assert_string_equal(r.task_role_name, q.task_role_name);
    assert_string_equal(r.task_execution_role_name, q.task_execution_role_name);
    assert_string_equal(r.runtime_platform, q.runtime_platform);
    assert_int_equal(r.cpu, 1);
    assert_int_equal(r.memory, 2);
    assert_true(r.is_default);
    wire_image_request_done(&r);
    assert_int_equal(wire_image_request_decode("{\"other\":1}", 11, &r, &p), 0);
    assert_null(r.image);
    wire_image_request_done(&r);
}

static void test_wire_image_request_decode__bad__named(void **state UNUSED)
{
    static const struct {
        const char *body, *error, *details;
    } rows[] = {
        {"", "invalid request body", ""},
        {"{", "invalid request body", ""},
        {"[]", "invalid request body", "object"},
        {"{\"image\":1}", "failed to register image", "image must be"},
        {"{\"task_role_name\":1}", "failed to register image", "task_role_name"},
        {"{\"task_execution_role_name\":1}", "failed to register image", "task_execution_role"},
        {"{\"runtime_platform\":1}", "failed to register image", "runtime_platform"},
        {"{\"cpu\":1.5}", "failed to register image", "cpu"},
        {"{\"memory\":\"1\"}", "failed to register image", "memory"},
        {"{\"is_default\":1}", "failed to register image", "is_default"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct wire_image_request r;
        struct problem p;
        assert_int_equal(wire_image_request_decode(rows[i].body, strlen(rows[i].body), &r, &p),
                         ERR_INVALID);
        assert_string_equal(p.error, rows[i].error);
        assert_non_null(strstr(p.details, rows[i].details));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_image__full_and_own__fields),
        cmocka_unit_test(test_wire_images__any_size__whole_or_nothing),
        cmocka_unit_test(test_wire_image_request__encoded__decoded_again),
        cmocka_unit_test(test_wire_image_request_decode__bad__named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
