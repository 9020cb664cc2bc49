pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(LIBARCHIVE REQUIRED IMPORTED_TARGET libarchive)
target_link_libraries(${target} PRIVATE PkgConfig::PCRE2 PkgConfig::LIBARCHIVE)
