#include "token/fast/word_encoder.h"

#include <algorithm>

#include "token/fast/code_flags.h"
#include "token/fast/code_kinds.h"
#include "token/fast/piece_model.h"
#include "token/fast/sinks.h"
#include "token/unicode/properties.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

constexpr std::string_view meta = "\xE2\x96\x81";
// The last end of a word whose tokens do not follow each other from its begin to its end: its offsets are
// asked for anew.
constexpr uint32_t odd_end = UINT32_MAX;

// The tokens of raw words: a copy of the steps for words of ASCII, the plain parts for others.
class RawWords final : public WordModel {
 public:
  RawWords(WordShape shape, const FastParts& parts, std::unique_ptr<PieceModel> model)
      : shape_(shape), parts_(parts), model_(std::move(model)) {}

  // Ends are code points of the word.
  bool tokenize(std::string_view word, Workspace& workspace) const override {
    std::string& piece = workspace.piece;
    if (direct_piece(word, piece)) {
      if (!model_->tokenize(piece, workspace)) return plain(word, workspace, nullptr);
      ends_to_code_points(piece, workspace);
      return true;
    }
    return plain(word, workspace, nullptr);
  }

  // The rows of a word one by one, by the plain parts; words of the first piece are `first_word`.
  bool rows(std::string_view word, uint32_t first_code, int32_t& next_word, Workspace& workspace,
            Rows& out) const {
    RowTarget target{first_code, next_word, out};
    if (!plain(word, workspace, &target)) return false;
    next_word = target.next_word;
    return true;
  }

  const PieceModel& model() const { return *model_; }

 private:
  struct RowTarget {
    uint32_t first_code;
    int32_t next_word;
    Rows& out;
  };

  bool is_sentence() const { return shape_ == WordShape::sentence || shape_ == WordShape::prefixed_sentence; }

  // The piece that the model gets, where it is one and each of its code points is one of the word, but for a
  // sign in front.
  bool direct_piece(std::string_view word, std::string& piece) const {
    piece.clear();
    if (is_sentence()) {
      for (const char byte : word) {
        if (byte == ' ')
          piece += meta;
        else
          piece += byte;
      }
      return true;
    }
    const bool printable =
        std::all_of(word.begin(), word.end(), [](char byte) { return byte >= 0x20 && byte < 0x7F; });
    if (!printable) return false;
    if (shape_ == WordShape::metaspace) {
      piece = meta;
      piece += word;
      return true;
    }
    for (const char byte : word)
      piece += lower_ && byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte;
    return true;
  }

  void ends_to_code_points(std::string_view piece, Workspace& workspace) const {
    const uint32_t in_front = shape_ == WordShape::metaspace ? 1 : 0;
    size_t at = 0;
    uint32_t codes = 0;
    bool odd = false;
    for (uint32_t& end : workspace.ends) {
      for (; at < end; ++at) codes += starts_code_point(piece[at]) ? 1 : 0;
      // Within a code point, or just the sign in front.
      odd = odd || (at < piece.size() && !starts_code_point(piece[at])) || codes <= in_front;
      end = codes - std::min(codes, in_front);
    }
    if (odd && !workspace.ends.empty()) workspace.ends.back() = odd_end;
  }

  bool plain(std::string_view word, Workspace& workspace, RowTarget* target) const {
    workspace.ids.clear();
    workspace.ends.clear();
    Pieces pieces;
    if (is_sentence()) {
      NormalizedText text(word);
      std::vector<Match> spaces;
      for (size_t at = 0; at < word.size(); ++at) {
        if (word[at] == ' ')
          spaces.push_back({at, at + 1, true});
        else if (spaces.empty() || spaces.back().delimiter)
          spaces.push_back({at, at + 1, false});
        else
          spaces.back().end = at + 1;
      }
      text.replace(spaces, meta);
      pieces.push_back({std::move(text), std::nullopt});
    } else {
      NormalizedText text(word);
      if (!parts_.normalizer->normalize(text).ok() || text.is_lost()) return false;
      if (!text.empty()) pieces.push_back({std::move(text), std::nullopt});
      if (!parts_.pre_tokenizer->split(pieces).ok()) return false;
    }
    for (const Piece& piece : pieces) {
      auto tokens = parts_.model.tokenize(piece.text.text());
      if (!tokens.ok()) return false;
      for (const Token& token : tokens.value()) {
        workspace.ids.push_back(token.id);
        workspace.ends.push_back(odd_end);
        if (target == nullptr) continue;
        const Span bytes = piece.text.origin(token.range.begin, token.range.end);
        const auto begin = static_cast<uint32_t>(count_code_points(word.substr(0, bytes.begin)));
        const auto end = static_cast<uint32_t>(count_code_points(word.substr(0, bytes.end)));
        target->out.texts.emplace_back(target->out.ids.size(), token.text);
        target->out.ids.push_back(token.id);
        target->out.offsets.push_back({target->first_code + begin, target->first_code + end});
        target->out.words.push_back(target->next_word);
      }
      if (target != nullptr && !is_sentence()) ++target->next_word;
    }
    return true;
  }

