# Functions and flags that every folder uses.

add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
                    -fno-omit-frame-pointer)
if(TAILGATE_WERROR)
  add_compile_options(-Werror)
endif()
add_compile_definitions(_GNU_SOURCE TAILGATE_VERSION="${PROJECT_VERSION}")
include_directories(${CMAKE_SOURCE_DIR})

if(TAILGATE_SANITIZE)
  string(REPLACE ";" "," sanitizers "${TAILGATE_SANITIZE}")
  add_compile_options(-fsanitize=${sanitizers} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${sanitizers})
endif()
if(TAILGATE_COVERAGE)
  # Atomic counters: several processes of one program write the same .gcda files.
  add_compile_options(--coverage -fprofile-update=atomic -fprofile-abs-path)
  add_link_options(--coverage)
endif()

# tailgate_library(FOLDER LIBS … MAIN file): static library tg_FOLDER of the folder's sources,
# its MAIN file left out.
function(tailgate_library folder)
  cmake_parse_arguments(ARG "" "MAIN" "LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.c)
  if(ARG_MAIN)
    list(REMOVE_ITEM sources ${CMAKE_SOURCE_DIR}/${folder}/${ARG_MAIN})
  endif()
  if(NOT sources)
    add_library(tg_${folder} INTERFACE)
    target_link_libraries(tg_${folder} INTERFACE ${ARG_LIBS})
    return()
  endif()
  add_library(tg_${folder} STATIC ${sources})
  target_link_libraries(tg_${folder} PUBLIC ${ARG_LIBS})
endfunction()

# tailgate_program(NAME MAIN_SOURCE LIBS …)
function(tailgate_program name main)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  if(NOT EXISTS ${CMAKE_SOURCE_DIR}/${main})
    return()
  endif()
  add_executable(${name} ${main})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS})
endfunction()

# tailgate_shared(VARIABLE LIBS SOURCES): objects of what several tests of a folder share, compiled once.
function(tailgate_shared objects libs sources)
  get_filename_component(folder ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  set(found)
  foreach(source IN LISTS sources)
    get_filename_component(path ${source} ABSOLUTE)
    file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR} ${path})
    string(MAKE_C_IDENTIFIER "shared_${folder}_${path}" target)
    if(NOT TARGET ${target})
      add_library(${target} OBJECT ${source})
      target_link_libraries(${target} PRIVATE ${libs} PkgConfig::CMOCKA)
    endif()
    list(APPEND found $<TARGET_OBJECTS:${target}>)
  endforeach()
  set(${objects} ${found} PARENT_SCOPE)
endfunction()

# tailgate_test(NAME LIBS … WRAP function … SOURCES file …): one cmocka binary tests/unit/FOLDER/NAME.c.
# WRAP'd functions are replaced at link time by the test's __wrap_ versions.
function(tailgate_test name)
  cmake_parse_arguments(ARG "" "" "LIBS;WRAP;SOURCES" ${ARGN})
  get_filename_component(folder ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  tailgate_shared(shared "${ARG_LIBS}" "${ARG_SOURCES}")
  add_executable(unit_${folder}_${name} ${name}.c ${shared})
  set_target_properties(unit_${folder}_${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_link_libraries(unit_${folder}_${name} PRIVATE ${ARG_LIBS} PkgConfig::CMOCKA)
  foreach(symbol IN LISTS ARG_WRAP)
    target_link_options(unit_${folder}_${name} PRIVATE -Wl,--wrap=${symbol})
  endforeach()
  add_test(NAME unit/${folder}/${name} COMMAND unit_${folder}_${name}
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(unit/${folder}/${name} PROPERTIES TIMEOUT 600 LABELS unit)
endfunction()
