# The built front end (./dev build makes build/ui/dist) as one C++ file. Without it the document says what is missing.
set(hold_ui ${CMAKE_SOURCE_DIR}/build/ui/dist)
file(GLOB_RECURSE hold_ui_files CONFIGURE_DEPENDS ${hold_ui}/*)
add_custom_command(
  OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/page_assets.cpp
  COMMAND python3 ${CMAKE_SOURCE_DIR}/tools/embed_assets.py ${hold_ui} ${CMAKE_CURRENT_BINARY_DIR}/page_assets.cpp
  DEPENDS ${CMAKE_SOURCE_DIR}/tools/embed_assets.py ${hold_ui_files})
target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/page_assets.cpp)
