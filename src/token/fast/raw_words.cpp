#include "token/fast/raw_words.h"

#include <algorithm>

#include "token/fast/code_flags.h"
#include "token/fast/large_pages.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

constexpr std::ptrdiff_t whole_cluster_bytes = 6;  // Shorter clusters have texts of their own.

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t found = std::min(text.find(from, at), text.size());
    out.append(text, at, found - at);
    if (found < text.size()) out += to;
    at = found + (found < text.size() ? from.size() : 0);
  }
  text = std::move(out);
}

// Whether `end` is that of a first token which is just the sign in front, and not the last.
bool is_sign(const uint32_t& end, std::span<const uint32_t> ends) {
  return &end == ends.data() && ends.size() > 1 && end == space_sign.size();
}

// Ends in bytes of a piece become code points of the word.
void ends_by_map(std::span<const uint32_t> code_starts, bool drops_codes, std::span<uint32_t> ends) {
  bool odd = drops_codes;
  for (uint32_t& end : ends) {
    const uint32_t code = end < code_starts.size() ? code_starts[end] : Workspace::inside_code;
    odd = odd || code == Workspace::inside_code || (code == 0 && !is_sign(end, ends));
    end = code;
  }
  if (odd && !ends.empty()) ends.back() = odd_end;
}

// Of a piece of ASCII, what stands in front of it taken off.
void ends_after_sign(size_t in_front, std::span<uint32_t> ends) {
  const bool sign = !ends.empty() && in_front > 0 && ends.front() == in_front && is_sign(ends.front(), ends);
  for (uint32_t& end : ends)
    end = end > in_front && end != odd_end ? end - static_cast<uint32_t>(in_front) : odd_end;
  if (sign) ends.front() = 0;
  if (!ends.empty() && ends.front() == odd_end) ends.back() = odd_end;
}

void ends_to_code_points(std::string_view piece, Workspace& workspace) {
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

}  // namespace

bool is_printable_ascii(std::string_view word) {
  return std::all_of(word.begin(), word.end(), [](char byte) { return byte >= 0x20 && byte < 0x7F; });
}

RawWords::RawWords(WordShape shape, const FastParts& parts, std::unique_ptr<PieceModel> model,
                   SpaceSign spaces)
    : shape_(shape),
      parts_(parts),
      model_(std::move(model)),
      spaces_(spaces),
      code_map_(parts.normalizer,
                shape == WordShape::metaspace ? CodeMap::Works::by_cluster : CodeMap::Works::by_code_point) {
  NormalizedText capital("A");
  lower_ = shape == WordShape::bert && parts.normalizer->normalize(capital).ok() && capital.text() == "a";
}

bool RawWords::tokenize(std::string_view word, WordPlace place, Workspace& workspace) const {
  if (is_sentence()) return tokenize_sentence(word, workspace);
  if (is_printable_ascii(word)) {
    put_ascii(word, place, workspace.piece);
    if (!model_->tokenize(workspace.piece, workspace))
      return place == WordPlace::first && plain(word, workspace, nullptr);
    ends_after_sign(workspace.piece.size() - word.size(), workspace.ends);
    return true;
  }
  if (!map_word(word, workspace) || !model_->tokenize(workspace.piece, workspace))
    return plain(word, workspace, nullptr);
  ends_by_map(workspace.code_starts, workspace.drops_codes, workspace.ends);
  return true;
}

void RawWords::tokenize_all(std::span<const FoundWord* const> words, std::span<WordTokens> out,
                            Workspace& workspace) const {
  if (ends_are_bytes()) {
    model_->tokenize_all(words, out, workspace);
  } else if (shape_ == WordShape::metaspace && model_->joins() != nullptr) {
    tokenize_mapped(words, out, workspace);
  }
}

