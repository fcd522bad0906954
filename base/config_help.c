/* --help from the table that is also obeyed, so that the two cannot differ. */
#include "base/config.h"
#include "base/config_value.h"
#include "base/err.h"

#include <string.h>

/* Where the explanations begin; a longer option stands on a line of its own. */
#define COLUMN 34

static int append_head(struct buf *out, const char *name, const char *arg)
{
    size_t start = out->len;
    int r = buf_printf(out, "  --%s%s%s", name, arg ? " " : "", arg ? arg : "");

    if (r == 0 && out->len - start >= COLUMN) {
        r = buf_append_char(out, '\n');
        start = out->len;
    }
    while (r == 0 && out->len - start < COLUMN)
        r = buf_append_char(out, ' ');
    return r;
}

static int append_option(struct buf *out, const struct config_option *o)
{
    struct buf variable CLEANUP_BUF = {.max = 256};
    const char *shown = o->def && !o->secret ? o->def : NULL;
    int r = config_variable(o->name, &variable);

    if (r == 0)
        r = append_head(out, o->name, o->type == CONFIG_BOOL ? NULL : o->arg);
    if (r == 0)
        r = buf_printf(out, "%s\n%*s[", o->help ? o->help : "", COLUMN, "");
    if (r == 0 && shown)
        r = buf_printf(out, "default %s, ", *shown ? shown : "\"\"");
    if (r == 0)
        r = buf_printf(out, "%s]\n", variable.data);
    return r;
}

int config_help(const struct config_table *t, struct buf *out)
{
    static const struct config_option common[] = {
        {.name = "config",
         .arg = "FILE",
         .help = "read settings from FILE, one `name = value` a line"},
    };
    int r = buf_printf(out,
                       "Usage: %s\n\nSettings, each over the one before: defaults, --config "
                       "file, environment, flags.\n\n",
                       t->usage);

    if (r == 0 && !config_find(t, common[0].name, strlen(common[0].name)))
        r = append_option(out, &common[0]);
    for (size_t i = 0; r == 0 && i < t->count; i++)
        r = append_option(out, &t->options[i]);
    if (r == 0)
        r = append_head(out, "help", NULL);
    if (r == 0)
        r = buf_append_str(out, "show this text\n");
    if (r == 0)
        r = append_head(out, "version", NULL);
    return r < 0 ? r : buf_append_str(out, "show the version\n");
}
