#include "token/fast/spaced_encoder.h"

#include <algorithm>
#include <optional>
#include <string>

#include "token/fast/ascii_kinds.h"
#include "token/fast/byte_bits.h"
#include "token/fast/code_flags.h"
#include "token/fast/code_kinds.h"
#include "token/fast/raw_row_sink.h"
#include "token/fast/raw_words.h"
#include "token/fast/sinks.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

// Words between white space, and for BERT around punctuation and ideographs.
class SpacedEncoder final : public FastEncoder {
 public:
  SpacedEncoder(WordShape shape, const FastParts& parts, std::unique_ptr<PieceModel> model)
      : normalizer_(*parts.normalizer),
        pre_tokenizer_(*parts.pre_tokenizer),
        model_(parts.model),
        words_(shape, parts, std::move(model), SpaceSign::sign),
        joins_(words_.lowers() ? nullptr : words_.model().joins()),
        kinds_(*parts.normalizer, shape == WordShape::bert ? CodeKinds::Marks::free : CodeKinds::Marks::bound,
               shape == WordShape::bert ? CodeKinds::Alone::punctuation_and_ideographs
                                        : CodeKinds::Alone::nothing),
        ascii_(kinds_of_ascii(kinds_)),
        ascii_kinds_(ascii_) {}

  bool append_ids(std::string_view text, Workspace& workspace, std::vector<uint32_t>& out) const override {
    const size_t before = out.size();
    for (size_t at = 0; at < text.size();) {
      const size_t end = end_of_segment(text, at, segment_bytes);
      const std::string_view segment = text.substr(at, end - at);
      if (!append_fast(segment, workspace, out) && !append_by_parts(segment, workspace, out)) {
        out.resize(before);
        return false;
      }
      at = end;
    }
    return true;
  }

  bool append_rows(std::string_view text, Workspace& workspace, uint32_t& first_code, int32_t& first_word,
                   Rows& out) const override {
    RowTargetSink target(words_, workspace, first_code, first_word, false, out);
    const bool good = run(text, workspace, target);
    target.finish();
    if (!good) return false;
    first_code = target.code();
    first_word = target.next_word();
    return true;
  }

 private:
  static constexpr size_t segment_bytes = 64 << 10, part_bytes = 512;

  bool append_fast(std::string_view text, Workspace& workspace, std::vector<uint32_t>& out) const {
    const size_t before = out.size();
    IdSink target(out);
    if (run(text, workspace, target)) {
      target.flush();
      return true;
    }
    out.resize(before);
    return false;
  }

  // Of a text that is not for the fast way: what surrounds the character that is the reason goes the plain
  // one alone.
  bool append_by_parts(std::string_view text, Workspace& workspace, std::vector<uint32_t>& out) const {
    for (size_t at = 0; at < text.size();) {
      const size_t end = end_of_segment(text, at, part_bytes);
      const std::string_view part = text.substr(at, end - at);
      if (!append_fast(part, workspace, out) && !append_plainly(part, out)) return false;
      at = end;
    }
    return true;
  }

  bool append_plainly(std::string_view text, std::vector<uint32_t>& out) const {
    if (text.size() > plain_bytes_max) return false;
    Pieces pieces;
    pieces.push_back({NormalizedText(text), std::nullopt});
    if (!normalizer_.normalize(pieces[0].text).ok()) return false;
    if (pieces[0].text.text().empty()) return true;
    if (!pre_tokenizer_.split(pieces).ok()) return false;
    for (const Piece& piece : pieces) {
      const auto tokens = model_.tokenize(piece.text.text());
      if (!tokens.ok()) return false;
      for (const Token& token : tokens.value()) out.push_back(token.id);
    }
    return true;
  }

  // A place from `at + bytes` on, or the end, where neither normalization nor a word goes across: before a
  // space between two printable characters of ASCII, each of which is a grapheme cluster.
  size_t end_of_segment(std::string_view text, size_t at, size_t bytes) const {
    if (ascii_[' '] != CodeKind::separator) return text.size();
    const auto is_printable = [&](size_t place) { return text[place] > ' ' && text[place] < 0x7F; };
    for (size_t end = std::max(at + bytes, size_t{1}); end + 1 < text.size(); ++end)
      if (text[end] == ' ' && is_printable(end - 1) && is_printable(end + 1)) return end;
    return text.size();
  }

