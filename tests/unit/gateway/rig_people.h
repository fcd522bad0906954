/* The rig's users, claims and API keys: what a test has set, on a later turn of the loop. */
#ifndef TAILGATE_TESTS_RIG_PEOPLE_H
#define TAILGATE_TESTS_RIG_PEOPLE_H

#include "server_rig.h"

#include "orchestrator/api_keys.h"
#include "orchestrator/users.h"

struct rig_people {
    struct user users[3];
    struct api_key keys[3];
    size_t n;
    int64_t revoked_user; /* of streams and downloads; 0 = nobody */
    /* what was asked */
    unsigned calls;
    char text[64], role[32], address[64], by[256];
    bool has_text;
};
extern struct rig_people rig_people;
/* cmocka's set-up: the rig's, and three of each. */
int rig_people_setup(void **state);

#endif
