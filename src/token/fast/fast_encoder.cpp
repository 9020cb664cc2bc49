#include "token/fast/fast_encoder.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <vector>

#include "token/fast/byte_level_encoder.h"

namespace holdfast::token {
namespace {

using boost::json::object;

std::string_view text_of(const object& json, std::string_view key) {
  const boost::json::value* value = json.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

bool flag_of(const object& json, std::string_view key, bool otherwise) {
  const boost::json::value* value = json.if_contains(key);
  return value != nullptr && value->is_bool() ? value->get_bool() : otherwise;
}

// The parts of a Sequence, of Sequences in it too, or the one part.
void flatten(const boost::json::value& value, std::string_view list, std::vector<const object*>& out) {
  if (!value.is_object()) return;
  const object& json = value.get_object();
  if (text_of(json, "type") != "Sequence") {
    out.push_back(&json);
    return;
  }
  if (const boost::json::value* parts = json.if_contains(list); parts != nullptr && parts->is_array())
    for (const boost::json::value& part : parts->get_array()) flatten(part, list, out);
}

std::vector<const object*> parts_of(const object& document, std::string_view key, std::string_view list) {
  std::vector<const object*> out;
  if (const boost::json::value* value = document.if_contains(key)) flatten(*value, list, out);
  return out;
}

// The pattern of a Split whose matches, and what is between them, are pieces of their own.
std::optional<std::string_view> isolating_pattern(const object& json) {
  if (text_of(json, "type") != "Split") return std::nullopt;
  const std::string_view behavior = text_of(json, "behavior");
  const bool invert = flag_of(json, "invert", false);
  const boost::json::value* pattern = json.if_contains("pattern");
  if (pattern == nullptr || !pattern->is_object()) return std::nullopt;
  const std::string_view regex = text_of(pattern->get_object(), "Regex");
  // Removing what is between the matches is the same where the pattern matches everything, as all but DeepSeek's do.
  const bool isolates = behavior == "Isolated" || (behavior == "Removed" && invert && regex.ends_with(R"(|\s+)") &&
                                                   regex.find(R"([^\s\p{L})") != std::string_view::npos);
  if (!isolates || regex.empty()) return std::nullopt;
  return regex;
}

std::unique_ptr<FastEncoder> byte_level(const object& document, const Bpe& model) {
  const auto normalizers = parts_of(document, "normalizer", "normalizers");
  const auto splits = parts_of(document, "pre_tokenizer", "pretokenizers");
  ByteLevelShape shape;
  if (normalizers.size() == 1 && text_of(*normalizers[0], "type") == "NFC")
    shape.composition = Composition::nfc;
  else if (!normalizers.empty())
    return nullptr;
  if (splits.empty() || text_of(*splits.back(), "type") != "ByteLevel" ||
      flag_of(*splits.back(), "add_prefix_space", true))
    return nullptr;
  const bool own_regex = flag_of(*splits.back(), "use_regex", true);
  std::string pattern;
  for (size_t i = 0; i + 1 < splits.size(); ++i) {
    const auto part = isolating_pattern(*splits[i]);
    if (!part) return nullptr;
    if (i > 0) pattern += '\n';
    pattern += *part;
  }
  // A second pattern after GPT-2's own would be another scanner.
  if (own_regex != pattern.empty()) return nullptr;
  shape.pattern = pattern;
  return make_byte_level_encoder(shape, model);
}

}  // namespace

std::unique_ptr<FastEncoder> make_fast_encoder(const object& document, const Model& model) {
  if (const auto* bpe = dynamic_cast<const Bpe*>(&model)) {
    if (auto encoder = byte_level(document, *bpe)) return encoder;
  }
  return nullptr;
}

}  // namespace holdfast::token
