/* A registered image: what commands run in. A plain value, spoken of by several folders. */
#ifndef TAILGATE_BASE_IMAGE_H
#define TAILGATE_BASE_IMAGE_H

#include "base/image_ref.h"

#include <stdbool.h>
#include <stdint.h>

#define IMAGE_ID_HASH_LEN 8 /* hex digits at the end of an id */
#define IMAGE_ID_MAX (IMAGE_NAME_MAX + 1 + IMAGE_TAG_MAX + 1 + IMAGE_ID_HASH_LEN)
#define IMAGE_DEFAULT_REGISTRY "docker.io"
#define IMAGE_DEFAULT_TAG "latest"

/* Borrowed strings; "" = not set, never NULL. */
struct image {
    const char *image_id;
    const char *image;    /* the reference as it was registered */
    const char *registry; /* IMAGE_DEFAULT_REGISTRY when the reference names none */
    const char *name;     /* the path as given */
    const char *tag;      /* IMAGE_DEFAULT_TAG without tag and digest; "" with a digest only */
    const char *digest;
    const char *task_role_name, *task_execution_role_name;
    const char *runtime_platform;
    int64_t cpu, memory; /* 0 = not set; Runvoy's units: 1024 = one CPU, MiB */
    bool is_default;
    const char *created_by; /* e-mail; also the one owner. "" for an engine's own image */
    int64_t created_at_us;  /* 0 = it was always there */
    const char *created_by_request_id, *modified_by_request_id;
};

#endif
