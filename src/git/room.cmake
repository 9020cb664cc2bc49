pkg_check_modules(LIBGIT2 REQUIRED IMPORTED_TARGET libgit2)
target_link_libraries(${target} PUBLIC PkgConfig::LIBGIT2)
