#include "token/fast/byte_level_encoder.h"

#include "token/fast/byte_bpe.h"
#include "token/fast/composed.h"
#include "token/fast/row_sink.h"
#include "token/fast/scanners.h"
#include "token/fast/sinks.h"

namespace holdfast::token {
namespace {

template <class Scanner>
class ByteLevelEncoder final : public FastEncoder {
 public:
  ByteLevelEncoder(std::unique_ptr<ByteBpe> model, Composition composition)
      : model_(std::move(model)), composition_(composition) {}

  bool append_ids(std::string_view text, Workspace& workspace, std::vector<uint32_t>& out) const override {
    const size_t before = out.size();
    if (composition_ == Composition::nfc && !is_surely_composed(text)) {
      compose_into(text, workspace.text);
      text = workspace.text;
    }
    IdSink sink(*model_, workspace, out);
    if (!run(text, sink)) {
      out.resize(before);
      return false;
    }
    sink.flush();
    return true;
  }

  bool append_rows(std::string_view text, Workspace& workspace, uint32_t& first_code, int32_t& first_word,
                   Rows& out) const override {
    if (composition_ == Composition::nfc && !is_surely_composed(text)) {
      // Text that composing does not change has the offsets it had.
      compose_into(text, workspace.text);
      if (text != workspace.text) return false;
    }
    ByteRowSink sink(*model_, workspace, first_code, first_word, out);
    if (!run(text, sink)) return false;
    first_code = sink.code();
    first_word = sink.next_word();
    return true;
  }

 private:
  template <class Sink>
  bool run(std::string_view text, Sink& sink) const {
    const auto* at = reinterpret_cast<const uint8_t*>(text.data());
    const auto* const end = at + text.size();
    const Scanner scanner = scanner_;
    while (at < end) {
      const uint8_t* const next = scanner.next(at, end);
      if (!sink.word(at, static_cast<size_t>(next - at), static_cast<size_t>(end - at))) [[unlikely]]
        return false;
      at = next;
    }
    return true;
  }

  std::unique_ptr<ByteBpe> model_;
  Composition composition_;
  Scanner scanner_;
};

template <class Scanner>
std::unique_ptr<FastEncoder> make(std::unique_ptr<ByteBpe> model, Composition composition) {
  return std::make_unique<ByteLevelEncoder<Scanner>>(std::move(model), composition);
}

using Make = std::unique_ptr<FastEncoder> (*)(std::unique_ptr<ByteBpe>, Composition);

struct Known {
  std::string_view pattern;
  Make make;
};

constexpr uint8_t with_marks = flag_letter | flag_mark;

constexpr Known known_patterns[] = {
    {"", make<Gpt2Scanner>},
    {R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", make<Gpt2Scanner>},
    {R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", make<Gpt2Scanner>},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     make<Cl100kScanner<3, flag_letter>>},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     make<Cl100kScanner<1, flag_letter>>},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     make<Cl100kScanner<1, with_marks>>},
    {R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     make<O200kScanner>},
    // The three patterns of DeepSeek-V3, one after the other, with line feeds between.
    {"\\p{N}{1,3}\n[一-龥぀-ゟ゠-ヿ]+\n[!\"#$%&'()*+,\\-./"
     ":;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| "
     "?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
     make<DeepSeekScanner>},
};

}  // namespace

std::unique_ptr<FastEncoder> make_byte_level_encoder(const ByteLevelShape& shape, const Bpe& model) {
  for (const Known& known : known_patterns) {
    if (known.pattern != shape.pattern) continue;
    auto words = ByteBpe::make(model);
    return words ? known.make(std::move(words), shape.composition) : nullptr;
  }
  return nullptr;
}

}  // namespace holdfast::token
