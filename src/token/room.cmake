target_link_libraries(${target} PRIVATE utf8proc pcre2-8)
