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

static void test_http_authenticate__ticket__for_downloads_alone(void **state)
{
#define LOGS "/api/v1/executions/" RIG_ID "/logs"
    static const struct {
        const char *request, *headers;
        int status;
        const char *text;
    } rows[] = {
        {"GET " LOGS ".txt?ticket=tg_bad", "!", 401, "INVALID_API_KEY"},
        {"GET " LOGS ".txt?ticket=tg_away", "!", 503, "DATABASE_ERROR"},
        {"HEAD " LOGS ".txt?ticket=TICKET", "!", 401, ""},
        {"GET " LOGS ".txt?ticket=TICKET", "!Sec-Purpose: prefetch\r\n", 401, "key is required"},
        {"GET " LOGS "?ticket=TICKET", "!", 401, "API key is required"},
        {"GET /api/v1/executions?ticket=TICKET", "!", 401, "API key is required"},
        {"GET " LOGS ".txt?ticket=tg_bad&q=x", "", 400, "not searched"},
        {"GET " LOGS ".txt?ticket=TICKET&q=x", "!", 400, "not searched"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        rig_expect(rows[i].request, rows[i].headers, NULL, rows[i].status, rows[i].text);
#undef LOGS
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
        cmocka_unit_test_setup_teardown(test_http_authenticate__ticket__for_downloads_alone,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(
            test_http_authenticate__client_leaves_first__nothing_is_called, rig_setup,
            rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
