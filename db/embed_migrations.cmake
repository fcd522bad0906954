# cmake -DOUTPUT=file.c -DFILES=a.sql,b.sql -P embed_migrations.cmake
# Writes db_migrations[] (db/migrate.h), by version. Bytes are given as numbers, so that SQL needs no
# escaping; versions are 1, 2, 3 … without a hole, so that two branches cannot both add one.
string(REPLACE "," ";" files "${FILES}")
list(SORT files COMPARE NATURAL)
set(data "")
set(table "")
set(expected 1)
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME_WE)
  if(NOT name MATCHES "^([0-9][0-9][0-9][0-9])_[a-z0-9_]+$")
    message(FATAL_ERROR "${file}: a migration is named NNNN_name.sql")
  endif()
  math(EXPR version "1${CMAKE_MATCH_1} - 10000")
  if(NOT version EQUAL expected)
    message(FATAL_ERROR "${file}: version ${expected} is expected next")
  endif()
  math(EXPR expected "${expected} + 1")
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(APPEND data "static const char sql_${version}[] = {${bytes}0};\n")
  string(APPEND table "    {${version}, \"${name}\", sql_${version}},\n")
endforeach()
file(WRITE ${OUTPUT} "/* Generated from db/migrations. */\n#include \"db/migrate.h\"\n\n${data}
const struct db_migration db_migrations[] = {\n${table}};
const size_t db_migrations_count = sizeof(db_migrations) / sizeof(db_migrations[0]);\n")
