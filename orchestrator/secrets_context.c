/* What a value is sealed for, and its opening: apart, for those who only open values. */
#include "orchestrator/secrets_internal.h"

#include "base/log.h"
#include "orchestrator/seal.h"

#include <stdio.h>

void secret_context(const char *name, char ret[SECRET_CONTEXT_SIZE])
{
    (void)snprintf(ret, SECRET_CONTEXT_SIZE, "secret/%s", name);
}

int secret_no_key(struct problem *p, const char *failed)
{
    return problem_set(p, ERR_INTERNAL, failed, "the server has no key for secrets");
}

int secret_open(const struct orchestrator *o, const struct store_secret *row, const char *failed,
                void **ret, size_t *ret_len, struct problem *p)
{
    char context[SECRET_CONTEXT_SIZE];
    secret_context(row->about.name, context);
    if (!o->opts.sealer)
        return secret_no_key(p, failed);
    int r =
        seal_open(o->opts.sealer, row->key_id, context, row->sealed, row->sealed_len, ret, ret_len);
    if (r == 0 || r == ERR_NOMEM)
        return r < 0 ? problem_store(p, r, failed) : 0;
    log_error("secret cannot be opened", "secret", row->about.name, "key_id", row->key_id, "error",
              r == ERR_NOT_FOUND ? "the key is not in the secrets key file" : "wrong key or bytes");
    return problem_set(p, ERR_INTERNAL, failed,
                       "the secret \"%.128s\" cannot be opened with the server's keys",
                       row->about.name);
}
