/*
 * Any bytes as a spec: what is accepted encodes again and means the same. The bytes are tried as
 * they are and, so that more than the checksum is tested, with a right checksum behind them.
 */
#include "spool/bytes.h"
#include "spool/format.h"
#include "spool/spec.h"
#include "spool/spec_format.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_bytes(const uint8_t *p, size_t n)
{
    struct run_spec s;
    struct run_spec again;
    uint8_t *encoded = NULL;
    size_t encoded_n = 0;

    if (run_spec_decode(p, n, &s) < 0)
        return;
    if (run_spec_encode(&s, &encoded, &encoded_n) < 0 ||
        run_spec_decode(encoded, encoded_n, &again) < 0 || strcmp(s.command, again.command) != 0 ||
        s.set_ids != again.set_ids || s.timeout_ms != again.timeout_ms)
        abort();
    run_spec_done(&s);
    run_spec_done(&again);
    free(encoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n = SPEC_MAGIC_LEN + size;
    uint8_t *p = malloc(n + SPEC_TRAILER_LEN);
    if (p == NULL)
        return 0;
    try_bytes(data, size);
    memcpy(p, SPEC_MAGIC, SPEC_MAGIC_LEN);
    memcpy(p + SPEC_MAGIC_LEN, data, size);
    put_u16(p + n, SPEC_TAG_END);
    put_u32(p + n + 2, 4);
    put_u32(p + n + SPEC_FIELD_LEN, spool_crc32c(0, p, n));
    try_bytes(p, n + SPEC_TRAILER_LEN);
    free(p);
    return 0;
}
