/* Histograms and the text that Prometheus reads. No state: both belong to whoever holds them. */
#include "base/metrics.h"

#include <inttypes.h>

#define US_PER_S 1000000

static const struct {
    int64_t us;
    const char *le; /* the same in seconds, as it is written */
} BUCKETS[METRICS_BUCKETS] = {
    {50, "0.00005"},  {100, "0.0001"},    {250, "0.00025"}, {500, "0.0005"},   {1000, "0.001"},
    {2500, "0.0025"}, {5000, "0.005"},    {10000, "0.01"},  {25000, "0.025"},  {50000, "0.05"},
    {100000, "0.1"},  {250000, "0.25"},   {500000, "0.5"},  {US_PER_S, "1.0"}, {2500000, "2.5"},
    {5000000, "5.0"}, {10000000, "10.0"},
};

void metrics_observe_us(struct metrics_histogram *h, int64_t us)
{
    size_t i = 0;

    if (us < 0)
        us = 0;
    while (i < METRICS_BUCKETS && us > BUCKETS[i].us)
        i++;
    h->counts[i]++;
    h->sum_us += (uint64_t)us;
}

uint64_t metrics_count(const struct metrics_histogram *h)
{
    uint64_t n = 0;

    for (size_t i = 0; i <= METRICS_BUCKETS; i++)
        n += h->counts[i];
    return n;
}

void metrics_family(struct metrics_text *t, const char *name, enum metrics_type type,
                    const char *help)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};

    if (t->err == 0)
        t->err = buf_printf(t->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, types[type]);
}

static int append_escaped(struct buf *out, const char *s)
{
    int r = 0;

    for (; r == 0 && *s; s++) {
        if (*s == '\n')
            r = buf_append_str(out, "\\n");
        else if (*s == '\\' || *s == '"')
            r = buf_printf(out, "\\%c", *s);
        else
            r = buf_append_char(out, *s);
    }
    return r;
}

/* name{a="x",b="y"; le "" = none; the brace only where there is a label. */
static int append_series(struct buf *out, const char *name, const char *suffix,
                         const struct metrics_label *labels, size_t count, const char *le)
{
    int r = buf_printf(out, "%s%s", name, suffix);

    for (size_t i = 0; r == 0 && i < count; i++) {
        r = buf_printf(out, "%s%s=\"", i == 0 ? "{" : ",", labels[i].name);
        if (r == 0)
            r = append_escaped(out, labels[i].value);
        if (r == 0)
            r = buf_append_char(out, '"');
    }
    if (r == 0 && *le)
        r = buf_printf(out, "%sle=\"%s\"", count == 0 ? "{" : ",", le);
    if (r == 0 && (count > 0 || *le))
        r = buf_append_char(out, '}');
    return r;
}

static int append_count(struct buf *out, uint64_t n)
{
    return buf_printf(out, " %" PRIu64 "\n", n);
}

/* In whole numbers: a double would lose microseconds after some centuries' worth, a locale the
 * point. */
static int append_seconds(struct buf *out, uint64_t us)
{
    return buf_printf(out, " %" PRIu64 ".%06u\n", us / US_PER_S, (unsigned)(us % US_PER_S));
}

void metrics_sample_labels(struct metrics_text *t, const char *name,
                           const struct metrics_label *labels, size_t count, uint64_t n)
{
    if (t->err == 0)
        t->err = append_series(t->out, name, "", labels, count, "");
    if (t->err == 0)
        t->err = append_count(t->out, n);
}

void metrics_sample(struct metrics_text *t, const char *name, const char *label, const char *value,
                    uint64_t n)
{
    const struct metrics_label one = {label, value};

    metrics_sample_labels(t, name, &one, label ? 1 : 0, n);
}

void metrics_sample_us(struct metrics_text *t, const char *name, int64_t us)
{
    if (t->err == 0)
        t->err = buf_append_str(t->out, name);
    if (t->err == 0)
        t->err = append_seconds(t->out, us > 0 ? (uint64_t)us : 0);
}

void metrics_sample_histogram_labels(struct metrics_text *t, const char *name,
                                     const struct metrics_label *labels, size_t count,
                                     const struct metrics_histogram *h)
{
    uint64_t n = 0;
    int r = t->err;

    for (size_t i = 0; r == 0 && i <= METRICS_BUCKETS; i++) {
        n += h->counts[i];
        r = append_series(t->out, name, "_bucket", labels, count,
                          i < METRICS_BUCKETS ? BUCKETS[i].le : "+Inf");
        if (r == 0)
            r = append_count(t->out, n);
    }
    if (r == 0)
        r = append_series(t->out, name, "_sum", labels, count, "");
    if (r == 0)
        r = append_seconds(t->out, h->sum_us);
    if (r == 0)
        r = append_series(t->out, name, "_count", labels, count, "");
    if (r == 0)
        r = append_count(t->out, n);
    t->err = r;
}

void metrics_sample_histogram(struct metrics_text *t, const char *name,
                              const struct metrics_histogram *h)
{
    metrics_sample_histogram_labels(t, name, NULL, 0, h);
}
