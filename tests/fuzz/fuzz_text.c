/* Text of any bytes: as a JSON string it must parse back, valid UTF-8 must come back unchanged;
 * numbers, durations, sizes and times must be refused or understood without a crash. */
#include "base/json.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_json_string(const char *text, size_t size)
{
    struct buf out;
    buf_init(&out, 1u << 20);
    if (json_append_string(&out, text, size) != 0)
        abort();
    json_error_t error;
    json_t *back = json_loadb(out.data, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (!back)
        abort();
    if (str_utf8_valid_prefix(text, size) == size &&
        (json_string_length(back) != size || memcmp(json_string_value(back), text, size) != 0))
        abort();
    json_decref(back);
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_json_string((const char *)data, size);
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    int64_t number;
    uint64_t bytes;
    if (str_to_i64(text, -5, 5, &number) == 0 && (number < -5 || number > 5))
        abort();
    if (str_to_bytes(text, &bytes) == 0 && strlen(text) == 0)
        abort();
    if (str_to_duration_ms(text, &number) == 0 && strlen(text) == 0)
        abort();
    if (str_parse_time(text, &number) == 0 && strlen(text) < 20)
        abort();
    free(text);
    return 0;
}
