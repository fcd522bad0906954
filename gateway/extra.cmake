# The first page is compiled in: web/page.* become one generated C file (gateway/page_data.h).
set(page_files ${CMAKE_SOURCE_DIR}/web/page.html ${CMAKE_SOURCE_DIR}/web/page.js ${CMAKE_SOURCE_DIR}/web/page.css)
set(page_c ${CMAKE_BINARY_DIR}/generated/page_data.c)
string(REPLACE ";" "," page_list "${page_files}")
add_custom_command(
  OUTPUT ${page_c}
  COMMAND ${CMAKE_COMMAND} -DOUTPUT=${page_c} -DFILES=${page_list}
          -P ${CMAKE_SOURCE_DIR}/gateway/embed_page.cmake
  DEPENDS ${page_files} ${CMAKE_SOURCE_DIR}/gateway/embed_page.cmake
  COMMENT "Embedding the page"
  VERBATIM)
target_sources(tg_gateway PRIVATE ${page_c})
