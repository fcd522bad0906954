# cmake -DOUTPUT=file.c -DFILES=a.html,b.js -P embed_page.cmake
# Writes the arrays of gateway/page_data.h: page_html, page_js, … after the files' names.
string(REPLACE "," ";" files "${FILES}")
set(text "/* Generated from web/page.*. */\n#include \"gateway/page_data.h\"\n\n")
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME)
  string(REPLACE "." "_" name ${name})
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(APPEND text "const unsigned char ${name}[] = {${bytes}};\n")
  string(APPEND text "const size_t ${name}_len = sizeof(${name});\n")
endforeach()
file(WRITE ${OUTPUT} "${text}")
