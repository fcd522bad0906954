/*
 * Addresses of clients: the trusted proxies' list, and who is behind them (X-Forwarded-For, read
 * from the right: only what a trusted proxy wrote counts).
 */
#ifndef TAILGATE_GATEWAY_CLIENT_ADDRESS_H
#define TAILGATE_GATEWAY_CLIENT_ADDRESS_H

#include "base/compiler.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_TEXT_SIZE INET6_ADDRSTRLEN
#define ADDRESS_LIST_MAX 64

struct address_range {
    uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;     /* prefix length, 0 … 128 */
};
struct address_list {
    size_t count;
    struct address_range ranges[ADDRESS_LIST_MAX];
};

/* "10.0.0.0/8, ::1": NULL or "" = nobody. ERR_INVALID; *ret_bad (may be NULL) gets the entry's
 * start. */
MUST_CHECK int address_list_parse(const char *text, struct address_list *ret, const char **ret_bad);
bool address_list_has(const struct address_list *l, const char *address);
/* Text of a socket address without the port; IPv4-mapped addresses as IPv4. "" for others. */
void address_text(const struct sockaddr *sa, char ret[ADDRESS_TEXT_SIZE]);
/* 127.0.0.0/8, ::1. */
bool address_is_loopback(const struct sockaddr *sa);
/* The client behind peer: forwarded_for (NULL = none) is believed as far as proxies are trusted. */
void client_address(const struct address_list *trusted, const char *peer, const char *forwarded_for,
                    char ret[ADDRESS_TEXT_SIZE]);

#endif
