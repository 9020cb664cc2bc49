#include "media/sound.h"

#include <fmt/format.h>
#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "media/mono_sound.h"
#include "media/mp3.h"

namespace holdfast::media {
namespace {

constexpr size_t block_samples = 1 << 16;

// What libsndfile reads through; its callbacks get a pointer to it.
struct Source {
  ByteView bytes;
  sf_count_t at = 0;
};

Source& source_of(void* user) { return *static_cast<Source*>(user); }

sf_count_t length_of(void* user) { return static_cast<sf_count_t>(source_of(user).bytes.size()); }
sf_count_t tell(void* user) { return source_of(user).at; }
sf_count_t seek(sf_count_t offset, int whence, void* user) {
  Source& source = source_of(user);
  const sf_count_t size = length_of(user);
  const sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? source.at : size;
  sf_count_t target = 0;
  if (__builtin_add_overflow(base, offset, &target) || target < 0 || target > size) return -1;
  source.at = target;
  return target;
}
sf_count_t read(void* out, sf_count_t count, void* user) {
  Source& source = source_of(user);
  const sf_count_t take = std::clamp<sf_count_t>(count, 0, length_of(user) - source.at);
  std::memcpy(out, source.bytes.data() + source.at, static_cast<size_t>(take));
  source.at += take;
  return take;
}
sf_count_t write(const void*, sf_count_t, void*) { return 0; }

struct Closer {
  void operator()(SNDFILE* file) const { sf_close(file); }
};

// libsndfile knows two dozen formats more, which nobody sends and which need not meet hostile bytes.
bool is_known(ByteView bytes) {
  const std::string_view text = as_text(bytes);
  if (text.size() < 12) return false;
  const bool wave = (text.starts_with("RIFF") || text.starts_with("RIFX") || text.starts_with("RF64")) &&
                    text.substr(8, 4) == "WAVE";
  return wave || looks_like_mp3(bytes) || text.starts_with("ID3") || text.starts_with("fLaC") ||
         text.starts_with("OggS");
}

// Whether the samples of a WAV end before its header says. libsndfile would take what is there; programs that
// write to a pipe cannot know the length and say one near 2 or 4 GiB instead.
bool is_cut_short(ByteView bytes) {
  constexpr uint32_t unknown_from = 0x7FFF0000;
  if (!as_text(bytes).starts_with("RIFF")) return false;
  ByteReader reader(bytes);
  if (!reader.skip(12).ok()) return true;
  while (true) {
    const auto name = reader.take(4);
    const auto length = reader.u32();
    if (!name.ok() || !length.ok()) return false;  // What is missing is said by who reads it.
    if (as_text(name.value()) == "data")
      return length.value() < unknown_from && length.value() > reader.left();
    if (!reader.skip(length.value() + size_t{length.value() & 1}).ok()) return false;
  }
}

// Through libsndfile.
Result<Sound> decode_file(ByteView bytes, const SoundLimits& limits) {
  Source source{.bytes = bytes};
  SF_VIRTUAL_IO io{.get_filelen = length_of, .seek = seek, .read = read, .write = write, .tell = tell};
  SF_INFO info{};
  const std::unique_ptr<SNDFILE, Closer> file(sf_open_virtual(&io, SFM_READ, &info, &source));
  if (!file)
    return fail(Reason::bad_request, fmt::format("the sound cannot be read: {}", sf_strerror(nullptr)));
  TRY(MonoSound mono, MonoSound::open(info.samplerate, info.channels, limits));
  // Some formats cannot tell their length and say the greatest number: those are counted while they are read.
  const bool told = info.frames >= 0 && info.frames < SF_COUNT_MAX;
  if (told) TRY_DONE(mono.check(static_cast<uint64_t>(info.frames)));

  // A header may promise more than the file holds; what is there costs memory, not what is said.
  std::vector<float> block(block_samples / mono.channels() * mono.channels());
  while (true) {
    const sf_count_t got =
        sf_readf_float(file.get(), block.data(), static_cast<sf_count_t>(block.size() / mono.channels()));
    if (got <= 0) break;
    TRY_DONE(mono.add(std::span(block).first(static_cast<size_t>(got) * mono.channels())));
  }
  if (sf_error(file.get()) != SF_ERR_NO_ERROR)
    return fail(Reason::bad_request, fmt::format("the sound cannot be read: {}", sf_strerror(file.get())));
  if (told && mono.frames() < static_cast<size_t>(info.frames))
    return fail(Reason::bad_request,
                fmt::format("the sound ends too early: {} of {} samples", mono.frames(), info.frames));
  return std::move(mono).take();
}

}  // namespace

Result<Sound> decode_sound(ByteView bytes, const SoundLimits& limits) {
  if (bytes.size() > limits.bytes)
    return fail(Reason::body_too_large,
                fmt::format("the sound has {} bytes, at most {} are read", bytes.size(), limits.bytes));
  if (!is_known(bytes))
    return fail(Reason::unsupported_media,
                "the sound is not of a format that is read here: WAV, FLAC, Ogg, MP3");

  if (is_cut_short(bytes)) return fail(Reason::bad_request, "the sound ends before its header says");

  TRY(Sound sound, looks_like_mp3(bytes) ? decode_mp3(bytes, limits) : decode_file(bytes, limits));
  if (sound.samples.empty()) return fail(Reason::bad_request, "the sound has no samples");
  for (const float sample : sound.samples)
    if (!std::isfinite(sample))
      return fail(Reason::bad_request, "the sound holds a sample that is not finite");
  return sound;
}

}  // namespace holdfast::media
