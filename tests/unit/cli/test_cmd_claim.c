/* tailgate claim TOKEN */
#include "cli_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLAIMED OK("{\"api_key\":\"tg_new\",\"user_email\":\"ann@x.org\"}")

static void config(char *text, size_t size)
{
    FILE *f = fopen(run_cli_config_path(), "r");
    assert_non_null(f);
    size_t n = fread(text, 1, size - 1, f);
    text[n] = '\0';
    assert_int_equal(fclose(f), 0);
}

static void test_claim__new__written_for_its_server(void **state UNUSED)
{
    static const struct cli_row row = {"claim a/token",        NULL, CLAIMED, 0,
                                       "GET /claim/a%2Ftoken", "",   "",      "you are ann@x.org"};
    char text[1000];
    struct stat st;
    check_row(&row);
    assert_null(strstr(fake_curl.requests[0].headers, "X-API-Key"));
    config(text, sizeof text);
    assert_non_null(strstr(text, "tg_new"));
    assert_non_null(strstr(text, "http://server:8080"));
    assert_null(strstr(text, "/api/v1"));
    assert_int_equal(stat(run_cli_config_path(), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

/* After the test before, the file holds a key. */
static void test_claim__key_there__asks_before_the_token_is_used(void **state UNUSED)
{
    static const struct cli_row refused[] = {
        {"claim token", "", {0}, 2, NULL, NULL, "", "--yes replaces it"},
    };
    static const struct cli_row asked[] = {
        {"claim token", "n\n", {0}, 2, NULL, NULL, "", "the token is still good"},
        {"claim token", "", {0}, 2, NULL, NULL, "", "the token is still good"},
        {"claim token", "y\n", CLAIMED, 0, "GET /claim/token", "", "", "Replace it? [y/N]"},
    };
    static const struct cli_row told[] = {
        {"claim --yes token", "", CLAIMED, 0, "GET /claim/token", "", "", "is written to"},
        {"claim -o json token", "", CLAIMED, 0, "GET /claim/token", "", "\"api_key\":\"tg_new\"",
         ""},
        {"claim -y token", "", ABSENT, 3, "GET /claim/token", "", "", "not there"},
        {"claim -y token", "", OK("{}"), 6, "GET /claim/token", "", "", "the key is missing"},
        {"claim", "", {0}, 2, NULL, NULL, "", "tailgate claim"},
        {"claim --endpoint nowhere x", "", {0}, 2, NULL, NULL, "", "unusable endpoint"},
    };
    check_rows(refused, ARRAY_SIZE(refused));
    run_cli_terminal(1);
    check_rows(asked, ARRAY_SIZE(asked));
    run_cli_terminal(-1);
    check_rows(told, ARRAY_SIZE(told));
}

static void test_claim__file_cannot_be_written__key_is_shown(void **state UNUSED)
{
    static const struct cli_row row = {"claim -y token",   "", CLAIMED,    1,
                                       "GET /claim/token", "", "tg_new\n", "could not be written"};
    char directory[200];
    (void)snprintf(directory, sizeof directory, "%s", run_cli_config_path());
    *strrchr(directory, '/') = '\0';
    assert_int_equal(unlink(run_cli_config_path()), 0);
    assert_int_equal(rmdir(directory), 0);
    assert_int_equal(symlink("/tmp/tg-none/nowhere", directory), 0);
    check_row(&row);
    assert_int_equal(unlink(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_claim__new__written_for_its_server),
        cmocka_unit_test(test_claim__key_there__asks_before_the_token_is_used),
        cmocka_unit_test(test_claim__file_cannot_be_written__key_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, run_cli_clean);
}
