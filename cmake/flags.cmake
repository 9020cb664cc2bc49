# Flags every preset shares. The sanitizer presets are compiled by clang (docs/decisions/0011-clang-under-the-sanitizers.md). Sanitizers come in through HOLD_SANITIZE.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")  # NDEBUG stays off: CHECK and assertions are part of the product.

add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Werror=switch -Werror=unused-result
                    -Werror=return-type -fno-omit-frame-pointer)
# What clang warns of where g++ does not: fields left at their defaults, and a call inside libstdc++'s own stable_sort.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options(-Wno-missing-field-initializers -Wno-deprecated-declarations -Wno-unknown-warning-option)
endif()
add_compile_definitions(_GLIBCXX_ASSERTIONS BOOST_ASIO_NO_DEPRECATED BOOST_ALLOW_DEPRECATED_HEADERS)
if(HOLD_SANITIZE)
  add_compile_options(-fsanitize=${HOLD_SANITIZE} -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=${HOLD_SANITIZE})
endif()
if(HOLD_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(HOLD_CCACHE ccache)
if(HOLD_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
    CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_PCH_EXTSUM=1 ${HOLD_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()
find_program(HOLD_MOLD mold)
if(HOLD_MOLD AND NOT HOLD_FUZZ)
  add_link_options(-fuse-ld=mold)
endif()
# One link needs up to a gigabyte under the sanitizers, so on small machines links run one after the other.
set_property(GLOBAL PROPERTY JOB_POOLS link=1)
set(CMAKE_JOB_POOL_LINK link)
