/*
 * The load client: N readers of one execution (or of several in turn), every sequence number
 * checked.
 *
 *   bench_load --port P [--path PATH] [--key KEY] --protocol v1|runvoy|text|nats --readers N
 *
 * Says "ready" when all are subscribed and caught up, then counts until each reader has --lines (or
 * its "end"), and prints one line of JSON. --hold keeps the connections until stdin ends.
 */
#include "load.h"

#include "line.h"

#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define EVENTS_MAX 512
#define QUIET_MS 200 /* protocols that say nothing count as subscribed after so long */

static const struct option OPTIONS[] = {{"port", 1, 0, 'p'},
                                        {"path", 1, 0, 'P'},
                                        {"key", 1, 0, 'k'},
                                        {"protocol", 1, 0, 'm'},
                                        {"readers", 1, 0, 'n'},
                                        {"lines", 1, 0, 'l'},
                                        {"exec", 1, 0, 'e'},
                                        {"after", 1, 0, 'a'},
                                        {"tail", 1, 0, 't'},
                                        {"repeat", 1, 0, 'r'},
                                        {"timeout", 1, 0, 'T'},
                                        {"ring-lines", 1, 0, 'R'},
                                        {"hold", 0, 0, 'h'},
                                        {"each-latency", 0, 0, 'L'},
                                        {"until-end", 0, 0, 'E'},
                                        {"subject", 1, 0, 's'},
                                        {0}};

static void add_exec(struct load *l, char *ids)
{
    for (char *save = NULL, *id = strtok_r(ids, ",\n", &save); id;
         id = strtok_r(NULL, ",\n", &save)) {
        l->execs = realloc(l->execs, (l->n_execs + 1) * sizeof *l->execs);
        if (!l->execs)
            die("realloc");
        l->execs[l->n_execs++] = id;
    }
}

static enum protocol protocol_of(const char *name)
{
    static const char *const names[] = {"v1", "runvoy", "text", "nats"};
    for (unsigned i = 0; i < 4; i++)
        if (strcmp(names[i], name) == 0)
            return (enum protocol)i;
    (void)fputs("which protocol?\n", stderr);
    exit(2);
}

static void option(struct load *l, int c)
{
    struct options *o = &l->o;

    switch (c) {
    case 'p':
        o->port = optarg;
        break;
    case 'P':
        o->path = optarg;
        break;
    case 'k':
        o->key = optarg;
        break;
    case 's':
        o->subject = optarg;
        break;
    case 'm':
        o->protocol = protocol_of(optarg);
        break;
    case 'n':
        o->readers = strtoull(optarg, NULL, 10);
        break;
    case 'l':
        o->lines = strtoull(optarg, NULL, 10);
        break;
    case 'R':
        o->ring_lines = strtoull(optarg, NULL, 10);
        break;
    case 'r':
        o->repeat = strtoull(optarg, NULL, 10);
        break;
    case 'a':
        o->after = strtoll(optarg, NULL, 10);
        break;
    case 't':
        o->tail = strtoll(optarg, NULL, 10);
        break;
    case 'T':
        o->timeout_s = strtod(optarg, NULL);
        break;
    case 'e':
        add_exec(l, optarg);
        break;
    case 'h':
        o->hold = true;
        break;
    case 'L':
        o->each_latency = true;
        break;
    case 'E':
        o->until_end = true;
        break;
    default:
        exit(2);
    }
}

static void turn(struct load *l, int wait_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int n = epoll_wait(l->epoll, events, EVENTS_MAX, wait_ms);
    for (int i = 0; i < n; i++)
        reader_recv(l, events[i].data.ptr);
}

static void open_all(struct load *l)
{
    for (uint64_t i = 0; i < l->o.readers; i++) {
        struct reader *r = &l->readers[i];
        r->exec = l->n_execs > 0 ? l->execs[i % l->n_execs] : NULL;
        r->next = l->o.tail >= 0 ? 0 : (uint64_t)(l->o.after > 0 ? l->o.after : 0) + 1;
        reader_open(l, r);
        if (r->rest_len > 0)
            reader_recv(l, r);
        if (i % 64 == 63)
            turn(l, 0);
    }
}

static bool is_over(const struct load *l, uint64_t end_us)
{
    if (bench_now_us() >= end_us)
        return true;
    if (l->o.ring_lines > 0)
        return l->t.lines >= l->o.lines * l->o.readers;
    return l->t.done >= l->o.readers;
}

