#include "token/fast/word_encoder.h"

#include <algorithm>

#include "token/fast/code_flags.h"
#include "token/fast/code_kinds.h"
#include "token/fast/piece_model.h"
#include "token/fast/row_room.h"
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
  RawWords(WordShape shape, const FastParts& parts, std::unique_ptr<PieceModel> model, SpaceSign spaces)
      : shape_(shape), parts_(parts), model_(std::move(model)), spaces_(spaces) {
    NormalizedText capital("A");
    lower_ = shape == WordShape::bert && parts.normalizer->normalize(capital).ok() && capital.text() == "a";
  }

  // Ends are code points of the word, or bytes.
  bool ends_are_bytes() const { return is_sentence() && spaces_ == SpaceSign::space; }

  bool tokenize(std::string_view word, Workspace& workspace) const override {
    if (is_sentence()) return tokenize_sentence(word, workspace);
    if (is_printable_ascii(word)) {
      put_ascii(word, workspace.piece);
      if (!model_->tokenize(workspace.piece, workspace)) return plain(word, workspace, nullptr);
      const auto in_front = static_cast<uint32_t>(workspace.piece.size() - word.size());
      for (uint32_t& end : workspace.ends) end = end > in_front && end != odd_end ? end - in_front : odd_end;
      // Just the sign in front.
      if (!workspace.ends.empty() && workspace.ends.front() == odd_end) workspace.ends.back() = odd_end;
      return true;
    }
    if (!map_word(word, workspace) || !model_->tokenize(workspace.piece, workspace))
      return plain(word, workspace, nullptr);
    ends_by_map(workspace);
    return true;
  }

  void tokenize_all(std::span<const FoundWord* const> words, std::span<WordTokens> out,
                    Workspace& workspace) const override {
    if (ends_are_bytes()) model_->tokenize_all(words, out, workspace);
  }

  // The rows of a word whose ends are odd, one by one: by the map of its code points, or the plain parts.
  bool rows(std::string_view word, uint32_t first_code, int32_t& next_word, Workspace& workspace,
            RowRoom& out) const {
    RowTarget target{first_code, next_word, out};
    if (out.rows().own_texts == OwnTexts::drop && !is_sentence() && rows_by_map(word, workspace, target)) {
      next_word = target.next_word;
      return true;
    }
    if (!plain(word, workspace, &target)) return false;
    next_word = target.next_word;
    return true;
  }

  const PieceModel& model() const { return *model_; }

 private:
  static constexpr std::ptrdiff_t whole_cluster_bytes = 6;  // Shorter ones have texts of their own.

  struct RowTarget {
    uint32_t first_code;
    int32_t next_word;
    RowRoom& out;
  };

  bool is_sentence() const { return shape_ == WordShape::sentence || shape_ == WordShape::prefixed_sentence; }

  bool tokenize_sentence(std::string_view word, Workspace& workspace) const {
    if (ends_are_bytes()) {
      if (word.find(meta) == std::string_view::npos)
        return model_->tokenize(word, workspace) || plain(word, workspace, nullptr);
      workspace.piece = word;
      replace_all(workspace.piece, meta, " ");  // Which stands for it.
      if (!model_->tokenize(workspace.piece, workspace)) return plain(word, workspace, nullptr);
      if (!workspace.ends.empty()) workspace.ends.back() = odd_end;
      return true;
    }
    workspace.piece = word;
    replace_all(workspace.piece, " ", meta);
    if (!model_->tokenize(workspace.piece, workspace)) return plain(word, workspace, nullptr);
    ends_to_code_points(workspace.piece, workspace);
    return true;
  }

  static void replace_all(std::string& text, std::string_view from, std::string_view to) {
    std::string out;
    for (size_t at = 0; at < text.size();) {
      const size_t found = std::min(text.find(from, at), text.size());
      out.append(text, at, found - at);
      if (found < text.size()) out += to;
      at = found + (found < text.size() ? from.size() : 0);
    }
    text = std::move(out);
  }

  static bool is_printable_ascii(std::string_view word) {
    return std::all_of(word.begin(), word.end(), [](char byte) { return byte >= 0x20 && byte < 0x7F; });
  }

  void put_ascii(std::string_view word, std::string& piece) const {
    piece = shape_ == WordShape::metaspace ? meta : std::string_view();
    const size_t begin = piece.size();
    piece += word;
    if (!lower_) return;
    for (char& byte : std::span(piece).subspan(begin))
      byte = byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte;
  }

  // The piece that the model gets, code point by code point, and where each begins. False where what becomes
  // of one depends on those around it.
  bool map_word(std::string_view word, Workspace& workspace) const {
    const bool clusters = shape_ == WordShape::metaspace;
    const auto works = clusters ? CodeMap::Works::by_cluster : CodeMap::Works::by_code_point;
    workspace.piece = clusters ? meta : std::string_view();
    workspace.code_starts.assign(workspace.piece.size(), Workspace::inside_code);
    workspace.drops_codes = false;
    const auto* at = reinterpret_cast<const uint8_t*>(word.data());
    const auto* const end = at + word.size();
    uint32_t codes = 0;
    const uint8_t* cluster = at;
    bool has_mark = false;
    const auto cluster_is_long = [&] { return !has_mark || at - cluster >= whole_cluster_bytes; };
    while (at < end) {
      const Decoded one = decode(at);
      const CodeMap::Entry& entry = workspace.code_map.of(one.code, *parts_.normalizer, works);
      if (entry.state == CodeMap::State::other) return false;
      if (entry.state == CodeMap::State::mark) {
        has_mark = true;
      } else {
        if (!cluster_is_long()) return false;
        cluster = at;
        has_mark = false;
      }
      at += one.bytes;
      workspace.drops_codes = workspace.drops_codes || entry.bytes == 0;
      const size_t begin = workspace.piece.size();
      workspace.piece.append(entry.text.data(), entry.bytes);
      workspace.code_starts.resize(workspace.piece.size(), Workspace::inside_code);
      if (entry.bytes > 0) workspace.code_starts[begin] = codes;
      ++codes;
    }
    workspace.code_starts.push_back(codes);
    return cluster_is_long() && workspace.piece.size() > (clusters ? meta.size() : 0);
  }

  // A token gets the code points its bytes came from, so it may begin after the one before it ended, or
  // share one with it; the sign in front came from the first.
  bool rows_by_map(std::string_view word, Workspace& workspace, RowTarget& target) const {
    if (!map_word(word, workspace) || !model_->tokenize(workspace.piece, workspace) || workspace.ids.empty())
      return false;
    std::vector<uint32_t>& codes = workspace.code_starts;
    const size_t in_front = shape_ == WordShape::metaspace ? meta.size() : 0, bytes = workspace.piece.size();
    if (codes[in_front] != 0) return false;
    std::fill_n(codes.begin(), in_front, 0);
    for (size_t at = in_front + 1; at < bytes; ++at)
      if (codes[at] == Workspace::inside_code) codes[at] = codes[at - 1];
    if (workspace.ends.back() == odd_end) workspace.ends.back() = static_cast<uint32_t>(bytes);
    for (const uint32_t end : workspace.ends)
      if (end == 0 || end > bytes) return false;
    target.out.need(workspace.ids.size());
    uint32_t begin = 0;
    for (size_t i = 0; i < workspace.ids.size(); ++i) {
      const uint32_t end = workspace.ends[i];
      target.out.put(workspace.ids[i],
                     {target.first_code + codes[begin], target.first_code + codes[end - 1] + 1},
                     target.next_word);
      if (i + 1 < workspace.ids.size() && workspace.ends[i + 1] != end) begin = end;  // Bytes share a range.
    }
    ++target.next_word;
    return true;
  }

  // Ends in bytes of workspace.piece become code points of the word.
  static void ends_by_map(Workspace& workspace) {
    bool odd = workspace.drops_codes;
    for (uint32_t& end : workspace.ends) {
      const uint32_t code =
          end < workspace.code_starts.size() ? workspace.code_starts[end] : Workspace::inside_code;
      odd = odd || code == Workspace::inside_code || code == 0;
      end = code;
    }
    if (odd && !workspace.ends.empty()) workspace.ends.back() = odd_end;
  }

  static void ends_to_code_points(std::string_view piece, Workspace& workspace) {
    size_t at = 0;
    uint32_t codes = 0;
    bool odd = false;
    for (uint32_t& end : workspace.ends) {
      if (end > piece.size()) {
        odd = true;
        continue;
      }
      for (; at < end; ++at) codes += starts_code_point(piece[at]) ? 1 : 0;
      odd = odd || (at < piece.size() && !starts_code_point(piece[at])) || codes == 0;
      end = codes;
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
      auto tokens = model_->tokens(piece.text.text(), workspace);
      if (!tokens.ok()) return false;
      for (const Token& token : tokens.value()) {
        workspace.ids.push_back(token.id);
        workspace.ends.push_back(odd_end);
        if (target == nullptr) continue;
        const Span bytes = piece.text.origin(token.range.begin, token.range.end);
        const auto begin = static_cast<uint32_t>(count_code_points(word.substr(0, bytes.begin)));
        const auto end = static_cast<uint32_t>(count_code_points(word.substr(0, bytes.end)));
        if (target->out.rows().own_texts == OwnTexts::keep)
          target->out.rows().texts.emplace_back(target->out.size(), token.text);
        target->out.need(1);
        target->out.put(token.id, {target->first_code + begin, target->first_code + end}, target->next_word);
      }
      if (target != nullptr && !is_sentence()) ++target->next_word;
    }
    return true;
  }

  WordShape shape_;
  FastParts parts_;
  std::unique_ptr<PieceModel> model_;
  SpaceSign spaces_;  // Of sentences.
  bool lower_ = false;
};

