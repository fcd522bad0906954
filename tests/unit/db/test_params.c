/* Connection parameters: what is added, what is looked up. getaddrinfo is wrapped: no name leaves.
 */
#include "base/err.h"
#include "base/str.h"
#include "db/params.h"

#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* "many" has ten addresses, "two" has two, "none" none, others are unknown. */
int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret);
int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret)
{
    assert_null(service);
    assert_int_equal(hints->ai_socktype, SOCK_STREAM);
    int n = strcmp(node, "many") == 0 ? 10 : strcmp(node, "two") == 0 ? 2 : 0;
    *ret = NULL;
    if (n == 0 && strcmp(node, "none") != 0)
        return EAI_NONAME;
    for (int i = n; i > 0; i--) {
        struct addrinfo *a = calloc(1, sizeof(*a));
        struct sockaddr_in *in = calloc(1, sizeof(*in));
        assert_non_null(a);
        assert_non_null(in);
        in->sin_family = AF_INET;
        in->sin_addr.s_addr = htonl(0x0a000000u + (uint32_t)i);
        a->ai_addr = (struct sockaddr *)in;
        a->ai_addrlen = sizeof(*in);
        a->ai_next = *ret;
        *ret = a;
    }
    return 0;
}

void __wrap_freeaddrinfo(struct addrinfo *list);
void __wrap_freeaddrinfo(struct addrinfo *list)
{
    while (list) {
        struct addrinfo *next = list->ai_next;
        free(list->ai_addr);
        free(list);
        list = next;
    }
}

static const char *value_of(const char *const *keywords, const char *const *values,
                            const char *keyword)
{
    const char *found = NULL;
    for (size_t i = 0; keywords[i]; i++) {
        if (!str_eq(keywords[i], keyword))
            continue;
        assert_null(found); /* each once: libpq would take the last */
        found = values[i];
    }
    return found;
}

struct need_row {
    const char *conninfo;
    bool lookup;
};

static void test_db_params_need_lookup__names_only(void **state)
{
    (void)state;
    static const struct need_row rows[] = {
        {"host=/run/postgresql", false},
        {"host=@abstract", false},
        {"host=127.0.0.1", false},
        {"host=::1", false},
        {"host=fe80::1%eth0", false},
        {"host=db.example.org", true},
        {"host=/run,db.example.org", true},
        {"host=db.example.org hostaddr=10.0.0.1", false},
        {"postgresql://u:p@db.example.org/tailgate?sslmode=require", true},
        {"postgresql:///tailgate", false},
        {"", false},
    };
    unsetenv("PGHOST");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct db_params p;
        assert_int_equal(db_params_init(&p, rows[i].conninfo, NULL, 0, NULL), 0);
        if (db_params_need_lookup(&p) != rows[i].lookup)
            fail_msg("%s", rows[i].conninfo);
        db_params_done(&p);
    }
    setenv("PGHOST", "db.example.org", 1);
    struct db_params p;
    assert_int_equal(db_params_init(&p, "", NULL, 0, NULL), 0);
    assert_true(db_params_need_lookup(&p));
    db_params_done(&p);
    unsetenv("PGHOST");
}

static void test_db_params_init__not_a_conninfo__invalid(void **state)
{
    (void)state;
    static const char *const rows[] = {"word", "host='open", "unknown=1", "postgresql://[::1"};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct db_params p;
        assert_int_equal(db_params_init(&p, rows[i], NULL, 0, NULL), ERR_INVALID);
        db_params_done(&p);
    }
}

static void test_db_params_fill__session__ours_and_the_operators(void **state)
{
    (void)state;
    const char *keywords[PARAMS_MAX], *values[PARAMS_MAX];
    struct db_params p;
    assert_int_equal(db_params_init(&p,
                                    "host=/run user=u options='-c work_mem=8MB' "
                                    "application_name=theirs keepalives_idle=99",
                                    "ours", 1500, "-c jit=off"),
                     0);
    db_params_fill(&p, NULL, keywords, values);
    assert_string_equal(value_of(keywords, values, "host"), "/run");
    assert_string_equal(value_of(keywords, values, "user"), "u");
    assert_string_equal(value_of(keywords, values, "application_name"), "ours");
    assert_string_equal(value_of(keywords, values, "client_encoding"), "UTF8");
    assert_string_equal(value_of(keywords, values, "keepalives_idle"), "99");
    assert_string_equal(value_of(keywords, values, "keepalives_count"), "3");
    assert_string_equal(value_of(keywords, values, "options"),
                        "-c work_mem=8MB -c synchronous_commit=on -c TimeZone=UTC "
                        "-c statement_timeout=1500 -c jit=off");
    db_params_done(&p);
}

struct lookup_row {
    const char *hosts, *ports;
    int err;
    const char *host, *hostaddr, *port;
};

static void test_db_params_lookup__lists__an_entry_for_each_address(void **state)
{
    (void)state;
    static const struct lookup_row rows[] = {
        {"two", "", 0, "two,two", "10.0.0.1,10.0.0.2", ","},
        {"two", "5433", 0, "two,two", "10.0.0.1,10.0.0.2", "5433,5433"},
        {"/run,two,::1", "1,2,3", 0, "/run,two,two,::1", ",10.0.0.1,10.0.0.2,", "1,2,2,3"},
        {"unknown,two", "7", 0, "two,two", "10.0.0.1,10.0.0.2", "7,7"},
        {"many", "", 0, "many,many,many,many,many,many,many,many",
         "10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5,10.0.0.6,10.0.0.7,10.0.0.8", ",,,,,,,"},
        {"unknown", "", ERR_NOT_FOUND, NULL, NULL, NULL},
        {"none", "", ERR_NOT_FOUND, NULL, NULL, NULL},
        {"two,two,two", "1,2", ERR_INVALID, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct db_params_hosts h;
        db_params_hosts_init(&h);
        assert_int_equal(db_params_lookup(rows[i].hosts, rows[i].ports, &h), rows[i].err);
        if (rows[i].err == 0) {
            assert_string_equal(h.host.data, rows[i].host);
            assert_string_equal(h.hostaddr.data, rows[i].hostaddr);
            assert_string_equal(h.port.data, rows[i].port);
        }
        db_params_hosts_done(&h);
    }
}

static void test_db_params_fill__looked_up__replaces_host_and_port(void **state)
{
    (void)state;
    const char *keywords[PARAMS_MAX], *values[PARAMS_MAX];
    struct db_params p;
    struct db_params_hosts h;
    assert_int_equal(db_params_init(&p, "host=two port=5433 dbname=d", NULL, 0, NULL), 0);
    db_params_hosts_init(&h);
    assert_int_equal(db_params_lookup("two", "5433", &h), 0);
    db_params_fill(&p, &h, keywords, values);
    assert_string_equal(value_of(keywords, values, "host"), "two,two");
    assert_string_equal(value_of(keywords, values, "hostaddr"), "10.0.0.1,10.0.0.2");
    assert_string_equal(value_of(keywords, values, "port"), "5433,5433");
    assert_string_equal(value_of(keywords, values, "dbname"), "d");
    assert_string_equal(value_of(keywords, values, "application_name"), "tailgated");
    db_params_hosts_done(&h);
    db_params_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_db_params_need_lookup__names_only),
        cmocka_unit_test(test_db_params_init__not_a_conninfo__invalid),
        cmocka_unit_test(test_db_params_fill__session__ours_and_the_operators),
        cmocka_unit_test(test_db_params_lookup__lists__an_entry_for_each_address),
        cmocka_unit_test(test_db_params_fill__looked_up__replaces_host_and_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
