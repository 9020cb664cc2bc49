#include "token/fast/byte_level_encoder.h"

#include <bit>
#include <span>

#include "token/fast/ascii_cuts.h"
#include "token/fast/byte_bpe.h"
#include "token/fast/composed.h"
#include "token/fast/row_sink.h"
#include "token/fast/scanners.h"
#include "token/fast/sinks.h"
#include "token/regex/known_patterns.h"
#include "token/unicode/utf8.h"

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
    IdSink sink(out);
    if (!run(text, workspace, sink)) {
      out.resize(before);
      return false;
    }
    sink.flush();
    return true;
  }

  bool append_rows(std::string_view text, Workspace& workspace, uint32_t& first_code, int32_t& first_word,
                   Rows& out) const override {
    if (composition_ == Composition::nfc && !is_surely_composed(text))
      return append_composed_rows(text, workspace, first_code, first_word, out);
    return append_rows_as_it_is(text, workspace, first_code, first_word, out);
  }

 private:
  bool append_rows_as_it_is(std::string_view text, Workspace& workspace, uint32_t& first_code,
                            int32_t& first_word, Rows& out) const {
    ByteRowSink sink(first_code, first_word, out);
    const bool good = run(text, workspace, sink);
    sink.finish();
    if (!good) return false;
    first_code = sink.code();
    first_word = sink.next_word();
    return true;
  }

  bool append_composed_rows(std::string_view text, Workspace& workspace, uint32_t& first_code,
                            int32_t& first_word, Rows& out) const {
    CodeOrigins origins;
    compose_into(text, workspace.text, &origins);
    const size_t before = out.offsets.size();
    uint32_t composed = 0;
    if (!append_rows_as_it_is(workspace.text, workspace, composed, first_word, out)) return false;
    for (Span& offsets : std::span(out.offsets).subspan(before)) {
      const Span came = origins.of(offsets);
      offsets = {first_code + came.begin, first_code + came.end};
    }
    first_code += static_cast<uint32_t>(count_code_points(text));
    return true;
  }

  template <class Sink>
  bool run(std::string_view text, Workspace& workspace, Sink& sink) const {
    const auto* at = reinterpret_cast<const uint8_t*>(text.data());
    const auto* const end = at + text.size();
    const Scanner scanner = scanner_;
    WordBatch batch(*model_, workspace);
    while (at < end) {
      do {
        if (end - at >= block_readable && ((at[0] | at[1]) & 0x80U) == 0) {
          const uint8_t* const next = put_block(at, batch);
          if (next != at) {
            at = next;
            continue;
          }
        }
        const uint8_t* const next = scanner.next(at, end);
        batch.put(at, static_cast<size_t>(next - at), static_cast<size_t>(end - at));
        at = next;
      } while (at < end && batch.has_room(AsciiBlock::bytes));
      if (!batch.give(sink)) [[unlikely]]
        return false;
    }
    return true;
  }

  // Pieces of the next bytes as far as they are sure; where they end.
  const uint8_t* put_block(const uint8_t* at, WordBatch& batch) const {
    uint64_t cuts = AsciiCuts<Scanner>::of(read_block_(at), at);
    const uint8_t* begin = at;
    for (; cuts != 0; cuts &= cuts - 1) {
      const uint8_t* const next = at + std::countr_zero(cuts);
      batch.put(begin, static_cast<size_t>(next - begin), readable_min);
      begin = next;
    }
    return begin;
  }

  // Of each byte of a block so many may be read.
  static constexpr std::ptrdiff_t readable_min = 16, block_readable = AsciiBlock::bytes + readable_min;

  std::unique_ptr<ByteBpe> model_;
  Composition composition_;
  Scanner scanner_;
  ReadAsciiBlock read_block_ = ascii_block_reader(best_instructions());
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

constexpr Known scanners[] = {
    {"", make<Gpt2Scanner>},
    {known_patterns::gpt2, make<Gpt2Scanner>},
    {known_patterns::gpt2_short, make<Gpt2Scanner>},
    {known_patterns::cl100k, make<Cl100kScanner<3, flag_letter>>},
    {known_patterns::qwen2, make<Cl100kScanner<1, flag_letter>>},
    {known_patterns::qwen3_5, make<Cl100kScanner<1, with_marks>>},
    {known_patterns::o200k, make<O200kScanner>},
};

// DeepSeek's patterns, with line feeds between.
bool is_deepseek(std::string_view pattern) {
  return pattern == std::string(known_patterns::deepseek_numbers) + '\n' +
                        std::string(known_patterns::deepseek_ideographs) + '\n' +
                        std::string(known_patterns::deepseek_rest);
}

}  // namespace

std::unique_ptr<FastEncoder> make_byte_level_encoder(const ByteLevelShape& shape, const Bpe& model) {
  Make make_encoder = is_deepseek(shape.pattern) ? make<DeepSeekScanner> : nullptr;
  for (const Known& known : scanners)
    if (known.pattern == shape.pattern) make_encoder = known.make;
  if (make_encoder == nullptr) return nullptr;
  auto words = ByteBpe::make(model);
  return words ? make_encoder(std::move(words), shape.composition) : nullptr;
}

}  // namespace holdfast::token
