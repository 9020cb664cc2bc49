#include "codec/base64.h"

namespace holdfast::codec {
namespace {

constexpr std::string_view standard_letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr uint8_t no_value = 0xff;

constexpr std::array<uint8_t, 256> values_of(std::string_view letters) {
  std::array<uint8_t, 256> values{};
  values.fill(no_value);
  for (size_t i = 0; i < letters.size(); ++i)
    values[static_cast<unsigned char>(letters[i])] = static_cast<uint8_t>(i);
  return values;
}
constexpr auto standard_values = values_of(standard_letters);
constexpr auto url_values = values_of(url_letters);

}  // namespace

std::string base64_encode(ByteView bytes, Base64Alphabet alphabet, Base64Padding padding) {
  const std::string_view letters = alphabet == Base64Alphabet::url ? url_letters : standard_letters;
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j)
      group = group << 8 | (j < count ? std::to_integer<uint32_t>(bytes[i + j]) : 0);
    for (size_t j = 0; j <= count; ++j) text += letters[group >> (18 - 6 * j) & 63];
    if (padding == Base64Padding::padded) text.append(3 - count, '=');
  }
  return text;
}

Status Base64Decoder::update(std::string_view piece, Bytes& out) {
  const auto& values = alphabet_ == Base64Alphabet::url ? url_values : standard_values;
  const auto refuse = [this](const char* why) {
    failed_ = true;
    return fail(Reason::bad_request, why);
  };
  if (failed_) return refuse("the base64 text was refused before");
  // Sized once and cut at the end: byte by byte this would be the slowest part of a commit.
  size_t at = out.size();
  out.resize(at + piece.size() / 4 * 3 + 3);
  for (char c : piece) {
    if (c == '=') {
      ++padding_;
      if (held_ + padding_ > 4 || held_ < 2) return refuse("base64 padding is where none may be");
      continue;
    }
    const uint8_t value = values[static_cast<unsigned char>(c)];
    if (value == no_value) return refuse("a character is not of the base64 alphabet");
    if (padding_ > 0) return refuse("base64 text goes on after its padding");
    bits_ = bits_ << 6 | value;
    if (++held_ == 4) {
      out[at++] = static_cast<std::byte>(bits_ >> 16);
      out[at++] = static_cast<std::byte>(bits_ >> 8);
      out[at++] = static_cast<std::byte>(bits_);
      held_ = 0;
      bits_ = 0;
    }
  }
  out.resize(at);
  return Done{};
}

Status Base64Decoder::finish(Bytes& out) {
  const bool padded_well = padding_ == 0 || held_ + padding_ == 4;
  if (failed_ || held_ == 1 || !padded_well) {
    failed_ = true;
    return fail(Reason::bad_request, "the base64 text ends too early");
  }
  if (held_ == 2) out.push_back(static_cast<std::byte>(bits_ >> 4));
  if (held_ == 3) {
    out.push_back(static_cast<std::byte>(bits_ >> 10));
    out.push_back(static_cast<std::byte>(bits_ >> 2));
  }
  held_ = padding_ = 0;
  bits_ = 0;
  return Done{};
}

Result<Bytes> base64_decode(std::string_view text, Base64Alphabet alphabet) {
  Base64Decoder decoder(alphabet);
  Bytes bytes;
  TRY_DONE(decoder.update(text, bytes));
  TRY_DONE(decoder.finish(bytes));
  return bytes;
}

}  // namespace holdfast::codec
