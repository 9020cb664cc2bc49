#include "cli/named_repo.h"

#include <fmt/format.h>

namespace holdfast::cli {

using exchange::RemoteRepo;

Result<RemoteRepo> repo_of(const Arguments& arguments, std::string_view name) {
  const auto type = exchange::remote_type(arguments.value_or("--repo-type", "model"));
  if (!type) return fail(Reason::bad_request, "--repo-type is model, dataset or space");
  if (name.find('/') == std::string_view::npos)
    return fail(Reason::bad_request, fmt::format("a repository is NAMESPACE/NAME, not '{}'", name));
  return RemoteRepo{*type, std::string(name)};
}

}  // namespace holdfast::cli
