# prometheus-cpp's own CMake files also ask for its HTTP server, which we do not use.
find_library(HOLD_PROMETHEUS_CORE prometheus-cpp-core REQUIRED)
target_link_libraries(${target} PRIVATE ${HOLD_PROMETHEUS_CORE})
