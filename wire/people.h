/* The JSON of users, claims and API keys (api.md, "Everything else"). */
#ifndef TAILGATE_WIRE_PEOPLE_H
#define TAILGATE_WIRE_PEOPLE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/people.h"

/* ---- requests; strings point into doc ---- */
/* Of POST /users/create, /users/revoke and /api-keys: absent fields are NULL. */
struct wire_people_request {
    json_t *doc;
    const char *email, *role, *api_key, *description;
};
/* Types only: the fields' rules are base/fields.h's. An empty body is an empty object. ERR_INVALID
 * with error "invalid request body", or `failed` when a field has the wrong type. */
MUST_CHECK int wire_people_request_decode(const char *body, size_t len, const char *failed,
                                          struct wire_people_request *ret, struct problem *p);
void wire_people_request_done(struct wire_people_request *r);
/* The same bodies for a client; NULL fields are left out. */
MUST_CHECK int wire_people_request_encode(struct buf *out, const struct wire_people_request *r);

/* ---- answers ---- */
/* {"user": {…}, "claim_token"} */
MUST_CHECK int wire_user_created(struct buf *out, const struct user *u, const char *claim_token);
/* {"users": […]} */
MUST_CHECK int wire_users(struct buf *out, const struct user *rows, size_t n);
/* One of its elements, as traces show it too. */
MUST_CHECK int wire_user(struct buf *out, const struct user *u);
/* {"message", "email"} */
MUST_CHECK int wire_user_revoked(struct buf *out, const char *email);
/* {"api_key", "user_email", "message"} */
MUST_CHECK int wire_claim(struct buf *out, const char *key, const char *email);
/* {"api_key", "id", "prefix", "description", "created_at", "revoked"} */
MUST_CHECK int wire_api_key_created(struct buf *out, const struct api_key *k, const char *key);
/* {"api_keys": […]}: the same without api_key, with last_used_at once it was used. */
MUST_CHECK int wire_api_keys(struct buf *out, const struct api_key *rows, size_t n);
/* {"id", "message"} */
MUST_CHECK int wire_api_key_revoked(struct buf *out, int64_t key_id);

#endif
