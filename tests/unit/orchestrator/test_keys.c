#include "orchestrator/keys.h"

#include "base/str.h"

#include "../base/unit.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static int setup(void **state)
{
    (void)state;
    return sodium_init() < 0 ? -1 : 0;
}

static void test_api_key_make__form_and_uniqueness(void **state)
{
    (void)state;
    char seen[200][API_KEY_LEN + 1];
    for (size_t i = 0; i < 200; i++) {
        api_key_make(seen[i]);
        assert_int_equal(strlen(seen[i]), API_KEY_LEN);
        assert_true(str_starts_with(seen[i], "tg_"));
        assert_true(api_key_is_well_formed(seen[i]));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(seen[i], seen[j]);
    }
}

static void test_api_key_is_well_formed__each_character_counts(void **state)
{
    (void)state;
    char key[API_KEY_LEN + 1];
    api_key_make(key);
    for (size_t i = 0; i < API_KEY_LEN; i++) {
        char changed[API_KEY_LEN + 1];
        memcpy(changed, key, sizeof key);
        changed[i] = key[i] == 'a' ? 'b' : 'a';
        assert_false(api_key_is_well_formed(changed));
    }
}

static void test_api_key_is_well_formed__not_a_key__false(void **state)
{
    (void)state;
    char key[API_KEY_LEN + 1], text[API_KEY_LEN + 3];
    api_key_make(key);
    assert_false(api_key_is_well_formed(NULL));
    assert_false(api_key_is_well_formed(""));
    assert_false(api_key_is_well_formed("tg_"));
    (void)snprintf(text, sizeof text, "%sx", key);
    assert_false(api_key_is_well_formed(text));
    (void)snprintf(text, sizeof text, "%.*s", API_KEY_LEN - 1, key);
    assert_false(api_key_is_well_formed(text));
    memcpy(text, key, sizeof key);
    text[10] = '-';
    assert_false(api_key_is_well_formed(text));
}

/* Made once, with the same algorithms, outside this program (Python's hashlib.blake2b). */
#define KNOWN_TEXT "tg_0000000000000000000000000000000000000000000"
#define KNOWN_CHECK "7bOEmI"
#define KNOWN_HASH "3a86b569154f8c29ad7407ae860fbaa77241296607b6fcb323f78c340c4b1f91"

static void test_api_key__known_value(void **state)
{
    (void)state;
    char key[API_KEY_LEN + 1];
    uint8_t hash[API_KEY_HASH_LEN], wanted[API_KEY_HASH_LEN];
    (void)snprintf(key, sizeof key, "%s%s", KNOWN_TEXT, KNOWN_CHECK);
    assert_true(api_key_is_well_formed(key));
    api_key_hash(key, hash);
    assert_int_equal(str_unhex(KNOWN_HASH, sizeof wanted, wanted), 0);
    assert_memory_equal(hash, wanted, sizeof wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_api_key_make__form_and_uniqueness),
        cmocka_unit_test(test_api_key_is_well_formed__each_character_counts),
        cmocka_unit_test(test_api_key_is_well_formed__not_a_key__false),
        cmocka_unit_test(test_api_key__known_value),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
