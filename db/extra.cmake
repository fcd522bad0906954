# The migrations are compiled in: db/migrations/*.sql become one generated C file.
file(GLOB migration_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/db/migrations/*.sql)
set(migrations_c ${CMAKE_BINARY_DIR}/generated/db_migrations.c)
string(REPLACE ";" "," migration_list "${migration_files}")
add_custom_command(
  OUTPUT ${migrations_c}
  COMMAND ${CMAKE_COMMAND} -DOUTPUT=${migrations_c} -DFILES=${migration_list}
          -P ${CMAKE_SOURCE_DIR}/db/embed_migrations.cmake
  DEPENDS ${migration_files} ${CMAKE_SOURCE_DIR}/db/embed_migrations.cmake
  COMMENT "Embedding the migrations"
  VERBATIM)
target_sources(tg_db PRIVATE ${migrations_c})
