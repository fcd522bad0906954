/* The JSON of secrets: requests in, answers out (runvoy-v1.md). */
#ifndef TAILGATE_WIRE_SECRETS_H
#define TAILGATE_WIRE_SECRETS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/secret.h"

struct wire_secret_request { /* strings point into doc; NULL = absent */
    json_t *doc;
    const char *name, *key_name, *description, *value;
};
/* Body of POST and PUT; types only. failed: what is told to have failed. ERR_INVALID fills *p,
 * without anything of the body. */
MUST_CHECK int wire_secret_request_decode(const char *body, size_t len, const char *failed,
                                          struct wire_secret_request *ret, struct problem *p);
void wire_secret_request_done(struct wire_secret_request *r);
/* For the CLI; what is NULL is left out. */
MUST_CHECK int wire_secret_request_encode(struct buf *out, const struct wire_secret_request *r);

/* {"secret":{…}} with the value when there is one */
MUST_CHECK int wire_secret(struct buf *out, const struct secret *s);
/* {"secrets":[…],"total"} */
MUST_CHECK int wire_secrets(struct buf *out, const struct secret *rows, size_t n);
/* {"message"}, and {"name","message"} of a removal; name NULL: left out. */
MUST_CHECK int wire_secret_done(struct buf *out, const char *name, const char *message);

#endif