  static constexpr size_t plain_bytes_max = 8 << 20;
  static constexpr std::ptrdiff_t short_cluster_bytes = 6;  // What is longer is normalized by characters.

  CodeKind kind_at(const uint8_t* at, uint32_t& bytes) const {
    if (*at < 0x80) [[likely]] {
      bytes = 1;
      return ascii_[*at];
    }
    const Decoded wide = decode_wide(at);
    bytes = wide.bytes;
    return kinds_.of(wide.code);
  }

  // Whether the mark at `at`, which white space comes before, or the joiner there may change what becomes of
  // the characters before it, or they what becomes of it: short clusters are normalized as one.
  bool may_join(std::string_view text, const uint8_t* at, uint32_t bytes) const {
    const auto* const begin = reinterpret_cast<const uint8_t*>(text.data());
    if (at == begin) return false;
    const uint8_t *const after = at + bytes, *before = at;
    uint32_t other_bytes = 1;
    if (after < begin + text.size() && kind_at(after, other_bytes) == CodeKind::mark) return true;
    bool after_mark = false;
    for (bool is_mark = true; is_mark && before > begin; after_mark = after_mark || is_mark) {
      do --before;
      while (!starts_code_point(static_cast<char>(*before)));
      is_mark = kind_at(before, other_bytes) == CodeKind::mark;
    }
    if (at - before >= short_cluster_bytes) return false;
    if (after_mark) return true;
    if (after - before >= short_cluster_bytes) return false;
    const auto normal = [&](const uint8_t* from, const uint8_t* to) -> std::optional<std::string> {
      NormalizedText part(text.substr(static_cast<size_t>(from - begin), static_cast<size_t>(to - from)));
      if (!normalizer_.normalize(part).ok()) return std::nullopt;
      return std::string(part.text());
    };
    const auto both = normal(before, after), first = normal(before, at), second = normal(at, after);
    return !both || !first || !second || *both != *first + *second;
  }

  static std::array<CodeKind, 0x80> kinds_of_ascii(const CodeKinds& kinds) {
    std::array<CodeKind, 0x80> out{};
    for (uint32_t code = 0; code < out.size(); ++code) out[code] = kinds.of(code);
    return out;
  }

  // Puts the words among the next 64 bytes that are of printable ASCII, stand alone or end before a space;
  // nothing goes on at `at`. Returns where it stops: at what is none of these.
  size_t put_block(std::span<const uint8_t> text, size_t at, const Workspace& workspace,
                   WordBatch& batch) const {
    const AsciiKinds::Block block = AsciiKinds::from(workspace.kinds, at);
    const uint64_t odd = ~(block.words | block.spaces | block.alone);
    // Behind the last space before what is odd every word is whole.
    const uint64_t sure_spaces = block.spaces & ~odd & (odd - 1);
    if (sure_spaces == 0) return at;
    const auto size = static_cast<unsigned>(64 - std::countl_zero(sure_spaces));
    const uint64_t sure = ~uint64_t{0} >> (64 - size);
    const uint64_t words = block.words & sure, alone = block.alone & sure;
    const uint64_t first = (words & ~(words << 1U)) | alone;
    uint64_t starts = first;
    if (joins_ != nullptr) starts |= bits_from(workspace.cuts, at) & words & words << 1U;
    const uint64_t bounds = starts | (block.spaces & (words | alone) << 1U);
    unsigned end = 0;
    for (; starts != 0; starts &= starts - 1) {
      const auto start = static_cast<unsigned>(std::countr_zero(starts));
      batch.skip(start - end);
      end = start + 1 + static_cast<unsigned>(std::countr_zero(bounds >> start >> 1U));
      batch.put(text.data() + at + start, end - start, text.size() - at - start,
                static_cast<WordPlace>(~first >> start & 1U));
    }
    batch.skip(size - end);
    return at + size;
  }

