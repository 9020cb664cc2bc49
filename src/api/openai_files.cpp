#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "api/error_answer.h"
#include "api/job_routes.h"
#include "api/job_views.h"
#include "api/served_note.h"
#include "codec/multipart.h"
#include "job/files.h"
#include "job/limits.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr uint64_t form_bytes_max = job::file_bytes_max + (64 << 10);
constexpr size_t name_bytes_max = 255;

json::object view(const job::File& file) {
  return {{"id", file.id},
          {"object", "file"},
          {"bytes", file.size},
          {"created_at", seconds_of(file.at)},
          {"expires_at", nullptr},
          {"filename", file.name},
          {"purpose", file.purpose},
          {"status", "processed"},
          {"status_details", nullptr}};
}

Result<Response> add(const JobDoor& door, const Call& call) {
  TRY_DONE(check_may_keep(call));
  codec::MultipartLimits limits;
  limits.part_bytes_max = job::file_bytes_max;
  TRY(const auto parts,
      codec::parse_multipart(call.request.headers.get("Content-Type"), as_bytes(call.request.body), limits));
  const codec::Part* file = nullptr;
  std::string_view purpose;
  for (const codec::Part& part : parts) {
    if (part.head.name == "file") {
      file = &part;
    } else if (part.head.name == "purpose") {
      purpose = as_text(part.content);
    } else {
      return fail(Reason::not_offered, fmt::format("'{}' is not offered here", part.head.name.substr(0, 60)));
    }
  }
  if (file == nullptr) return fail(Reason::bad_request, "'file' is missing");
  if (purpose != "batch") return fail(Reason::bad_request, "'purpose' is batch here");
  std::string name = file->head.filename.value_or("file.jsonl");
  name = name.substr(name.rfind('/') + 1).substr(0, name_bytes_max);
  TRY(const job::File made, door.files.add(call.caller, name, file->content));
  return json_answer(view(made));
}

Result<Response> list(const JobDoor& door, const Call& call) {
  TRY(const job::PageWish wish, page_wish(call, 10'000, 10'000));
  TRY(const job::Page<job::File> page, door.files.list(call.caller, wish));
  json::array data;
  const net::Query query = call.query();
  for (const job::File& file : page.items)
    if (const auto purpose = query.find("purpose"); !purpose || *purpose == file.purpose)
      data.push_back(view(file));
  return json_answer(page_view(std::move(data), page.more));
}

Result<Response> show(const JobDoor& door, const Call& call) {
  TRY(const job::File file, door.files.find(call.caller, std::string(call.capture("file"))));
  return json_answer(view(file));
}

Result<Response> remove(const JobDoor& door, const Call& call) {
  const std::string id(call.capture("file"));
  TRY_DONE(door.files.remove(call.caller, id));
  return json_answer(json::object{{"id", id}, {"object", "file"}, {"deleted", true}});
}

// Pieces of the database, as they are sent.
class FileSource final : public net::BodySource {
 public:
  explicit FileSource(std::unique_ptr<job::FileBytes> bytes) : bytes_(std::move(bytes)) {}

  Result<size_t> read(std::span<std::byte> into) override {
    if (at_ == piece_.size()) {
      TRY(piece_, bytes_->next());
      at_ = 0;
    }
    const size_t size = std::min(into.size(), piece_.size() - at_);
    const ByteView from = as_bytes(piece_).subspan(at_, size);
    std::copy(from.begin(), from.end(), into.begin());
    at_ += size;
    return size;
  }

 private:
  const std::unique_ptr<job::FileBytes> bytes_;
  std::string piece_;
  size_t at_ = 0;
};

Result<Response> content(const JobDoor& door, const Call& call) {
  TRY(const job::File file, door.files.find(call.caller, std::string(call.capture("file"))));
  TRY(auto bytes, door.files.open(file));
  Response response;
  response.headers.set("Content-Type", "application/octet-stream");
  response.headers.set("Content-Disposition", "attachment");
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("Content-Security-Policy", "sandbox");
  response.body = std::make_unique<FileSource>(std::move(bytes));
  response.content_length = static_cast<uint64_t>(file.size);
  return response;
}

}  // namespace

int64_t seconds_of(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

Result<job::PageWish> page_wish(const Call& call, size_t usual, size_t most) {
  job::PageWish wish{.limit = usual};
  const net::Query query = call.query();
  if (const auto limit = query.find("limit")) {
    const auto [end, problem] = std::from_chars(limit->data(), limit->data() + limit->size(), wish.limit);
    if (problem != std::errc() || end != limit->data() + limit->size() || wish.limit < 1 || wish.limit > most)
      return fail(Reason::bad_request, fmt::format("'limit' is from 1 to {}", most));
  }
  if (const auto order = query.find("order"); order && *order != "desc")
    return fail(Reason::not_offered, "'order' is desc here");
  wish.after = std::string(query.get("after"));
  return wish;
}

json::object page_view(json::array data, bool more) {
  json::value first, last;
  if (!data.empty()) {
    first = data.front().get_object().at("id");
    last = data.back().get_object().at("id");
  }
  return {{"object", "list"},
          {"data", std::move(data)},
          {"first_id", std::move(first)},
          {"last_id", std::move(last)},
          {"has_more", more}};
}

Status check_may_keep(const Call& call) {
  if (call.served && call.served->retention == ServedNote::Retention::none)
    return fail(Reason::policy_refused,
                "nothing of what models are asked may stay: files and batches are not taken");
  return Done{};
}

CallHandler job_handler(const JobDoor& door, JobHandler handler) {
  return [door, handler](const Call& call) { return handler(door, call); };
}

void add_file_routes(RouteTable& table, Services&, const JobDoor& door) {
  const auto row = [&](const char* method, const char* pattern, const char* name, JobHandler handler,
                       uint64_t bytes_max = 0) {
    table.add(
        {method, pattern, name, Access::signed_in, bytes_max, job_handler(door, handler), Dialect::openai});
  };
  row("POST", "/v1/files", "openai_file_add", add, form_bytes_max);
  row("GET", "/v1/files", "openai_files", list);
  row("GET", "/v1/files/{file}", "openai_file", show);
  row("DELETE", "/v1/files/{file}", "openai_file_delete", remove);
  row("GET", "/v1/files/{file}/content", "openai_file_content", content);
}

}  // namespace holdfast::api
