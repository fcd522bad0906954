/* The live list on a socket, with a watch that tells what the test says. */
#include "../base/fail_alloc.h"
#include "gateway/stream_list.h"
#include "stream_rig.h"

#include "orchestrator/watch.h"

#include <stdio.h>
#include <stdlib.h>

#define SUBSCRIBE "{\"type\":\"subscribe\",\"executions\":true}"
#define UNSUBSCRIBE "{\"type\":\"unsubscribe\",\"executions\":true}"

static struct lws wsi;

/* ---- the watch ---- */

static struct {
    int refused, next_error;
    unsigned opened, closed, taken;
    char since[64], email[256];
    loop_fn wake;
    void *user;
    struct watch_page pages[8];
    unsigned n_pages;
} fake;
static int the_watch, the_reader;

int __wrap_watch_open(struct watch *w, const struct principal *who, const char *since, loop_fn wake,
                      void *user, struct watch_reader **ret, struct problem *p);
int __wrap_watch_open(struct watch *w, const struct principal *who, const char *since, loop_fn wake,
                      void *user, struct watch_reader **ret, struct problem *p)
{
    assert_ptr_equal(w, &the_watch);
    if (fake.refused)
        return problem_set(p, fake.refused, "failed", "%s", "not this one");
    fake.opened++;
    fake.wake = wake;
    fake.user = user;
    (void)snprintf(fake.since, sizeof fake.since, "%s", since ? since : "-");
    (void)snprintf(fake.email, sizeof fake.email, "%s", who->email);
    *ret = (struct watch_reader *)(void *)&the_reader;
    return 0;
}

void __wrap_watch_close(struct watch_reader *r);
void __wrap_watch_close(struct watch_reader *r)
{
    assert_ptr_equal(r, &the_reader);
    fake.closed++;
}

int __wrap_watch_next(struct watch_reader *r, struct watch_page *ret);
int __wrap_watch_next(struct watch_reader *r, struct watch_page *ret)
{
    assert_ptr_equal(r, &the_reader);
    if (fake.next_error)
        return fake.next_error;
    if (fake.taken == fake.n_pages)
        return ERR_AGAIN;
    *ret = fake.pages[fake.taken++];
    return 0;
}

bool __wrap_watch_has_more(const struct watch_reader *r);
bool __wrap_watch_has_more(const struct watch_reader *r)
{
    assert_ptr_equal(r, &the_reader);
    return fake.taken < fake.n_pages;
}

/* ---- the rig ---- */

static int setup(void **state)
{
    int rc = rig_setup(state);
    memset(&fake, 0, sizeof fake);
    rig.watch = (struct watch *)(void *)&the_watch;
    rig_session_socket(&wsi);
    assert_true(rig_open(&wsi));
    rig_answer();
    rig_run(&wsi);
    (void)rig_take(&wsi);
    return rc;
}

static void add_page(struct watch_page page)
{
    page.len = strlen(page.rows);
    fake.pages[fake.n_pages++] = page;
}

static void expect(const char *text)
{
    const char *sent = rig_take(&wsi);
    if (!strstr(sent, text))
        fail_msg("%s is not in %s", text, sent);
}

/* ---- tests ---- */

static void test_stream_list__pages__one_message_each_in_order(void **state)
{
    (void)state;
    rig_say(&wsi, "{\"type\":\"subscribe\",\"executions\":true,\"since\":\"7/3:5:\"}");
    assert_int_equal(fake.opened, 1);
    assert_string_equal(fake.since, "7/3:5:");
    assert_string_equal(fake.email, RIG_USER);
    assert_string_equal(rig_take(&wsi), "");
    add_page(
        (struct watch_page){.is_snapshot = true, .begins = true, .more = true, .rows = "{},{}"});
    add_page((struct watch_page){.is_snapshot = true, .rows = "", .place = "7/9:9:"});
    add_page((struct watch_page){.rows = "{}", .place = "7/9:10:"});
    fake.wake(fake.user);
    rig_run(&wsi);
    assert_string_equal(
        rig_take(&wsi),
        "{\"type\":\"executions\",\"snapshot\":true,\"begin\":true,\"executions\":[{},{}],"
        "\"more\":true}\n"
        "{\"type\":\"executions\",\"snapshot\":true,\"executions\":[],\"more\":false,"
        "\"cursor\":\"7/9:9:\"}\n"
        "{\"type\":\"executions\",\"snapshot\":false,\"executions\":[{}],\"cursor\":\"7/"
        "9:10:\"}\n");
    assert_false(stream_list_is_ready(rig_stream(&wsi)));
    fake.wake(fake.user); /* nothing to say after all */
    assert_true(stream_list_is_ready(rig_stream(&wsi)));
    rig_run(&wsi);
    assert_string_equal(rig_take(&wsi), "");
    assert_false(stream_list_is_ready(rig_stream(&wsi)));
    rig_close(&wsi);
    assert_int_equal(fake.closed, 1);
}

