/* /images: register, list, show, remove. */
#include "orchestrator/images.h"
#include "gateway/http.h"
#include "gateway/server.h"
#include "wire/images.h"

#define ANSWER_MAX (1u << 20)
#define LIST_MAX (16u << 20)

static void respond(struct http_request *r, int status, const struct buf *body, int err)
{
    struct problem p;
    if (err == 0) {
        http_respond(r, status, NULL, body->data, body->len);
        return;
    }
    (void)problem_set(&p, ERR_INTERNAL, "failed to answer", "the answer could not be made");
    http_respond_problem(r, &p);
}

static void on_listed(void *user, const struct problem *p, const struct image *images, size_t n)
{
    struct http_request *r = user;
    struct buf body CLEANUP_BUF = {.max = LIST_MAX};
    if (p)
        http_respond_problem(r, p);
    else if (!http_is_gone(r))
        respond(r, 200, &body, wire_images(&body, images, n));
    http_unref(r);
}

static void list(struct http_request *r)
{
    struct problem p = {0};
    http_ref(r);
    if (images_list(server_orchestrator(http_server(r)), http_principal(r), on_listed, r, &p)) {
        http_respond_problem(r, &p);
        http_unref(r);
    }
}

static void on_found(void *user, const struct problem *p, const struct image *image)
{
    struct http_request *r = user;
    struct buf body CLEANUP_BUF = {.max = ANSWER_MAX};
    if (p)
        http_respond_problem(r, p);
    else
        respond(r, 200, &body, wire_image(&body, image));
    http_unref(r);
}

static void show(struct http_request *r)
{
    struct problem p = {0};
    http_ref(r);
    if (images_get(server_orchestrator(http_server(r)), http_principal(r), http_param(r, "name"),
                   on_found, r, &p)) {
        http_respond_problem(r, &p);
        http_unref(r);
    }
}

static void on_registered(void *user, const struct problem *p, const struct image *image)
{
    struct http_request *r = user;
    struct buf body CLEANUP_BUF = {.max = ANSWER_MAX};
    if (p)
        http_respond_problem(r, p);
    else
        respond(r, 201, &body, wire_image_done(&body, image, "Image registered successfully"));
    http_unref(r);
}

static void register_image(struct http_request *r)
{
    size_t len;
    const char *body = http_body(r, &len);
    struct wire_image_request q;
    struct problem p = {0};
    if (wire_image_request_decode(body, len, &q, &p)) {
        http_respond_problem(r, &p);
        return;
    }
    const struct images_new n = {.image = q.image,
                                 .task_role_name = q.task_role_name,
                                 .task_execution_role_name = q.task_execution_role_name,
                                 .runtime_platform = q.runtime_platform,
                                 .cpu = q.cpu,
                                 .memory = q.memory,
                                 .is_default = q.is_default};
    const struct caller by = http_caller(r);
    http_ref(r);
    if (images_register(server_orchestrator(http_server(r)), &by, &n, on_registered, r, &p)) {
        http_respond_problem(r, &p);
        http_unref(r);
    }
    wire_image_request_done(&q);
}

static void on_removed(void *user, const struct problem *p, const struct image *image)
{
    struct http_request *r = user;
    struct buf body CLEANUP_BUF = {.max = ANSWER_MAX};
    if (p)
        http_respond_problem(r, p);
    else
        respond(r, 200, &body, wire_image_done(&body, image, "Image removed successfully"));
    http_unref(r);
}

static void remove_image(struct http_request *r)
{
    struct problem p = {0};
    const struct caller by = http_caller(r);
    http_ref(r);
    if (images_remove(server_orchestrator(http_server(r)), &by, http_param(r, "name"), on_removed,
                      r, &p)) {
        http_respond_problem(r, &p);
        http_unref(r);
    }
}

const struct route routes_images[] = {
    {HTTP_GET, POLICY_IMAGE_READ, "/api/v1/images", list},
    {HTTP_POST, POLICY_IMAGE_CREATE, "/api/v1/images/register", register_image},
    {HTTP_GET, POLICY_IMAGE_READ, "/api/v1/images/{name...}", show},
    {HTTP_DELETE, POLICY_IMAGE_DELETE, "/api/v1/images/{name...}", remove_image},
};
const size_t routes_images_count = ARRAY_SIZE(routes_images);
