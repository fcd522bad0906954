/*
 * The spool behind the commit: where reading may begin again is written down, and holes are punched
 * behind it, so that the disk holds what is not yet committed. A file system takes its time for a
 * hole (ext4 its journal), so that is done in the thread pool, on a descriptor of the hole's own:
 * the feed may be gone before it is done.
 */
#include "base/err.h"
#include "base/log.h"
#include "logs/writer_internal.h"
#include "spool/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct hole {
    struct feed *feed; /* NULL: it is gone */
    int fd;
    uint64_t from, to;
    int error;
};

static void hole_free(struct hole *h)
{
    (void)close(h->fd);
    free(h);
}

static void work(void *user)
{
    struct hole *h = user;
    h->error = rundir_punch(h->fd, h->from, h->to);
}

static void done(void *user, int err)
{
    struct hole *h = user;
    struct feed *f = h->feed;
    if (f) {
        f->hole = NULL;
        if (err == 0 && h->error == 0)
            /* The page that was cut in two is punched whole the next time. */
            f->punched = h->to & ~(uint64_t)0xffff;
        if (err == 0 && h->error < 0) {
            f->no_punch = true; /* the file system cannot; the runner's bound still holds */
            log_warn("spool keeps its disk space until the end", "execution_id", f->id.hex, "error",
                     strerror(-h->error));
        }
    }
    hole_free(h);
}

static void punch(struct feed *f)
{
    struct hole *h = calloc(1, sizeof *h);
    if (!h)
        return; /* with the next commit */
    *h = (struct hole){.feed = f, .from = f->punched, .to = f->committed_offset};
    h->fd = fcntl(f->spool_fd, F_DUPFD_CLOEXEC, 0);
    if (h->fd < 0) {
        free(h);
        return;
    }
    if (loop_work_submit(f->w->loop, work, done, h) < 0)
        hole_free(h);
    else
        f->hole = h;
}

void acknowledge(struct feed *f)
{
    if (f->ack_fd >= 0) {
        int rc = rundir_ack_write(f->ack_fd, f->committed_offset);
        if (rc < 0)
            log_error("spool cannot be acknowledged", "execution_id", f->id.hex, "error",
                      strerror(-rc));
    }
    if (!f->hole && !f->no_punch && f->committed_offset - f->punched >= PUNCH_BYTES)
        punch(f);
}

void acknowledge_orphan(struct feed *f)
{
    if (f->hole)
        f->hole->feed = NULL;
    f->hole = NULL;
}
