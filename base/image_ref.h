/*
 * Image references by the grammar of Docker's distribution (reference/regexp):
 *
 *   [REGISTRY[:PORT]/]PART{/PART}[:TAG][@ALGORITHM:HEX]
 */
#ifndef TAILGATE_BASE_IMAGE_REF_H
#define TAILGATE_BASE_IMAGE_REF_H

#include "base/compiler.h"

#include <stddef.h>

#define IMAGE_NAME_MAX 255 /* the grammar's NameTotalLengthMax: registry and path together */
#define IMAGE_TAG_MAX 128
#define IMAGE_REF_MAX 512

/* Lengths and places inside the text that was parsed; a length of 0 = not there. */
struct image_ref {
    const char *registry, *name, *tag, *digest;
    size_t registry_len, name_len, tag_len, digest_len;
};

/* NULL, or what is wrong with it ("its tag …"; static storage). *ret is set only when it is fine.
 */
MUST_CHECK const char *image_ref_parse(const char *text, struct image_ref *ret);

#endif