  WordShape shape_;
  FastParts parts_;
  std::unique_ptr<PieceModel> model_;

 public:
  bool lower_ = false;  // Of WordShape::bert.
};

class RowTargetSink {
 public:
  RowTargetSink(const RawWords& words, Workspace& workspace, uint32_t first_code, int32_t first_word,
                bool one_word, Rows& out)
      : words_(words),
        workspace_(workspace),
        out_(out),
        code_(first_code),
        word_(first_word),
        one_word_(one_word) {}

  bool word(const uint8_t* word, size_t bytes, size_t readable) {
    WordTokens tokens;
    if (!tokens_of(word, bytes, readable, words_, workspace_, tokens)) [[unlikely]]
      return false;
    const std::string_view text(reinterpret_cast<const char*>(word), bytes);
    const auto codes = static_cast<uint32_t>(count_code_points(text));
    const bool odd = tokens.count == 0 || end_of(tokens, tokens.count - 1) != codes;
    if (odd) [[unlikely]] {
      if (!words_.rows(text, code_, word_, workspace_, out_)) return false;
    } else {
      const size_t at = out_.ids.size();
      out_.ids.resize(at + tokens.count);
      out_.offsets.resize(at + tokens.count);
      out_.words.resize(at + tokens.count);
      uint32_t begin = code_;
      for (uint32_t i = 0; i < tokens.count; ++i) {
        const uint32_t end = code_ + end_of(tokens, i);
        out_.ids[at + i] = tokens.ids[i];
        out_.offsets[at + i] = {begin, end};
        out_.words[at + i] = word_;
        begin = end;
      }
      if (!one_word_) ++word_;
    }
    code_ += codes;
    return true;
  }
  void skip(uint32_t codes) { code_ += codes; }
  uint32_t code() const { return code_; }
  int32_t next_word() const { return word_; }

 private:
  uint32_t end_of(const WordTokens& tokens, uint32_t index) const {
    return tokens.ends != nullptr ? tokens.ends[index] : workspace_.ends[index];
  }

  const RawWords& words_;
  Workspace& workspace_;
  Rows& out_;
  uint32_t code_;
  int32_t word_;
  bool one_word_;
};

class IdTarget {
 public:
  IdTarget(const RawWords& words, Workspace& workspace, std::vector<uint32_t>& out)
      : sink_(words, workspace, out) {}
  bool word(const uint8_t* word, size_t bytes, size_t readable) { return sink_.word(word, bytes, readable); }
  void skip(uint32_t) {}
  void flush() { sink_.flush(); }

 private:
  IdSink sink_;
};

// Words between white space, and for BERT around punctuation and ideographs.
class SpacedEncoder final : public FastEncoder {
 public:
  SpacedEncoder(WordShape shape, const FastParts& parts, std::unique_ptr<PieceModel> model)
      : words_(shape, parts, std::move(model)),
        kinds_(*parts.normalizer, shape == WordShape::bert ? CodeKinds::Marks::free : CodeKinds::Marks::bound,
               shape == WordShape::bert ? CodeKinds::Alone::punctuation_and_ideographs
                                        : CodeKinds::Alone::nothing) {
    for (uint32_t code = 0; code < 0x80; ++code) ascii_[code] = kinds_.of(code);
    NormalizedText capital("A");
    words_.lower_ = parts.normalizer->normalize(capital).ok() && capital.text() == "a";
  }

  bool append_ids(std::string_view text, Workspace& workspace, std::vector<uint32_t>& out) const override {
    const size_t before = out.size();
    IdTarget target(words_, workspace, out);
    if (run(text, target)) {
      target.flush();
      return true;
    }
    out.resize(before);
    return false;
  }

  bool append_rows(std::string_view text, Workspace& workspace, uint32_t& first_code, int32_t& first_word,
                   Rows& out) const override {
    RowTargetSink target(words_, workspace, first_code, first_word, false, out);
    if (!run(text, target)) return false;
    first_code = target.code();
    first_word = target.next_word();
    return true;
  }

