/* The JSON of images: requests in, answers out (runvoy-v1.md). */
#ifndef TAILGATE_WIRE_IMAGES_H
#define TAILGATE_WIRE_IMAGES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/image.h"
#include "base/json.h"

struct wire_image_request { /* strings point into doc; NULL = absent */
    json_t *doc;
    const char *image, *task_role_name, *task_execution_role_name, *runtime_platform;
    int64_t cpu, memory; /* 0 = absent */
    bool is_default;
};
/* Body of POST /images/register; types only. ERR_INVALID fills *p. */
MUST_CHECK int wire_image_request_decode(const char *body, size_t len,
                                         struct wire_image_request *ret, struct problem *p);
void wire_image_request_done(struct wire_image_request *r);
/* For the CLI. */
MUST_CHECK int wire_image_request_encode(struct buf *out, const struct wire_image_request *r);

MUST_CHECK int wire_image(struct buf *out, const struct image *i);
/* {"images":[…]} */
MUST_CHECK int wire_images(struct buf *out, const struct image *images, size_t n);
/* {"image","image_id","message"}: of a registration (201) and a removal (200). */
MUST_CHECK int wire_image_done(struct buf *out, const struct image *i, const char *message);

#endif
