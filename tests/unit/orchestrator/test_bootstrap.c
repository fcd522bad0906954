#include "orchestrator/keys.h"

#include "fake.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void done(void *user, int err)
{
    *(int *)user = err;
}

static void read_file(const struct world *w, char *ret, size_t size)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/admin.key", w->dir);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    size_t n = fread(ret, 1, size - 1, f);
    ret[n] = '\0';
    (void)fclose(f);
}

static void write_file(const struct world *w, const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/admin.key", w->dir);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    (void)fclose(f);
}

static struct fake_call bootstrap(struct world *w, int *err)
{
    *err = 1;
    assert_int_equal(orchestrator_bootstrap_dev(w->o, "admin@x", done, err), 0);
    assert_int_equal(*err, 1);
    return fake_take(CALL_BOOTSTRAP);
}

static void check_registered(const struct world *w, const struct fake_call *c)
{
    char text[128];
    uint8_t hash[API_KEY_HASH_LEN];
    read_file(w, text, sizeof text);
    assert_int_equal(strlen(text), API_KEY_LEN + 1);
    assert_int_equal(text[API_KEY_LEN], '\n');
    text[API_KEY_LEN] = '\0';
    assert_true(api_key_is_well_formed(text));
    api_key_hash(text, hash);
    assert_memory_equal(c->bytes, hash, sizeof hash);
    assert_int_equal(strlen(c->prefix), API_KEY_PREFIX_LEN);
    assert_memory_equal(c->prefix, text, API_KEY_PREFIX_LEN);
    assert_string_equal(c->created_by, "admin@x");
}

static void test_bootstrap__no_file__made_private_and_registered(void **state)
{
    struct world *w = *state;
    char path[128];
    struct stat st;
    int err;
    struct fake_call c = bootstrap(w, &err);
    check_registered(w, &c);
    c.fn.batch(c.user, 0, NULL);
    assert_int_equal(err, 0);
    (void)snprintf(path, sizeof path, "%s/admin.key", w->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    (void)snprintf(path, sizeof path, "%s/admin.key.new", w->dir);
    assert_false(fake_exists(path));
}

static void test_bootstrap__file_with_a_key__kept(void **state)
{
    struct world *w = *state;
    char key[API_KEY_LEN + 1], text[128], line[128];
    int err;
    api_key_make(key);
    (void)snprintf(line, sizeof line, "%s\n", key);
    write_file(w, line);
    struct fake_call c = bootstrap(w, &err);
    check_registered(w, &c);
    c.fn.batch(c.user, ERR_DB, NULL);
    assert_int_equal(err, ERR_DB);
    read_file(w, text, sizeof text);
    assert_string_equal(text, line);
}

static void test_bootstrap__file_with_something_else__replaced(void **state)
{
    struct world *w = *state;
    char key[API_KEY_LEN + 1], text[128];
    static const char *const others[] = {"", "nonsense\n", "longer", "broken"};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        int err;
        api_key_make(key);
        (void)snprintf(text, sizeof text, "%s%s", i >= 2 ? key : "", i == 2 ? "x" : others[i]);
        if (i == 3) {
            text[API_KEY_LEN] = '\0';
            text[5] = text[5] == 'a' ? 'b' : 'a';
        }
        write_file(w, text);
        struct fake_call c = bootstrap(w, &err);
        check_registered(w, &c);
        c.fn.batch(c.user, 0, NULL);
    }
}

static void test_bootstrap__link_in_its_place__target_untouched(void **state)
{
    struct world *w = *state;
    char path[128], target[128], key[API_KEY_LEN + 1];
    int err;
    api_key_make(key);
    write_file(w, key);
    (void)snprintf(path, sizeof path, "%s/admin.key", w->dir);
    (void)snprintf(target, sizeof target, "%s/other", w->dir);
    assert_int_equal(rename(path, target), 0);
    assert_int_equal(symlink("other", path), 0);
    struct fake_call c = bootstrap(w, &err);
    check_registered(w, &c);
    c.fn.batch(c.user, 0, NULL);
    struct stat st;
    assert_int_equal(stat(target, &st), 0);
    assert_int_equal(st.st_size, API_KEY_LEN);
}

static void test_bootstrap__cannot_write__error(void **state)
{
    struct world *w = *state;
    char path[128];
    int err = 1;
    (void)snprintf(path, sizeof path, "%s/admin.key.new", w->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(orchestrator_bootstrap_dev(w->o, "admin@x", done, &err), ERR_SYS);
    assert_int_equal(err, 1);
    assert_int_equal(rmdir(path), 0);
    fake_stores_return(ERR_NOMEM);
    assert_int_equal(orchestrator_bootstrap_dev(w->o, "admin@x", done, &err), ERR_NOMEM);
}

static void test_bootstrap__freed_before_the_answer__closed(void **state)
{
    struct world *w = *state;
    int err;
    struct fake_call c = bootstrap(w, &err);
    orchestrator_free(TAKE_PTR(w->o));
    assert_int_equal(err, ERR_CLOSED);
    c.fn.batch(c.user, 0, NULL);
    assert_int_equal(err, ERR_CLOSED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup_unstarted, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_bootstrap__no_file__made_private_and_registered),
        TEST(test_bootstrap__file_with_a_key__kept),
        TEST(test_bootstrap__file_with_something_else__replaced),
        TEST(test_bootstrap__link_in_its_place__target_untouched),
        TEST(test_bootstrap__cannot_write__error),
        TEST(test_bootstrap__freed_before_the_answer__closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
