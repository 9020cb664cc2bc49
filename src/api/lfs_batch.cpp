// POST {repo}.git/info/lfs/objects/batch: what to send where, or where to fetch it.
#include <fmt/core.h>

#include <algorithm>
#include <boost/json/value.hpp>

#include "api/bound_token.h"
#include "api/lfs_door.h"
#include "api/services.h"
#include "base/clock.h"
#include "codec/json.h"
#include "content/store.h"
#include "repo/hub.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

enum class Transfer : uint8_t { basic, multipart };

struct Wanted {
  std::string oid_text;
  int64_t size = 0;
};

struct Batch {
  enum class Operation : uint8_t { upload, download } operation = Operation::download;
  Transfer transfer = Transfer::basic;
  std::vector<Wanted> objects;
};

bool offers(const json::array* transfers, std::string_view name) {
  if (transfers == nullptr) return name == "basic";
  return std::any_of(transfers->begin(), transfers->end(),
                     [name](const json::value& transfer) { return transfer == json::value(name); });
}

Result<Batch> read_batch(const LfsDoor& door, const net::Request& request) {
  TRY(const json::object body, codec::parse_json_object(request.body));
  Batch batch;
  TRY(const std::string_view operation, codec::json_text(body, "operation"));
  if (operation != "upload" && operation != "download")
    return fail(Reason::bad_request, "\"operation\" must be upload or download");
  if (operation == "upload") batch.operation = Batch::Operation::upload;
  TRY(const auto algorithm, codec::json_text_if(body, "hash_algo"));
  if (algorithm && *algorithm != "sha256") return fail(Code::conflict, "objects are named by sha256 only");
  TRY(const json::array* objects, codec::json_array(body, "objects"));
  if (objects->size() > door.limits.objects_max)
    return fail(Reason::body_too_large, fmt::format("at most {} objects at a time", door.limits.objects_max));
  bool some_large = false;
  for (const json::value& value : *objects) {
    if (!value.is_object()) return fail(Reason::bad_request, "\"objects\" must hold objects");
    Wanted wanted;
    TRY(wanted.oid_text, codec::json_text(value.get_object(), "oid"));
    TRY(wanted.size, codec::json_integer(value.get_object(), "size"));
    some_large = some_large || wanted.size > static_cast<int64_t>(door.limits.parts_above_bytes);
    batch.objects.push_back(std::move(wanted));
  }
  TRY(const json::array* transfers, codec::json_array_if(body, "transfers"));
  const bool upload = batch.operation == Batch::Operation::upload;
  if (upload && some_large && offers(transfers, "multipart")) batch.transfer = Transfer::multipart;
  return batch;
}

json::object refused(const Wanted& wanted, const Error& error) {
  const int status = reason_row(error.code, error.reason).http_status;
  return {{"oid", wanted.oid_text},
          {"size", wanted.size},
          {"error", json::object{{"code", status}, {"message", error.message}}}};
}

// One batch being answered.
class Answer {
 public:
  Answer(const LfsDoor& door, const Call& call, Transfer transfer)
      : door_(door), call_(call), transfer_(transfer) {}

  Result<json::object> upload(const Wanted& wanted) const {
    TRY(const LfsTicket ticket, ticket_of(wanted));
    TRY(const bool stored, already_stored(ticket));
    json::object object = {{"oid", wanted.oid_text}, {"size", wanted.size}};
    if (stored) return object;  // No "actions" at all tells the client so.
    const std::string verify = fmt::format("{}/{}{}.git/info/lfs/objects/verify", call_.base_url,
                                           repo::url_prefix(call_.repo().type), call_.repo().full_name());
    object["actions"] = {{"upload", transfer_ == Transfer::basic ? whole(ticket) : in_parts(ticket)},
                         {"verify", {{"href", verify}}}};
    return object;
  }

  Result<json::object> download(const Wanted& wanted) const {
    TRY(const LfsTicket ticket, ticket_of(wanted));
    TRY(const content::FileInfo file, door_.services.hub.uploads.held(call_.repo().id, ticket.oid));
    if (file.size != ticket.size) return fail(Reason::object_missing, "The object has another size");
    TRY_DONE(check_pull(door_.services, call_.caller, call_.repo(), file.sha256));
    json::object fetch = {{"href", door_.addresses.download(call_.base_url, ticket)},
                          {"expires_at", format_time(door_.addresses.download_expires())}};
    return json::object{{"oid", wanted.oid_text},
                        {"size", wanted.size},
                        {"authenticated", true},
                        {"actions", {{"download", std::move(fetch)}}}};
  }

