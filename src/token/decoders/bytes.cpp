#include <charconv>
#include <optional>

#include "token/byte_level.h"
#include "token/decoders/decoder.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD.

class ByteLevelDecoder final : public Decoder {
 public:
  Result<std::vector<std::string>> decode(std::vector<std::string> tokens) const override {
    std::string bytes;
    for (const std::string& token : tokens) {
      const size_t before = bytes.size();
      bool known = true;
      for_each_code_point(token, [&](char32_t code, size_t, size_t) {
        const auto byte = byte_of_letter(code);
        known = known && byte;
        if (byte) bytes += static_cast<char>(*byte);
      });
      if (known) continue;
      bytes.resize(before);  // A token with other letters stands for itself.
      bytes += token;
    }
    return std::vector<std::string>{to_valid_utf8(bytes)};
  }
};

// <0xAB> is a byte; a run of them that is not UTF-8 gives one U+FFFD a byte.
class ByteFallbackDecoder final : public Decoder {
 public:
  Result<std::vector<std::string>> decode(std::vector<std::string> tokens) const override {
    std::vector<std::string> out;
    std::string run;
    const auto flush = [&] {
      if (run.empty()) return;
      if (is_valid_utf8(run))
        out.push_back(run);
      else
        out.insert(out.end(), run.size(), std::string(replacement));
      run.clear();
    };
    for (std::string& token : tokens) {
      if (const auto byte = byte_of(token)) {
        run += *byte;
        continue;
      }
      flush();
      out.push_back(std::move(token));
    }
    flush();
    return out;
  }

 private:
  static std::optional<char> byte_of(std::string_view token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return std::nullopt;
    std::string_view digits = token.substr(3, 2);
    if (digits.front() == '+') digits.remove_prefix(1);  // As Rust reads numbers.
    uint8_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return static_cast<char>(value);
  }
};

class FuseDecoder final : public Decoder {
 public:
  Result<std::vector<std::string>> decode(std::vector<std::string> tokens) const override {
    std::string all;
    for (const std::string& token : tokens) all += token;
    return std::vector<std::string>{std::move(all)};
  }
};

}  // namespace

std::unique_ptr<Decoder> make_byte_level_decoder() { return std::make_unique<ByteLevelDecoder>(); }
std::unique_ptr<Decoder> make_byte_fallback_decoder() { return std::make_unique<ByteFallbackDecoder>(); }
std::unique_ptr<Decoder> make_fuse_decoder() { return std::make_unique<FuseDecoder>(); }

}  // namespace holdfast::token
