#include "token/models/unigram.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <cmath>
#include <limits>

#include "codec/json.h"
#include "token/models/model_tables.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {

Unigram::Unigram(std::vector<Entry> entries, std::optional<uint32_t> unknown, ByteFallback fallback)
    : entries_(std::move(entries)), unknown_(unknown), fallback_(fallback) {
  double least = std::numeric_limits<double>::infinity();
  size_t bytes = 0;
  for (const Entry& entry : entries_) {
    bytes += entry.piece.size();
    piece_bytes_max_ = std::max(piece_bytes_max_, entry.piece.size());
    least = std::min(least, entry.score);
  }
  unknown_score_ = least - unknown_penalty;
  memory_.reserve(bytes);
  slots_.resize(std::bit_ceil(entries_.size() * 2 + 2));
  constexpr size_t ahead = 16;  // What is put later is on its way.
  std::array<uint64_t, ahead> hashes{};
  for (size_t i = 0; i < entries_.size() + ahead; ++i) {
    if (i >= ahead) {
      const uint64_t hash = hashes[i % ahead];
      slots_[slot_of(entries_[i - ahead].piece, hash)] = {static_cast<uint32_t>(hash >> 32U),
                                                          static_cast<uint32_t>(i - ahead + 1)};
    }
    if (i >= entries_.size()) continue;
    std::string_view& piece = entries_[i].piece;
    const size_t begin = memory_.size();
    memory_.insert(memory_.end(), piece.begin(), piece.end());
    piece = {memory_.data() + begin, piece.size()};
    hashes[i % ahead] = TextHash{}(piece);
    __builtin_prefetch(slots_.data() + (hashes[i % ahead] & (slots_.size() - 1)));
  }
}

size_t Unigram::slot_of(std::string_view piece, uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  while (slots_[at].entry != 0 && (slots_[at].tag != static_cast<uint32_t>(hash >> 32U) ||
                                   entries_[slots_[at].entry - 1].piece != piece))
    at = (at + 1) & mask;
  return at;
}

std::optional<uint32_t> Unigram::id_of(std::string_view token) const {
  const uint32_t entry = slots_[slot_of(token, TextHash{}(token))].entry;
  if (entry == 0) return std::nullopt;
  return entry - 1;
}

std::optional<std::string_view> Unigram::token_of(uint32_t id) const {
  if (id >= entries_.size()) return std::nullopt;
  return entries_[id].piece;
}

// Viterbi over the bytes: the first of equally good ways wins.
Result<std::vector<Span>> Unigram::best_path(std::string_view piece) const {
  constexpr uint32_t nowhere = UINT32_MAX;
  struct Node {
    double score = 0;
    uint32_t id = 0, from = nowhere;
  };
  std::vector<Node> nodes(piece.size() + 1);
  const auto offer = [&](size_t from, size_t to, uint32_t id, double score) {
    const double candidate = score + nodes[from].score;
    if (nodes[to].from == nowhere || candidate > nodes[to].score)
      nodes[to] = {candidate, id, static_cast<uint32_t>(from)};
  };
  for (size_t at = 0; at < piece.size();) {
    const size_t bytes = code_point_at(piece, at).bytes;
    bool single = false;
    for (size_t length = 1; length <= std::min(piece_bytes_max_, piece.size() - at); ++length) {
      const auto found = id_of(piece.substr(at, length));
      if (!found) continue;
      offer(at, at + length, *found, entries_[*found].score);
      single = single || length == bytes;
    }
    if (!single) {
      const Node& node = nodes[at + bytes];
      const bool better = node.from == nowhere || unknown_score_ + nodes[at].score > node.score;
      if (better && !unknown_)
        return fail(Reason::tokenization_failed, "Encountered an unknown token but `unk_id` is missing");
      offer(at, at + bytes, unknown_.value_or(0), unknown_score_);
    }
    at += bytes;
  }
  std::vector<Span> out;
  bool after_unknown = false;
  for (auto end = static_cast<uint32_t>(piece.size()); end > 0; end = nodes[end].from) {
    const bool unknown = unknown_ && nodes[end].id == *unknown_;
    if (unknown && after_unknown)
      out.back().begin = nodes[end].from;
    else
      out.push_back({nodes[end].from, end});
    after_unknown = unknown;
  }
  std::reverse(out.begin(), out.end());
  return out;
}

