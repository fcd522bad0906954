/* images: registered, found by what people call them, removed while nothing runs in them. */
#ifndef TAILGATE_DB_STORE_IMAGES_H
#define TAILGATE_DB_STORE_IMAGES_H

#include "base/image.h"
#include "db/store_audit.h"

/* rows are valid during the call. err as db_batch_fn's. */
typedef void (*store_images_fn)(void *user, int err, const struct image *rows, size_t n);

struct store_image_query {
    const char *text;     /* an id, or the exact reference */
    const char *registry; /* "" = any */
    const char *name, *tag, *digest;
};
/* The best one: by id, then by exact reference, then by name and tag (or digest); of several the
 * default, then the newest. None: no rows. */
MUST_CHECK int store_image_find(struct db_pool *p, const struct store_image_query *q,
                                store_images_fn fn, void *user);
MUST_CHECK int store_image_default(struct db_pool *p, store_images_fn fn, void *user);
/* In the order they were registered. */
MUST_CHECK int store_image_list(struct db_pool *p, store_images_fn fn, void *user);
/* The row as it is then. Becomes the default when it asks for it or when there is none. An id that
 * is there already stays as it is, the default aside. */
MUST_CHECK int store_image_register(struct db_pool *p, const struct image *i,
                                    const struct store_audit *a, store_images_fn fn, void *user);
/* The removed row. err: also ERR_NOT_FOUND, and ERR_CONFLICT while a live execution uses it. */
MUST_CHECK int store_image_remove(struct db_pool *p, const char *image_id,
                                  const struct store_audit *a, store_images_fn fn, void *user);

#endif
