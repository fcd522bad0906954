/* What a request says of the copies it has and the encodings it takes (RFC
 * 9110 8.8.3, 12.5.3, 13.1.2). */
#ifndef TAILGATE_GATEWAY_NEGOTIATE_H
#define TAILGATE_GATEWAY_NEGOTIATE_H

#include <stdbool.h>

/* Whether Accept-Encoding (NULL = absent) takes gzip. */
bool negotiate_takes_gzip(const char *accept_encoding);
/* Whether If-None-Match (NULL = absent) names the entity tag, given with its quotes. */
bool negotiate_has_tag(const char *if_none_match, const char *tag);

#endif
