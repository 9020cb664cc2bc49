target_link_libraries(${target} PRIVATE icuuc)
