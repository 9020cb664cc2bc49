find_package(ZLIB REQUIRED)
find_package(OpenSSL REQUIRED)
pkg_check_modules(YAMLCPP REQUIRED IMPORTED_TARGET yaml-cpp)
target_link_libraries(${target} PUBLIC boost_json OpenSSL::Crypto PRIVATE ZLIB::ZLIB PkgConfig::YAMLCPP)