class RowTargetSink {
 public:
  RowTargetSink(const RawWords& words, Workspace& workspace, uint32_t first_code, int32_t first_word,
                bool one_word, Rows& out)
      : words_(words),
        workspace_(workspace),
        room_(out),
        code_(first_code),
        word_(first_word),
        one_word_(one_word) {}

  bool word(const FoundWord& word, const PackedTokens& found, WordBatch& batch) {
    code_ += word.skipped;
    const uint32_t codes = codes_of(word);
    if (!found.is_packed()) [[unlikely]]
      return other_word(word, codes, found, batch);
    if (found.is_odd()) [[unlikely]]
      return odd_word(word, codes);
    room_.need(PackedTokens::tokens_max);
    if (codes != word.bytes && words_.ends_are_bytes())
      room_.put_packed_wide(word, found, code_, word_);
    else
      room_.put_packed(found, code_, word_);
    code_ += codes;
    if (!one_word_) ++word_;
    return true;
  }
  void skip(uint32_t codes) { code_ += codes; }
  void finish() { room_.finish(); }
  RowRoom& room() { return room_; }
  uint32_t code() const { return code_; }
  int32_t next_word() const { return word_; }

 private:
  static uint32_t codes_of(const FoundWord& word) {
    constexpr uint64_t high_bits = 0x8080808080808080U;
    if (word.bytes <= WordCache::small_bytes &&
        ((word.key.low | (word.key.high << 8U >> 8U)) & high_bits) == 0)
      return word.bytes;
    return static_cast<uint32_t>(count_code_points(word.text()));
  }

