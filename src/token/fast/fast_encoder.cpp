#include "token/fast/fast_encoder.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "token/fast/byte_level_encoder.h"
#include "token/fast/word_encoder.h"

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
  // Removing what is between the matches is the same where the pattern matches everything, as all but
  // DeepSeek's do.
  const bool isolates =
      behavior == "Isolated" || (behavior == "Removed" && invert && regex.ends_with(R"(|\s+)") &&
                                 regex.find(R"([^\s\p{L})") != std::string_view::npos);
  if (!isolates || regex.empty()) return std::nullopt;
  return regex;
}

// The shape of byte-level BPE; its pattern is of `pattern`.
std::optional<ByteLevelShape> byte_level(const object& document, std::string& pattern) {
  const auto normalizers = parts_of(document, "normalizer", "normalizers");
  const auto splits = parts_of(document, "pre_tokenizer", "pretokenizers");
  ByteLevelShape shape;
  if (normalizers.size() == 1 && text_of(*normalizers[0], "type") == "NFC")
    shape.composition = Composition::nfc;
  else if (!normalizers.empty())
    return std::nullopt;
  if (splits.empty() || text_of(*splits.back(), "type") != "ByteLevel" ||
      flag_of(*splits.back(), "add_prefix_space", true))
    return std::nullopt;
  const bool own_regex = flag_of(*splits.back(), "use_regex", true);
  for (size_t i = 0; i + 1 < splits.size(); ++i) {
    const auto part = isolating_pattern(*splits[i]);
    if (!part) return std::nullopt;
    if (i > 0) pattern += '\n';
    pattern += *part;
  }
  // A second pattern after GPT-2's own would be another scanner.
  if (own_regex != pattern.empty()) return std::nullopt;
  shape.pattern = pattern;
  return shape;
}

std::vector<std::string_view> types_of(const std::vector<const object*>& parts) {
  std::vector<std::string_view> out;
  for (const object* part : parts) out.push_back(text_of(*part, "type"));
  return out;
}

// One Replace of a text by another.
bool replaces(const object& json, std::string_view kind, std::string_view pattern, std::string_view content) {
  const boost::json::value* found = json.if_contains("pattern");
  return text_of(json, "type") == "Replace" && found != nullptr && found->is_object() &&
         text_of(found->get_object(), kind) == pattern && text_of(json, "content") == content;
}

constexpr std::string_view meta = "\xE2\x96\x81";

// A whole text is one piece in which words begin with the sign for a space.
std::optional<WordShape> one_piece_shape(const std::vector<const object*>& normalizers,
                                         const std::vector<const object*>& splits) {
  const auto never_splits = [](const object& json) {
    // Spaces are gone by then.
    const boost::json::value* found = json.if_contains("pattern");
    return text_of(json, "type") == "Split" && found != nullptr && found->is_object() &&
           text_of(found->get_object(), "String") == " " && !flag_of(json, "invert", false);
  };
  if (splits.size() > 1 || (splits.size() == 1 && !never_splits(*splits[0]))) return std::nullopt;
  if (normalizers.size() == 1 && replaces(*normalizers[0], "String", " ", meta)) return WordShape::sentence;
  if (normalizers.size() == 2 && text_of(*normalizers[0], "type") == "Prepend" &&
      text_of(*normalizers[0], "prepend") == meta && replaces(*normalizers[1], "String", " ", meta))
    return WordShape::prefixed_sentence;
  return std::nullopt;
}

bool is_default_metaspace(const object& json) {
  const std::string_view scheme = text_of(json, "prepend_scheme");
  return text_of(json, "replacement") == meta && (scheme.empty() || scheme == "always") &&
         flag_of(json, "split", true);
}

std::optional<WordShape> word_shape(const object& document) {
  const auto normalizers = parts_of(document, "normalizer", "normalizers");
  const auto splits = parts_of(document, "pre_tokenizer", "pretokenizers");
  const auto normalizer_types = types_of(normalizers), split_types = types_of(splits);
  if (normalizer_types == std::vector<std::string_view>{"BertNormalizer"} &&
      split_types == std::vector<std::string_view>{"BertPreTokenizer"})
    return WordShape::bert;
  const bool charsmap = !normalizers.empty() && normalizer_types[0] == "Precompiled" &&
                        (normalizers.size() == 1 ||
                         (normalizers.size() == 2 && replaces(*normalizers[1], "Regex", " {2,}", " ")));
  if (charsmap && split_types == std::vector<std::string_view>{"WhitespaceSplit", "Metaspace"} &&
      is_default_metaspace(*splits[1]))
    return WordShape::metaspace;
  return one_piece_shape(normalizers, splits);
}

// Makes its tables when the first text comes: one who loads a tokenizer to decode, or to look at it, does not
// wait for them.
class DeferredEncoder final : public FastEncoder {
 public:
  using Make = std::function<std::unique_ptr<FastEncoder>()>;
  explicit DeferredEncoder(Make make) : make_(std::move(make)) {}

  bool append_ids(std::string_view text, Workspace& workspace, std::vector<uint32_t>& out) const override {
    const FastEncoder* const encoder = made();
    return encoder != nullptr && encoder->append_ids(text, workspace, out);
  }
  bool append_rows(std::string_view text, Workspace& workspace, uint32_t& first_code, int32_t& first_word,
                   Rows& out) const override {
    const FastEncoder* const encoder = made();
    return encoder != nullptr && encoder->append_rows(text, workspace, first_code, first_word, out);
  }
  bool is_there() const override { return made() != nullptr; }

 private:
  const FastEncoder* made() const {
    std::call_once(once_, [this] { encoder_ = make_(); });
    return encoder_.get();
  }

  Make make_;
  mutable std::once_flag once_;
  mutable std::unique_ptr<FastEncoder> encoder_;
};

}  // namespace

std::unique_ptr<FastEncoder> make_fast_encoder(const object& document, const FastParts& parts) {
  std::string pattern;
  const auto* const bpe = dynamic_cast<const Bpe*>(&parts.model);
  const auto bytes = bpe != nullptr ? byte_level(document, pattern) : std::nullopt;
  const auto words = word_shape(document);
  if (!bytes && !words) return nullptr;
  return std::make_unique<DeferredEncoder>(
      [bpe, bytes, words, parts, pattern = std::move(pattern)]() -> std::unique_ptr<FastEncoder> {
        if (bytes)
          if (auto encoder = make_byte_level_encoder({pattern, bytes->composition}, *bpe)) return encoder;
        return words ? make_word_encoder(*words, parts) : nullptr;
      });
}

}  // namespace holdfast::token
