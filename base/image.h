/*
 * Images: what commands run in. A reference is parsed by Docker's rules
 * (distribution/reference: grammar and normalisation):
 *
 *   [registry[:port]/]path[:tag][@sha256:64 hex digits]
 *
 * The first component is a registry when it has a dot, a colon or an upper-case letter, or is
 * "localhost"; otherwise the registry is docker.io, where a path of one component is in "library".
 */
#ifndef TAILGATE_BASE_IMAGE_H
#define TAILGATE_BASE_IMAGE_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

#define IMAGE_REFERENCE_MAX 512 /* bytes, as given */
#define IMAGE_NAME_MAX 255      /* registry and path together */
#define IMAGE_TAG_MAX 128
#define IMAGE_ID_MAX (IMAGE_NAME_MAX + 1 + IMAGE_TAG_MAX + 9) /* "name:tag-01234567" */
#define IMAGE_ROLE_MAX 256
#define IMAGE_PLATFORM_MAX 64

struct image_reference {
    char registry[IMAGE_NAME_MAX + 1]; /* "docker.io" when none is named */
    char name[IMAGE_NAME_MAX + 1];     /* the path as given, registry left out: "team/app" */
    char tag[IMAGE_TAG_MAX + 1];       /* "latest" without tag and digest; "" with a digest only */
    char digest[80];                   /* "sha256:…"; "" = none */
};
/* ERR_INVALID; *ret_rule (may be NULL) then says which rule it breaks, in words. */
MUST_CHECK int image_reference_parse(const char *text, struct image_reference *ret,
                                     const char **ret_rule);

/* A registered image. Borrowed strings; "" = not set, never NULL. */
struct image {
    const char *image_id;
    const char *image; /* the reference as it was registered */
    const char *registry, *name, *tag, *digest;
    const char *task_role_name, *task_execution_role_name;
    const char *runtime_platform;
    int64_t cpu, memory; /* 0 = not set; Runvoy's units: 1024 = one CPU, MiB */
    bool is_default;
    const char *created_by; /* e-mail; also the one owner. "" for an engine's own image */
    int64_t created_at_us;  /* 0 = it was always there */
    const char *created_by_request_id, *modified_by_request_id;
};

#endif
