#include "codec/gzip.h"

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>

#include "base/check.h"

namespace holdfast::codec {
namespace {

int window_bits(Deflate format) {
  switch (format) {
    case Deflate::gzip:
      return 15 + 16;
    case Deflate::zlib:
      return 15;
    case Deflate::raw:
      return -15;
  }
  std::abort();
}

unsigned char* as_zlib(const std::byte* bytes) {
  return reinterpret_cast<unsigned char*>(const_cast<std::byte*>(bytes));  // zlib reads next_in only.
}

constexpr size_t step_bytes = 64 << 10;

class ZlibInflater final : public Inflater {
 public:
  ZlibInflater(Deflate format, uint64_t bytes_max) : format_(format), bytes_max_(bytes_max) {
    CHECK(inflateInit2(&stream_, window_bits(format)) == Z_OK);
  }
  ~ZlibInflater() override { inflateEnd(&stream_); }
  ZlibInflater(const ZlibInflater&) = delete;
  ZlibInflater& operator=(const ZlibInflater&) = delete;

  Status update(ByteView piece, Bytes& out) override {
    while (!piece.empty()) {
      const ByteView step = piece.first(std::min<size_t>(piece.size(), 1 << 30));
      TRY_DONE(feed(step, out));
      piece = piece.subspan(step.size());
    }
    return Done{};
  }

  Status finish() override {
    if (state_ != State::ended) return refuse(Reason::bad_request, "the compressed stream ends too early");
    return Done{};
  }

 private:
  enum class State : uint8_t { running, ended, failed };

  Error refuse(Reason reason, std::string why) {
    state_ = State::failed;
    return fail(reason, std::move(why));
  }

  Status feed(ByteView piece, Bytes& out) {
    stream_.next_in = as_zlib(piece.data());
    stream_.avail_in = static_cast<uInt>(piece.size());
    while (true) {
      if (state_ == State::failed)
        return refuse(Reason::bad_request, "the compressed stream was refused before");
      if (state_ == State::ended) {
        if (stream_.avail_in == 0) return Done{};
        if (format_ != Deflate::gzip)
          return refuse(Reason::bad_request, "bytes follow the compressed stream");
        CHECK(inflateReset(&stream_) == Z_OK);
        state_ = State::running;
      }
      // One byte above the limit, so that reaching it exactly is told from going beyond.
      const size_t room = static_cast<size_t>(std::min<uint64_t>(step_bytes, bytes_max_ - made_ + 1));
      const size_t before = out.size();
      out.resize(before + room);
      stream_.next_out = as_zlib(out.data() + before);
      stream_.avail_out = static_cast<uInt>(room);
      const int result = ::inflate(&stream_, Z_NO_FLUSH);
      const size_t made = room - stream_.avail_out;
      out.resize(before + made);
      made_ += made;
      if (made_ > bytes_max_)
        return refuse(Reason::body_too_large, fmt::format("more than {} bytes when unpacked", bytes_max_));
      if (result == Z_STREAM_END)
        state_ = State::ended;
      else if (result != Z_OK && result != Z_BUF_ERROR)
        return refuse(Reason::bad_request, "the compressed stream is broken");
      else if (stream_.avail_in == 0 && stream_.avail_out > 0)
        return Done{};
      else if (result == Z_BUF_ERROR && made == 0)
        return Done{};
    }
  }

  Deflate format_;
  uint64_t bytes_max_, made_ = 0;
  State state_ = State::running;
  z_stream stream_{};
};

}  // namespace

std::unique_ptr<Inflater> make_inflater(Deflate format, uint64_t bytes_max) {
  return std::make_unique<ZlibInflater>(format, bytes_max);
}

Result<Bytes> inflate(ByteView compressed, Deflate format, size_t bytes_max) {
  ZlibInflater inflater(format, bytes_max);
  Bytes out;
  TRY_DONE(inflater.update(compressed, out));
  TRY_DONE(inflater.finish());
  return out;
}

Bytes deflate(ByteView bytes, Deflate format, int level) {
  z_stream stream{};
  CHECK(deflateInit2(&stream, level, Z_DEFLATED, window_bits(format), 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes out;
  int result = Z_OK;
  do {
    if (stream.avail_in == 0) {
      const size_t step = std::min<size_t>(bytes.size(), 1 << 30);
      stream.next_in = as_zlib(bytes.data());
      stream.avail_in = static_cast<uInt>(step);
      bytes = bytes.subspan(step);
    }
    const size_t before = out.size();
    out.resize(before + step_bytes);
    stream.next_out = as_zlib(out.data() + before);
    stream.avail_out = step_bytes;
    result = ::deflate(&stream, bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
  } while (result == Z_OK || result == Z_BUF_ERROR);
  CHECK(result == Z_STREAM_END);
  deflateEnd(&stream);
  return out;
}

bool looks_gzipped(ByteView bytes) {
  return bytes.size() >= 3 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b} &&
         bytes[2] == std::byte{8};
}

}  // namespace holdfast::codec
