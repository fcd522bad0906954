/* The filter: the key that a slot saw last, and when. */
#include "orchestrator/last_use.h"

#include "base/clock.h"
#include "db/store_api_keys.h"

#define INTERVAL_MS 60000

/* A use that could not be written is told with the next one, in a minute. */
static void on_noted(void *user UNUSED, int err UNUSED, const struct db_result *r UNUSED)
{
}

void last_use_note(struct last_use *u, struct db_pool *pool, int64_t key_id)
{
    if (key_id <= 0)
        return;
    size_t slot = (size_t)key_id % LAST_USE_SLOTS;
    int64_t now = clock_mono_ms();
    if (u->slots[slot].key_id == key_id && now - u->slots[slot].at_ms < INTERVAL_MS)
        return;
    if (store_api_key_used(pool, key_id, on_noted, NULL) < 0)
        return;
    u->slots[slot].key_id = key_id;
    u->slots[slot].at_ms = now;
}
