/* The stores of users, claims and API keys for the orchestrator's tests: each call is kept until
 * the test answers it; one at a time. */
#ifndef TAILGATE_TESTS_ORCHESTRATOR_FAKE_PEOPLE_H
#define TAILGATE_TESTS_ORCHESTRATOR_FAKE_PEOPLE_H

#include "db/store_api_keys.h"
#include "db/store_users.h"

#include "fake.h"

struct fake_people {
    const char *call; /* the last store function's name; NULL = none waits */
    union {
        store_users_fn users;
        store_claim_fn claim;
        store_api_keys_fn keys;
        db_batch_fn batch;
        store_revocations_fn revocations;
    } fn;
    void *user;
    uint8_t hash[32], second_hash[32];
    char email[300], prefix[16], description[300];
    enum role role;
    int64_t ttl_ms, user_key, key_id, most, since_us;
    char action[64], resource[400], result[32], by[256], address[64], request_id[64];
    unsigned uses; /* calls of store_api_key_used, answered by nobody */
    int64_t used;
    int ret; /* what the stores return; < 0: the call is not kept */
};
extern struct fake_people fake_people;
/* cmocka's set-up: fake_setup's, and nothing waits. */
int fake_people_setup(void **state);

#endif