 private:
  Result<LfsTicket> ticket_of(const Wanted& wanted) const {
    LfsTicket ticket{.repo = call_.repo().id, .user = call_.caller.user, .token = call_.caller.token};
    const auto oid = content::parse_sha256(wanted.oid_text);
    if (!oid.ok() || wanted.size < 0)
      return fail(Reason::bad_request, "an object is named by sha256 and size");
    ticket.oid = oid.value();
    ticket.size = static_cast<uint64_t>(wanted.size);
    if (ticket.size > door_.limits.object_bytes_max)
      return fail(Reason::body_too_large,
                  fmt::format("an object has at most {} bytes", door_.limits.object_bytes_max));
    return ticket;
  }

  // Only what this caller may name counts: the answer must not tell what others have.
  Result<bool> already_stored(const LfsTicket& ticket) const {
    const Status named = door_.services.hub.uploads.may_name(call_.caller, ticket.oid);
    if (!named.ok() && named.error().reason == Reason::object_missing) return false;
    TRY_DONE(named);
    const auto file = door_.services.content.touch(ticket.oid);
    if (!file.ok() && file.error().reason == Reason::object_missing) return false;
    if (!file.ok()) return file.error();
    if (file.value().size != ticket.size)
      return fail(Reason::bad_request, fmt::format("the object has {} bytes", file.value().size));
    return true;
  }

  json::object whole(const LfsTicket& ticket) const {
    return {{"href", door_.addresses.upload(call_.base_url, ticket)},
            {"expires_at", format_time(door_.addresses.upload_expires())}};
  }

  // Keys of five digits, because git-lfs sorts them as text before the agent takes them in order.
  json::object in_parts(const LfsTicket& ticket) const {
    const uint64_t part_bytes = door_.part_bytes_of(ticket.size);
    const std::string folder = door_.addresses.part_folder(ticket);
    json::object header = {{"chunk_size", std::to_string(part_bytes)}};
    for (uint32_t number = 1; number <= part_count(ticket.size, part_bytes); ++number) {
      const LfsPart part{folder, number, part_size(ticket.size, part_bytes, number)};
      header[fmt::format("{:05}", number)] = door_.addresses.part(call_.base_url, ticket, part);
    }
    return {{"href", door_.addresses.complete(call_.base_url, ticket, folder, part_bytes)},
            {"header", std::move(header)},
            {"expires_at", format_time(door_.addresses.upload_expires())}};
  }

  const LfsDoor& door_;
  const Call& call_;
  Transfer transfer_;
};

Status check_rights(const LfsDoor& door, const Call& call, Batch::Operation operation) {
  const repo::Rights& rights = door.services.hub.rights;
  if (operation == Batch::Operation::download) {
    TRY(const bool past_gate, rights.may_read_files(call.caller, call.repo()));
    return past_gate ? Status(Done{}) : repo::gate_refusal(call.repo(), call.base_url);
  }
  if (call.caller.anonymous()) return fail(Reason::unauthenticated, "Uploading needs a token");
  // Whoever may open a pull request may upload: nothing names the object before a commit that has its own
  // check.
  if (!rights.may(call.caller, identity::Right::contribute, call.repo()))
    return fail(Reason::forbidden, "The token or its user does not have the rights for this");
  return Done{};
}

}  // namespace

Result<net::Response> lfs_batch(const LfsDoor& door, const Call& call) {
  TRY(const Batch batch, read_batch(door, call.request));
  TRY_DONE(check_rights(door, call, batch.operation));
  const bool in_parts = batch.transfer == Transfer::multipart;
  if (in_parts) TRY_DONE(door.parts.remove_old(door.services.clock.wall()));
  const Answer answer(door, call, batch.transfer);
  json::array objects;
  for (const Wanted& wanted : batch.objects) {
    auto object =
        batch.operation == Batch::Operation::upload ? answer.upload(wanted) : answer.download(wanted);
    if (!object.ok() && object.error().code == Code::internal) return std::move(object).error();
    objects.push_back(object.ok() ? std::move(object).value() : refused(wanted, object.error()));
  }
  return lfs_answer(json::object{{"transfer", in_parts ? "multipart" : "basic"},
                                 {"objects", std::move(objects)},
                                 {"hash_algo", "sha256"}});
}

Result<net::Response> lfs_verify(const LfsDoor& door, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const std::string_view oid, codec::json_text(body, "oid"));
  TRY(const int64_t size, codec::json_integer(body, "size"));
  TRY(const auto digest, content::parse_sha256(oid));
  TRY_DONE(door.services.hub.uploads.may_name(call.caller, digest));
  TRY(const content::FileInfo file, door.services.content.find(digest));
  if (size < 0 || file.size != static_cast<uint64_t>(size))
    return fail(Reason::bad_request, fmt::format("the object has {} bytes", file.size));
  return lfs_answer(json::object{});
}

}  // namespace holdfast::api
