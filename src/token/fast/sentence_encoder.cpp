#include "token/fast/sentence_encoder.h"

#include <algorithm>
#include <bit>

#include "token/fast/byte_bits.h"
#include "token/fast/raw_row_sink.h"
#include "token/fast/raw_words.h"
#include "token/fast/sinks.h"

namespace holdfast::token {
namespace {

// One piece, cut before each run of signs for a space: no token goes on across one.
class SentenceEncoder final : public FastEncoder {
 public:
  SentenceEncoder(WordShape shape, const FastParts& parts, std::unique_ptr<PieceModel> model,
                  SpaceSign spaces)
      : prefixed_(shape == WordShape::prefixed_sentence),
        words_(shape, parts, std::move(model), spaces),
        joins_(words_.model().joins()) {}

  bool append_ids(std::string_view text, Workspace& workspace, std::vector<uint32_t>& out) const override {
    const size_t before = out.size();
    IdSink target(out);
    const bool good = run(text, workspace, target, [&](WordBatch& batch, std::string_view first) {
      const std::string word = " " + std::string(first);  // As if a space were in front.
      batch.put(reinterpret_cast<const uint8_t*>(word.data()), word.size(), word.size());
      return batch.give(target);
    });
    if (good) {
      target.flush();
      return true;
    }
    out.resize(before);
    return false;
  }

  bool append_rows(std::string_view text, Workspace& workspace, uint32_t& first_code, int32_t& first_word,
                   Rows& out) const override {
    const size_t before = out.ids.size();
    RowTargetSink target(words_, workspace, first_code, first_word, true, out);
    const bool good = run(text, workspace, target, [&](WordBatch& batch, std::string_view first) {
      const std::string word = " " + std::string(first);
      const size_t row = target.room().size();
      const uint32_t code = target.code();
      batch.put(reinterpret_cast<const uint8_t*>(word.data()), word.size(), word.size());
      if (!batch.give(target)) return false;
      // The sign in front came from the first character.
      for (size_t i = row; i < target.room().size(); ++i) {
        Span& span = target.room().offsets(i);
        span.begin = std::max(span.begin, code + 1) - 1;
        span.end = std::max(span.end, code + 2) - 1;
      }
      target.skip(static_cast<uint32_t>(-1));
      return true;
    });
    target.finish();
    if (!good) return false;
    first_code = target.code();
    first_word = target.next_word() + (out.ids.size() > before || !text.empty() ? 1 : 0);
    return true;
  }

 private:
  static bool is_space(const uint8_t* at, const uint8_t* end) {
    return *at == ' ' || (*at == 0xE2 && end - at >= 3 && at[1] == 0x96 && at[2] == 0x81);
  }

  // Whether no token goes on from one byte to the next.
  bool may_cut(uint8_t before, uint8_t after) const {
    return joins_ != nullptr && !joins_->has(before, after);
  }

  // Puts words into the batch, and gives it on where it is full.
  template <class Target, class First>
  struct Putter {
    const SentenceEncoder& encoder;
    std::string_view text;
    WordBatch& batch;
    Target& target;
    First& first;

    bool put(const uint8_t* word, const uint8_t* word_end) {
      const auto* const begin = reinterpret_cast<const uint8_t*>(text.data());
      const auto bytes = static_cast<size_t>(word_end - word);
      if (word == begin && encoder.prefixed_) [[unlikely]]
        return first(batch, text.substr(0, bytes));
      batch.put(word, bytes, static_cast<size_t>(begin + text.size() - word));
      return !batch.is_full() || batch.give(target);
    }
  };

  template <class Target, class First>
  bool run(std::string_view text, Workspace& workspace, Target& target, First first) const {
    WordBatch batch(words_, workspace);
    Putter<Target, First> words{*this, text, batch, target, first};
    const bool good = text.find(space_sign) == std::string_view::npos ? run_by_blocks(text, workspace, words)
                                                                      : run_by_characters(text, words);
    return good && batch.give(target);
  }

  // The plain twin, which knows the sign for a space in the text too.
  template <class Words>
  bool run_by_characters(std::string_view text, Words& words) const {
    const auto* const begin = reinterpret_cast<const uint8_t*>(text.data());
    const auto* const end = begin + text.size();
    for (const uint8_t* at = begin; at < end;) {
      const uint8_t* next = at;
      while (next < end && is_space(next, end)) next += *next == ' ' ? 1 : 3;
      while (next < end && !is_space(next, end) && (next == at || !may_cut(next[-1], *next))) ++next;
      if (!words.put(at, next)) return false;
      at = next;
    }
    return true;
  }

  template <class Words>
  bool run_by_blocks(std::string_view text, Workspace& workspace, Words& words) const {
    constexpr size_t chunk_bytes = 4096;
    const auto* const begin = reinterpret_cast<const uint8_t*>(text.data());
    const uint8_t* word = begin;
    for (size_t at = 0; at < text.size(); at += chunk_bytes) {
      const std::span<const uint8_t> chunk(begin + at, std::min(chunk_bytes, text.size() - at));
      find_starts(chunk, at > 0 && text[at - 1] == ' ', workspace.marks);
      if (at == 0) workspace.marks[0] &= ~uint64_t{1};
      for (size_t i = 0; i < workspace.marks.size(); ++i)
        for (uint64_t starts = workspace.marks[i]; starts != 0; starts &= starts - 1) {
          const uint8_t* const start = chunk.data() + i * 64 + std::countr_zero(starts);
          if (!words.put(word, start)) [[unlikely]]
            return false;
          word = start;
        }
    }
    return text.empty() || words.put(word, begin + text.size());
  }

  // The bytes at which a run of spaces begins, or that may be cut off.
  void find_starts(std::span<const uint8_t> text, bool after_space, std::vector<uint64_t>& out) const {
    constexpr size_t block = 64;
    if (joins_ != nullptr)
      joins_->find_cuts(text, out);
    else
      out.assign((text.size() + block - 1) / block, 0);
    uint64_t before = after_space ? 1 : 0;
    for (size_t i = 0; i < out.size(); ++i) {
      const size_t bytes = std::min(block, text.size() - i * block);
      const uint64_t spaces = byte_bits::of_block(text.data() + i * block, bytes, byte_bits::Equal{' '});
      out[i] = (spaces & ~(spaces << 1U | before)) | (out[i] & ~spaces);
      before = spaces >> 63U;
    }
  }

  bool prefixed_;
  RawWords words_;
  const Joins* joins_;
};

}  // namespace

std::unique_ptr<FastEncoder> make_sentence_encoder(WordShape shape, const FastParts& parts,
                                                   std::unique_ptr<PieceModel> model, SpaceSign spaces) {
  return std::make_unique<SentenceEncoder>(shape, parts, std::move(model), spaces);
}

}  // namespace holdfast::token
