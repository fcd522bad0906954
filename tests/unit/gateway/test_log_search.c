/* Search requests against a searcher that answers what the test says: what is asked, what is told.
 */
#include "gateway/log_search.h"
#include "server_rig.h"

#include "gateway/server.h"
#include "logs/search.h"

#define PATH "GET /api/v1/executions/" RIG_ID "/logs"

/* ---- the searcher ---- */

static struct {
    bool is_missing;
    int refused;
    struct problem problem;
    struct search_page page;
    bool holds;
    /* what was asked */
    unsigned started, cancelled;
    struct search_request request;
    char text[64];
    search_fn fn;
    void *user;
    struct loop_timer *timer;
} fake;
static int the_searcher, the_search;

struct searcher *__wrap_server_searcher(const struct server *s);
struct searcher *__wrap_server_searcher(const struct server *s UNUSED)
{
    return fake.is_missing ? NULL : (struct searcher *)(void *)&the_searcher;
}

static void drop_timer(void)
{
    loop_timer_free(fake.timer);
    fake.timer = NULL;
}

static void answer(void *user UNUSED)
{
    drop_timer();
    if (fake.problem.err)
        fake.fn(fake.user, &fake.problem, NULL);
    else
        fake.fn(fake.user, NULL, &fake.page);
}

int __wrap_search_start(struct searcher *s, const struct search_request *r, search_fn fn,
                        void *user, struct search **ret);
int __wrap_search_start(struct searcher *s, const struct search_request *r, search_fn fn,
                        void *user, struct search **ret)
{
    assert_ptr_equal(s, &the_searcher);
    if (fake.refused)
        return fake.refused;
    fake.started++;
    fake.request = *r;
    (void)snprintf(fake.text, sizeof fake.text, "%s", r->text);
    fake.fn = fn;
    fake.user = user;
    *ret = (struct search *)(void *)&the_search;
    if (fake.holds)
        return 0;
    assert_int_equal(loop_timer_new(rig.loop, answer, NULL, &fake.timer), 0);
    loop_timer_start(fake.timer, 0, 0);
    return 0;
}

void __wrap_search_cancel(struct search *g);
void __wrap_search_cancel(struct search *g)
{
    assert_ptr_equal(g, &the_search);
    fake.cancelled++;
}

static int setup(void **state)
{
    memset(&fake, 0, sizeof fake);
    int rc = rig_setup(state);
    rig.world.row.state.last_seq = 40;
    return rc;
}

/* ---- tests ---- */

