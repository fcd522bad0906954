/* What the files of images share: a question that waits for PostgreSQL. */
#ifndef TAILGATE_ORCHESTRATOR_IMAGES_INTERNAL_H
#define TAILGATE_ORCHESTRATOR_IMAGES_INTERNAL_H

#include "db/store_images.h"
#include "orchestrator/images.h"
#include "orchestrator/internal.h"

struct image_question {
    struct op op;
    images_image_fn fn;
    images_list_fn list_fn; /* of a list; else fn */
    void *user;
    const char *failed;     /* the error's title */
    struct loop_defer *own; /* answers the engine's own image without asking */
    bool runs;              /* the engine must be able to run it */
    bool by_default;        /* no image was named */
    char text[IMAGE_REF_MAX + 1];
    /* of a removal */
    struct principal who;
    char address[64], request_id[64];
};

/* NULL without memory. */
struct image_question *image_question_new(const char *failed, images_image_fn fn, void *user);
void image_question_free(struct image_question *q);
void image_question_answer(struct image_question *q, const struct problem *p,
                           const struct image *images, size_t n);
void image_question_cancelled(struct op *op, const struct problem *p);
/* err: what the store call returned. Below 0: frees q and fills *p. */
MUST_CHECK int image_question_begin(struct orchestrator *o, struct image_question *q, int err,
                                    struct problem *p);
/* By id, reference or name; q->text is set. ERR_TOO_LARGE, or the store's. */
MUST_CHECK int image_question_find(struct orchestrator *o, struct image_question *q,
                                   const char *text, store_images_fn fn);
/* The answer to a question for one image. */
void image_question_found(void *user, int err, const struct image *rows, size_t n);
int image_problem_not_found(const struct image_question *q, struct problem *p);
MUST_CHECK int image_check_reference(const char *ref, const char *failed, struct problem *p);
/* The engine's own image; NULL = it has none. */
const char *image_of_engine(const struct orchestrator *o);

#endif
