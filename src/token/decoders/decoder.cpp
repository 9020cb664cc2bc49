#include "token/decoders/decoder.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "codec/json.h"

namespace holdfast::token {
namespace {

constexpr size_t depth_max = 16, parts_max = 1000;

class DecoderSequence final : public Decoder {
 public:
  explicit DecoderSequence(std::vector<std::unique_ptr<Decoder>> parts) : parts_(std::move(parts)) {}

  Result<std::vector<std::string>> decode(std::vector<std::string> tokens) const override {
    for (const auto& part : parts_) {
      TRY(tokens, part->decode(std::move(tokens)));
    }
    return tokens;
  }

 private:
  std::vector<std::unique_ptr<Decoder>> parts_;
};

// Early files have no type: the fields tell.
std::string_view type_of(const boost::json::object& json) {
  if (json.contains("pad_token")) return "CTC";
  if (json.contains("suffix")) return "BPEDecoder";
  if (json.contains("prefix")) return "WordPiece";
  if (json.contains("replacement")) return "Metaspace";
  if (json.contains("pattern")) return "Replace";
  if (json.contains("start")) return "Strip";
  if (json.contains("trim_offsets")) return "ByteLevel";
  return json.contains("decoders") ? "Sequence" : "";
}

Result<std::unique_ptr<Decoder>> load(const boost::json::object& json, size_t depth) {
  if (depth > depth_max)
    return fail(Reason::bad_request, "the tokenizer's decoders are too deep in each other");
  const boost::json::value* given = json.if_contains("type");
  std::string_view type = given != nullptr && given->is_string() ? std::string_view(given->get_string()) : "";
  if (type == "ByteLevel") return make_byte_level_decoder();
  if (type == "ByteFallback") return make_byte_fallback_decoder();
  if (type == "Fuse") return make_fuse_decoder();
  using Load = Result<std::unique_ptr<Decoder>> (*)(const boost::json::object&);
  constexpr std::pair<std::string_view, Load> kinds[] = {
      {"WordPiece", load_word_piece_decoder},
      {"BPEDecoder", load_bpe_decoder},
      {"CTC", load_ctc_decoder},
      {"Metaspace", load_metaspace_decoder},
      {"Replace", load_replace_decoder},
      {"Strip", load_strip_decoder},
  };
  const auto is_known = [&](std::string_view name) {
    return name == "Sequence" ||
           std::ranges::any_of(kinds, [&](const auto& kind) { return kind.first == name; });
  };
  if (const std::string_view told = type_of(json); !is_known(type) && !told.empty()) type = told;
  if (type == "ByteLevel") return make_byte_level_decoder();
  for (const auto& [name, load_kind] : kinds)
    if (type == name) return load_kind(json);
  if (type != "Sequence")
    return fail(Reason::model_unsupported,
                "the tokenizer's decoder '" + std::string(type.substr(0, 60)) + "' is not supported");
  TRY(const boost::json::array* all, codec::json_array(json, "decoders"));
  if (all->size() > parts_max) return fail(Reason::bad_request, "the tokenizer has too many decoders");
  std::vector<std::unique_ptr<Decoder>> parts;
  for (const boost::json::value& value : *all) {
    if (!value.is_object())
      return fail(Reason::bad_request, "the tokenizer's 'decoders' hold something that is none");
    TRY(auto part, load(value.get_object(), depth + 1));
    parts.push_back(std::move(part));
  }
  return std::unique_ptr<Decoder>(std::make_unique<DecoderSequence>(std::move(parts)));
}

}  // namespace

Result<std::unique_ptr<Decoder>> load_decoder(const boost::json::object& json) { return load(json, 0); }

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  if (from.empty()) return;
  std::string out;
  size_t taken = 0;
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, taken)) {
    out.append(text, taken, at - taken);
    out += to;
    taken = at + from.size();
  }
  if (taken > 0) text = out.append(text, taken);
}

}  // namespace holdfast::token