static void test_stream_list__slow_socket__pages_wait_in_the_watch(void **state)
{
    static char rows[20000];
    (void)state;
    memset(rows, '1', sizeof rows - 1);
    rig_say(&wsi, SUBSCRIBE);
    assert_string_equal(fake.since, "-");
    for (int i = 0; i < 6; i++)
        add_page((struct watch_page){.rows = rows});
    wsi.room = 1;
    fake.wake(fake.user);
    rig_run(&wsi);
    assert_true(fake.taken < 6);
    wsi.room = 0;
    wsi.partial = false;
    stream_want_write(rig_stream(&wsi));
    rig_run(&wsi);
    assert_int_equal(fake.taken, 6);
    rig_close(&wsi);
}

static void test_stream_list__subscribe_and_unsubscribe__once_each(void **state)
{
    (void)state;
    rig_say(&wsi, UNSUBSCRIBE);
    expect("there is no subscription to the list");
    rig_say(&wsi, SUBSCRIBE);
    rig_say(&wsi, SUBSCRIBE);
    expect("already subscribed");
    assert_int_equal(fake.opened, 1);
    rig_say(&wsi, UNSUBSCRIBE);
    assert_int_equal(fake.closed, 1);
    assert_false(stream_list_is_ready(rig_stream(&wsi)));
    rig_say(&wsi, SUBSCRIBE);
    assert_int_equal(fake.opened, 2);
    assert_string_equal(rig_take(&wsi), "");
    rig_close(&wsi);
    assert_int_equal(fake.closed, 2);
}

static void test_stream_list_subscribe__refused__told_and_open_still(void **state)
{
    (void)state;
    fake.refused = ERR_FORBIDDEN;
    rig_say(&wsi, SUBSCRIBE);
    expect("not this one");
    fake.refused = 0;
    rig.watch = NULL;
    rig_say(&wsi, SUBSCRIBE);
    expect("the live list is not available");
    assert_false(wsi.closed);
    assert_int_equal(fake.opened, 0);
    rig_close(&wsi);
    assert_int_equal(fake.closed, 0);
}

static void test_stream_list_subscribe__no_memory__told_or_closed(void **state)
{
    (void)state;
    struct stream *s = rig_stream(&wsi);
    assert_true(fail_alloc_at(1));
    stream_list_subscribe(s, NULL);
    assert_true(fail_alloc_off());
    assert_int_equal(fake.opened, 0);
    rig_run(&wsi);
    expect("out of memory");
    rig_close(&wsi);
}

static void test_stream_list_fill__watch_fails__socket_closed(void **state)
{
    (void)state;
    rig_say(&wsi, SUBSCRIBE);
    fake.next_error = ERR_NOMEM;
    fake.wake(fake.user);
    rig_run(&wsi);
    assert_true(wsi.closed);
    rig_close(&wsi);
    assert_int_equal(fake.closed, 1);
}

static void test_stream_list_encode__long_command__cut_at_a_character(void **state)
{
    static char command[STREAM_LIST_COMMAND_MAX + 100];
    static char image[] = "host", by[] = "dev@example.org", none[] = "";
    static const size_t LENGTHS[] = {10, STREAM_LIST_COMMAND_MAX, STREAM_LIST_COMMAND_MAX + 50};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(LENGTHS); i++) {
        struct buf out CLEANUP_BUF = {.max = 1u << 20};
        memset(command, 'c', sizeof command);
        command[LENGTHS[i]] = '\0';
        if (LENGTHS[i] > STREAM_LIST_COMMAND_MAX) /* two bytes across the limit */
            memcpy(command + STREAM_LIST_COMMAND_MAX - 1, "\303\274", 2);
        const struct execution e = {.command = command,
                                    .image_id = image,
                                    .created_by = by,
                                    .owner = none,
                                    .created_by_request_id = none,
                                    .modified_by_request_id = none};
        assert_int_equal(stream_list_encode(NULL, &e, &out), 0);
        assert_int_equal(buf_append_char(&out, '\0'), 0);
        const char *at = strstr(out.data, "\"command\":\"");
        assert_non_null(at);
        size_t n = strspn(at + 11, "c");
        assert_int_equal(n, LENGTHS[i] > STREAM_LIST_COMMAND_MAX ? STREAM_LIST_COMMAND_MAX - 1
                                                                 : LENGTHS[i]);
        assert_int_equal(at[11 + n], '"');
    }
    rig_close(&wsi);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_stream_list__pages__one_message_each_in_order),
        TEST(test_stream_list__slow_socket__pages_wait_in_the_watch),
        TEST(test_stream_list__subscribe_and_unsubscribe__once_each),
        TEST(test_stream_list_subscribe__refused__told_and_open_still),
        TEST(test_stream_list_subscribe__no_memory__told_or_closed),
        TEST(test_stream_list_fill__watch_fails__socket_closed),
        TEST(test_stream_list_encode__long_command__cut_at_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
