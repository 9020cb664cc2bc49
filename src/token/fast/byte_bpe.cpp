#include "token/fast/byte_bpe.h"

#include <algorithm>

#include "token/byte_level.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

// The bytes a token of letters stands for; nothing if one stands for none.
std::optional<std::string> bytes_of(std::string_view token) {
  std::string out;
  bool known = true;
  for_each_code_point(token, [&](char32_t code, size_t, size_t) {
    const auto byte = byte_of_letter(code);
    known = known && byte;
    out += static_cast<char>(byte.value_or(0));
  });
  if (!known) return std::nullopt;
  return out;
}

std::string letter_of(size_t byte) {
  std::string out;
  append_utf8(out, byte_letters[byte]);
  return out;
}

}  // namespace

std::unique_ptr<ByteBpe> ByteBpe::make(const Bpe& model) {
  const BpeOptions& options = model.options();
  if (!options.prefix.empty() || options.dropout > 0 || !PairTable::fits(model.merges())) return nullptr;
  for (size_t byte = 0; byte < 256; ++byte)
    for (const std::string& suffix : {std::string(), options.suffix}) {
      const auto id = model.id_of(letter_of(byte) + suffix);
      if (!id || *id >= (1U << PairTable::id_bits) - 1) return nullptr;
    }
  return std::unique_ptr<ByteBpe>(new ByteBpe(model));
}

ByteBpe::ByteBpe(const Bpe& model) : pairs_(model.merges()) {
  const std::string& suffix = model.options().suffix;
  for (size_t byte = 0; byte < 256; ++byte) {
    ids_[byte] = *model.id_of(letter_of(byte));
    last_ids_[byte] = *model.id_of(letter_of(byte) + suffix);
  }
  for (const Merge& merge : model.merges()) {
    const std::string_view left = model.token_of(merge.left).value_or(""), right = model.token_of(merge.right).value_or("");
    if (left.empty() || right.empty()) continue;
    size_t last = left.size() - 1;
    while (last > 0 && !starts_code_point(left[last])) --last;
    const auto a = byte_of_letter(code_point_at(left, last).value), b = byte_of_letter(code_point_at(right, 0).value);
    if (a && b) inner_pairs_.set(static_cast<size_t>(*a) << 8U | *b);
  }
  if (!model.options().ignore_merges) return;
  whole_ = std::make_unique<TokenTable>(model.vocabulary_size(), model.vocabulary_size() * 8);
  for (const auto& [token, id] : model.vocabulary().ids())
    if (const auto bytes = bytes_of(token)) whole_->put(*bytes, id);
}

void ByteBpe::fill(std::string_view word, size_t begin, size_t end, std::vector<MergeSymbol>& symbols) const {
  symbols.resize(end - begin);
  for (size_t i = begin; i < end; ++i) symbols[i - begin] = {ids_[static_cast<uint8_t>(word[i])], 1};
  if (end == word.size()) symbols.back().id = last_ids_[static_cast<uint8_t>(word.back())];
}

void ByteBpe::merge_range(std::string_view word, size_t begin, size_t end, Workspace& workspace,
                          std::vector<MergeSymbol>& out) const {
  fill(word, begin, end, out);
  out.resize(workspace.merger->merge(out.data(), out.size()));
}

// Two neighbouring tokens are what the whole word has there exactly if they are what the two alone give: so only the tokens
// around a seam are merged again, more of them until their outer neighbours fit.
bool ByteBpe::join(std::string_view word, size_t seam, Workspace& workspace, std::vector<MergeSymbol>& next) const {
  std::vector<MergeSymbol>& done = workspace.tokens;
  std::vector<MergeSymbol>& window = workspace.window;
  const auto fits = [&](size_t at, MergeSymbol left, MergeSymbol right) {
    merge_range(word, at - left.units, at + right.units, workspace, window);
    return window.size() == 2 && window[0].id == left.id && window[1].id == right.id;
  };
  if (fits(seam, done.back(), next.front())) {
    done.insert(done.end(), next.begin(), next.end());
    return true;
  }
  size_t back = 1, ahead = 1;  // Tokens of each side that are merged again.
  std::vector<MergeSymbol> middle;
  while (true) {
    back = std::min(back, done.size());
    ahead = std::min(ahead, next.size());
    size_t begin = seam, end = seam;
    for (size_t i = 0; i < back; ++i) begin -= done[done.size() - 1 - i].units;
    for (size_t i = 0; i < ahead; ++i) end += next[i].units;
    if (end - begin > window_max) return false;
    merge_range(word, begin, end, workspace, middle);
    const bool left_fits = back == done.size() || fits(begin, done[done.size() - 1 - back], middle.front());
    const bool right_fits = ahead == next.size() || fits(end, middle.back(), next[ahead]);
    if (left_fits && right_fits) break;
    if (!left_fits) back *= 2;
    if (!right_fits) ahead *= 2;
  }
  done.resize(done.size() - back);
  done.insert(done.end(), middle.begin(), middle.end());
  done.insert(done.end(), next.begin() + static_cast<std::ptrdiff_t>(ahead), next.end());
  return true;
}

void ByteBpe::tokenize_long(std::string_view word, Workspace& workspace) const {
  std::vector<MergeSymbol>& done = workspace.tokens;
  done.clear();
  for (size_t begin = 0; begin < word.size();) {
    size_t end = std::min(begin + chunk, word.size());
    // A place no merge reaches across, if there is one near.
    if (end < word.size())
      for (size_t at = end; at > begin + chunk / 2; --at)
        if (!may_merge(word, at)) {
          end = at;
          break;
        }
    merge_range(word, begin, end, workspace, workspace.symbols);
    if (begin == 0 || !may_merge(word, begin)) {
      done.insert(done.end(), workspace.symbols.begin(), workspace.symbols.end());
    } else if (!join(word, begin, workspace, workspace.symbols)) {
      merge_range(word, 0, word.size(), workspace, done);
      return;
    }
    begin = end;
  }
}

bool ByteBpe::tokenize(std::string_view word, Workspace& workspace) const {
  workspace.ids.clear();
  workspace.ends.clear();
  if (whole_)
    if (const uint32_t id = whole_->find(word); id != TokenTable::none) {
      workspace.ids.push_back(id);
      workspace.ends.push_back(static_cast<uint32_t>(word.size()));
      return true;
    }
  if (!workspace.merger) workspace.merger = std::make_unique<BpeMerger>(pairs_);
  std::vector<MergeSymbol>* tokens = &workspace.symbols;
  if (word.size() <= chunk) {
    merge_range(word, 0, word.size(), workspace, workspace.symbols);
  } else {
    tokenize_long(word, workspace);
    tokens = &workspace.tokens;
  }
  uint32_t end = 0;
  for (const MergeSymbol& token : *tokens) {
    workspace.ids.push_back(token.id);
    workspace.ends.push_back(end += token.units);
  }
  return true;
}

}  // namespace holdfast::token
