/*
 * Run directories that nobody goes on with: tailgated ended between an execution's last commit and
 * the removal of its directory, or while the runner of one whose log was broken was being stopped.
 *
 *   names read ─▶ each: its row ─▶ ended: cleaned up like any that is over (live.c), its runner
 *                                  stopped; otherwise left alone, and said so
 *
 * One row at a time; nothing waits for it.
 */
#include "orchestrator/live.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/str.h"
#include "db/store_executions.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#define NAME_SIZE (EXECUTION_ID_LEN + 1)
#define NAMES_MAX 4096 /* more are found at the next start */

struct leftovers {
    struct op op;
    struct buf names; /* NAME_SIZE bytes each */
    struct execution_id id;
};

static void leftovers_free(struct leftovers *f)
{
    buf_done(&f->names);
    free(f);
}

static int read_names(const struct orchestrator *o, struct buf *names)
{
    struct execution_id id;
    const struct dirent *entry;
    DIR *dir = opendir(o->runs_dir);
    if (!dir) {
        log_warn("cannot look for leftovers", "path", o->runs_dir, "error", strerror(errno));
        return ERR_SYS;
    }
    int r = 0;
    while (r == 0 && (entry = readdir(dir)) != NULL) {
        if (execution_id_parse(entry->d_name, &id) == 0 && !live_find(o, execution_id_key(&id)))
            r = buf_append(names, id.hex, NAME_SIZE);
    }
    (void)closedir(dir);
    return r == ERR_TOO_LARGE ? 0 : r;
}

/* Its own timer does what is left to do. */
static void clean_up(struct orchestrator *o, const struct execution *row)
{
    struct live *l;
    if (live_find(o, row->key) || live_new(o, row, &l) < 0)
        return;
    log_info("cleaning up after an execution that has ended", "execution_id", row->id.hex);
    l->is_over = true;
    l->stop_at_ms = 1; /* at once, should its runner live */
    live_poke(l);
}

static void ask_next(struct orchestrator *o, struct leftovers *f);

static void row_read(void *user, int err, const struct execution *row)
{
    struct leftovers *f = user;
    struct orchestrator *o = f->op.o;
    if (!op_end(&f->op)) {
        leftovers_free(f);
        return;
    }
    if (err == 0 && exec_status_is_terminal(row->state.status))
        clean_up(o, row);
    else
        log_warn("a run directory is left alone", "execution_id", f->id.hex, "cause",
                 err == 0 ? "its execution is another gateway's" : err_name(err));
    ask_next(o, f);
}

static void ask_next(struct orchestrator *o, struct leftovers *f)
{
    if (f->names.len > 0) {
        memcpy(f->id.hex, f->names.data, NAME_SIZE);
        buf_consume(&f->names, NAME_SIZE);
        if (store_execution_get(o->pool, &f->id, row_read, f) == 0) {
            op_begin(o, &f->op, NULL);
            return;
        }
    }
    leftovers_free(f);
}

void leftovers_look(struct orchestrator *o)
{
    struct leftovers *f = calloc(1, sizeof *f);
    if (!f)
        return; /* the next start finds them */
    buf_init(&f->names, (size_t)NAMES_MAX * NAME_SIZE);
    if (read_names(o, &f->names) < 0)
        leftovers_free(f);
    else
        ask_next(o, f);
}
