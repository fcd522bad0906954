/*
 * One slot a route in the order of routes_all, then one a method for what no route takes.
 *
 *   slots: | routes_all[0] … | routes_all[1] … | … | unmatched GET, POST, … |
 */
#include "gateway/http_metrics.h"

#include "gateway/http_internal.h"
#include "gateway/router.h"

#define CLASSES 6 /* none, 1xx … 5xx */
#define METHODS (HTTP_OTHER + 1)

struct slot {
    uint64_t classes[CLASSES];
    struct metrics_histogram seconds;
};

struct http_metrics {
    size_t count;
    struct slot slots[];
};

static size_t count_routes(void)
{
    size_t n = 0;
    for (size_t i = 0; i < routes_all_count; i++)
        n += *routes_all[i].count;
    return n;
}

int http_metrics_new(struct http_metrics **ret)
{
    size_t count = count_routes() + METHODS;
    struct http_metrics *m = calloc(1, sizeof(*m) + count * sizeof(m->slots[0]));
    if (!m)
        return ERR_NOMEM;
    m->count = count;
    *ret = m;
    return 0;
}

void http_metrics_free(struct http_metrics *m)
{
    free(m);
}

static size_t slot_of(const struct http_metrics *m, const struct route *route,
                      enum http_method method)
{
    size_t before = 0;
    for (size_t i = 0; route && i < routes_all_count; i++) {
        const struct route_table *t = &routes_all[i];
        if (route >= t->routes && route < t->routes + *t->count)
            return before + (size_t)(route - t->routes);
        before += *t->count;
    }
    return m->count - METHODS + method;
}

void http_metrics_note(struct http_metrics *m, const struct route *route, enum http_method method,
                       int status, int64_t took_us)
{
    struct slot *s = &m->slots[slot_of(m, route, method)];
    int class = status / 100;
    s->classes[class > 0 && class < CLASSES ? class : 0]++;
    metrics_observe_us(&s->seconds, took_us);
}

/* fn with each slot's labels: route, method. */
typedef void (*slot_fn)(struct metrics_text *t, const struct slot *s,
                        const struct metrics_label labels[2]);

static void for_each(const struct http_metrics *m, struct metrics_text *t, slot_fn fn)
{
    size_t at = 0;
    for (size_t i = 0; i < routes_all_count; i++) {
        for (size_t k = 0; k < *routes_all[i].count; k++) {
            const struct route *r = &routes_all[i].routes[k];
            fn(t, &m->slots[at++],
               (struct metrics_label[]){{"route", r->pattern},
                                        {"method", http_method_name(r->method)}});
        }
    }
    for (int method = 0; method < (int)METHODS; method++)
        fn(t, &m->slots[at++],
           (struct metrics_label[]){{"route", "unmatched"},
                                    {"method", http_method_name((enum http_method)method)}});
}

static void add_requests(struct metrics_text *t, const struct slot *s,
                         const struct metrics_label labels[2])
{
    static const char *const codes[CLASSES] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
    for (size_t i = 0; i < CLASSES; i++) {
        const struct metrics_label all[] = {labels[0], labels[1], {"code", codes[i]}};
        if (s->classes[i] > 0)
            metrics_sample_labels(t, "tailgate_http_requests_total", all, ARRAY_SIZE(all),
                                  s->classes[i]);
    }
}

static void add_seconds(struct metrics_text *t, const struct slot *s,
                        const struct metrics_label labels[2])
{
    if (metrics_count(&s->seconds) > 0)
        metrics_sample_histogram_labels(t, "tailgate_http_request_duration_seconds", labels, 2,
                                        &s->seconds);
}

void http_metrics_add(const struct http_metrics *m, struct metrics_text *t)
{
    metrics_family(t, "tailgate_http_requests_total", METRICS_COUNTER,
                   "HTTP requests by the route's pattern, method and class of status.");
    for_each(m, t, add_requests);
    metrics_family(t, "tailgate_http_request_duration_seconds", METRICS_HISTOGRAM,
                   "From a request's head to the last byte of its answer; those that follow a log "
                   "take as long as they follow.");
    for_each(m, t, add_seconds);
}
