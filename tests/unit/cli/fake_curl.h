/*
 * libcurl without a network: what the code under test sets is recorded, what a call brings is
 * scripted. Link with SOURCES fake_curl.c and WRAP curl_easy_setopt curl_easy_perform
 * curl_easy_getinfo curl_easy_init.
 */
#ifndef TAILGATE_TESTS_CLI_FAKE_CURL_H
#define TAILGATE_TESTS_CLI_FAKE_CURL_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

struct fake_answer {
    CURLcode code; /* CURLE_OK, or what perform returns at once */
    long status;
    const char *header; /* one header line, NULL = none */
    const char *body;
    size_t repeat;        /* the body comes so many times; 0 = once */
    void (*before)(void); /* called as the call begins */
    const char *error;    /* into the error buffer */
};

struct fake_request {
    char method[16], url[1024], body[4096], headers[2048], ca_file[256];
    long timeout_ms;
    bool follows;
};

struct fake_curl {
    const struct fake_answer *answers;
    size_t answers_count, calls;
    struct fake_request requests[16];
    CURLoption refused; /* setting this option fails */
    bool no_handle;     /* curl_easy_init fails */
};

extern struct fake_curl fake_curl;
void fake_curl_reset(const struct fake_answer *answers, size_t count);

#endif
