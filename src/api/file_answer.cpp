#include "api/file_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "codec/header_text.h"
#include "content/store.h"

namespace holdfast::api {
namespace {

using net::ByteRange;
using net::Response;

std::string lower_ending(std::string_view name) {
  const size_t slash = name.rfind('/');
  if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
  const size_t dot = name.rfind('.');
  std::string out(dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1));
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// Whether one of the listed tags is this one; weak ones count, since our bytes never change under a tag.
bool names_etag(std::string_view list, std::string_view etag) {
  if (list == "*") return true;
  const std::string quoted = fmt::format("\"{}\"", etag);
  return list.find(quoted) != std::string_view::npos;
}

class ReaderSource final : public net::BodySource {
 public:
  ReaderSource(std::unique_ptr<content::Reader> reader, uint64_t offset, uint64_t length)
      : reader_(std::move(reader)), at_(offset), left_(length) {}

  Result<size_t> read(std::span<std::byte> into) override {
    into = into.first(std::min<uint64_t>(into.size(), left_));
    if (into.empty()) return size_t{0};
    TRY(const size_t got, reader_->read_at(at_, into));
    if (got == 0) return fail(Reason::data_corrupt, "the stored file is shorter than it should be");
    at_ += got;
    left_ -= got;
    return got;
  }

 private:
  std::unique_ptr<content::Reader> reader_;
  uint64_t at_, left_;
};

struct Plan {
  Response response;  // Status and headers.
  bool has_body = false;
  uint64_t offset = 0, length = 0;
};

void add_headers(const FileAnswer& file, Response& response) {
  const size_t slash = file.name.rfind('/');
  const std::string_view last = slash == std::string::npos ? std::string_view(file.name)
                                                           : std::string_view(file.name).substr(slash + 1);
  response.headers.set("Content-Type", std::string(media_type(last)));
  response.headers.set("ETag", fmt::format("\"{}\"", file.etag));
  response.headers.set("Accept-Ranges", "bytes");
  response.headers.set(
      "Content-Disposition",
      codec::content_disposition(
          runs_in_browsers(last) ? codec::Disposition::attachment : codec::Disposition::inline_, last));
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("Content-Security-Policy", "default-src 'none'; sandbox");
}

Plan plan_answer(const net::Request& request, const FileAnswer& file) {
  Plan plan;
  add_headers(file, plan.response);
  if (const auto known = request.headers.find("If-None-Match"); known && names_etag(*known, file.etag)) {
    plan.response.status = 304;
    return plan;
  }
  plan.length = file.size;
  std::string_view range = request.headers.get("Range");
  if (const auto only_if = request.headers.find("If-Range"); only_if && !names_etag(*only_if, file.etag))
    range = {};
  if (!range.empty()) {
    const auto parsed = net::parse_range(range, file.size);
    if (!parsed.ok()) {
      plan.response.status = 416;
      plan.response.headers.set("Content-Range", fmt::format("bytes */{}", file.size));
      plan.response.headers.set("X-Error-Code", "RangeNotSatisfiable");
      plan.response.headers.set("X-Error-Message", "The range starts past the end of the file");
      return plan;
    }
    if (parsed.value()) {
      plan.response.status = 206;
      plan.offset = parsed.value()->first;
      plan.length = parsed.value()->length();
      plan.response.headers.set("Content-Range", fmt::format("bytes {}-{}/{}", parsed.value()->first,
                                                             parsed.value()->last, file.size));
    }
  }
  plan.has_body = request.method != "HEAD";
  if (!plan.has_body) plan.response.content_length = plan.length;
  return plan;
}

}  // namespace

bool runs_in_browsers(std::string_view name) {
  static constexpr auto endings = std::to_array<std::string_view>(
      {"html", "htm", "xhtml", "svg", "svgz", "xml", "xsl", "mht", "mhtml", "js", "mjs", "swf", "pdf"});
  return std::ranges::find(endings, lower_ending(name)) != endings.end();
}

std::string_view media_type(std::string_view name) {
  struct Row {
    std::string_view ending, type;
  };
  static constexpr auto rows = std::to_array<Row>({
      {"json", "application/json"},
      {"txt", "text/plain; charset=utf-8"},
      {"md", "text/plain; charset=utf-8"},
      {"csv", "text/plain; charset=utf-8"},
      {"tsv", "text/plain; charset=utf-8"},
      {"py", "text/plain; charset=utf-8"},
      {"yaml", "text/plain; charset=utf-8"},
      {"yml", "text/plain; charset=utf-8"},
      {"toml", "text/plain; charset=utf-8"},
      {"jinja", "text/plain; charset=utf-8"},
      {"jsonl", "text/plain; charset=utf-8"},
      {"html", "text/plain; charset=utf-8"},
      {"htm", "text/plain; charset=utf-8"},
      {"svg", "text/plain; charset=utf-8"},
      {"xml", "text/plain; charset=utf-8"},
      {"js", "text/plain; charset=utf-8"},
      {"gitattributes", "text/plain; charset=utf-8"},
      {"png", "image/png"},
      {"jpg", "image/jpeg"},
      {"jpeg", "image/jpeg"},
      {"gif", "image/gif"},
      {"webp", "image/webp"},
      {"bmp", "image/bmp"},
      {"wav", "audio/wav"},
      {"mp3", "audio/mpeg"},
      {"flac", "audio/flac"},
      {"ogg", "audio/ogg"},
      {"mp4", "video/mp4"},
      {"webm", "video/webm"},
  });
  const std::string ending = lower_ending(name);
  for (const Row& row : rows)
    if (row.ending == ending) return row.type;
  return "application/octet-stream";
}

Result<Response> answer_from_text(const net::Request& request, const FileAnswer& file, std::string bytes) {
  Plan plan = plan_answer(request, file);
  if (!plan.has_body) return std::move(plan.response);
  plan.response.body =
      plan.length == bytes.size() ? std::move(bytes) : bytes.substr(plan.offset, plan.length);
  return std::move(plan.response);
}

Result<Response> answer_from_reader(const net::Request& request, const FileAnswer& file,
                                    std::unique_ptr<content::Reader> reader) {
  Plan plan = plan_answer(request, file);
  if (!plan.has_body) return std::move(plan.response);
  plan.response.content_length = plan.length;
  plan.response.body = std::make_unique<ReaderSource>(std::move(reader), plan.offset, plan.length);
  return std::move(plan.response);
}

Result<Response> answer_from_ranges(const net::Request& request, const FileAnswer& file,
                                    const ReadRange& read) {
  Plan plan = plan_answer(request, file);
  if (!plan.has_body) return std::move(plan.response);
  TRY(auto body, read(plan.offset, plan.length));
  if (auto* text = std::get_if<std::string>(&body)) {
    plan.response.body = std::move(*text);
  } else {
    plan.response.content_length = plan.length;
    plan.response.body = std::get<std::shared_ptr<net::PushedBody>>(std::move(body));
  }
  return std::move(plan.response);
}

}  // namespace holdfast::api