bool Unigram::add_bytes(std::string_view part, Span range, std::vector<Token>& out) const {
  const size_t before = out.size();
  for (const char byte : part) {
    std::string token = fmt::format("<0x{:02X}>", static_cast<unsigned char>(byte));
    const auto id = id_of(token);
    if (!id) {
      out.resize(before);
      return false;
    }
    out.push_back({*id, std::move(token), range});
  }
  return true;
}

Result<std::vector<Token>> Unigram::tokenize(std::string_view piece) const {
  TRY(const std::vector<Span> path, best_path(piece));
  std::vector<Token> out;
  out.reserve(path.size());
  for (const Span range : path) {
    const std::string_view part = piece.substr(range.begin, range.end - range.begin);
    auto id = id_of(part);
    if (!id && fallback_ == ByteFallback::yes && add_bytes(part, range, out)) continue;
    if (!id) id = unknown_;
    if (!id) return fail(Reason::tokenization_failed, "Encountered an unknown token but `unk_id` is missing");
    out.push_back({*id, std::string(part), range});
  }
  return out;
}

double score_as_read(double exact) {
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), exact, std::chars_format::scientific).ptr;
  uint64_t digits = 0;
  int exponent = 0;
  bool fraction = false;
  const char* at = text.data();
  for (; at != end && *at != 'e'; ++at) {
    if (*at == '.') fraction = true;
    if (*at < '0' || *at > '9') continue;
    digits = digits * 10 + static_cast<uint64_t>(*at - '0');
    if (fraction) --exponent;
  }
  if (at == end) return exact;
  int power = 0;
  std::from_chars(at[1] == '+' ? at + 2 : at + 1, end, power);
  exponent += power;
  if (exponent < -22 || exponent > 22) return exact;
  double out = static_cast<double>(digits);
  double scale = 1;
  for (int i = 0; i < std::abs(exponent); ++i) scale *= 10;  // Exact up to 10^22.
  out = exponent < 0 ? out / scale : out * scale;
  return std::signbit(exact) ? -out : out;
}

namespace {

Result<std::vector<Unigram::Entry>> load_entries(const boost::json::object& json) {
  TRY(const boost::json::array* all, codec::json_array(json, "vocab"));
  std::vector<Unigram::Entry> entries;
  entries.reserve(all->size());
  for (size_t i = 0; i < all->size(); ++i) {
    const boost::json::value& value = (*all)[i];
    const bool pair = value.is_array() && value.get_array().size() == 2 && value.get_array()[0].is_string() &&
                      value.get_array()[1].is_number();
    if (!pair)
      return fail(Reason::bad_request,
                  fmt::format("model.vocab[{}] of the tokenizer is not a piece and its score", i));
    const boost::json::value& score = value.get_array()[1];
    entries.push_back(
        {value.get_array()[0].get_string(), score.is_double()  ? score_as_read(score.get_double())
                                            : score.is_int64() ? static_cast<double>(score.get_int64())
                                                               : static_cast<double>(score.get_uint64())});
  }
  return entries;
}

}  // namespace

Result<std::unique_ptr<Model>> load_unigram(const boost::json::object& json, ModelTables* tables) {
  std::vector<Unigram::Entry> entries;
  if (tables != nullptr && tables->pieces) {
    for (const auto& [piece, score] : *tables->pieces) entries.push_back({piece, score});
  } else {
    TRY(entries, load_entries(json));
  }
  TRY(const auto unknown, codec::json_integer_if(json, "unk_id"));
  if (unknown && (*unknown < 0 || static_cast<uint64_t>(*unknown) >= entries.size()))
    return fail(Reason::bad_request, "model.unk_id of the tokenizer is not in its vocabulary");
  TRY(const auto fallback, codec::json_flag_if(json, "byte_fallback"));
  return std::unique_ptr<Model>(std::make_unique<Unigram>(
      std::move(entries), unknown ? std::optional(static_cast<uint32_t>(*unknown)) : std::nullopt,
      fallback.value_or(false) ? ByteFallback::yes : ByteFallback::no));
}

}  // namespace holdfast::token
