#include "token/models/bpe.h"

#include <fmt/format.h>

#include <algorithm>
#include <queue>

#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

uint64_t pair_of(uint32_t left, uint32_t right) { return uint64_t{left} << 32U | right; }

struct Candidate {
  uint32_t rank = 0, result = 0;
  int32_t at = 0;
  // The lowest rank first, then the leftmost.
  friend bool operator<(const Candidate& left, const Candidate& right) {
    return left.rank != right.rank ? left.rank > right.rank : left.at > right.at;
  }
};

// Dropout is random and need not be repeatable.
bool chance(double share) {
  thread_local uint64_t state = 0x9E3779B97F4A7C15U;
  state ^= state << 13U;
  state ^= state >> 7U;
  state ^= state << 17U;
  return static_cast<double>(state >> 11U) * 0x1p-53 < share;
}

}  // namespace

Bpe::Bpe(Vocabulary vocabulary, std::vector<Merge> merges, BpeOptions options)
    : vocabulary_(std::move(vocabulary)), merges_(std::move(merges)), options_(std::move(options)) {}

const Bpe::Ranked* Bpe::rank_of(uint32_t left, uint32_t right) const {
  std::call_once(once_, [this] {
    ranks_.reserve(merges_.size());
    for (uint32_t rank = 0; rank < merges_.size(); ++rank)
      ranks_.insert_or_assign(pair_of(merges_[rank].left, merges_[rank].right),
                              Ranked{rank, merges_[rank].result});
  });
  const auto found = ranks_.find(pair_of(left, right));
  return found == ranks_.end() ? nullptr : &found->second;
}

bool Bpe::add_bytes(std::string_view character, Word& word) const {
  std::vector<uint32_t> ids;
  for (const char byte : character) {
    const auto id = vocabulary_.id_of(fmt::format("<0x{:02X}>", static_cast<unsigned char>(byte)));
    if (!id) return false;
    ids.push_back(*id);
  }
  for (const uint32_t id : ids) word.push_back({id, 1});
  return true;
}

// An unknown token waits until the next known one: bytes of a later character come before it, as in the
// reference.
Result<Bpe::Word> Bpe::symbols_of(std::string_view piece) const {
  Word word;
  word.reserve(piece.size());
  std::optional<Symbol> waiting;
  std::string with_affixes;
  for (size_t at = 0; at < piece.size();) {
    const size_t bytes = code_point_at(piece, at).bytes;
    std::string_view character = piece.substr(at, bytes);
    const bool first = at == 0, last = at + bytes == piece.size();
    at += bytes;
    if ((!first && !options_.prefix.empty()) || (last && !options_.suffix.empty())) {
      with_affixes =
          fmt::format("{}{}{}", first ? "" : options_.prefix, character, last ? options_.suffix : "");
      character = with_affixes;
    }
    if (const auto id = vocabulary_.id_of(character)) {
      if (waiting) word.push_back(*waiting);
      waiting.reset();
      word.push_back({*id, static_cast<uint32_t>(bytes)});
      continue;
    }
    if (options_.byte_fallback && add_bytes(character, word)) continue;
    if (!options_.unknown) continue;
    if (waiting && options_.fuse_unknown) {
      waiting->bytes += static_cast<uint32_t>(bytes);
      continue;
    }
    if (waiting) word.push_back(*waiting);
    const auto unknown = vocabulary_.id_of(*options_.unknown);
    if (!unknown)
      return fail(Reason::tokenization_failed,
                  "the tokenizer's token for the unknown is not in its vocabulary");
    waiting = Symbol{*unknown, static_cast<uint32_t>(bytes)};
  }
  if (waiting) word.push_back(*waiting);
  for (size_t i = 0; i < word.size(); ++i) {
    word[i].previous = static_cast<int32_t>(i) - 1;
    word[i].next = i + 1 < word.size() ? static_cast<int32_t>(i) + 1 : -1;
  }
  return word;
}

void Bpe::merge(Word& word) const {
  std::vector<Candidate> found, skipped;
  for (size_t i = 0; i + 1 < word.size(); ++i)
    if (const Ranked* ranked = rank_of(word[i].id, word[i + 1].id))
      found.push_back({ranked->rank, ranked->result, static_cast<int32_t>(i)});
  std::priority_queue<Candidate, std::vector<Candidate>, std::less<>> queue(std::less<>{}, std::move(found));
  const auto push = [&](int32_t left, int32_t right) {
    if (const Ranked* ranked =
            rank_of(word[static_cast<size_t>(left)].id, word[static_cast<size_t>(right)].id))
      queue.push({ranked->rank, ranked->result, left});
  };
  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    if (options_.dropout > 0 && chance(options_.dropout)) {
      skipped.push_back(top);
      continue;
    }
    for (const Candidate& again : skipped) queue.push(again);
    skipped.clear();
    Symbol& left = word[static_cast<size_t>(top.at)];
    if (left.bytes == 0 || left.next < 0) continue;
    Symbol& right = word[static_cast<size_t>(left.next)];
    // Stale unless the pair that stands there now gives the same token; its rank does not matter.
    const Ranked* now = rank_of(left.id, right.id);
    if (now == nullptr || now->result != top.result) continue;
    left.id = top.result;
    left.bytes += right.bytes;
    left.next = right.next;
    right.bytes = 0;
    if (left.next >= 0) word[static_cast<size_t>(left.next)].previous = top.at;
    if (left.previous >= 0) push(left.previous, top.at);
    if (left.next >= 0) push(top.at, left.next);
  }
  std::erase_if(word, [](const Symbol& symbol) { return symbol.bytes == 0; });
}

Result<std::vector<Token>> Bpe::tokenize(std::string_view piece) const {
  if (options_.ignore_merges && options_.dropout == 0)
    if (const auto whole = vocabulary_.id_of(piece))
      return std::vector<Token>{{*whole, std::string(piece), {0, static_cast<uint32_t>(piece.size())}}};
  TRY(Word word, symbols_of(piece));
  merge(word);
  std::vector<Token> out;
  out.reserve(word.size());
  uint32_t at = 0;
  for (const Symbol& symbol : word) {
    const auto text = vocabulary_.token_of(symbol.id);
    out.push_back({symbol.id, std::string(text.value_or("")), {at, at + symbol.bytes}});
    at += symbol.bytes;
  }
  return out;
}

}  // namespace holdfast::token