  [[gnu::noinline]] bool other_word(const FoundWord& word, uint32_t codes, const PackedTokens& found,
                                    WordBatch& batch) {
    WordTokens tokens;
    if (!batch.tokens_of(word, found, tokens)) return false;
    const uint32_t last = words_.ends_are_bytes() ? word.bytes : codes;
    if (tokens.count == 0 || tokens.end(tokens.count - 1) != last) return odd_word(word, codes);
    room_.need(tokens.count);
    if (words_.ends_are_bytes()) {
      code_ += room_.put_wide(word, tokens, code_, word_);
      if (!one_word_) ++word_;
      return true;
    }
    uint32_t begin = code_;
    for (uint32_t i = 0; i < tokens.count; ++i) {
      const uint32_t end = code_ + tokens.end(i);
      room_.put(tokens.ids[i], {begin, end}, word_);
      begin = end;
    }
    if (!one_word_) ++word_;
    code_ += codes;
    return true;
  }

  bool odd_word(const FoundWord& word, uint32_t codes) {
    if (!words_.rows(word.text(), code_, word_, workspace_, room_)) return false;
    code_ += codes;
    return true;
  }

  const RawWords& words_;
  Workspace& workspace_;
  RowRoom room_;
  uint32_t code_;
  int32_t word_;
  bool one_word_;
};

