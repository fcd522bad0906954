/*
 * The pipeline against a scripted libpq: what is sent, which answers belong to whom, and every way
 * in which a connection can fail in between.
 */
#include "base/err.h"
#include "db/pipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- libpq's part ---- */

static char sent[1024];    /* "P(name)" "X(name)" "S" */
static int sends_left;     /* calls until one fails; -1 = none does */
static const char *script; /* the answers, a letter each */
static bool pipeline_refused;
static ConnStatusType status = CONNECTION_OK;

static int note(const char *text, const char *name)
{
    if (sends_left == 0)
        return 0;
    if (sends_left > 0)
        sends_left--;
    size_t len = strlen(sent);
    snprintf(sent + len, sizeof(sent) - len, name ? "%s(%s) " : "%s ", text, name);
    return 1;
}

int __wrap_PQenterPipelineMode(PGconn *pg);
int __wrap_PQenterPipelineMode(PGconn *pg)
{
    (void)pg;
    return !pipeline_refused;
}

int __wrap_PQsendPrepare(PGconn *pg, const char *name, const char *sql, int n, const Oid *types);
int __wrap_PQsendPrepare(PGconn *pg, const char *name, const char *sql, int n, const Oid *types)
{
    (void)pg;
    (void)sql;
    assert_int_equal(n, 0);
    assert_null(types);
    return note("P", name);
}

int __wrap_PQsendQueryPrepared(PGconn *pg, const char *name, int n, const char *const *values,
                               const int *lengths, const int *formats, int result_format);
int __wrap_PQsendQueryPrepared(PGconn *pg, const char *name, int n, const char *const *values,
                               const int *lengths, const int *formats, int result_format)
{
    (void)pg;
    (void)n;
    (void)values;
    (void)lengths;
    (void)formats;
    assert_int_equal(result_format, 1);
    return note("X", name);
}

int __wrap_PQpipelineSync(PGconn *pg);
int __wrap_PQpipelineSync(PGconn *pg)
{
    (void)pg;
    return note("S", NULL);
}

int __wrap_PQisBusy(PGconn *pg);
int __wrap_PQisBusy(PGconn *pg)
{
    (void)pg;
    return *script == '\0' || *script == '.';
}

/* o COMMAND_OK, t TUPLES_OK, e error, u unique violation, F FATAL, L lost (no SQLSTATE),
 * a ABORTED, s SYNC, n NULL, . nothing has arrived yet */
PGresult *__wrap_PQgetResult(PGconn *pg);
PGresult *__wrap_PQgetResult(PGconn *pg)
{
    (void)pg;
    switch (*script++) {
    case 'o':
        return PQmakeEmptyPGresult(NULL, PGRES_COMMAND_OK);
    case 't':
        return PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    case 's':
        return PQmakeEmptyPGresult(NULL, PGRES_PIPELINE_SYNC);
    case 'a':
        return PQmakeEmptyPGresult(NULL, PGRES_PIPELINE_ABORTED);
    case 'n':
        return NULL;
    default:
        return PQmakeEmptyPGresult(NULL, PGRES_FATAL_ERROR);
    }
}

char *__wrap_PQresultErrorField(const PGresult *res, int field);
char *__wrap_PQresultErrorField(const PGresult *res, int field)
{
    (void)res;
    const char *text = NULL;
    char kind = script[-1];
    if (field == PG_DIAG_SQLSTATE && kind != 'L')
        text = kind == 'u' ? "23505" : kind == 'F' ? "57P01" : "42601";
    if (field == PG_DIAG_SEVERITY_NONLOCALIZED && kind != 'L')
        text = kind == 'F' ? "FATAL" : "ERROR";
    return (char *)(uintptr_t)text;
}

ConnStatusType __wrap_PQstatus(const PGconn *pg);
ConnStatusType __wrap_PQstatus(const PGconn *pg)
{
    (void)pg;
    return status;
}

/* ---- the tests ---- */

static const struct db_stmt first = {"first", "SELECT 1"}, second = {"second", "SELECT 2"};
#define CONNECTION ((PGconn *)&script) /* never looked into */

struct place {
    struct db_pipe pipe;
    struct list done;
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof(*p));
    if (!p)
        return -1;
    db_pipe_init(&p->pipe);
    list_init(&p->done);
    sent[0] = '\0';
    sends_left = -1;
    script = "";
    status = CONNECTION_OK;
    pipeline_refused = false;
    *state = p;
    return db_pipe_open(&p->pipe, CONNECTION);
}

