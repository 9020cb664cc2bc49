pkg_check_modules(HOLD_SODIUM REQUIRED IMPORTED_TARGET GLOBAL libsodium)
target_link_libraries(${target} PRIVATE PkgConfig::HOLD_SODIUM)
