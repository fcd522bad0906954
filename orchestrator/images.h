/*
 * Images: registered by admins and operators, used by runs. An engine that has an image of its own
 * (`process`: `host`) runs only that one; it is always there, cannot be removed, and is what a run
 * gets that names none.
 */
#ifndef TAILGATE_ORCHESTRATOR_IMAGES_H
#define TAILGATE_ORCHESTRATOR_IMAGES_H

#include "base/image.h"
#include "orchestrator/orchestrator.h"

/* What an image_ref's parts mean, defaults filled in. */
struct images_name {
    char registry[IMAGE_NAME_MAX + 1]; /* "" when the reference names none */
    char name[IMAGE_NAME_MAX + 1];
    char tag[IMAGE_TAG_MAX + 1]; /* IMAGE_DEFAULT_TAG without tag and digest */
    char digest[IMAGE_REF_MAX + 1];
};
/* ERR_INVALID: no reference. */
MUST_CHECK int images_parse(const char *text, struct images_name *ret);
/* `name:tag-` and 8 hex digits of SHA-256 over registry, name, tag, digest, cpu, memory, platform
 * and roles. */
void images_make_id(const struct image *i, char ret[IMAGE_ID_MAX + 1]);

/* image is NULL when p is set; both are valid during the call. */
typedef void (*images_image_fn)(void *user, const struct problem *p, const struct image *image);
/*
 * The image that a run means: by image id, by the exact reference it was registered with, or by
 * name:tag; NULL and "": the default. Error text "failed to resolve image": ERR_NOT_FOUND (not
 * registered, or none and no default), ERR_INVALID (this gateway's engine cannot run it),
 * ERR_DB*. ERR_FORBIDDEN (POLICY_IMAGE_USE).
 */
MUST_CHECK int images_resolve(struct orchestrator *o, const struct principal *who, const char *ref,
                              images_image_fn fn, void *user, struct problem *p);

/* Show: found as images_resolve does. */
MUST_CHECK int images_get(struct orchestrator *o, const struct principal *who, const char *ref,
                          images_image_fn fn, void *user, struct problem *p);

/* In the order they were registered, the engine's own first. */
typedef void (*images_list_fn)(void *user, const struct problem *p, const struct image *images,
                               size_t n);
MUST_CHECK int images_list(struct orchestrator *o, const struct principal *who, images_list_fn fn,
                           void *user, struct problem *p);

struct images_new { /* borrowed for the call; NULL strings = not set */
    const char *image;
    const char *task_role_name, *task_execution_role_name, *runtime_platform;
    int64_t cpu, memory; /* 0 = not set */
    bool is_default;
};
/*
 * Registers one. The same image again (same id) is the same registration and answers it, made the
 * default when asked for. ERR_INVALID names the field; ERR_CONFLICT: an engine's own image has that
 * name.
 */
MUST_CHECK int images_register(struct orchestrator *o, const struct caller *by,
                               const struct images_new *n, images_image_fn fn, void *user,
                               struct problem *p);

/* By exact image id; fn gets the removed image. ERR_INVALID (a name), ERR_NOT_FOUND, ERR_FORBIDDEN,
 * ERR_CONFLICT (a live execution uses it; an engine's own image). */
MUST_CHECK int images_remove(struct orchestrator *o, const struct caller *by, const char *image_id,
                             images_image_fn fn, void *user, struct problem *p);

#endif
