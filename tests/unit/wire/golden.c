/* Reading, comparing and, when told, writing golden files. */
#include "golden.h"

#include "../base/unit.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void path_of(char path[PATH_MAX], const char *codec, const char *name, const char *file)
{
    int n = snprintf(path, PATH_MAX, "tests/golden/%s/%s/%s", codec, name, file);

    assert_in_range(n, 1, PATH_MAX - 1);
}

void golden_read(const char *codec, const char *name, const char *file, struct buf *ret)
{
    char path[PATH_MAX], chunk[4096];
    size_t n;

    path_of(path, codec, name, file);
    FILE *f = fopen(path, "re");
    if (!f)
        fail_msg("%s is missing", path);
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        assert_int_equal(buf_append(ret, chunk, n), 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(buf_reserve(ret, 0), 0);
    if (ret->len > 0 && ret->data[ret->len - 1] == '\n')
        ret->data[--ret->len] = '\0';
}

static void write_file(const char *codec, const char *name, const char *file, const char *text)
{
    char path[PATH_MAX];

    path_of(path, codec, "", "");
    (void)mkdir(path, 0755);
    path_of(path, codec, name, "");
    (void)mkdir(path, 0755);
    path_of(path, codec, name, file);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fprintf(f, "%s\n", text) > 0);
    assert_int_equal(fclose(f), 0);
}

void golden_check(const char *codec, const char *name, const char *file, const char *text)
{
    struct buf want CLEANUP_BUF = {.max = GOLDEN_MAX};

    if (getenv("TAILGATE_UPDATE_GOLDEN")) {
        write_file(codec, name, file, text);
        return;
    }
    golden_read(codec, name, file, &want);
    if (strcmp(want.data, text) != 0)
        fail_msg("%s/%s/%s\nwant: %s\nhave: %s", codec, name, file, want.data, text);
}

static int is_case(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

void golden_each(const char *codec, const char *file,
                 void (*fn)(const char *codec, const char *name, const char *text, size_t len))
{
    char path[PATH_MAX];
    struct dirent **cases;
    int found = 0;

    path_of(path, codec, "", "");
    int n = scandir(path, &cases, is_case, alphasort);
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        struct buf text CLEANUP_BUF = {.max = GOLDEN_MAX};
        path_of(path, codec, cases[i]->d_name, file);
        if (access(path, R_OK) == 0) {
            golden_read(codec, cases[i]->d_name, file, &text);
            fn(codec, cases[i]->d_name, text.data, text.len);
            found++;
        }
        free(cases[i]);
    }
    free(cases);
    assert_true(found > 0);
}
