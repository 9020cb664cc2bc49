pkg_check_modules(HOLD_SQLITE REQUIRED IMPORTED_TARGET GLOBAL sqlite3)
pkg_check_modules(HOLD_LIBPQ REQUIRED IMPORTED_TARGET GLOBAL libpq)
target_link_libraries(${target} PRIVATE PkgConfig::HOLD_SQLITE PkgConfig::HOLD_LIBPQ)
