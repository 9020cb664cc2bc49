#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <future>

#include "api/error_answer.h"
#include "api/services.h"
#include "api/xet_door.h"
#include "base/guarded.h"
#include "codec/json.h"
#include "repo/hub.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

// Errors that come sooner are answered with a status; later ones end a stream that has begun.
constexpr auto patience = std::chrono::seconds(5);
constexpr auto heartbeat = std::chrono::seconds(10);

using Registered = Result<std::vector<content::FileInfo>>;

// Whose xorbs follow one another: those that came by one token.
content::Uploader uploader(const identity::Caller& caller) { return static_cast<uint64_t>(caller.token.raw); }

// A xorb that is stored already and not the caller's is answered like a new one: nobody learns of it.
Result<bool> had_it_already(const XetDoor& door, const identity::Caller& caller,
                            const content::XorbHash& xorb) {
  TRY(const auto file, door.services.content.open_xorb(xorb));
  uint32_t chunks = 1;
  TRY_DONE(door.services.content.visit_files_using(
      xorb, [&](const content::FileInfo&, const content::ChunkRange& used) {
        chunks = std::max(chunks, used.end);
        return true;
      }));
  return door.services.hub.uploads.may_use(caller, xorb, {0, chunks});
}

class XorbSink final : public net::BodySink {
 public:
  XorbSink(const XetDoor& door, identity::Caller caller, const content::XorbHash& xorb,
           std::unique_ptr<content::XorbUpload> upload)
      : door_(door), caller_(std::move(caller)), xorb_(xorb), upload_(std::move(upload)) {}

  Status write(ByteView bytes) override { return upload_->write(bytes); }
  Result<net::Response> finish() override {
    TRY_DONE(upload_->finish());
    TRY(const bool had_it, had_it_already(door_, caller_, xorb_));
    TRY_DONE(door_.services.hub.uploads.record_xorb(caller_, xorb_));
    return json_answer(json::object{{"was_inserted", !had_it}});
  }

 private:
  const XetDoor& door_;  // The routes own it and outlive every request.
  identity::Caller caller_;
  content::XorbHash xorb_;
  std::unique_ptr<content::XorbUpload> upload_;
};

// The files of the shard are the caller's to name from now on.
Registered register_files(const XetDoor& door, const identity::Caller& caller, ByteView shard) {
  auto files = door.services.content.put_shard(shard, may_use(door, caller), uploader(caller));
  // For a shard that is the client's mistake, not a page that does not exist.
  if (!files.ok() && files.error().reason == Reason::object_missing)
    return fail(Reason::bad_request, files.error().message);
  if (!files.ok()) return files;
  for (const content::FileInfo& file : files.value())
    TRY_DONE(door.services.hub.uploads.record_file(caller, file));
  return files;
}

std::string line(const json::object& object) { return codec::to_text(object) + "\n"; }

std::string validating(uint64_t verified, uint64_t total) {
  return line({{"type", "validating"}, {"verified", verified}, {"total", total}});
}

std::string outcome(const Registered& files) {
  if (!files.ok()) {
    const ReasonRow& row = reason_row(files.error().code, files.error().reason);
    const bool ours = files.error().code == Code::internal;
    return line({{"type", "error"},
                 {"message", ours ? "Internal error" : files.error().message},
                 {"retryable", row.retryable}});
  }
  const uint64_t count = files.value().size();
  return validating(count, count) + line({{"type", "committing"}, {"stage", "syncing"}}) +
         line({{"type", "result"}, {"result", 1}});
}

// Lines while a large file is being read through, so that the client does not give up.
class ShardProgress final : public net::BodySource {
 public:
  explicit ShardProgress(std::future<Registered> work) : work_(std::move(work)) {}

  Result<size_t> read(std::span<std::byte> into) override {
    if (waiting_.empty() && !done_) {
      if (first_ || work_.wait_for(heartbeat) != std::future_status::ready) {
        first_ = false;
        waiting_ = validating(0, 1);
      } else {
        done_ = true;
        waiting_ = outcome(work_.get());
      }
    }
    const size_t count = std::min(into.size(), waiting_.size());
    std::copy_n(std::as_bytes(std::span(waiting_)).begin(), count, into.begin());
    waiting_.erase(0, count);
    return count;
  }

 private:
  std::future<Registered> work_;  // Waited for on destruction.
  std::string waiting_;
  bool first_ = true, done_ = false;
};

}  // namespace

Result<std::unique_ptr<net::BodySink>> xet_put_xorb(const XetDoor& door, const Call& call) {
  TRY(CasCaller who, cas_caller(door, call, CasScope::write));
  TRY(const auto xorb, hash_in_path<content::XorbHash>(call));
  TRY(auto upload, door.services.content.begin_xorb(xorb, uploader(who.caller)));
  return std::unique_ptr<net::BodySink>(
      std::make_unique<XorbSink>(door, std::move(who.caller), xorb, std::move(upload)));
}

Result<net::Response> xet_head_xorb(const XetDoor& door, const Call& call) {
  TRY(const CasCaller who, cas_caller(door, call, CasScope::read));
  TRY(const auto xorb, hash_in_path<content::XorbHash>(call));
  TRY(const auto file, door.services.content.open_xorb(xorb));
  TRY(const bool mine, had_it_already(door, who.caller, xorb));
  if (!mine) return fail(Reason::object_missing, "there is no such xorb");
  net::Response response;
  TRY(response.content_length, file->size());
  return response;
}

Result<net::Response> xet_put_shard_v1(const XetDoor& door, const Call& call) {
  TRY(const CasCaller who, cas_caller(door, call, CasScope::write));
  TRY_DONE(register_files(door, who.caller, as_bytes(call.request.body)));
  return json_answer(json::object{{"result", 1}});
}

Result<net::Response> xet_put_shard_v2(const XetDoor& door, const Call& call) {
  TRY(const CasCaller who, cas_caller(door, call, CasScope::write));
  auto work = std::async(std::launch::async, [&door, caller = who.caller, shard = call.request.body] {
    return guarded([&] { return register_files(door, caller, as_bytes(shard)); });
  });
  net::Response response;
  response.headers.set("Content-Type", "application/x-ndjson");
  if (work.wait_for(patience) == std::future_status::ready) {
    const Registered files = work.get();
    if (!files.ok()) return files.error();
    response.body = outcome(files);
  } else {
    response.body = std::unique_ptr<net::BodySource>(std::make_unique<ShardProgress>(std::move(work)));
  }
  return response;
}

Result<net::Response> xet_dedup(const XetDoor& door, const Call& call) {
  TRY(const CasCaller who, cas_caller(door, call, CasScope::read));
  TRY(const auto chunk, hash_in_path<content::ChunkHash>(call));
  TRY(const Bytes shard, door.services.content.dedup_answer(chunk, may_use(door, who.caller)));
  net::Response response;
  response.headers.set("Content-Type", "application/octet-stream");
  response.body = std::string(as_text(shard));
  return response;
}

}  // namespace holdfast::api
