/* Patterns by memmem (exact plain text) or PCRE2 with its JIT. */
#include "logs/pattern.h"

#include "base/clock.h"
#include "base/str.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#define PARENS_MAX 64u
#define HEAP_LIMIT_KIB                                                        \
    16384u /* of the interpreter, where the machine code's stack is too small \
            */
#define DEPTH_LIMIT 100000u
#define JIT_STACK_FIRST (32u << 10)
#define JIT_STACK_LAST (1u << 20)
/* Between two looks at the clock: callbacks, of which one stands for up to a pass over the line. */
#define CALLOUTS_SHORT 64u
#define CALLOUTS_LONG 8u
#define LONG_BYTES 16384u

struct pattern {
    char *plain; /* NULL: the codes below are used */
    size_t plain_len;
    pcre2_code *quick;   /* for short lines */
    pcre2_code *watched; /* with callouts, for long ones */
    pcre2_match_context *quick_context, *watched_context;
    pcre2_match_data *data;
    pcre2_jit_stack *stack;
    bool can_be_empty;
    uint32_t callouts, callouts_max;
    int64_t deadline_us;
};

void pattern_free(struct pattern *p)
{
    if (!p)
        return;
    pcre2_match_data_free(p->data);
    pcre2_match_context_free(p->quick_context);
    pcre2_match_context_free(p->watched_context);
    pcre2_jit_stack_free(p->stack);
    pcre2_code_free(p->quick);
    pcre2_code_free(p->watched);
    free(p->plain);
    free(p);
}

static int on_callout(pcre2_callout_block *block UNUSED, void *user)
{
    struct pattern *p = user;
    if (++p->callouts < p->callouts_max)
        return 0;
    p->callouts = 0;
    return clock_mono_us() < p->deadline_us ? 0 : PCRE2_ERROR_CALLOUT;
}

/* ---- compiling ---- */

static size_t characters(const char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)text[i] & 0xC0) != 0x80;
    return n;
}

static int tell_error(const char *text, int code, PCRE2_SIZE offset, struct problem *p)
{
    char message[256] = "";
    (void)pcre2_get_error_message(code, (PCRE2_UCHAR *)message, sizeof message);
    if (code == PCRE2_ERROR_HEAP_FAILED)
        return ERR_NOMEM;
    size_t len = strlen(text);
    return problem_set(p, ERR_INVALID, "invalid regex parameter", "%s at character %zu", message,
                       characters(text, offset < len ? offset : len) + 1);
}

static int compile(const char *text, uint32_t options, pcre2_code **ret, struct problem *problem)
{
    int code = 0;
    PCRE2_SIZE offset = 0;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context)
        return ERR_NOMEM;
    pcre2_set_parens_nest_limit(context, PARENS_MAX);
    *ret = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, &code, &offset, context);
    pcre2_compile_context_free(context);
    if (!*ret)
        return tell_error(text, code, offset, problem);
    /* Without machine code (memory, or an expression that forbids it) the interpreter does it. */
    (void)pcre2_jit_compile(*ret, PCRE2_JIT_COMPLETE);
    return 0;
}

static pcre2_match_context *make_context(pcre2_jit_stack *stack)
{
    pcre2_match_context *c = pcre2_match_context_create(NULL);
    if (!c)
        return NULL;
    pcre2_set_match_limit(c, PATTERN_MATCH_LIMIT);
    pcre2_set_depth_limit(c, DEPTH_LIMIT);
    pcre2_set_heap_limit(c, HEAP_LIMIT_KIB);
    pcre2_jit_stack_assign(c, NULL, stack);
    return c;
}