static void free_list(struct list *l)
{
    for (struct list *node; (node = list_pop(l)) != NULL;)
        db_batch_free(LIST_ENTRY(node, struct db_batch, node));
}

static int teardown(void **state)
{
    struct place *p = *state;
    db_pipe_close(&p->pipe, ERR_CLOSED, &p->done);
    free_list(&p->done);
    db_pipe_done(&p->pipe);
    free(p);
    return 0;
}

static struct db_batch *batch(const struct db_stmt *a, const struct db_stmt *b)
{
    struct db_batch *ret;
    assert_int_equal(db_batch_new(&ret), 0);
    assert_int_equal(db_batch_add(ret, a, NULL, 0), 0);
    if (b)
        assert_int_equal(db_batch_add(ret, b, NULL, 0), 0);
    return ret;
}

/* The next finished batch's error; 1 when there is none. */
static int next_err(struct place *p)
{
    struct list *node = list_pop(&p->done);
    if (!node)
        return 1;
    struct db_batch *b = LIST_ENTRY(node, struct db_batch, node);
    int err = b->err;
    db_batch_free(b);
    return err;
}

static void test_db_pipe_send__first_and_later_use__parse_has_its_own_sync(void **state)
{
    struct place *p = *state;
    assert_int_equal(db_pipe_send(&p->pipe, batch(&first, &first)), 0);
    assert_string_equal(sent, "P(0_first) S X(0_first) X(0_first) S ");
    sent[0] = '\0';
    assert_int_equal(db_pipe_send(&p->pipe, batch(&first, &second)), 0);
    assert_string_equal(sent, "P(1_second) S X(0_first) X(1_second) S ");
    assert_int_equal(p->pipe.depth, 2);
}

static void test_db_pipe_open__again__prepares_again(void **state)
{
    struct place *p = *state;
    assert_int_equal(db_pipe_send(&p->pipe, batch(&first, NULL)), 0);
    db_pipe_close(&p->pipe, ERR_DB_AWAY, &p->done);
    assert_int_equal(next_err(p), ERR_DB_AWAY);
    assert_int_equal(p->pipe.depth, 0);
    assert_int_equal(p->pipe.bytes, 0);
    sent[0] = '\0';
    assert_int_equal(db_pipe_open(&p->pipe, CONNECTION), 0);
    assert_int_equal(db_pipe_send(&p->pipe, batch(&first, NULL)), 0);
    assert_string_equal(sent, "P(0_first) S X(0_first) S ");
    pipeline_refused = true;
    assert_int_equal(db_pipe_open(&p->pipe, CONNECTION), ERR_DB_AWAY);
}

static void test_db_pipe_send__each_call_fails_in_turn__away_and_still_in_flight(void **state)
{
    struct place *p = *state;
    for (int i = 0; i < 5; i++) {
        sends_left = i;
        assert_int_equal(db_pipe_open(&p->pipe, CONNECTION), 0);
        int r = db_pipe_send(&p->pipe, batch(&first, &first));
        assert_int_equal(r, ERR_DB_AWAY);
        assert_int_equal(p->pipe.depth, 1);
        db_pipe_close(&p->pipe, ERR_DB_AWAY, &p->done);
        assert_int_equal(next_err(p), ERR_DB_AWAY);
    }
}

struct script_row {
    const char *what;
    const char *answers; /* to: first twice with its Parse, then second, first with its Parse */
    int r;
    int errs[3]; /* 1 = not finished */
};

