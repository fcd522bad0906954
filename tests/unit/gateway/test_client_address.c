#include "gateway/client_address.h"

#include "base/err.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_address_list_parse__table(void **state)
{
    static const struct {
        const char *text;
        int err;
        size_t count;
    } rows[] = {
        {NULL, 0, 0},
        {"", 0, 0},
        {" , ", 0, 0},
        {"127.0.0.1", 0, 1},
        {"10.0.0.0/8, ::1", 0, 2},
        {"fe80::/10,192.168.0.0/16 172.16.0.0/12", 0, 3},
        {"0.0.0.0/0", 0, 1},
        {"10.0.0.0/33", ERR_INVALID, 0},
        {"::/129", ERR_INVALID, 0},
        {"10.0.0.0/", ERR_INVALID, 0},
        {"10.0.0/8", ERR_INVALID, 0},
        {"localhost", ERR_INVALID, 0},
        {"1234567890123456789012345678901234567890123456789012", ERR_INVALID, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct address_list list = {.count = 77};
        const char *bad = NULL;
        assert_int_equal(address_list_parse(rows[i].text, &list, &bad), rows[i].err);
        assert_int_equal(list.count, rows[i].err ? 77 : rows[i].count);
        assert_true((bad != NULL) == (rows[i].err != 0));
    }
}

static void test_address_list_parse__too_many__refused(void **state)
{
    char text[(ADDRESS_LIST_MAX + 1) * 8 + 1] = "";
    struct address_list list;
    (void)state;
    for (int i = 0; i <= ADDRESS_LIST_MAX; i++)
        memcpy(text + (size_t)i * 8, "1.2.3.4,", 9);
    assert_int_equal(address_list_parse(text, &list, NULL), ERR_INVALID);
}

static void test_address_list_has__table(void **state)
{
    static const struct {
        const char *list, *address;
        bool has;
    } rows[] = {
        {"10.0.0.0/8", "10.1.2.3", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"10.128.0.0/9", "10.127.0.1", false},
        {"10.128.0.0/9", "10.200.0.1", true},
        {"127.0.0.1", "::ffff:127.0.0.1", true},
        {"::1", "::1", true},
        {"fe80::/10", "febf::1", true},
        {"fe80::/10", "fec0::1", false},
        {"::/0", "1.2.3.4", true},
        {"10.0.0.0/8", "nonsense", false},
        {"", "10.0.0.1", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct address_list list;
        assert_int_equal(address_list_parse(rows[i].list, &list, NULL), 0);
        assert_int_equal(address_list_has(&list, rows[i].address), rows[i].has);
    }
}

static void test_address_text__families__without_port(void **state)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010203)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr other = {.sa_family = AF_UNIX};
    char text[ADDRESS_TEXT_SIZE];
    (void)state;
    address_text((const void *)&v4, text);
    assert_string_equal(text, "127.1.2.3");
    assert_true(address_is_loopback((const void *)&v4));
    assert_int_equal(inet_pton(AF_INET6, "::1", &v6.sin6_addr), 1);
    assert_true(address_is_loopback((const void *)&v6));
    assert_int_equal(inet_pton(AF_INET6, "::ffff:10.0.0.1", &v6.sin6_addr), 1);
    address_text((const void *)&v6, text);
    assert_string_equal(text, "10.0.0.1");
    assert_false(address_is_loopback((const void *)&v6));
    address_text(&other, text);
    assert_string_equal(text, "");
}

static void test_client_address__table(void **state)
{
    static const struct {
        const char *peer, *forwarded, *client;
    } rows[] = {
        {"10.0.0.1", NULL, "10.0.0.1"},
        {"9.9.9.9", "1.2.3.4", "9.9.9.9"}, /* not a proxy of ours: not believed */
        {"10.0.0.1", "1.2.3.4", "1.2.3.4"},
        {"10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.7", "1.2.3.4"},
        {"10.0.0.1", "10.0.0.8,10.0.0.7", "10.0.0.8"},
        {"10.0.0.1", " [2001:db8::1]:443 ", "2001:db8::1"},
        {"10.0.0.1", "1.2.3.4:5555", "1.2.3.4"},
        {"10.0.0.1", "2001:db8::2", "2001:db8::2"},
        {"10.0.0.1", "unknown", "10.0.0.1"},
        {"10.0.0.1", "", "10.0.0.1"},
        {"10.0.0.1", "1.2.3.4,", "10.0.0.1"},
        {"10.0.0.1", "[", "10.0.0.1"},
    };
    struct address_list trusted;
    (void)state;
    assert_int_equal(address_list_parse("10.0.0.0/8", &trusted, NULL), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[ADDRESS_TEXT_SIZE];
        client_address(&trusted, rows[i].peer, rows[i].forwarded, text);
        assert_string_equal(text, rows[i].client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_address_list_parse__table),
        cmocka_unit_test(test_address_list_parse__too_many__refused),
        cmocka_unit_test(test_address_list_has__table),
        cmocka_unit_test(test_address_text__families__without_port),
        cmocka_unit_test(test_client_address__table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