static double percentile(const struct load *l, double part)
{
    uint64_t total = 0, sum = 0;
    for (size_t i = 0; i < LATENCY_STEPS; i++)
        total += l->t.latency[i];
    for (size_t i = 0; i < LATENCY_STEPS; i++) {
        sum += l->t.latency[i];
        if (total > 0 && (double)sum >= part * (double)total)
            return (double)((i + 1) * LATENCY_STEP_US) / 1000;
    }
    return 0;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void report(struct load *l, uint64_t begin_us)
{
    const struct totals *t = &l->t;
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u);
    (void)printf(
        "{\"lines\":%llu,\"bytes\":%llu,\"frames\":%llu,\"recvs\":%llu,\"errors\":%llu,\"done\":%"
        "zu,"
        "\"seconds\":%.6f,\"seconds_from_write\":%.6f,\"seconds_from_ask\":%.6f,\"cpu_s\":%.3f",
        (unsigned long long)t->lines, (unsigned long long)t->bytes, (unsigned long long)t->frames,
        (unsigned long long)t->recvs, (unsigned long long)t->errors, t->done,
        (double)(t->last_us - t->first_us) / 1e6,
        t->first_stamp_us ? (double)(t->last_us - t->first_stamp_us) / 1e6 : 0.0,
        (double)(t->last_us - begin_us) / 1e6,
        (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
            (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
    if (l->o.each_latency)
        (void)printf(",\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"p999_ms\":%.2f,\"max_ms\":%.2f",
                     percentile(l, 0.5), percentile(l, 0.99), percentile(l, 0.999),
                     percentile(l, 1));
    if (l->n_asks > 0) {
        qsort(l->asks_us, l->n_asks, sizeof *l->asks_us, by_size);
        (void)printf(",\"ask_p50_ms\":%.3f,\"ask_p99_ms\":%.3f,\"ask_max_ms\":%.3f",
                     (double)l->asks_us[l->n_asks / 2] / 1e3,
                     (double)l->asks_us[l->n_asks * 99 / 100] / 1e3,
                     (double)l->asks_us[l->n_asks - 1] / 1e3);
    }
    (void)printf("}\n");
    (void)fflush(stdout);
}

static void hold(struct load *l)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    char c;
    while (poll(&in, 1, 0) == 0 || read(STDIN_FILENO, &c, 1) > 0)
        turn(l, 50);
}

static void init(struct load *l)
{
    struct options *o = &l->o;
    if (!o->port || o->readers == 0)
        exit(2);
    if (o->repeat > 0 && o->readers != 1)
        exit(2);
    l->readers = calloc(o->readers, sizeof *l->readers);
    l->in = malloc(2u * RECV_BYTES + (1u << 20));
    l->t.latency = calloc(LATENCY_STEPS, sizeof *l->t.latency);
    l->asks_us = calloc(o->repeat + 1, sizeof *l->asks_us);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!l->readers || !l->in || !l->t.latency || !l->asks_us || l->epoll < 0)
        die("memory");
}

int main(int argc, char **argv)
{
    struct load l = {
        .o = {.path = "/api/v1/ws", .after = -1, .tail = -1, .timeout_s = 60, .subject = "lines"}};

    for (int c; (c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;)
        option(&l, c);
    init(&l);
    uint64_t begin = bench_now_us(), end = begin + (uint64_t)(l.o.timeout_s * 1e6);
    open_all(&l);
    if (l.o.protocol == PROTOCOL_RUNVOY || l.o.protocol == PROTOCOL_TEXT) {
        for (uint64_t until = bench_now_us() + QUIET_MS * 1000; bench_now_us() < until;)
            turn(&l, 10);
        l.t.ready = l.o.readers;
    }
    while (l.t.ready < l.o.readers && bench_now_us() < end)
        turn(&l, 100);
    (void)printf("ready %zu %.3f\n", l.t.ready, (double)(bench_now_us() - begin) / 1e6);
    (void)fflush(stdout);
    if (l.o.hold)
        hold(&l);
    else
        while (!is_over(&l, end))
            turn(&l, 100);
    report(&l, begin);
    return l.t.errors > 0 || (!l.o.hold && l.o.ring_lines == 0 && l.t.done < l.o.readers) ? 1 : 0;
}