  // 64 of them from `at` on.
  static uint64_t bits_from(const std::vector<uint64_t>& bits, size_t at) {
    const auto shift = static_cast<unsigned>(at % 64);
    const uint64_t high = at / 64 + 1 < bits.size() ? bits[at / 64 + 1] : 0;
    return bits[at / 64] >> shift | high << 1U << (63 - shift);
  }

  // Puts a word of printable ASCII, in parts where it may be cut.
  template <class Target>
  static bool put_parts(std::span<const uint8_t> text, size_t at, size_t word_end,
                        const std::vector<uint64_t>& cuts, WordBatch& batch, Target& target) {
    WordPlace place = WordPlace::first;
    for (size_t next = byte_bits::next(cuts, at + 1, word_end);;
         next = byte_bits::next(cuts, next + 1, word_end)) {
      batch.put(text.data() + at, next - at, text.size() - at, place);
      if (batch.is_full() && !batch.give(target)) return false;
      if (next == word_end) return true;
      place = WordPlace::goes_on;
      at = next;
    }
  }

  template <class Target>
  bool run(std::string_view given, Workspace& workspace, Target& target) const {
    WordBatch batch(words_, workspace);
    const std::span<const uint8_t> text(reinterpret_cast<const uint8_t*>(given.data()), given.size());
    ascii_kinds_.find(text, workspace.kinds);
    if (joins_ != nullptr) joins_->find_cuts(text, workspace.cuts);
    for (size_t at = 0; at < text.size();) {
      if (text[at] < 0x80) {
        if (!batch.has_room(AsciiKinds::block_bytes) && !batch.give(target)) return false;
        const size_t next = put_block(text, at, workspace, batch);
        if (next != at) {
          at = next;
          continue;
        }
      }
      uint32_t bytes = 1;
      CodeKind kind = kind_at(&text[at], bytes);
      if (kind == CodeKind::joiner && may_join(given, &text[at], bytes)) return false;
      if (kind == CodeKind::separator || kind == CodeKind::joiner) {
        batch.skip(1);
        at += bytes;
        continue;
      }
      if (kind == CodeKind::odd || (kind == CodeKind::mark && may_join(given, &text[at], bytes)))
        return false;
      size_t word_end = at + bytes;
      bool plain = false;
      if (kind == CodeKind::word || kind == CodeKind::mark) {
        word_end = AsciiKinds::end_of_words(workspace.kinds, at);
        plain = word_end > at;
        while (word_end < text.size()) {
          kind = kind_at(&text[word_end], bytes);
          if (kind == CodeKind::odd) return false;
          if (kind != CodeKind::word && kind != CodeKind::mark) break;
          plain = false;
          word_end += bytes;
          if (bytes == 1) word_end = AsciiKinds::end_of_words(workspace.kinds, word_end);
        }
      }
      if (plain && joins_ != nullptr) {
        if (!put_parts(text, at, word_end, workspace.cuts, batch, target)) return false;
      } else {
        batch.put(&text[at], word_end - at, text.size() - at);
        if (batch.is_full() && !batch.give(target)) return false;
      }
      at = word_end;
    }
    if (!batch.give(target)) return false;
    if constexpr (requires { target.skip(0); }) target.skip(batch.skipped_last());
    return true;
  }

  const Normalizer& normalizer_;
  const PreTokenizer& pre_tokenizer_;
  const Model& model_;
  RawWords words_;
  const Joins* joins_;  // Of characters as the text has them; null where they become others.
  CodeKinds kinds_;
  std::array<CodeKind, 0x80> ascii_;
  AsciiKinds ascii_kinds_;
};

}  // namespace

std::unique_ptr<FastEncoder> make_spaced_encoder(WordShape shape, const FastParts& parts,
                                                 std::unique_ptr<PieceModel> model) {
  return std::make_unique<SpacedEncoder>(shape, parts, std::move(model));
}

}  // namespace holdfast::token
