/* What /readyz?verbose lists, between fakes. */
#include "health_rig.h"

#include <stdio.h>
#include <string.h>

static char lines_text[512];

static void on_lines(void *user UNUSED, const struct health_line *lines, size_t n)
{
    lines_text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(lines_text);
        (void)snprintf(lines_text + len, sizeof lines_text - len, "%s:%d:%s|", lines[i].name,
                       lines[i].is_ok, lines[i].details);
    }
}

static void test_ready__engine_answers_or_not__lines(void **state)
{
    struct world *w = *state;
    static const struct problem away = {.err = ERR_CLOSED, .details = "away"};
    assert_int_equal(health_ready(w->o, on_lines, NULL), 0);
    fake_pass(0);
    assert_string_equal(lines_text, "database:1:|orchestrator:1:|engine:1:|writer:1:|");
    rig_with_engine(w);
    assert_int_equal(health_ready(w->o, on_lines, NULL), 0);
    rig_asked.check(rig_asked.user, ERR_CLOSED, &away);
    assert_non_null(strstr(lines_text, "engine:0:away|"));
    assert_int_equal(health_ready(w->o, on_lines, NULL), 0);
    fake_pass(5000);
    assert_non_null(strstr(lines_text, "engine:0:no answer"));
    assert_int_equal(rig_asked.forgets, 1);
    rig_asked.returns = ERR_NOMEM;
    assert_int_equal(health_ready(w->o, on_lines, NULL), 0);
    fake_pass(0);
    assert_non_null(strstr(lines_text, "engine:0:it cannot be asked"));
    rig_asked.returns = 0;
    assert_int_equal(health_ready(w->o, on_lines, NULL), 0);
    orchestrator_free(TAKE_PTR(w->o));
    assert_non_null(strstr(lines_text, "orchestrator:0:"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_ROW(test_ready__engine_answers_or_not__lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
