// The signed addresses on which the bytes of LFS objects travel.
#include <fmt/core.h>

#include <boost/json/value.hpp>
#include <set>

#include "api/file_answer.h"
#include "api/lfs_door.h"
#include "api/services.h"
#include "codec/json.h"
#include "content/store.h"
#include "repo/hub.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

Status check_announced(const net::Request& request, uint64_t size) {
  if (request.content_length && *request.content_length != size)
    return fail(Reason::bad_request,
                fmt::format("the body has {} bytes instead of {}", *request.content_length, size));
  return Done{};
}

// The object is named by its uploader from now on; only then is it there for others to be told of.
Result<net::Response> stored(const LfsDoor& door, const identity::Caller& caller, content::Ingest& ingest,
                             const LfsTicket& ticket) {
  TRY(const content::FileInfo file, ingest.finish({.sha256 = ticket.oid, .size = ticket.size}));
  TRY_DONE(door.services.hub.uploads.record_file(caller, file));
  net::Response response = lfs_answer(json::object{});
  response.headers.set("ETag", "\"" + content::to_text(ticket.oid) + "\"");
  return response;
}

class ObjectSink final : public net::BodySink {
 public:
  ObjectSink(const LfsDoor& door, identity::Caller caller, LfsTicket ticket,
             std::unique_ptr<content::Ingest> ingest)
      : door_(door), caller_(std::move(caller)), ticket_(ticket), ingest_(std::move(ingest)) {}

  Status write(ByteView bytes) override {
    if (bytes.size() > ticket_.size - received_)
      return fail(Reason::bad_request, fmt::format("the body is longer than {} bytes", ticket_.size));
    received_ += bytes.size();
    return ingest_->write(bytes);
  }
  Result<net::Response> finish() override { return stored(door_, caller_, *ingest_, ticket_); }

 private:
  const LfsDoor& door_;  // The routes own it and outlive every request.
  identity::Caller caller_;
  LfsTicket ticket_;
  std::unique_ptr<content::Ingest> ingest_;
  uint64_t received_ = 0;
};

class PartSink final : public net::BodySink {
 public:
  explicit PartSink(std::unique_ptr<PartWriter> writer) : writer_(std::move(writer)) {}

  Status write(ByteView bytes) override { return writer_->write(bytes); }
  Result<net::Response> finish() override {
    TRY(std::string etag, writer_->finish());
    net::Response response = lfs_answer(json::object{});
    response.headers.set("ETag", std::move(etag));
    return response;
  }

 private:
  std::unique_ptr<PartWriter> writer_;
};

// The client's list must name each part once: a shorter one means that it lost count.
Status check_completion(const net::Request& request, const LfsTicket& ticket, uint32_t parts) {
  TRY(const json::object body, codec::parse_json_object(request.body));
  TRY(const std::string_view oid, codec::json_text(body, "oid"));
  if (oid != content::to_text(ticket.oid))
    return fail(Reason::bad_request, "the address is for another object");
  TRY(const json::array* listed, codec::json_array(body, "parts"));
  std::set<int64_t> numbers;
  for (const json::value& part : *listed) {
    if (!part.is_object()) return fail(Reason::bad_request, "\"parts\" must hold objects");
    TRY(const int64_t number, codec::json_integer(part.get_object(), "partNumber"));
    if (number < 1 || number > parts || !numbers.insert(number).second)
      return fail(Reason::bad_request,
                  fmt::format("part {} is not one of {}, or is named twice", number, parts));
  }
  if (numbers.size() != parts)
    return fail(Reason::bad_request,
                fmt::format("{} parts are named, there must be {}", numbers.size(), parts));
  return Done{};
}

// A client that did not hear the answer asks again, when the parts are already put together.
Result<bool> completed_before(const LfsDoor& door, const identity::Caller& caller, const LfsTicket& ticket) {
  const Status named = door.services.hub.uploads.may_name(caller, ticket.oid);
  if (!named.ok())
    return named.error().reason == Reason::object_missing ? Result<bool>(false) : named.error();
  const auto file = door.services.content.find(ticket.oid);
  if (!file.ok()) return file.error().reason == Reason::object_missing ? Result<bool>(false) : file.error();
  return file.value().size == ticket.size;
}

}  // namespace

Result<std::unique_ptr<net::BodySink>> lfs_upload(const LfsDoor& door, const Call& call) {
  TRY(const LfsTicket ticket, door.addresses.read(call.request));
  TRY_DONE(check_announced(call.request, ticket.size));
  TRY(identity::Caller caller, lfs_uploader(door, ticket));
  TRY(auto ingest, door.services.content.begin());
  return std::unique_ptr<net::BodySink>(
      std::make_unique<ObjectSink>(door, std::move(caller), ticket, std::move(ingest)));
}

Result<std::unique_ptr<net::BodySink>> lfs_upload_part(const LfsDoor& door, const Call& call) {
  TRY(const LfsTicket ticket, door.addresses.read(call.request));
  TRY(const LfsPart part, door.addresses.read_part(call.request));
  TRY_DONE(check_announced(call.request, part.size));
  TRY([[maybe_unused]] const identity::Caller caller, lfs_uploader(door, ticket));
  TRY(auto writer, door.parts.begin(part));
  return std::unique_ptr<net::BodySink>(std::make_unique<PartSink>(std::move(writer)));
}

Result<net::Response> lfs_complete(const LfsDoor& door, const Call& call) {
  TRY(const LfsTicket ticket, door.addresses.read(call.request));
  TRY(const uint64_t part_bytes, door.addresses.read_part_bytes(call.request));
  TRY(const identity::Caller caller, lfs_uploader(door, ticket));
  TRY_DONE(check_completion(call.request, ticket, part_count(ticket.size, part_bytes)));
  TRY(const bool before, completed_before(door, caller, ticket));
  if (before) return lfs_answer(json::object{});
  const std::string folder(call.capture("folder"));
  TRY(const auto ingest, door.services.content.begin());
  TRY_DONE(
      door.parts.read_all(ticket, folder, part_bytes, [&](ByteView bytes) { return ingest->write(bytes); }));
  auto answer = stored(door, caller, *ingest, ticket);
  // Parts that do not make the object are of no use either; after other failures they wait for another try.
  if (answer.ok() || answer.error().reason == Reason::digest_mismatch) TRY_DONE(door.parts.remove(folder));
  return answer;
}

Result<net::Response> lfs_download(const LfsDoor& door, const Call& call) {
  TRY(const LfsTicket ticket, door.addresses.read(call.request));
  TRY(const content::FileInfo file, door.services.hub.uploads.held(ticket.repo, ticket.oid));
  TRY(auto reader, door.services.content.open(file.hash));
  const std::string oid = content::to_text(ticket.oid);
  return answer_from_reader(call.request, {.name = oid, .etag = oid, .size = file.size}, std::move(reader));
}

}  // namespace holdfast::api
