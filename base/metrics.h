/*
 * Figures for Prometheus: a histogram that costs a comparison or two an observation, and the text
 * format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
 *
 *   # HELP name What it means.
 *   # TYPE name counter
 *   name{label="value"} 17
 */
#ifndef TAILGATE_BASE_METRICS_H
#define TAILGATE_BASE_METRICS_H

#include "base/buf.h"

/* Bounds from 50 us to 10 s; what takes longer is in the last place. */
#define METRICS_BUCKETS 17u

/* A plain value; all zero is an empty one. */
struct metrics_histogram {
    uint64_t counts[METRICS_BUCKETS + 1]; /* each bucket's own, not cumulated */
    uint64_t sum_us;
};
/* Less than 0 counts as 0. */
void metrics_observe_us(struct metrics_histogram *h, int64_t us);
uint64_t metrics_count(const struct metrics_histogram *h);

/* err keeps the first failure (ERR_NOMEM, ERR_TOO_LARGE); nothing is appended after it. */
struct metrics_text {
    struct buf *out;
    int err;
};

enum metrics_type { METRICS_COUNTER, METRICS_GAUGE, METRICS_HISTOGRAM };
/* Begins a family; its samples follow. help: one line without backslashes. */
void metrics_family(struct metrics_text *t, const char *name, enum metrics_type type,
                    const char *help);
/* A sample. label NULL = none; its value is escaped. */
void metrics_sample(struct metrics_text *t, const char *name, const char *label, const char *value,
                    uint64_t n);
struct metrics_label {
    const char *name, *value;
};
/* A sample with any number of labels. */
void metrics_sample_labels(struct metrics_text *t, const char *name,
                           const struct metrics_label *labels, size_t count, uint64_t n);
/* A sample in seconds. */
void metrics_sample_us(struct metrics_text *t, const char *name, int64_t us);
/* All of a histogram: cumulated buckets, sum and count. */
void metrics_sample_histogram(struct metrics_text *t, const char *name,
                              const struct metrics_histogram *h);
void metrics_sample_histogram_labels(struct metrics_text *t, const char *name,
                                     const struct metrics_label *labels, size_t count,
                                     const struct metrics_histogram *h);

#endif
