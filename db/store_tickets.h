/* tickets: made for a key, used once. */
#ifndef TAILGATE_DB_STORE_TICKETS_H
#define TAILGATE_DB_STORE_TICKETS_H

#include "db/store_keys.h"

/* Expired rows that each new ticket removes: more than it adds, so that none are left over. */
#define STORE_TICKETS_SWEPT 100

/* expires_us by the database's clock, which all gateways share. err as db_batch_fn's. */
typedef void (*store_ticket_fn)(void *user, int err, int64_t expires_us);
MUST_CHECK int store_ticket_make(struct db_pool *p, const uint8_t hash[STORE_KEY_HASH_LEN],
                                 int64_t key_id, int64_t ttl_ms, store_ticket_fn fn, void *user);
/* Takes the ticket away and tells whose it was. err: 0, ERR_BAD_KEY (unknown, used or expired, or
 * its key or user was revoked), or as db_batch_fn's. */
MUST_CHECK int store_ticket_redeem(struct db_pool *p, const uint8_t hash[STORE_KEY_HASH_LEN],
                                   store_principal_fn fn, void *user);

#endif
