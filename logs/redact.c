/* Values into an automaton; which names are those of secrets. */
#include "logs/redact.h"

#include "base/err.h"
#include "logs/redact_forms.h"
#include "logs/redact_internal.h"

#include <assert.h>
#include <string.h>

static_assert(REDACT_VALUE_MIN == AUTOMATON_STRING_MIN, "shortest string");

bool redact_covers(size_t value_len)
{
    return value_len >= REDACT_VALUE_MIN;
}

static int add_values(struct automaton *a, const struct redact_value *values, size_t n)
{
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        if (redact_covers(values[i].len))
            rc = redact_forms_add(a, values[i].p, values[i].len);
    }
    return rc == 0 && automaton_nodes(a) > 0 ? automaton_finish(a) : rc;
}

int redactor_new(const struct redact_value *values, size_t n, size_t forms_max,
                 struct redactor **ret)
{
    bool any = false;
    for (size_t i = 0; i < n; i++)
        any = any || redact_covers(values[i].len);
    if (!any) {
        *ret = NULL;
        return 0;
    }
    struct redactor *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    int rc = automaton_new(forms_max, &r->automaton);
    if (rc == 0)
        rc = add_values(r->automaton, values, n);
    if (rc < 0) {
        redactor_free(r);
        return rc;
    }
    *ret = r;
    return 0;
}

void redactor_free(struct redactor *r)
{
    if (!r)
        return;
    automaton_free(r->automaton);
    free(r);
}

bool redact_name_is_secret(const char *name)
{
    /* Runvoy's list; some of them contain others. */
    static const char *const PATTERNS[] = {
        "ACCESS_KEY", "API_KEY",     "API_SECRET", "GITHUB_SECRET", "GITHUB_TOKEN",
        "PASSWORD",   "PRIVATE_KEY", "SECRET_KEY", "SECRET",        "TOKEN",
    };
    for (size_t i = 0; i < ARRAY_SIZE(PATTERNS); i++) {
        if (strcasestr(name, PATTERNS[i]))
            return true;
    }
    return false;
}
