#include "token/token_bytes.h"

#include <charconv>

#include "token/byte_level.h"

namespace holdfast::token {
namespace {

// Whether letters stand for bytes: the letter of a space decodes to one.
bool is_byte_level(const Tokenizer& tokenizer) {
  const auto id = tokenizer.id_of("\xC4\xA0");
  if (!id) return false;
  const uint32_t ids[] = {*id};
  const auto text = tokenizer.decode(ids, Tokenizer::SpecialsInOutput::keep);
  return text.ok() && text.value() == " ";
}

std::string of_letters(std::string_view token) {
  std::string out;
  for (size_t at = 0; at < token.size();) {
    const auto lead = static_cast<uint8_t>(token[at]);
    // Letters are of one or two bytes of UTF-8; anything else stands for itself.
    const bool two = (lead & 0xE0U) == 0xC0U && at + 1 < token.size();
    const char32_t letter =
        two ? (lead & 0x1FU) << 6U | (static_cast<uint8_t>(token[at + 1]) & 0x3FU) : char32_t{lead};
    if (letter >= letter_bytes.size() || letter_bytes[letter] < 0) return std::string(token);
    out.push_back(static_cast<char>(letter_bytes[letter]));
    at += two ? 2 : 1;
  }
  return out;
}

std::string of_pieces(std::string_view token) {
  if (token.size() == 6 && token.starts_with("<0x") && token.ends_with('>')) {
    uint8_t byte = 0;
    const auto [end, error] = std::from_chars(token.data() + 3, token.data() + 5, byte, 16);
    if (error == std::errc{} && end == token.data() + 5) return {static_cast<char>(byte)};
  }
  constexpr std::string_view space = "\xE2\x96\x81";
  std::string out;
  for (size_t at = 0; at < token.size();) {
    const bool is_space = token.substr(at).starts_with(space);
    out.push_back(is_space ? ' ' : token[at]);
    at += is_space ? space.size() : 1;
  }
  return out;
}

}  // namespace

std::vector<std::string> token_bytes(const Tokenizer& tokenizer) {
  const bool letters = is_byte_level(tokenizer);
  std::vector<std::string> out(tokenizer.vocabulary_size());
  for (uint32_t id = 0; id < out.size(); ++id) {
    const auto token = tokenizer.token_of(id);
    if (!token) continue;
    const uint32_t ids[] = {id};
    const auto shown = tokenizer.decode(ids, Tokenizer::SpecialsInOutput::skip);
    if (shown.ok() && shown.value().empty() && !token->empty()) {
      // Special, or a byte alone; those are told apart by keeping specials.
      const auto kept = tokenizer.decode(ids, Tokenizer::SpecialsInOutput::keep);
      if (kept.ok() && !kept.value().empty()) continue;
    }
    out[id] = letters ? of_letters(*token) : of_pieces(*token);
  }
  return out;
}

}  // namespace holdfast::token
