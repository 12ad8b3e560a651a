# cmake -DFOLDER=templates -DOUT=templates.cc -P EmbedTemplates.cmake
# Writes a source that holds every template's files, so that the program needs no folder at run time.
file(GLOB folders RELATIVE "${FOLDER}" "${FOLDER}/*")
list(SORT folders)
set(source "#include \"cli/templates.h\"\n\nnamespace carrel::cli {\nnamespace {\n\n")
set(table "")
foreach(template IN LISTS folders)
  string(MAKE_C_IDENTIFIER "${template}" id)
  if(NOT EXISTS "${FOLDER}/${template}/carrel.toml")
    continue()
  endif()
  file(GLOB_RECURSE files RELATIVE "${FOLDER}/${template}" "${FOLDER}/${template}/*")
  # What a build leaves behind; the templates' .gitignore files name the same.
  list(FILTER files EXCLUDE REGEX "(^|/)(build|target|node_modules|\\.venv|\\.zig-cache|zig-out)/|package-lock\\.json$")
  list(SORT files)
  string(APPEND source "constexpr TemplateFile k_${id}[] = {\n")
  foreach(file IN LISTS files)
    file(READ "${FOLDER}/${template}/${file}" text)
    string(APPEND source "    {.path = \"${file}\", .text = R\"__carrel(${text})__carrel\"},\n")
  endforeach()
  string(APPEND source "};\n\n")
  string(APPEND table "    {.name = \"${template}\", .files = k_${id}},\n")
endforeach()
string(APPEND source "constexpr Template kTemplates[] = {\n${table}};\n\n}  // namespace\n\n"
  "std::span<const Template> templates() { return kTemplates; }\n\n}  // namespace carrel::cli\n")
file(WRITE "${OUT}" "${source}")  # not CONFIGURE: templates hold "@"
