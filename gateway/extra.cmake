# The viewer is compiled in: scripts/build_web makes its files (once for all build directories of this
# tree), embed_web.cmake makes them a C file. Without npm a page that says so takes their place.
option(TAILGATE_WEB "Build the viewer (needs node and npm)" ON)
find_program(TAILGATE_NPM npm)
find_program(TAILGATE_NODE NAMES node nodejs)
set(web_c ${CMAKE_BINARY_DIR}/generated/web_files.c)
set(web_embed ${CMAKE_SOURCE_DIR}/gateway/embed_web.cmake)

if(TAILGATE_WEB AND TAILGATE_NPM AND TAILGATE_NODE)
  set(web_dist ${CMAKE_SOURCE_DIR}/build/web/dist)
  set(web_make COMMAND ${CMAKE_SOURCE_DIR}/scripts/build_web)
  file(GLOB_RECURSE web_inputs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/src/* ${CMAKE_SOURCE_DIR}/web/public/*)
  list(FILTER web_inputs EXCLUDE REGEX "\\.test\\.tsx?$")
  foreach(file index.html package.json package-lock.json tsconfig.json vite.config.ts scripts/compress.mjs)
    list(APPEND web_inputs ${CMAKE_SOURCE_DIR}/web/${file})
  endforeach()
  list(APPEND web_inputs ${CMAKE_SOURCE_DIR}/scripts/build_web)
else()
  message(WARNING "node and npm are not here (or TAILGATE_WEB is OFF): tailgated is built WITHOUT its viewer.
  In its place comes a page that says so. scripts/deps installs what is missing.")
  set(web_dist ${CMAKE_SOURCE_DIR}/web/fallback)
  set(web_make)
  set(web_inputs ${web_dist}/index.html)
endif()

add_custom_command(
  OUTPUT ${web_c}
  ${web_make}
  COMMAND ${CMAKE_COMMAND} -DOUTPUT=${web_c} -DDIST=${web_dist} -P ${web_embed}
  DEPENDS ${web_inputs} ${web_embed}
  COMMENT "Building and embedding the viewer"
  VERBATIM)
target_sources(tg_gateway PRIVATE ${web_c})
