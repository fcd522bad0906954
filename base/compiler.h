/* Compiler attributes and scope-bound cleanup that every folder uses. */
#ifndef TAILGATE_BASE_COMPILER_H
#define TAILGATE_BASE_COMPILER_H

#include <stdlib.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define UNUSED __attribute__((unused))
#define FALLTHROUGH __attribute__((fallthrough))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The struct that holds MEMBER at PTR. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Moves a pointer out of VAR and leaves NULL, so that a cleanup does not free it. */
#define TAKE_PTR(var)                      \
    ({                                     \
        __typeof__(var) take_ptr_ = (var); \
        (var) = NULL;                      \
        take_ptr_;                         \
    })

static inline void cleanup_free(void *p)
{
    free(*(void **)p);
}
/* char *s CLEANUP_FREE = NULL; */
#define CLEANUP_FREE CLEANUP(cleanup_free)

#endif
