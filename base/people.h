/* Users and their API keys as they are shown. Plain values; strings are borrowed. */
#ifndef TAILGATE_BASE_PEOPLE_H
#define TAILGATE_BASE_PEOPLE_H

#include "base/model.h"

struct user {
    int64_t user_key;
    const char *email;
    enum role role;
    int64_t created_at_us;
    int64_t last_used_us; /* of the key that was used last; 0 = never */
    bool is_revoked;
    const char *created_by_request_id, *modified_by_request_id;
};

struct api_key {
    int64_t key_id;
    const char *prefix; /* its first 8 characters: all of it that is kept */
    const char *description;
    int64_t created_at_us;
    int64_t last_used_us; /* 0 = never */
    bool is_revoked;
};

#endif
