/* What a value is sealed for: apart, for those who only open values. */
#include "orchestrator/secrets_internal.h"

#include <stdio.h>

void secret_context(const char *name, char ret[SECRET_CONTEXT_SIZE])
{
    (void)snprintf(ret, SECRET_CONTEXT_SIZE, "secret/%s", name);
}
