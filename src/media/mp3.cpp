// libsndfile would read MP3 through the same library, which then writes what it thinks of a broken file to
// the standard error, a line for each frame; asked here, it is quiet.
#include "media/mp3.h"

#include <fmt/format.h>
#include <mpg123.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "media/mono_sound.h"

namespace holdfast::media {
namespace {

struct Source {
  ByteView bytes;
  size_t at = 0;
};

ssize_t read_source(void* user, void* out, size_t count) {
  auto& source = *static_cast<Source*>(user);
  const size_t take = std::min(count, source.bytes.size() - source.at);
  std::memcpy(out, source.bytes.data() + source.at, take);
  source.at += take;
  return static_cast<ssize_t>(take);
}

off_t seek_source(void* user, off_t offset, int whence) {
  auto& source = *static_cast<Source*>(user);
  const auto size = static_cast<off_t>(source.bytes.size());
  const off_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? static_cast<off_t>(source.at) : size;
  off_t target = 0;
  if (__builtin_add_overflow(base, offset, &target) || target < 0 || target > size) return -1;
  source.at = static_cast<size_t>(target);
  return target;
}

struct Deleter {
  void operator()(mpg123_handle* handle) const { mpg123_delete(handle); }
};
using Handle = std::unique_ptr<mpg123_handle, Deleter>;

Error broken(const Handle& handle) {
  return fail(Reason::bad_request, fmt::format("the MP3 cannot be read: {}", mpg123_strerror(handle.get())));
}

}  // namespace

bool looks_like_mp3(ByteView bytes) {
  std::string_view text = as_text(bytes);
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  if (text.starts_with("ID3") && text.size() >= 14) {
    // Tags may stand before FLAC too. Their length is four times seven bits.
    const size_t length = size_t{byte(6)} << 21 | size_t{byte(7)} << 14 | size_t{byte(8)} << 7 | byte(9);
    return length + 14 > text.size() || text.substr(10 + length, 4) != "fLaC";
  }
  return text.size() >= 4 && byte(0) == 0xFF && (byte(1) & 0xE0) == 0xE0;
}

Result<Sound> decode_mp3(ByteView bytes, const SoundLimits& limits) {
  Source source{.bytes = bytes};
  const Handle handle(mpg123_new(nullptr, nullptr));
  if (!handle) return fail(Code::internal, "libmpg123 does not start");
  constexpr long wanted =
      MPG123_QUIET | MPG123_FORCE_FLOAT | MPG123_GAPLESS | MPG123_NO_FRANKENSTEIN | MPG123_SKIP_ID3V2;
  mpg123_param(handle.get(), MPG123_REMOVE_FLAGS, MPG123_AUTO_RESAMPLE, 0);
  mpg123_param(handle.get(), MPG123_ADD_FLAGS, wanted, 0);
  if (mpg123_replace_reader_handle(handle.get(), read_source, seek_source, nullptr) != MPG123_OK ||
      mpg123_open_handle(handle.get(), &source) != MPG123_OK)
    return broken(handle);
  long rate = 0;
  int channels = 0;
  int encoding = 0;
  if (mpg123_getformat(handle.get(), &rate, &channels, &encoding) != MPG123_OK) return broken(handle);
  if (encoding != MPG123_ENC_FLOAT_32) return fail(Code::internal, "libmpg123 gives no floats");
  TRY(MonoSound mono, MonoSound::open(rate, channels, limits));

  std::vector<float> block(size_t{1} << 15);
  while (true) {
    size_t got = 0;
    const int state = mpg123_read(handle.get(), reinterpret_cast<unsigned char*>(block.data()),
                                  block.size() * sizeof(float), &got);
    TRY_DONE(mono.add(std::span(block).first(got / sizeof(float))));
    if (state == MPG123_DONE) break;
    if (state != MPG123_OK && state != MPG123_NEW_FORMAT) return broken(handle);
  }
  return std::move(mono).take();
}

}  // namespace holdfast::media
