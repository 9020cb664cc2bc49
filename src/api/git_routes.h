#pragma once

#include "api/route.h"

namespace holdfast::git {
class SmartHttp;
}
namespace holdfast::io {
class Disk;
}

namespace holdfast::api {

// Clone, fetch and push (hub-protocol.md 3), with and without ".git" behind the name:
//   GET  {repo}[.git]/info/refs?service=git-upload-pack|git-receive-pack
//   POST {repo}[.git]/git-upload-pack, {repo}[.git]/git-receive-pack
// What a push may do to which reference is decided in its hooks (repo/push_rules.h); here only whether the
// caller may push anything at all. Borrows what it is given for the table's life.
void add_git_routes(RouteTable& table, Services& services, git::SmartHttp& git, io::Disk& data);

}  // namespace holdfast::api
