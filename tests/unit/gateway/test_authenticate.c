#include "server_rig.h"

static void test_http_authenticate__table(void **state)
{
    static const struct {
        const char *headers; /* '!': without the rig's own key */
        int status;
        const char *text;
    } rows[] = {
        {"", 200, "["},
        {"!Authorization: Bearer tg_good\r\n", 200, "["},
        {"!Authorization: bearer   tg_good\r\n", 200, "["},
        {"!X-API-Key: \r\nAuthorization: Bearer tg_good\r\n", 200, "["},
        {"!", 401,
         "{\"error\":\"Unauthorized\",\"code\":\"UNAUTHORIZED\",\"details\":\"API key is "
         "required\"}"},
        {"!X-API-Key: \r\n", 401, "API key is required"},
        {"!Authorization: Bearer \r\n", 401, "API key is required"},
        {"!Authorization: Basic dGc6dGc=\r\n", 401, "API key is required"},
        {"!X-API-Key: tg_bad\r\n", 401, "INVALID_API_KEY"},
        {"!X-API-Key: tg_away\r\n", 503, "DATABASE_ERROR"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        rig_expect("GET /api/v1/executions", rows[i].headers, NULL, rows[i].status, rows[i].text);
}

static void test_http_authenticate__client_leaves_first__nothing_is_called(void **state)
{
    static const char request[] =
        "GET /api/v1/executions HTTP/1.1\r\nHost: x\r\nX-API-Key: tg_good\r\n\r\n";
    (void)state;
    rig.world.holds = true;
    int fd = rig_connect();
    rig_send(fd, request, sizeof(request) - 1);
    while (rig.world.held == 0)
        rig_turns(1);
    (void)close(fd);
    rig_turns(2);
    server_free(rig.server); /* the connection ends while the answer is awaited */
    rig.server = NULL;
    rig_release();
    assert_int_equal(rig.world.lists, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_http_authenticate__table, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(
            test_http_authenticate__client_leaves_first__nothing_is_called, rig_setup,
            rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
