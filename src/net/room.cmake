# Asio is compiled once, in asio.cpp; Asio headers stay inside this room.
target_compile_definitions(${target} PRIVATE BOOST_ASIO_SEPARATE_COMPILATION)
target_link_libraries(${target} PRIVATE ssl crypto curl)
