# Asio is compiled once, in asio.cpp; Asio headers stay inside this room.
target_compile_definitions(${target} PRIVATE BOOST_ASIO_SEPARATE_COMPILATION)
target_link_libraries(${target} PRIVATE ssl crypto curl)
# Asio's coroutine frames come from its own allocator, which g++ 12 does not see through; its fences mean
# nothing to the thread sanitizer.
target_compile_options(${target} PRIVATE -Wno-mismatched-new-delete $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
# A coroutine's frame holds types of its file, which g++ only likes in the file it was asked to compile.
set(batch_alone connection)
