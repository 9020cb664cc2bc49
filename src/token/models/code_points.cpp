#include <boost/json/object.hpp>

#include "token/models/model.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

constexpr uint32_t code_points = 1'114'112;

bool is_surrogate(uint32_t code) { return code >= 0xD800 && code < 0xE000; }

// Every code point is a token, and its number is the id. What is no character of a text has an id all the
// same, but no token.
class CodePoints final : public Model {
 public:
  CodePoints() {
    for (uint32_t code = 0; code < code_points; ++code) {
      if (code % block == 0) starts_.push_back(static_cast<uint32_t>(characters_.size()));
      if (!is_surrogate(code)) append_utf8(characters_, code);
    }
  }

  Result<std::vector<Token>> tokenize(std::string_view piece) const override {
    std::vector<Token> out;
    for_each_code_point(piece, [&](char32_t code, size_t at, size_t bytes) {
      const Span range{static_cast<uint32_t>(at), static_cast<uint32_t>(at + bytes)};
      out.push_back({static_cast<uint32_t>(code), std::string(piece.substr(at, bytes)), range});
    });
    return out;
  }

  std::optional<uint32_t> id_of(std::string_view token) const override {
    if (token.empty()) return std::nullopt;
    const CodePoint first = code_point_at(token, 0);
    if (first.bytes != token.size()) return std::nullopt;
    return static_cast<uint32_t>(first.value);
  }
  std::optional<std::string_view> token_of(uint32_t id) const override {
    if (id >= code_points || is_surrogate(id)) return std::nullopt;
    // Within a block all take as many bytes as its first does, for lengths change at whole blocks.
    const size_t bytes = utf8_length(id);
    return std::string_view(characters_).substr(starts_[id / block] + id % block * bytes, bytes);
  }
  size_t vocabulary_size() const override { return code_points; }

 private:
  static constexpr uint32_t block = 128;
  std::string characters_;        // All, one after the other: 4.4 MB.
  std::vector<uint32_t> starts_;  // Of each block in it.
};

}  // namespace

Result<std::unique_ptr<Model>> load_code_points() {
  return std::unique_ptr<Model>(std::make_unique<CodePoints>());
}

}  // namespace holdfast::token
