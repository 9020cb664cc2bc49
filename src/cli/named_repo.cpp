#include "cli/named_repo.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::cli {

using exchange::RemoteRepo;

namespace {

struct Prefix {
  std::string_view text;
  exchange::RemoteType type;
};
constexpr Prefix prefixes[] = {{"models/", exchange::RemoteType::model},
                               {"datasets/", exchange::RemoteType::dataset},
                               {"spaces/", exchange::RemoteType::space}};

}  // namespace

Result<RemoteRepo> repo_of(const Arguments& arguments, std::string_view name) {
  auto type = exchange::remote_type(arguments.value_or("--repo-type", "model"));
  if (!type) return fail(Reason::bad_request, "--repo-type is model, dataset or space");
  for (const Prefix& prefix : prefixes) {
    const std::string_view rest = name.substr(std::min(name.size(), prefix.text.size()));
    // "datasets/rows" alone is a model in a namespace of that name, which no user may have.
    if (!name.starts_with(prefix.text) || rest.find('/') == std::string_view::npos) continue;
    if (arguments.value("--repo-type") && *type != prefix.type)
      return fail(Reason::bad_request, fmt::format("'{}' and --repo-type say different things", name));
    type = prefix.type;
    name = rest;
    break;
  }
  const size_t slash = name.find('/');
  if (slash == std::string_view::npos || name.find('/', slash + 1) != std::string_view::npos)
    return fail(Reason::bad_request, fmt::format("a repository is NAMESPACE/NAME, not '{}'", name));
  return RemoteRepo{*type, std::string(name)};
}

}  // namespace holdfast::cli
