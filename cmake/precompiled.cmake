# The sanitizer presets compile the headers of others (the standard library, fmt, Boost.JSON, GoogleTest) once and not in
# each of seven hundred files: a third of their time. Our own headers stay out, so that no edit rebuilds the tree, and
# the release build has none of this, so that a missing #include is found by compiling files alone (tools/tu_times.py).
set(HOLD_PRECOMPILED <algorithm> <array> <atomic> <chrono> <cstdint> <functional> <map> <memory> <mutex> <optional> <set>
    <span> <string> <string_view> <thread> <unordered_map> <utility> <variant> <vector> <fmt/format.h> <boost/json.hpp>)
# These are optimised a little even so: what they compute would take the unit tests minutes, and fuzzers get further.
set(HOLD_HOT_ROOMS codec jinja token)
if(NOT HOLD_FUZZ)
  list(APPEND HOLD_HOT_ROOMS content model tensor)
endif()

# One set per use; whoever uses it must be compiled with the same options that change what a header means.
function(hold_add_precompiled name options)
  add_library(${name} OBJECT ${CMAKE_SOURCE_DIR}/cmake/empty.cpp)
  target_compile_options(${name} PRIVATE ${options} -Xclang -fno-pch-timestamp)
  target_precompile_headers(${name} PRIVATE ${HOLD_PRECOMPILED} ${ARGN})
  target_link_libraries(${name} PRIVATE Threads::Threads)
  # ccache would hand out one checkout's file to another, whose paths it holds; objects are told apart by this sum.
  set_target_properties(${name} PROPERTIES CXX_COMPILER_LAUNCHER "")
  string(SHA256 sum "${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_CXX_FLAGS_DEBUG} ${HOLD_SANITIZE} ${HOLD_FUZZ} ${options} ${HOLD_PRECOMPILED} ${ARGN}")
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/CMakeFiles/${name}.dir/cmake_pch.hxx.pch.sum CONTENT "${sum}")
endfunction()

# CMake also names the list itself, by its absolute path, which ccache takes for a difference between checkouts.
set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -Xclang -include-pch -Xclang <PCH_FILE>)
set(HOLD_USE_PRECOMPILED OFF)
if(HOLD_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  set(HOLD_USE_PRECOMPILED ON)
  hold_add_precompiled(hold_headers "")
  hold_add_precompiled(hold_headers_hot "-O1")
  hold_add_precompiled(hold_headers_test "-fPIE" <gtest/gtest.h> <gmock/gmock.h>)
endif()

function(hold_precompile target kind)
  if(HOLD_USE_PRECOMPILED)
    target_compile_options(${target} PRIVATE -Xclang -fno-pch-timestamp)
    target_precompile_headers(${target} REUSE_FROM ${kind})
  endif()
endfunction()

function(hold_precompile_room target room)
  if(NOT HOLD_SANITIZE)
    return()
  endif()
  if(room IN_LIST HOLD_HOT_ROOMS)
    target_compile_options(${target} PRIVATE -O1)
    hold_precompile(${target} hold_headers_hot)
  else()
    hold_precompile(${target} hold_headers)
  endif()
endfunction()
