/* Standard output and standard error of the code under test, caught in files in memory. */
#ifndef TAILGATE_TESTS_CLI_CAPTURE_H
#define TAILGATE_TESTS_CLI_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>

#define CAPTURE_MAX (1u << 20)

struct capture {
    int saved[3], files[3];
    char out[CAPTURE_MAX], err[CAPTURE_MAX]; /* after capture_end */
};

/* input: what standard input holds; NULL = it is left alone. Ends the test program when it fails.
 */
void capture_begin(struct capture *c, const char *input);
void capture_end(struct capture *c);

#endif
