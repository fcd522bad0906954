/* Every decoder of JSON that comes from outside: run requests, client messages, server messages. */
#include "wire/messages.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct problem p = {0};

    struct wire_run_request run = {0};
    if (wire_run_request_decode(text, size, &run, &p) == 0)
        wire_run_request_done(&run);

    struct wire_client_message client = {0};
    if (wire_client_decode(text, size, &client, &p) == 0)
        wire_client_done(&client);

    struct wire_server_message server = {0};
    if (wire_server_decode(text, size, &server, &p) == 0) {
        struct wire_line line;
        for (size_t i = 0; wire_server_line(&server, i, &line) == 0; i++)
            ;
        wire_server_done(&server);
    }
    wire_error_decode(text, size, 500, &p);
    return 0;
}
