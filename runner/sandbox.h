/*
 * What Landlock keeps from the command (enum spec_sandbox), as far as the kernel has it. Called in
 * the command's own process between fork and exec.
 */
#ifndef TAILGATE_RUNNER_SANDBOX_H
#define TAILGATE_RUNNER_SANDBOX_H

#include "spool/spec.h"

/* The kernel's Landlock ABI; 0 = none. */
int sandbox_abi(void);
/* Sets no_new_privs and enters the domain. Without Landlock in the kernel just the former. 0 or
 * -errno. */
int sandbox_enter(const struct run_spec *spec);

#endif
