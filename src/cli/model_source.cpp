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

// One slash, and nothing that only a path begins or ends with.
bool could_be_repository(std::string_view name) {
  const size_t slash = name.find('/');
  return slash != std::string_view::npos && slash > 0 && slash + 1 < name.size() &&
         name.find('/', slash + 1) == std::string_view::npos && name[0] != '.' && name[0] != '~';
}

}  // namespace

Result<Source> open_source(World& world, const Arguments& arguments, std::string_view named,
                           RemoteType type) {
  std::error_code unknown;
  const bool is_model_file = type == RemoteType::model && std::filesystem::is_regular_file(named, unknown);
  if (is_model_file || std::filesystem::is_directory(named, unknown))
    return Source{std::filesystem::absolute(named, unknown).string(), {}, {}};
  const size_t mark = named.find('@');
  const std::string name(named.substr(0, mark));
  if (!could_be_repository(name))
    return fail(Code::not_found,
                fmt::format("'{}' is neither a file or folder here nor a repository NAMESPACE/NAME", named));
  auto connected = connect(world, arguments);
  if (!connected.ok() && connected.error().reason == Reason::bad_request)
    return fail(Reason::bad_request, fmt::format("'{}' is no file or folder here; as a repository's name: {}",
                                                 named, connected.error().message));
  TRY(const Connection connection, std::move(connected));
  TRY(const std::unique_ptr<io::Disk> cache, open_cache(world));
  const std::string revision(mark == std::string_view::npos ? "main" : named.substr(mark + 1));
  const Download wish{{type, name}, revision, {}};
  TRY(const Downloaded done,
      download_snapshot(*connection.hub, *cache, wish, Context{}, [](const TransferProgress&) {}));
  return Source{cache->absolute(done.folder).string(), name, done.commit};
}

}  // namespace holdfast::cli
