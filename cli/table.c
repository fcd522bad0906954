/* Widths are taken from all rows first, then each row is printed. */
#include "cli/table.h"

#include "base/str.h"
#include "cli/plain_text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define GAP 2      /* between columns */
#define CUT_MIN 10 /* what is left of a cut column at least */
#define CELL_MAX 65536

struct layout {
    const struct table_column *table;
    size_t n;
    size_t widths[TABLE_COLUMNS_MAX]; /* of the widest cell; 0 = left out */
};

/* ---- cells ---- */

static int append_list(struct buf *out, const json_t *list)
{
    size_t i;
    const json_t *item;
    int r = 0;
    json_array_foreach (list, i, item) {
        const char *text = json_string_value(item);
        if (r == 0)
            r = buf_printf(out, "%s%s", i > 0 ? "," : "", text ? text : "?");
    }
    return r;
}

/* "2026-01-02T03:04:05.678Z" without the milliseconds. */
static int append_time(struct buf *out, const char *text)
{
    size_t len = strcspn(text, ".");
    int r = buf_append(out, text, len);
    return r == 0 && text[len] == '.' ? buf_append_char(out, 'Z') : r;
}

/* The cell's text into the empty *out; "" = not set. */
static int cell_text(const struct table_column *c, const json_t *object, struct buf *out)
{
    const json_t *value = json_object_get(object, c->field);
    const char *text = json_string_value(value);
    buf_clear(out);
    if (c->kind == TABLE_FLAG)
        return buf_append_str(out, json_is_true(value) ? "yes" : "");
    if (text && c->kind == TABLE_TIME)
        return append_time(out, text);
    if (text)
        return buf_append_str(out, text);
    if (json_is_integer(value))
        return buf_printf(out, "%" PRId64, (int64_t)json_integer_value(value));
    if (json_is_boolean(value))
        return buf_append_str(out, json_is_true(value) ? "yes" : "no");
    return json_is_array(value) ? append_list(out, value) : buf_append_str(out, "");
}

static const char *shown(const struct buf *cell)
{
    return cell->len > 0 ? cell->data : "-";
}

/* ---- widths ---- */

static int measure(struct layout *l, const json_t *rows, struct problem *p)
{
    struct buf cell CLEANUP_BUF = {.max = CELL_MAX};
    size_t i;
    const json_t *row;
    for (size_t c = 0; c < l->n; c++)
        l->widths[c] = plain_text_width(l->table[c].title);
    json_array_foreach (rows, i, row) {
        if (!json_is_object(row))
            return problem_set(p, ERR_INVALID, "unusable answer from the server",
                               "a row is no object");
        for (size_t c = 0; c < l->n; c++) {
            int r = cell_text(&l->table[c], row, &cell);
            if (r != 0)
                return r;
            size_t width = plain_text_width(shown(&cell));
            l->widths[c] = width > l->widths[c] ? width : l->widths[c];
        }
    }
    return 0;
}

static size_t least(const struct layout *l, size_t c)
{
    return l->table[c].may_be_cut && l->widths[c] > CUT_MIN ? CUT_MIN : l->widths[c];
}

static size_t least_total(const struct layout *l)
{
    size_t total = 0;
    for (size_t c = 0; c < l->n; c++)
        total += l->widths[c] > 0 ? least(l, c) + GAP : 0;
    return total > GAP ? total - GAP : 0;
}

/* False: all that is left must stay. */
static bool leave_one_out(struct layout *l)
{
    size_t worst = l->n;
    for (size_t c = 0; c < l->n; c++)
        if (l->widths[c] > 0 && l->table[c].rank > 0 &&
            (worst == l->n || l->table[c].rank > l->table[worst].rank))
            worst = c;
    if (worst == l->n)
        return false;
    l->widths[worst] = 0;
    return true;
}

static void fit(struct layout *l, size_t columns)
{
    while (least_total(l) > columns && leave_one_out(l))
        ;
    size_t total = least_total(l);
    size_t left = columns > total ? columns - total : 0;
    for (size_t c = 0; c < l->n; c++) {
        if (l->widths[c] == 0)
            continue;
        size_t base = least(l, c), more = l->widths[c] - base;
        more = more < left ? more : left;
        l->widths[c] = base + more;
        left -= more;
    }
}

/* ---- printing ---- */

/* The last column is not padded. */
static int append_cell(struct buf *out, const char *text, size_t width, bool is_last)
{
    size_t has = plain_text_width(text);
    int r = plain_text_append(out, text, width);
    for (size_t i = has; r == 0 && !is_last && i < width + GAP; i++)
        r = buf_append_char(out, ' ');
    if (r == 0 && !is_last && has >= width + GAP)
        r = buf_append(out, "  ", GAP);
    return r;
}

static size_t last_column(const struct layout *l)
{
    size_t last = 0;
    for (size_t c = 0; c < l->n; c++)
        last = l->widths[c] > 0 ? c : last;
    return last;
}

/* row NULL = the titles. */
static int append_row(struct buf *out, const struct layout *l, const json_t *row, struct buf *cell)
{
    int r = 0;
    for (size_t c = 0; c < l->n && r == 0; c++) {
        if (l->widths[c] == 0)
            continue;
        if (row)
            r = cell_text(&l->table[c], row, cell);
        if (r == 0)
            r = append_cell(out, row ? shown(cell) : l->table[c].title, l->widths[c],
                            c == last_column(l));
    }
    return r != 0 ? r : buf_append_char(out, '\n');
}

int table_append(struct buf *out, const struct table_column *table, size_t n, const json_t *rows,
                 size_t columns, struct problem *p)
{
    struct layout l = {.table = table, .n = n};
    struct buf cell CLEANUP_BUF = {.max = CELL_MAX};
    size_t i;
    const json_t *row;
    assert(n <= TABLE_COLUMNS_MAX);
    if (!json_is_array(rows))
        return problem_set(p, ERR_INVALID, "unusable answer from the server",
                           "the list is missing");
    int r = measure(&l, rows, p);
    if (r == 0 && columns > 0)
        fit(&l, columns);
    if (r == 0)
        r = append_row(out, &l, NULL, &cell);
    json_array_foreach (rows, i, row) {
        if (r == 0)
            r = append_row(out, &l, row, &cell);
    }
    return r;
}

int table_append_fields(struct buf *out, const struct table_column *table, size_t n,
                        const json_t *object)
{
    struct buf cell CLEANUP_BUF = {.max = CELL_MAX};
    size_t width = 0;
    int r = 0;
    for (size_t c = 0; c < n; c++) {
        size_t w = plain_text_width(table[c].title);
        width = w > width ? w : width;
    }
    for (size_t c = 0; c < n && r == 0; c++) {
        r = cell_text(&table[c], object, &cell);
        if (r != 0 || cell.len == 0)
            continue;
        r = buf_printf(out, "%-*s  ", (int)width, table[c].title);
        if (r == 0)
            r = plain_text_append(out, cell.data, 0);
        if (r == 0)
            r = buf_append_char(out, '\n');
    }
    return r;
}
