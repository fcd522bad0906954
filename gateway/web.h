/* What the viewer's files are to the rest of the gateway; its routes are in http.h. */
#ifndef TAILGATE_GATEWAY_WEB_H
#define TAILGATE_GATEWAY_WEB_H

#include "gateway/http.h"

/* Answers 404 where there is no such path: a person's browser gets the viewer, which says so in
 * words, others the API's JSON. */
void web_respond_not_found(struct http_request *r);

#endif
