/* Fakes of orchestrator/images.h, audit.h and trace.h behind server_rig.h: rig.world.problem and
 * refuses decide as for its other fakes. */
#ifndef TAILGATE_TESTS_RIG_TEAM_H
#define TAILGATE_TESTS_RIG_TEAM_H

#include "server_rig.h"

#include "base/audit.h"

struct rig_team {
    /* what was asked */
    unsigned calls;
    char text[600]; /* a reference, an id, a request's id */
    char platform[64];
    int64_t cpu, memory;
    bool is_default;
    struct audit_filter filter; /* numbers only */
    char email[64], action[64], resource[64], result[64], request_id[64];
    /* refusals told to the audit */
    unsigned denied;
    char denied_action[64], denied_resource[300], denied_result[64], denied_by[256];
    bool denied_unknown;
    /* what is answered */
    size_t rows; /* of the audit */
};
extern struct rig_team rig_team;
int rig_team_setup(void **state);

#endif
