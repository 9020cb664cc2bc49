#pragma once

#include <map>
#include <string>

namespace holdfast::cli {

// The shared libraries that this program runs with and that a model's answers may depend on: what turns text
// into tokens, reads configuration, and computes. By name ("libicuuc"), each as "72.1 3f2a90b1c4d5": the
// version that its file is named after and the beginning of its build's own id, which every other build of it
// has another of.
std::map<std::string, std::string> linked_libraries();

}  // namespace holdfast::cli
