#include "api/content_answer.h"

#include <fmt/core.h>

#include <algorithm>

#include "content/store.h"

namespace holdfast::api {
namespace {

class ReaderSource final : public net::BodySource {
 public:
  ReaderSource(std::unique_ptr<content::Reader> reader, uint64_t offset, uint64_t length)
      : reader_(std::move(reader)), offset_(offset), left_(length) {}

  Result<size_t> read(std::span<std::byte> into) override {
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(into.size(), left_));
    if (wanted == 0) return size_t{0};
    TRY(const size_t got, reader_->read_at(offset_, into.first(wanted)));
    if (got == 0) return fail(Reason::data_corrupt, "a file ends before its size");
    offset_ += got;
    left_ -= got;
    return got;
  }

 private:
  std::unique_ptr<content::Reader> reader_;
  uint64_t offset_, left_;
};

net::Response unsatisfiable(uint64_t size) {
  net::Response response;
  response.status = reason_row(Reason::range_unsatisfiable).http_status;
  response.headers.set("Content-Range", fmt::format("bytes */{}", size));
  response.headers.set("X-Error-Code", std::string(reason_row(Reason::range_unsatisfiable).error_code));
  return response;
}

}  // namespace

Result<net::Response> content_answer(const net::Request& request, std::unique_ptr<content::Reader> reader,
                                     net::Headers headers) {
  const uint64_t size = reader->info().size;
  const auto asked = net::parse_range(request.headers.get("Range"), size);
  if (!asked.ok()) return unsatisfiable(size);
  const std::optional<net::ByteRange>& range = asked.value();

  net::Response response;
  response.headers = std::move(headers);
  if (!response.headers.find("Content-Type"))
    response.headers.set("Content-Type", "application/octet-stream");
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("Accept-Ranges", "bytes");
  const uint64_t offset = range ? range->first : 0, length = range ? range->length() : size;
  if (range) {
    response.status = 206;
    response.headers.set("Content-Range", fmt::format("bytes {}-{}/{}", range->first, range->last, size));
  }
  response.content_length = length;
  if (request.method != "HEAD")
    response.body =
        std::unique_ptr<net::BodySource>(std::make_unique<ReaderSource>(std::move(reader), offset, length));
  return response;
}

}  // namespace holdfast::api
