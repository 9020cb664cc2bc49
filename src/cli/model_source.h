#pragma once

#include <string>
#include <string_view>

#include "base/arguments.h"
#include "cli/command.h"
#include "exchange/hub_client.h"

namespace holdfast::cli {

using exchange::HubClient;
using exchange::RemoteRepo;
using exchange::RemoteType;

// What a command works on: a folder of this machine, or a revision of a repository, brought into the shared
// cache.
struct Source {
  std::string folder;          // Absolute; or a model's one file.
  std::string name, revision;  // "demo/support" and its commit; both empty for a folder.
};

// A folder that exists, or a file where a model is wanted; else NAMESPACE/NAME or NAMESPACE/NAME@REVISION of
// the hub. not_found for what can be neither.
Result<Source> open_source(World& world, const Arguments& arguments, std::string_view named, RemoteType type);

}  // namespace holdfast::cli