// Words between white space, and for BERT around punctuation and ideographs.
class SpacedEncoder final : public FastEncoder {
 public:
  SpacedEncoder(WordShape shape, const FastParts& parts, std::unique_ptr<PieceModel> model)
      : words_(shape, parts, std::move(model), SpaceSign::sign),
        kinds_(*parts.normalizer, shape == WordShape::bert ? CodeKinds::Marks::free : CodeKinds::Marks::bound,
               shape == WordShape::bert ? CodeKinds::Alone::punctuation_and_ideographs
                                        : CodeKinds::Alone::nothing) {
    for (uint32_t code = 0; code < 0x80; ++code) ascii_[code] = kinds_.of(code);
  }

  bool append_ids(std::string_view text, Workspace& workspace, std::vector<uint32_t>& out) const override {
    const size_t before = out.size();
    IdSink target(out);
    if (run(text, workspace, target)) {
      target.flush();
      return true;
    }
    out.resize(before);
    return false;
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
  bool run(std::string_view text, Workspace& workspace, Target& target) const {
    WordBatch batch(words_, workspace);
    const auto* at = reinterpret_cast<const uint8_t*>(text.data());
    const auto* const end = at + text.size();
    while (at < end) {
      uint32_t bytes = 1;
      CodeKind kind = kind_at(at, bytes);
      if (kind == CodeKind::separator) {
        batch.skip(1);
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
      batch.put(at, static_cast<size_t>(word_end - at), static_cast<size_t>(end - at));
      if (batch.is_full() && !batch.give(target)) return false;
      at = word_end;
    }
    if (!batch.give(target)) return false;
    if constexpr (requires { target.skip(0); }) target.skip(batch.skipped_last());
    return true;
  }

  RawWords words_;
  CodeKinds kinds_;
  std::array<CodeKind, 0x80> ascii_{};
};

// One piece, cut before each run of signs for a space: no token goes on across one.
class SentenceEncoder final : public FastEncoder {
 public:
  SentenceEncoder(WordShape shape, const FastParts& parts, std::unique_ptr<PieceModel> model,
                  SpaceSign spaces)
      : prefixed_(shape == WordShape::prefixed_sentence), words_(shape, parts, std::move(model), spaces) {}

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

  template <class Target, class First>
  bool run(std::string_view text, Workspace& workspace, Target& target, First first) const {
    WordBatch batch(words_, workspace);
    const auto* const begin = reinterpret_cast<const uint8_t*>(text.data());
    const auto* const end = begin + text.size();
    for (const uint8_t* at = begin; at < end;) {
      const uint8_t* next = at;
      while (next < end && is_space(next, end)) next += *next == ' ' ? 1 : 3;
      while (next < end && !is_space(next, end)) ++next;
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
};

}  // namespace

std::unique_ptr<FastEncoder> make_word_encoder(WordShape shape, const FastParts& parts) {
  if (shape == WordShape::bert || shape == WordShape::metaspace) {
    auto model = make_piece_model(parts.model, SpaceSign::sign);
    return model ? std::make_unique<SpacedEncoder>(shape, parts, std::move(model)) : nullptr;
  }
  SpaceSign spaces = SpaceSign::space;
  auto model = make_piece_model(parts.model, spaces);
  if (!model) {
    spaces = SpaceSign::sign;
    model = make_piece_model(parts.model, spaces);
  }
  if (!model || !model->only_begins_with(meta)) return nullptr;
  return std::make_unique<SentenceEncoder>(shape, parts, std::move(model), spaces);
}

}  // namespace holdfast::token