static int make_codes(struct pattern *p, const char *text, bool is_regex, bool ignore_case,
                      struct problem *problem)
{
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | (ignore_case ? PCRE2_CASELESS : 0) |
                       (is_regex ? PCRE2_NEVER_BACKSLASH_C : PCRE2_LITERAL);
    uint32_t can_be_empty = 0;
    int rc = compile(text, options, &p->quick, problem);
    if (rc == 0)
        rc = compile(text, options | (is_regex ? PCRE2_AUTO_CALLOUT : 0), &p->watched, problem);
    if (rc < 0)
        return rc;
    (void)pcre2_pattern_info(p->quick, PCRE2_INFO_MATCHEMPTY, &can_be_empty);
    p->can_be_empty = can_be_empty != 0;
    p->stack = pcre2_jit_stack_create(JIT_STACK_FIRST, JIT_STACK_LAST, NULL);
    p->data = pcre2_match_data_create(1, NULL);
    p->quick_context = make_context(p->stack);
    p->watched_context = make_context(p->stack);
    if (!p->stack || !p->data || !p->quick_context || !p->watched_context)
        return ERR_NOMEM;
    (void)pcre2_set_callout(p->watched_context, on_callout, p);
    return 0;
}

int pattern_new(const char *text, bool is_regex, bool ignore_case, struct pattern **ret,
                struct problem *problem)
{
    const char *error = is_regex ? "invalid regex parameter" : "invalid q parameter";
    size_t len = strlen(text);
    if (len == 0 || len > PATTERN_BYTES_MAX)
        return problem_set(problem, ERR_INVALID, error, "%s must be 1 to %u bytes",
                           is_regex ? "regex" : "q", PATTERN_BYTES_MAX);
    if (str_utf8_valid_prefix(text, len) != len)
        return problem_set(problem, ERR_INVALID, error, "%s must be UTF-8",
                           is_regex ? "regex" : "q");
    struct pattern *p = calloc(1, sizeof *p);
    int rc = p ? 0 : ERR_NOMEM;
    if (rc == 0 && (is_regex || ignore_case)) {
        rc = make_codes(p, text, is_regex, ignore_case, problem);
    } else if (rc == 0) {
        p->plain_len = len;
        rc = str_set(&p->plain, text);
    }
    if (rc == ERR_NOMEM)
        (void)problem_set(problem, ERR_NOMEM, error, "out of memory");
    if (rc < 0) {
        pattern_free(p);
        return rc;
    }
    *ret = p;
    return 0;
}

/* ---- matching ---- */

static int run(struct pattern *p, const char *text, size_t len, size_t from, uint32_t options)
{
    bool is_short = len <= PATTERN_SHORT_BYTES;
    const pcre2_code *code = is_short ? p->quick : p->watched;
    pcre2_match_context *context = is_short ? p->quick_context : p->watched_context;
    if (!is_short) {
        p->callouts = 0;
        p->callouts_max = len < LONG_BYTES ? CALLOUTS_SHORT : CALLOUTS_LONG;
        p->deadline_us = clock_mono_us() + PATTERN_MATCH_MS * 1000;
    }
    int rc = pcre2_match(code, (PCRE2_SPTR)text, len, from, options, p->data, context);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
        rc = pcre2_match(code, (PCRE2_SPTR)text, len, from, options | PCRE2_NO_JIT, p->data,
                         context);
    if (rc >= 0)
        return 0;
    return rc == PCRE2_ERROR_NOMATCH ? ERR_END : ERR_LIMIT;
}

int pattern_next(struct pattern *p, const char *text, size_t len, size_t from, size_t *ret_start,
                 size_t *ret_end)
{
    if (from > len)
        return ERR_END;
    if (p->plain) {
        const char *at = len - from < p->plain_len
                             ? NULL
                             : memmem(text + from, len - from, p->plain, p->plain_len);
        if (!at)
            return ERR_END;
        *ret_start = (size_t)(at - text);
        *ret_end = *ret_start + p->plain_len;
        return 0;
    }
    int rc = run(p, text, len, from, PCRE2_NOTEMPTY);
    if (rc < 0)
        return rc;
    const PCRE2_SIZE *found = pcre2_get_ovector_pointer(p->data);
    /* \K may set the start before `from`. */
    *ret_start = found[0] < from ? from : found[0];
    *ret_end = found[1] > *ret_start ? found[1] : *ret_start;
    return 0;
}

int pattern_matches_empty(struct pattern *p, const char *text, size_t len)
{
    if (p->plain || !p->can_be_empty)
        return ERR_END;
    return run(p, text, len, 0, 0);
}

bool pattern_may_occur(const struct pattern *p, const char *bytes, size_t len)
{
    return !p->plain || (len >= p->plain_len && memmem(bytes, len, p->plain, p->plain_len));
}
