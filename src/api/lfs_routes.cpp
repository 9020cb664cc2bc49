#include "api/lfs_routes.h"

#include <algorithm>
#include <boost/json/value.hpp>

#include "api/lfs_door.h"
#include "api/services.h"
#include "base/data_layout.h"
#include "codec/json.h"
#include "identity/tokens.h"
#include "repo/hub.h"

namespace holdfast::api {
namespace {

constexpr uint64_t batch_bytes_max = 1 << 20, verify_bytes_max = 16 << 10, complete_bytes_max = 1 << 20;

CallHandler no_locks() {
  return [](const Call&) -> Result<net::Response> {
    return fail(Reason::not_offered, "This server does not offer file locking");
  };
}

}  // namespace

LfsDoor::LfsDoor(Services& all, const Secret& instance_key, io::Disk& disk, LfsLimits given)
    : services(all),
      limits(given),
      addresses(instance_key, all.clock),
      parts(disk, all.random, data_layout::uploads) {}

uint64_t LfsDoor::part_bytes_of(uint64_t size) const {
  const uint64_t least = size / limits.parts_max + 1;
  return std::max(limits.part_bytes, least);
}

Result<identity::Caller> lfs_uploader(const LfsDoor& door, const LfsTicket& ticket) {
  const auto revoked = [] { return fail(Reason::forbidden, "The token of this address is no longer valid"); };
  const auto token = door.services.tokens.find(ticket.token);
  if (!token.ok() && token.error().code == Code::not_found) return revoked();
  if (!token.ok()) return token.error();
  const WallTime now = door.services.clock.wall();
  if (token.value().revoked || (token.value().expires && *token.value().expires <= now)) return revoked();
  TRY(const auto repository, door.services.hub.repositories.find(ticket.repo));
  if (!repository) return fail(Reason::forbidden, "The repository of this address is gone");
  identity::Caller caller;
  caller.user = ticket.user;
  caller.token = ticket.token;
  return caller;
}

net::Response lfs_answer(const boost::json::value& value, int status) {
  net::Response response;
  response.status = status;
  response.headers.set("Content-Type", "application/vnd.git-lfs+json");
  response.body = codec::to_text(value);
  return response;
}

void add_lfs_routes(RouteTable& table, Services& services, const Secret& instance_key, io::Disk& disk,
                    LfsLimits limits) {
  // Shared by the handlers, which the table copies.
  const auto door = std::make_shared<const LfsDoor>(services, instance_key, disk, limits);
  const auto handler = [&door](Result<net::Response> (*answer)(const LfsDoor&, const Call&)) {
    return CallHandler([door, answer](const Call& call) { return answer(*door, call); });
  };
  const auto sink = [&door](Result<std::unique_ptr<net::BodySink>> (*make)(const LfsDoor&, const Call&)) {
    return CallSinkMaker([door, make](const Call& call) { return make(*door, call); });
  };
  const std::string lfs = "/{id}.git/info/lfs";
  table.add({"POST", lfs + "/objects/batch", "lfs_batch", Access::repo_read, batch_bytes_max,
             handler(lfs_batch), Dialect::lfs});
  table.add({"POST", lfs + "/objects/verify", "lfs_verify", Access::repo_contribute, verify_bytes_max,
             handler(lfs_verify), Dialect::lfs});
  // 404 is what makes git-lfs remember that there are no locks; an empty list would invite it to ask again.
  table.add({"POST", lfs + "/locks/verify", "lfs_locks_verify", Access::repo_read, verify_bytes_max,
             no_locks(), Dialect::lfs});
  table.add(
      {"POST", lfs + "/locks", "lfs_lock", Access::repo_read, verify_bytes_max, no_locks(), Dialect::lfs});
  table.add({"GET", lfs + "/locks", "lfs_locks", Access::repo_read, 0,
             CallHandler([](const Call&) -> Result<net::Response> {
               return lfs_answer(boost::json::object{{"locks", boost::json::array{}}});
             }),
             Dialect::lfs});

  table.add({"PUT", "/lfs/objects/{oid}", "lfs_upload", Access::signed_url, limits.object_bytes_max,
             sink(lfs_upload), Dialect::lfs});
  table.add({"GET", "/lfs/objects/{oid}", "lfs_download", Access::signed_url, 0, handler(lfs_download),
             Dialect::lfs});
  table.add({"PUT", "/lfs/parts/{folder}/{number}", "lfs_upload_part", Access::signed_url,
             limits.object_bytes_max, sink(lfs_upload_part), Dialect::lfs});
  table.add({"POST", "/lfs/parts/{folder}", "lfs_complete", Access::signed_url, complete_bytes_max,
             handler(lfs_complete), Dialect::lfs});
}

}  // namespace holdfast::api
