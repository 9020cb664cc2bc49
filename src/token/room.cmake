target_link_libraries(${target} PRIVATE utf8proc pcre2-8)
# What inlines into what decides the speed here, and was measured file by file.
set(batch_alone .*)
