#include "identity/reserved_names.h"

#include <algorithm>
#include <array>

#include "identity/names.h"

namespace holdfast::identity {
namespace {

constexpr std::array<std::string_view, 45> names = {
    "api",      "assets",        "buckets",      "cas",     "collections",  "datasets",    "datasets-server",
    "docs",     "endpoints",     "favicon.ico",  "healthz", "hf-inference", "invocations", "join",
    "kernels",  "lfs",           "login",        "logout",  "metrics",      "models",      "new",
    "oauth",    "organizations", "papers",       "ping",    "predictions",  "pricing",     "readyz",
    "registry", "resolve",       "robots.txt",   "search",  "settings",     "spaces",      "static",
    "tasks",    "tokens",        "v1",           "v2",      ".well-known",  "health",      "info",
    "raw",      "rerank",        "openapi.json",
};

}  // namespace

std::span<const std::string_view> reserved_names() { return names; }

bool is_reserved_name(std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view reserved) { return equal_names(reserved, name); });
}

std::vector<std::string> reserved_name_list() { return {names.begin(), names.end()}; }

}  // namespace holdfast::identity