static void test_db_pipe_receive__scripts__each_batch_its_answers(void **state)
{
    struct place *p = *state;
    static const struct script_row rows[] = {
        {"all well",
         "ons"
         "tntns"
         "ons"
         "tntns",
         0,
         {0, 0, 1}},
        {"in pieces", "on.s.tn.t.ns.on", 0, {0, 1, 1}},
        {"an error and what follows",
         "ons"
         "enans"
         "ons"
         "tntns",
         0,
         {ERR_DB, 0, 1}},
        {"unique violation",
         "ons"
         "tnuns",
         0,
         {ERR_CONFLICT, 1, 1}},
        {"the first error counts",
         "ons"
         "unens",
         0,
         {ERR_CONFLICT, 1, 1}},
        {"error at the commit",
         "ons"
         "tntnens",
         0,
         {ERR_DB, 1, 1}},
        {"error at the commit without NULL",
         "ons"
         "tntnes",
         0,
         {ERR_DB, 1, 1}},
        {"Parse refused",
         "ens"
         "enans"
         "ons"
         "tnens",
         0,
         {ERR_DB, ERR_DB, 1}},
        {"session ended",
         "ons"
         "tnF",
         ERR_DB_AWAY,
         {1, 1, 1}},
        {"connection lost",
         "ons"
         "tntns"
         "L",
         ERR_DB_AWAY,
         {0, 1, 1}},
        {"libpq has lost the thread",
         "ons"
         "nnnnnnnn",
         ERR_DB_AWAY,
         {1, 1, 1}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(db_pipe_open(&p->pipe, CONNECTION), 0);
        assert_int_equal(db_pipe_send(&p->pipe, batch(&first, &first)), 0);
        assert_int_equal(db_pipe_send(&p->pipe, batch(&second, &first)), 0);
        assert_int_equal(db_pipe_send(&p->pipe, batch(&second, NULL)), 0);
        script = rows[i].answers;
        int r = db_pipe_receive(&p->pipe, &p->done);
        while (r == 0 && *script == '.') {
            script++;
            r = db_pipe_receive(&p->pipe, &p->done);
        }
        if (r != rows[i].r)
            fail_msg("%s: %d", rows[i].what, r);
        for (size_t k = 0; k < 3; k++) {
            int err = next_err(p);
            if (err != rows[i].errs[k])
                fail_msg("%s: batch %zu: %d", rows[i].what, k, err);
            if (err == 1)
                break;
        }
        script = "";
        db_pipe_close(&p->pipe, ERR_DB_AWAY, &p->done);
        free_list(&p->done);
    }
}

static void test_db_pipe_receive__parse_refused__parsed_again_next_time(void **state)
{
    struct place *p = *state;
    assert_int_equal(db_pipe_send(&p->pipe, batch(&first, NULL)), 0);
    script = "ensens";
    assert_int_equal(db_pipe_receive(&p->pipe, &p->done), 0);
    assert_int_equal(next_err(p), ERR_DB);
    sent[0] = '\0';
    assert_int_equal(db_pipe_send(&p->pipe, batch(&first, NULL)), 0);
    assert_string_equal(sent, "P(0_first) S X(0_first) S ");
}

static void test_db_pipe_receive__connection_bad__every_error_is_a_loss(void **state)
{
    struct place *p = *state;
    assert_int_equal(db_pipe_send(&p->pipe, batch(&first, NULL)), 0);
    status = CONNECTION_BAD;
    script = "e";
    assert_int_equal(db_pipe_receive(&p->pipe, &p->done), ERR_DB_AWAY);
}

static void test_db_pipe_close__known_errors__are_kept(void **state)
{
    struct place *p = *state;
    struct db_batch *late = batch(&first, NULL);
    assert_int_equal(db_pipe_send(&p->pipe, batch(&first, &first)), 0);
    assert_int_equal(db_pipe_send(&p->pipe, late), 0);
    assert_int_equal(db_pipe_send(&p->pipe, batch(&first, NULL)), 0);
    late->err = ERR_TIMEOUT;
    script = "onsen";
    assert_int_equal(db_pipe_receive(&p->pipe, &p->done), 0);
    db_pipe_close(&p->pipe, ERR_DB_AWAY, &p->done);
    assert_int_equal(next_err(p), ERR_DB); /* rolled back, whatever came after */
    assert_int_equal(next_err(p), ERR_TIMEOUT);
    assert_int_equal(next_err(p), ERR_DB_AWAY);
}

static void test_db_pipe_send__too_many_statements__nomem_and_still_the_callers(void **state)
{
    struct place *p = *state;
    static struct db_stmt many[257];
    for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
        many[i] = (struct db_stmt){"m", "SELECT 1"};
        struct db_batch *b = batch(&many[i], NULL);
        int r = db_pipe_send(&p->pipe, b);
        assert_int_equal(r, i < 256 ? 0 : ERR_NOMEM);
        if (r < 0)
            db_batch_free(b);
    }
    assert_int_equal(p->pipe.depth, 256);
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_db_pipe_send__first_and_later_use__parse_has_its_own_sync),
        ROW(test_db_pipe_open__again__prepares_again),
        ROW(test_db_pipe_send__each_call_fails_in_turn__away_and_still_in_flight),
        ROW(test_db_pipe_receive__scripts__each_batch_its_answers),
        ROW(test_db_pipe_receive__parse_refused__parsed_again_next_time),
        ROW(test_db_pipe_receive__connection_bad__every_error_is_a_loss),
        ROW(test_db_pipe_close__known_errors__are_kept),
        ROW(test_db_pipe_send__too_many_statements__nomem_and_still_the_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
