/* An orchestrator among fakes whose reconciles' reports are kept, and an engine that can be asked.
 */
#ifndef TAILGATE_TESTS_ORCHESTRATOR_HEALTH_RIG_H
#define TAILGATE_TESTS_ORCHESTRATOR_HEALTH_RIG_H

#include "db/store_health.h"
#include "orchestrator/health.h"

#include "fake_health.h"

#define ID_A "00000000000000aa00000000000000aa"
#define ID_B "00000000000000bb00000000000000bb"

extern const struct principal rig_admin;

/* What the engine was asked; answers wait for the test. */
struct rig_asked {
    engine_fn check, has_image;
    engine_list_fn list;
    void *user;
    unsigned forgets, cleans;
    int returns;
};
extern struct rig_asked rig_asked;

struct rig_got {
    unsigned calls;
    int err;
    char status[16], text[8192]; /* "type id message|" of each issue */
    struct health_report r;      /* numbers only */
};
extern struct rig_got rig_got;
extern const struct fake_result *rig_results[HEALTH_KINDS];
extern int rig_errors[HEALTH_KINDS];

int rig_setup(void **state);
int rig_teardown(void **state);
void rig_with_engine(struct world *w);
/* Keeps the report in rig_got. */
void rig_on_report(void *user, const struct problem *p, const struct health_report *r);
/* Asks for a reconcile, and notes it. */
void rig_ask(struct world *w);
/* All that is asked is answered with rig_results and rig_errors, until so many reports are there.
 */
void rig_run(unsigned until);
void rig_assert_found(const char *text);

#define ROWS(r)            \
    {                      \
        (r), ARRAY_SIZE(r) \
    }
#define RIG_ROW(t) cmocka_unit_test_setup_teardown(t, rig_setup, rig_teardown)

#endif