static void test_log_search__query__as_the_searcher_is_asked(void **state)
{
    static const struct {
        const char *query, *text;
        bool is_regex, ignore_case, count_only, backward;
        size_t limit;
        uint64_t from[SEARCH_STREAMS];
    } ROWS[] = {
        {"?q=a%20b", "a b", false, false, false, false, 100, {0, 0, 0}},
        {"?regex=a%2B&ignore_case=1", "a+", true, true, false, false, 100, {0, 0, 0}},
        {"?q=x&ignore_case=0&count=false", "x", false, false, false, false, 100, {0, 0, 0}},
        {"?q=x&ignore_case=&count=true", "x", false, true, true, false, 100, {0, 0, 0}},
        {"?q=x&limit=7&after=12", "x", false, false, false, false, 7, {12, 12, 12}},
        {"?q=x&limit=0", "x", false, false, false, false, SEARCH_LINES_MAX, {0, 0, 0}},
        {"?q=x&limit=999999", "x", false, false, false, false, SEARCH_LINES_MAX, {0, 0, 0}},
        {"?q=x&before=30", "x", false, false, false, true, 100, {30, 30, 30}},
        {"?q=x&before=0", "x", false, false, false, true, 100, {INT64_MAX, INT64_MAX, INT64_MAX}},
        {"?q=x&cursor=3.0.12", "x", false, false, false, false, 100, {3, 0, 12}},
        {"?q=x&before=9&cursor=9223372036854775807.2.1",
         "x",
         false,
         false,
         false,
         true,
         100,
         {INT64_MAX, 2, 1}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        char line[200];
        (void)snprintf(line, sizeof line, PATH "%s", ROWS[i].query);
        rig_expect(line, "", NULL, 200, "\"events\":[]");
        const struct search_request *r = &fake.request;
        assert_string_equal(fake.text, ROWS[i].text);
        assert_int_equal(r->is_regex, ROWS[i].is_regex);
        assert_int_equal(r->ignore_case, ROWS[i].ignore_case);
        assert_int_equal(r->count_only, ROWS[i].count_only);
        assert_int_equal(r->backward, ROWS[i].backward);
        assert_int_equal(r->limit, ROWS[i].limit);
        assert_memory_equal(r->from.done, ROWS[i].from, sizeof ROWS[i].from);
        assert_true(r->last_seq == 40 && r->execution_key == rig.world.row.key);
    }
    assert_int_equal(fake.started, ARRAY_SIZE(ROWS));
}

static void test_log_search__bad_query__invalid_and_nobody_asked(void **state)
{
    static const struct {
        const char *query, *told;
    } ROWS[] = {
        {"?q=x&regex=y", "q and regex exclude each other"},
        {"?q=x&limit=-1", "limit"},
        {"?q=x&limit=many", "limit"},
        {"?q=x&after=-1", "after"},
        {"?q=x&before=x", "before"},
        {"?q=x&before=3&after=2", "after and before exclude each other"},
        {"?q=x&tail=3", "no tail"},
        {"?q=x&cursor=", "cursor"},
        {"?q=x&cursor=1.2", "cursor"},
        {"?q=x&cursor=1.2.3.4", "cursor"},
        {"?q=x&cursor=1.2.x", "cursor"},
        {"?q=x&cursor=1..3", "cursor"},
        {"?q=x&cursor=1.2.-3", "cursor"},
        {"?q=x&cursor=1.2.99999999999999999999", "cursor"},
        {"?q=x&cursor=1.2.9223372036854775808", "cursor"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        char line[200];
        (void)snprintf(line, sizeof line, PATH "%s", ROWS[i].query);
        rig_expect(line, "", NULL, 400, ROWS[i].told);
    }
    rig_expect("GET /api/v1/executions/nonsense/logs?q=x", "", NULL, 404, NULL);
    assert_int_equal(fake.started, 0);
}

static void test_log_search__page__in_json(void **state)
{
    static const struct search_span spans[] = {{0, 2}, {5, 7}};
    static const struct search_line lines[] = {
        {1, 1, 1700000000000000, STREAM_STDOUT, "ab \"ab\"", 7, spans, 2, 2},
        {3, 5, 1700000000001000, STREAM_STDERR, "joined", 6, NULL, 0, 1},
    };
    struct answer a;
    (void)state;
    fake.page = (struct search_page){.lines = lines,
                                     .n = 2,
                                     .n_lines = 2,
                                     .matches = 3,
                                     .position = {{5, 4, 0}},
                                     .searched_to = 5,
                                     .more = true};
    rig.world.row.state.status = EXEC_RUNNING;
    rig_request(PATH "?q=ab", "", NULL, &a);
    assert_int_equal(a.status, 200);
    const char *const texts[] = {"{\"execution_id\":\"" RIG_ID
                                 "\",\"status\":\"RUNNING\",\"events\":[",
                                 "\"message\":\"ab \\\"ab\\\"\"",
                                 "\"spans\":[[0,2],[5,7]]",
                                 "\"message\":\"joined\"",
                                 "\"seq\":3,\"last_seq\":5",
                                 "\"lines\":2,\"matches\":3,\"searched_to\":5,\"more\":true,"
                                 "\"last_seq\":40,\"cursor\":\"5.4.0\"}"};
    const char *at = a.body.data;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        const char *found = strstr(at, texts[i]);
        if (!found)
            fail_msg("%s is not in %s", texts[i], at);
        at = found + strlen(texts[i]);
    }
    assert_string_equal(at, "");
    assert_false(fake.request.ended);
    answer_done(&a);
}

static void test_log_search__states_and_ends__told(void **state)
{
    struct answer a;
    (void)state;
    rig.world.row.state.status = EXEC_PENDING;
    rig_expect(PATH "?q=x", "", NULL, 200, "\"status\":\"STARTING\",\"queued\":true,");
    rig.world.row.state.status = EXEC_SUCCEEDED;
    rig_expect(PATH "?q=x", "", NULL, 200, "\"cursor\":\"0.0.0\"}"); /* lines may still come */
    assert_true(fake.request.ended);
    rig_request(PATH "?q=x&before=0", "", NULL, &a); /* backward there is nothing to go on with */
    assert_non_null(strstr(a.body.data, "\"more\":false"));
    assert_null(strstr(a.body.data, "cursor"));
    answer_done(&a);
}

static void test_log_search__failures__told(void **state)
{
    (void)state;
    fake.refused = ERR_LIMIT;
    struct answer a;
    rig_request(PATH "?q=x", "", NULL, &a);
    assert_int_equal(a.status, 429);
    assert_string_equal(answer_header(&a, "Retry-After"), "1");
    assert_non_null(strstr(a.body.data, "too many searches"));
    answer_done(&a);
    fake.refused = ERR_NOMEM;
    rig_expect(PATH "?q=x", "", NULL, 500, "out of memory");
    fake.refused = 0;
    fake.is_missing = true;
    rig_expect(PATH "?q=x", "", NULL, 503, "the server is leaving");
    fake.is_missing = false;
    (void)problem_set(&fake.problem, ERR_INVALID, "invalid regex parameter", "too expensive");
    rig_expect(PATH "?regex=x", "", NULL, 400, "too expensive");
    (void)problem_set(&rig.world.problem, ERR_NOT_FOUND, "", "%s", "");
    rig_expect(PATH "?q=x", "", NULL, 404, "execution not found");
    rig.world.refuses = true;
    rig_expect(PATH "?q=x", "", NULL, 404, "failed to search execution logs");
}

/* A page with one line of n bytes that JSON writes with six each. */
static void fill_page(size_t n)
{
    static struct search_line line;
    static char text[6u << 20];
    memset(text, 1, sizeof text);
    line =
        (struct search_line){.first_seq = 1, .last_seq = 1, .text = text, .len = n, .matches = 1};
    fake.page = (struct search_page){.lines = &line, .n = 1, .n_lines = 1, .matches = 1};
}

static void test_log_search__large_page__streamed_or_refused(void **state)
{
    struct answer a;
    (void)state;
    fill_page(1u << 20);
    rig_request(PATH "?q=x", "", NULL, &a);
    assert_true(a.status == 200 && !a.chunked);
    assert_true(a.body.len > 6u << 20);
    answer_done(&a);
    fill_page(2u << 20);
    rig_request(PATH "?q=x", "", NULL, &a);
    assert_true(a.status == 200 && a.chunked);
    assert_true(a.body.len > 12u << 20);
    assert_int_equal(a.body.data[a.body.len - 1], '}');
    answer_done(&a);
    fill_page(6u << 20);
    rig_expect(PATH "?q=x", "", NULL, 500, "the answer could not be made");
}

static bool has_started(void *user UNUSED)
{
    return fake.started > 0;
}

static void test_log_search__connection_ends__search_too(void **state)
{
    static const char request[] = PATH "?q=x HTTP/1.1\r\nX-API-Key: " RIG_KEY "\r\n\r\n";
    fake.holds = true;
    int fd = rig_connect();
    rig_send(fd, request, sizeof request - 1);
    rig_until(has_started, NULL);
    assert_int_equal(fake.cancelled, 0);
    rig_teardown(state);
    assert_int_equal(fake.cancelled, 1);
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_log_search__query__as_the_searcher_is_asked),
        TEST(test_log_search__bad_query__invalid_and_nobody_asked),
        TEST(test_log_search__page__in_json),
        TEST(test_log_search__states_and_ends__told),
        TEST(test_log_search__failures__told),
        TEST(test_log_search__large_page__streamed_or_refused),
        cmocka_unit_test_setup(test_log_search__connection_ends__search_too, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
