/* Entries of the audit and what they are looked for by. Plain values, spoken of by several folders.
 */
#ifndef TAILGATE_BASE_AUDIT_H
#define TAILGATE_BASE_AUDIT_H

#include <stddef.h>
#include <stdint.h>

struct audit_entry { /* borrowed strings, "" = none */
    int64_t audit_id, at_us;
    const char *email;
    int64_t key_id; /* 0 = none */
    const char *address, *request_id;
    const char *action;   /* "secrets.create" */
    const char *resource; /* "secret/NAME" */
    const char *result;   /* "ok", or the error's code */
    int64_t count;        /* refusals told as one */
};

struct audit_filter { /* NULL = any */
    const char *email, *result, *request_id;
    const char *action;         /* "secrets" finds every action on secrets */
    const char *resource;       /* "secret/" finds every secret */
    int64_t since_us, until_us; /* 0 = open */
    int64_t before_id;          /* 0 = newest */
    size_t limit;
};

#endif
