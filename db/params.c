/*
 * Connection parameters. libpq would look host names up with a blocking getaddrinfo inside
 * PQconnectPoll; so names are resolved on the thread pool before each attempt (an address may have
 * changed since the last) and given to libpq as hostaddr, host staying for TLS and .pgpass.
 */
#include "db/params.h"

#include "base/err.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#define ADDRESSES_MAX 8 /* of one name */
#define OPTIONS_BYTES 4096
#define ENTRY_SIZE 256 /* DNS names end at 253 characters */

const char *db_params_get(const struct db_params *p, const char *keyword)
{
    for (const PQconninfoOption *o = p->parsed; o && o->keyword; o++)
        if (str_eq(o->keyword, keyword))
            return str_is_empty(o->val) ? NULL : o->val;
    return NULL;
}

/* Directories of unix sockets, abstract ones and literal addresses need no look-up. */
static bool is_name(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return *host && *host != '/' && *host != '@' && inet_pton(AF_INET, host, address) != 1 &&
           !strchr(host, ':');
}

/* Copies the n-th comma-separated entry; false behind the last (an empty list has one, empty). */
static bool list_entry(const char *list, size_t n, char ret[ENTRY_SIZE])
{
    for (; n > 0; n--) {
        list = strchr(list, ',');
        if (!list)
            return false;
        list++;
    }
    size_t len = strcspn(list, ",");
    if (len >= ENTRY_SIZE)
        len = 0;
    memcpy(ret, list, len);
    ret[len] = '\0';
    return true;
}

static bool has_name(const char *hosts)
{
    char entry[ENTRY_SIZE];
    for (size_t i = 0; list_entry(hosts, i, entry); i++)
        if (is_name(entry))
            return true;
    return false;
}

static int fill_options(struct db_params *p, int64_t statement_timeout_ms, const char *settings)
{
    CLEANUP_BUF struct buf b;
    buf_init(&b, OPTIONS_BYTES);
    const char *theirs = db_params_get(p, "options");
    size_t len;
    int r = buf_printf(&b,
                       "%s%s-c synchronous_commit=on -c TimeZone=UTC "
                       "-c statement_timeout=%" PRId64 "%s%s",
                       theirs ? theirs : "", theirs ? " " : "", statement_timeout_ms,
                       settings ? " " : "", settings ? settings : "");
    return r < 0 ? r : buf_take(&b, &p->options, &len);
}

int db_params_init(struct db_params *p, const char *conninfo, const char *application_name,
                   int64_t statement_timeout_ms, const char *settings)
{
    memset(p, 0, sizeof(*p));
    char *message = NULL;
    p->parsed = PQconninfoParse(conninfo, &message);
    PQfreemem(message);
    if (!p->parsed)
        return ERR_INVALID;
    int r = str_set(&p->application_name, application_name ? application_name : "tailgated");
    if (r == 0)
        r = fill_options(p, statement_timeout_ms, settings);
    const char *host = db_params_get(p, "host");
    if (!host)
        host = getenv("PGHOST"); /* libpq would use it too */
    if (r == 0 && host && !db_params_get(p, "hostaddr") && has_name(host))
        r = str_set(&p->host, host);
    if (r < 0)
        db_params_done(p);
    return r;
}

void db_params_done(struct db_params *p)
{
    PQconninfoFree(p->parsed);
    free(p->application_name);
    free(p->options);
    free(p->host);
    memset(p, 0, sizeof(*p));
}

bool db_params_need_lookup(const struct db_params *p)
{
    return p->host != NULL;
}

void db_params_hosts_init(struct db_params_hosts *h)
{
    buf_init(&h->host, PARAMS_HOSTS_BYTES);
    buf_init(&h->hostaddr, PARAMS_HOSTS_BYTES);
    buf_init(&h->port, PARAMS_HOSTS_BYTES);
}

void db_params_hosts_done(struct db_params_hosts *h)
{
    buf_done(&h->host);
    buf_done(&h->hostaddr);
    buf_done(&h->port);
}

static int add_host(struct db_params_hosts *h, bool first, const char *host, const char *address,
                    const char *port)
{
    const char *comma = first ? "" : ",";
    int r = buf_printf(&h->host, "%s%s", comma, host);
    if (r == 0)
        r = buf_printf(&h->hostaddr, "%s%s", comma, address);
    if (r == 0)
        r = buf_printf(&h->port, "%s%s", comma, port);
    return r;
}

static int add_name(struct db_params_hosts *h, bool *first, const char *host, const char *port)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    if (getaddrinfo(host, NULL, &hints, &list) != 0)
        return ERR_NOT_FOUND;
    int r = 0, count = 0;
    for (const struct addrinfo *a = list; a && r == 0 && count < ADDRESSES_MAX; a = a->ai_next) {
        char text[NI_MAXHOST];
        if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) !=
            0)
            continue;
        r = add_host(h, *first, host, text, port);
        *first = false;
        count++;
    }
    freeaddrinfo(list);
    return r;
}

int db_params_lookup(const char *host, const char *port, struct db_params_hosts *ret)
{
    char entry[ENTRY_SIZE], own_port[ENTRY_SIZE];
    bool first = true, one_port = !strchr(port, ',');
    for (size_t i = 0; list_entry(host, i, entry); i++) {
        if (!list_entry(port, one_port ? 0 : i, own_port))
            return ERR_INVALID;
        int r = 0;
        if (is_name(entry)) {
            r = add_name(ret, &first, entry, own_port);
        } else {
            r = add_host(ret, first, entry, "", own_port);
            first = false;
        }
        if (r < 0 && r != ERR_NOT_FOUND) /* the other hosts may do */
            return r;
    }
    return first ? ERR_NOT_FOUND : 0;
}

void db_params_fill(const struct db_params *p, const struct db_params_hosts *h,
                    const char *keywords[PARAMS_MAX], const char *values[PARAMS_MAX])
{
    static const char *const ours[] = {"application_name", "options", "client_encoding"};
    const char *const our_values[] = {p->application_name, p->options, "UTF8"};
    static const char *const looked_up[] = {"host", "hostaddr", "port"};
    /* Notices within a minute that the other side is gone, unless the operator knows better. */
    static const char *const defaults[][2] = {
        {"keepalives_idle", "30"}, {"keepalives_interval", "10"}, {"keepalives_count", "3"}};
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(ours); i++, n++) {
        keywords[n] = ours[i];
        values[n] = our_values[i];
    }
    if (h) {
        const char *const lists[] = {h->host.data, h->hostaddr.data, h->port.data};
        for (size_t i = 0; i < ARRAY_SIZE(looked_up); i++, n++) {
            keywords[n] = looked_up[i];
            values[n] = lists[i];
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
        if (db_params_get(p, defaults[i][0]))
            continue;
        keywords[n] = defaults[i][0];
        values[n++] = defaults[i][1];
    }
    size_t taken = n;
    for (const PQconninfoOption *o = p->parsed; o->keyword && n < PARAMS_MAX - 1; o++) {
        bool skip = str_is_empty(o->val);
        for (size_t i = 0; i < taken && !skip; i++)
            skip = str_eq(o->keyword, keywords[i]);
        if (skip)
            continue;
        keywords[n] = o->keyword;
        values[n++] = o->val;
    }
    keywords[n] = values[n] = NULL;
}