 private:
  CodeKind kind_at(const uint8_t* at, uint32_t& bytes) const {
    if (*at < 0x80) [[likely]] {
      bytes = 1;
      return ascii_[*at];
    }
    const Decoded wide = decode_wide(at);
    bytes = wide.bytes;
    return kinds_.of(wide.code);
  }

  template <class Target>
  bool run(std::string_view text, Target& target) const {
    const auto* at = reinterpret_cast<const uint8_t*>(text.data());
    const auto* const end = at + text.size();
    while (at < end) {
      uint32_t bytes = 1;
      CodeKind kind = kind_at(at, bytes);
      if (kind == CodeKind::separator) {
        target.skip(1);
        at += bytes;
        continue;
      }
      if (kind == CodeKind::odd || kind == CodeKind::mark) return false;
      const uint8_t* word_end = at + bytes;
      if (kind == CodeKind::word)
        while (word_end < end) {
          kind = kind_at(word_end, bytes);
          if (kind == CodeKind::odd) return false;
          if (kind != CodeKind::word && kind != CodeKind::mark) break;
          word_end += bytes;
        }
      if (!target.word(at, static_cast<size_t>(word_end - at), static_cast<size_t>(end - at))) return false;
      at = word_end;
    }
    return true;
  }

  RawWords words_;
  CodeKinds kinds_;
  std::array<CodeKind, 0x80> ascii_{};
};

// One piece, cut before each run of signs for a space: no token goes on across one.
class SentenceEncoder final : public FastEncoder {
 public:
  SentenceEncoder(WordShape shape, const FastParts& parts, std::unique_ptr<PieceModel> model)
      : prefixed_(shape == WordShape::prefixed_sentence), words_(shape, parts, std::move(model)) {}

  bool append_ids(std::string_view text, Workspace& workspace, std::vector<uint32_t>& out) const override {
    const size_t before = out.size();
    IdTarget target(words_, workspace, out);
    const bool good = run(text, target, [&](std::string_view first) {
      const std::string word = " " + std::string(first);  // As if a space were in front.
      return target.word(reinterpret_cast<const uint8_t*>(word.data()), word.size(), word.size());
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
    const bool good = run(text, target, [&](std::string_view first) {
      const std::string word = " " + std::string(first);
      const size_t row = out.ids.size();
      const uint32_t code = target.code();
      if (!target.word(reinterpret_cast<const uint8_t*>(word.data()), word.size(), word.size())) return false;
      // The sign in front came from the first character.
      for (size_t i = row; i < out.ids.size(); ++i) {
        Span& span = out.offsets[i];
        span.begin = std::max(span.begin, code + 1) - 1;
        span.end = std::max(span.end, code + 2) - 1;
      }
      target.skip(static_cast<uint32_t>(-1));
      return true;
    });
    if (!good) return false;
    first_code = target.code();
    first_word = target.next_word() + (out.ids.size() > before || !text.empty() ? 1 : 0);
    return true;
  }

 private:
  static bool is_space(const uint8_t* at, const uint8_t* end) {
    return *at == ' ' || (*at == 0xE2 && end - at >= 3 && at[1] == 0x96 && at[2] == 0x81);
  }

  template <class Target, class First>
  bool run(std::string_view text, Target& target, First first) const {
    const auto* const begin = reinterpret_cast<const uint8_t*>(text.data());
    const auto* const end = begin + text.size();
    for (const uint8_t* at = begin; at < end;) {
      const uint8_t* next = at;
      while (next < end && is_space(next, end)) next += *next == ' ' ? 1 : 3;
      while (next < end && !is_space(next, end)) ++next;
      const auto bytes = static_cast<size_t>(next - at);
      const bool good = at == begin && prefixed_
                            ? first(std::string_view(reinterpret_cast<const char*>(at), bytes))
                            : target.word(at, bytes, static_cast<size_t>(end - at));
      if (!good) return false;
      at = next;
    }
    return true;
  }

  bool prefixed_;
  RawWords words_;
};

}  // namespace

std::unique_ptr<FastEncoder> make_word_encoder(WordShape shape, const FastParts& parts) {
  auto model = make_piece_model(parts.model);
  if (!model) return nullptr;
  if (shape == WordShape::bert || shape == WordShape::metaspace)
    return std::make_unique<SpacedEncoder>(shape, parts, std::move(model));
  if (!model->only_begins_with(meta)) return nullptr;
  return std::make_unique<SentenceEncoder>(shape, parts, std::move(model));
}

}  // namespace holdfast::token
