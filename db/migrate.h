/*
 * Numbered forward-only migrations: db/migrations/NNNN_name.sql, compiled in, one transaction each,
 * under an advisory lock, so that several gateways may start at once.
 */
#ifndef TAILGATE_DB_MIGRATE_H
#define TAILGATE_DB_MIGRATE_H

#include "base/compiler.h"
#include "base/loop.h"

struct db_migration {
    int version;
    const char *name;
    const char *sql;
};
/* The built-in ones, by version. */
extern const struct db_migration db_migrations[];
extern const size_t db_migrations_count;

/* err: 0, ERR_DB_AWAY, ERR_DB (which migration failed is logged), ERR_CONFLICT (the database is
 * newer than this program). applied: how many. */
typedef void (*db_migrate_fn)(void *user, int err, int applied);
MUST_CHECK int db_migrate(struct loop *l, const char *conninfo, db_migrate_fn fn, void *user);

/* The same with other migrations (tests); list[i].version is i + 1; it must outlive fn. */
MUST_CHECK int db_migrate_list(struct loop *l, const char *conninfo,
                               const struct db_migration *list, size_t count, db_migrate_fn fn,
                               void *user);

#endif
