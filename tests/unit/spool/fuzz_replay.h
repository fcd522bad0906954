/* Runs a fuzz target over a golden file and thousands of damaged copies of it. */
#ifndef TAILGATE_TESTS_SPOOL_FUZZ_REPLAY_H
#define TAILGATE_TESTS_SPOOL_FUZZ_REPLAY_H

#include "golden.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* skip: bytes of the golden file that the target puts in front by itself. */
static inline void fuzz_replay(const char *golden, size_t skip)
{
    uint8_t seed[4096];
    uint8_t p[sizeof(seed)];
    uint32_t x = 12345;
    size_t n = golden_load(golden, seed, sizeof(seed));

    assert_int_equal(LLVMFuzzerTestOneInput(seed, n), 0);
    assert_int_equal(LLVMFuzzerTestOneInput(seed, 0), 0);
    for (unsigned round = 0; round < 3000; round++) {
        memcpy(p, seed, n);
        for (unsigned k = 0; k <= round % 4; k++) {
            x = x * 1664525u + 1013904223u;
            p[(x >> 8) % n] ^= (uint8_t)(1u << (x >> 29));
        }
        size_t from = round % 2 == 0 ? skip : 0;
        assert_int_equal(LLVMFuzzerTestOneInput(p + from, n - from - (x >> 4) % 3), 0);
    }
}

#endif
