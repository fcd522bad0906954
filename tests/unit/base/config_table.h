/* A table with an option of each type, for the tests of the settings. */
#ifndef TAILGATE_TESTS_CONFIG_TABLE_H
#define TAILGATE_TESTS_CONFIG_TABLE_H

#include "base/config.h"

struct test_settings {
    char *listen_host;
    char *admin_key;
    bool dev, validate;
    int64_t port;
    int64_t any_number;
    uint64_t ring_bytes;
    int64_t ping_every;
    int64_t log_format;
};

#define AT(field) offsetof(struct test_settings, field)
#define OPTION(n, t, at, d, lo, hi, a, h, s)                                            \
    {                                                                                   \
        .name = (n), .type = (t), .offset = (at), .def = (d), .min = (lo), .max = (hi), \
        .arg = (a), .help = (h), .secret = (s)                                          \
    }
static const struct config_option test_options[] = {
    OPTION("listen-host", CONFIG_STRING, AT(listen_host), "127.0.0.1", 0, 0, "HOST",
           "where to listen", false),
    OPTION("admin-key", CONFIG_STRING, AT(admin_key), "default-secret", 0, 0, "KEY",
           "the first key", true),
    OPTION("dev", CONFIG_BOOL, AT(dev), NULL, 0, 0, NULL, "for a try", false),
    OPTION("validate", CONFIG_BOOL, AT(validate), "true", 0, 0, NULL, "check input", false),
    OPTION("port", CONFIG_INT, AT(port), "8080", 1, 65535, "PORT", "port", false),
    OPTION("any-number", CONFIG_INT, AT(any_number), NULL, 0, 0, "N", "a number", false),
    OPTION("ring-bytes", CONFIG_BYTES, AT(ring_bytes), "1MiB", 4096, 1 << 30, "BYTES", "ring",
           false),
    OPTION("a-very-long-option-name-that-overflows", CONFIG_DURATION, AT(ping_every), "25s", 10,
           60000, "TIME", "between pings", false),
    OPTION("log-format", CONFIG_CHOICE, AT(log_format), "auto", 0, 0, "auto|logfmt|json",
           "of records", false),
};
static const struct config_table test_table = {"tailgated", "tailgated [--dev]", test_options,
                                               ARRAY_SIZE(test_options)};

#endif
