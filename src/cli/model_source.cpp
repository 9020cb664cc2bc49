#include "cli/model_source.h"

#include <fmt/format.h>

#include "cli/connection.h"
#include "cli/hub_transfer.h"

namespace holdfast::cli {
namespace {

Result<std::unique_ptr<io::Disk>> open_cache(World& world) {
  if (const auto cache = world.environment("HF_HUB_CACHE")) return io::open_posix_disk(*cache);
  TRY(const io::Path home, hub_home(world));
  return io::open_posix_disk(home / "hub");
}

}  // namespace

Result<Source> open_source(World& world, const Arguments& arguments, std::string_view named,
                           RemoteType type) {
  std::error_code unknown;
  if (std::filesystem::is_directory(named, unknown))
    return Source{std::filesystem::absolute(named, unknown).string(), {}, {}};
  const size_t mark = named.find('@');
  const std::string name(named.substr(0, mark));
  if (name.find('/') == std::string::npos)
    return fail(Reason::bad_request,
                fmt::format("'{}' is neither a folder nor a repository NAMESPACE/NAME", named));
  TRY(const Connection connection, connect(world, arguments));
  TRY(const std::unique_ptr<io::Disk> cache, open_cache(world));
  const std::string revision(mark == std::string_view::npos ? "main" : named.substr(mark + 1));
  const Download wish{{type, name}, revision, {}};
  TRY(const Downloaded done,
      download_snapshot(*connection.hub, *cache, wish, Context{}, [](const TransferProgress&) {}));
  return Source{cache->absolute(done.folder).string(), name, done.commit};
}

}  // namespace holdfast::cli