// As tokenize() does with each.
void RawWords::tokenize_mapped(std::span<const FoundWord* const> words, std::span<WordTokens> out,
                               Workspace& workspace) const {
  Workspace::Mapped& mapped = workspace.mapped;
  mapped.text.clear();
  mapped.code_starts.clear();
  mapped.pieces.clear();
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i]->text();
    if (word.size() > BacktrackBpe::job_bytes_max) continue;
    const bool ascii = is_printable_ascii(word);
    if (ascii)
      put_ascii(word, words[i]->place(), workspace.piece);
    else if (!map_word(word, workspace))
      continue;
    mapped.pieces.push_back({.word = static_cast<uint32_t>(i),
                             .begin = static_cast<uint32_t>(mapped.text.size()),
                             .bytes = static_cast<uint32_t>(workspace.piece.size()),
                             .codes_begin = static_cast<uint32_t>(mapped.code_starts.size()),
                             .codes = ascii ? 0 : static_cast<uint32_t>(workspace.code_starts.size()),
                             .drops_codes = !ascii && workspace.drops_codes});
    mapped.text += workspace.piece;
    if (!ascii)
      mapped.code_starts.insert(mapped.code_starts.end(), workspace.code_starts.begin(),
                                workspace.code_starts.end());
  }
  mapped.found.resize(mapped.pieces.size());
  mapped.asked.resize(mapped.pieces.size());
  mapped.made.assign(mapped.pieces.size(), WordTokens());
  for (size_t i = 0; i < mapped.pieces.size(); ++i) {
    mapped.found[i].at = reinterpret_cast<const uint8_t*>(mapped.text.data()) + mapped.pieces[i].begin;
    mapped.found[i].bytes = mapped.pieces[i].bytes;
    mapped.asked[i] = &mapped.found[i];
  }
  model_->tokenize_all(mapped.asked, mapped.made, workspace);
  for (size_t i = 0; i < mapped.pieces.size(); ++i) {
    const WordTokens& made = mapped.made[i];
    if (made.ids == nullptr) continue;
    const Workspace::MappedPiece& piece = mapped.pieces[i];
    // The model's tokens are in the workspace.
    const std::span<uint32_t> ends(workspace.job_ends.data() + (made.ends - workspace.job_ends.data()),
                                   made.count);
    if (piece.codes == 0)
      ends_after_sign(piece.bytes - words[piece.word]->bytes, ends);
    else
      ends_by_map({mapped.code_starts.data() + piece.codes_begin, piece.codes}, piece.drops_codes, ends);
    out[piece.word] = made;
  }
}

bool RawWords::rows(std::string_view word, uint32_t first_code, int32_t& next_word, Workspace& workspace,
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

bool RawWords::tokenize_sentence(std::string_view word, Workspace& workspace) const {
  if (ends_are_bytes()) {
    if (word.find(space_sign) == std::string_view::npos)
      return model_->tokenize(word, workspace) || plain(word, workspace, nullptr);
    workspace.piece = word;
    replace_all(workspace.piece, space_sign, " ");  // Which stands for it.
    if (!model_->tokenize(workspace.piece, workspace)) return plain(word, workspace, nullptr);
    if (!workspace.ends.empty()) workspace.ends.back() = odd_end;
    return true;
  }
  workspace.piece = word;
  replace_all(workspace.piece, " ", space_sign);
  if (!model_->tokenize(workspace.piece, workspace)) return plain(word, workspace, nullptr);
  ends_to_code_points(workspace.piece, workspace);
  return true;
}

void RawWords::put_ascii(std::string_view word, WordPlace place, std::string& piece) const {
  reserve_large(piece, word.size() + space_sign.size());
  piece = shape_ == WordShape::metaspace && place == WordPlace::first ? space_sign : std::string_view();
  const size_t begin = piece.size();
  piece += word;
  if (!lower_) return;
  for (char& byte : std::span(piece).subspan(begin))
    byte = byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte;
}

bool RawWords::map_word(std::string_view word, Workspace& workspace) const {
  const bool clusters = shape_ == WordShape::metaspace;
  workspace.piece = clusters ? space_sign : std::string_view();
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
    const CodeMap::Entry& entry = code_map_.of(one.code);
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
  return cluster_is_long() && workspace.piece.size() > (clusters ? space_sign.size() : 0);
}

bool RawWords::rows_by_map(std::string_view word, Workspace& workspace, RowTarget& target) const {
  if (!map_word(word, workspace) || !model_->tokenize(workspace.piece, workspace) || workspace.ids.empty())
    return false;
  std::vector<uint32_t>& codes = workspace.code_starts;
  const size_t in_front = shape_ == WordShape::metaspace ? space_sign.size() : 0,
               bytes = workspace.piece.size();
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

bool RawWords::plain(std::string_view word, Workspace& workspace, RowTarget* target) const {
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
    text.replace(spaces, space_sign);
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

}  // namespace holdfast::token
