/*
 * One of the command's output streams: a descriptor, what was read but not yet cut, and its line
 * cutter.
 *
 *   reading ──(end of file, or the budget is used up)──▶ closed ──(all given out)──▶ ended
 */
#ifndef TAILGATE_RUNNER_STREAM_H
#define TAILGATE_RUNNER_STREAM_H

#include "runner/lines.h"

struct stream {
    int fd; /* non-blocking; -1 = closed */
    bool ended;
    int64_t silent_at_ms; /* when an unfinished line is given out */
    uint64_t budget;      /* bytes that may still be read */
    size_t pos, len;      /* of what is in buf and not yet cut */
    struct lines lines;
    uint8_t buf[SPOOL_LINE_MAX];
};

/* fd is the stream's from now on; -1: a stream that has ended already. */
void stream_init(struct stream *s, int fd, uint8_t kind);
void stream_done(struct stream *s);
/* Something read waits for room in the outlet, or the end does. */
bool stream_is_pending(const struct stream *s);
/* Reads once and cuts. */
void stream_read(struct stream *s, struct outlet *o, int64_t now_ms);
/* Goes on with what waits for room. */
void stream_pump(struct stream *s, struct outlet *o);
/* Gives out an unfinished line whose time has come. */
void stream_mind_silence(struct stream *s, struct outlet *o, int64_t now_ms);
/* Closes it; what was not given out yet is forgotten. */
void stream_drop(struct stream *s);
/* No writer is left that counts: reads what is there, up to a bound, then closes. */
void stream_set_last(struct stream *s);

#endif
