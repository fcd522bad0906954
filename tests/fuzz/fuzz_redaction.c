/* Any bytes as a world of secrets, lines, parts and restarts (tests/support/redaction_check.c). */
#include "tests/support/redaction_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    redaction_check(data, size < 4096 ? size : 4096);
    return 0;
}
