/* The countdown behind the wrapped allocators. */
#include "fail_alloc.h"

#include <stddef.h>

static unsigned countdown;
static bool has_failed = true;

void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t n);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);

bool fail_alloc_at(unsigned n)
{
    bool go_on = n == 1 || has_failed;

    has_failed = false;
    countdown = go_on ? n : 0;
    return go_on;
}

bool fail_alloc_off(void)
{
    countdown = 0;
    return has_failed;
}

static bool is_due(void)
{
    if (countdown == 0 || --countdown > 0)
        return false;
    has_failed = true;
    return true;
}

void *__wrap_malloc(size_t n)
{
    return is_due() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t count, size_t n)
{
    return is_due() ? NULL : __real_calloc(count, n);
}

void *__wrap_realloc(void *p, size_t n)
{
    return is_due() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
    return is_due() ? NULL : __real_strdup(s);
}
