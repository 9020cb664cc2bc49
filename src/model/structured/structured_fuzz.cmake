# All of the model room, built with clang, for three small parsers would be too much.
file(GLOB fuzz_sources ${folder}/*.cpp)
list(FILTER fuzz_sources EXCLUDE REGEX "_(test|fuzz|mask)\\.cpp$")
list(APPEND fuzz_sources ${CMAKE_SOURCE_DIR}/src/token/unicode/utf8.cpp ${CMAKE_SOURCE_DIR}/src/token/unicode/utf8_blocks.cpp)
set(fuzz_rooms room_codec)
