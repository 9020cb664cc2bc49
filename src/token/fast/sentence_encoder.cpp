#include "token/fast/sentence_encoder.h"

#include <algorithm>

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

  template <class Target, class First>
  bool run(std::string_view text, Workspace& workspace, Target& target, First first) const {
    WordBatch batch(words_, workspace);
    const auto* const begin = reinterpret_cast<const uint8_t*>(text.data());
    const auto* const end = begin + text.size();
    for (const uint8_t* at = begin; at < end;) {
      const uint8_t* next = at;
      while (next < end && is_space(next, end)) next += *next == ' ' ? 1 : 3;
      while (next < end && !is_space(next, end) && (next == at || !may_cut(next[-1], *next))) ++next;
      const auto bytes = static_cast<size_t>(next - at);
      if (at == begin && prefixed_) {
        if (!first(batch, std::string_view(reinterpret_cast<const char*>(at), bytes))) return false;
      } else {
        batch.put(at, bytes, static_cast<size_t>(end - at));
        if (batch.is_full() && !batch.give(target)) return false;
      }
      at = next;
    }
    return batch.give(target);
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
