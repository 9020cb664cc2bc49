#include "token/added_tokens.h"

#include <emmintrin.h>

#include <algorithm>
#include <bit>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstring>

#include "codec/json.h"
#include "token/unicode/properties.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {

Result<AddedToken> added_token_of(const boost::json::object& json) {
  AddedToken token;
  TRY(const int64_t id, codec::json_integer(json, "id"));
  if (id < 0 || id > UINT32_MAX) return fail(Reason::bad_request, "an added token's id is out of range");
  token.id = static_cast<uint32_t>(id);
  TRY(const std::string_view content, codec::json_text(json, "content"));
  token.content = content;
  TRY(const auto single_word, codec::json_flag_if(json, "single_word"));
  TRY(const auto lstrip, codec::json_flag_if(json, "lstrip"));
  TRY(const auto rstrip, codec::json_flag_if(json, "rstrip"));
  TRY(const auto special, codec::json_flag_if(json, "special"));
  TRY(const auto normalized, codec::json_flag_if(json, "normalized"));
  token.single_word = single_word.value_or(false);
  token.lstrip = lstrip.value_or(false);
  token.rstrip = rstrip.value_or(false);
  token.special = special.value_or(false);
  token.normalized = normalized.value_or(!token.special);
  return token;
}

namespace {
size_t start_of_last_code_point(std::string_view text) {
  size_t at = text.size() - 1;
  while (at > 0 && !starts_code_point(text[at])) --at;
  return at;
}

bool ends_with_word(std::string_view text) {
  return !text.empty() && is_word(code_point_at(text, start_of_last_code_point(text)).value);
}

bool starts_with_word(std::string_view text) {
  return !text.empty() && is_word(code_point_at(text, 0).value);
}

size_t without_spaces_at_end(std::string_view text) {
  while (!text.empty()) {
    const size_t at = start_of_last_code_point(text);
    if (!is_white_space(code_point_at(text, at).value)) break;
    text = text.substr(0, at);
  }
  return text.size();
}

size_t spaces_at_start(std::string_view text) {
  size_t at = 0;
  while (at < text.size() && is_white_space(code_point_at(text, at).value))
    at += code_point_at(text, at).bytes;
  return at;
}

}  // namespace

Result<AddedTokens> AddedTokens::load(const boost::json::array& json, const Model& model,
                                      const Normalizer* normalizer) {
  AddedTokens out;
  uint64_t next_id = model.vocabulary_size();
  for (const boost::json::value& value : json) {
    if (!value.is_object()) return fail(Reason::bad_request, "an added token is not an object");
    TRY(AddedToken token, added_token_of(value.get_object()));
    if (token.content.empty()) continue;
    // The vocabulary's id counts, then the order of the list; the written id does not.
    const auto known = out.id_of(token.content);
    const auto in_model = model.id_of(token.content);
    const uint64_t id = known ? *known : in_model ? *in_model : next_id++;
    token.id = static_cast<uint32_t>(id);
    if (token.normalized && normalizer != nullptr) {
      NormalizedText text(token.content);
      TRY_DONE(normalizer->normalize(text));
      if (text.text() != token.content) out.normalized_[token.id] = text.text();
    }
    out.ids_.insert_or_assign(token.content, token.id);
    if (token.special) out.specials_.emplace(token.content, true);
    out.tokens_.insert_or_assign(token.id, std::move(token));
  }
  // Of tokens that are one text once normalized the one of the least id is found; the reference takes any.
  std::vector<uint32_t> ids;
  ids.reserve(out.tokens_.size());
  for (const auto& entry : out.tokens_) ids.push_back(entry.first);
  std::sort(ids.begin(), ids.end());
  for (const uint32_t id : ids) {
    const AddedToken& token = out.tokens_.at(id);
    const auto changed = out.normalized_.find(id);
    const std::string& pattern = changed == out.normalized_.end() ? token.content : changed->second;
    insert(token.normalized ? out.normalized_tree_ : out.raw_tree_, pattern, id);
  }
  return out;
}

// What normalizing makes nothing of stands at the root: it is found before each byte, and where that is
// within a character the text has no tokens, as in the reference. The tree then has a node more, so that it
// counts.
void AddedTokens::insert(Tree& tree, std::string_view pattern, uint32_t id) {
  if (!pattern.empty()) {
    bool& begins = tree.begins[static_cast<unsigned char>(pattern[0])];
    if (!begins) tree.first_bytes += pattern[0];
    begins = true;
  } else {
    tree.nodes.emplace_back();
  }
  std::vector<Node>& nodes = tree.nodes;
  size_t node = 0;
  for (char byte : pattern) {
    const auto [next, is_new] = nodes[node].next.try_emplace(byte, nodes.size());
    node = next->second;
    if (is_new) nodes.emplace_back();
  }
  if (!nodes[node].id) nodes[node].id = id;
}

std::optional<AddedTokens::Found> AddedTokens::longest_at(const Tree& tree, std::string_view text,
                                                          size_t begin) {
  std::optional<Found> best;
  if (tree.nodes[0].id) best = Found{*tree.nodes[0].id, begin, begin};
  size_t node = 0;
  for (size_t at = begin; at < text.size(); ++at) {
    const auto next = tree.nodes[node].next.find(text[at]);
    if (next == tree.nodes[node].next.end()) break;
    node = next->second;
    if (tree.nodes[node].id) best = Found{*tree.nodes[node].id, begin, at + 1};
  }
  return best;
}

// Where the next byte is that a token may begin with: the one byte that most tokenizers have, or few, or by
// table.
size_t AddedTokens::next_begin(const Tree& tree, std::string_view text, size_t from) {
  constexpr size_t few = 4;
  if (tree.nodes[0].id) return from;  // Nothing is everywhere.
  if (tree.first_bytes.empty() || from >= text.size()) return text.size();
  if (tree.first_bytes.size() == 1) {
    const void* found = std::memchr(text.data() + from, tree.first_bytes[0], text.size() - from);
    return found == nullptr ? text.size()
                            : static_cast<size_t>(static_cast<const char*>(found) - text.data());
  }
  if (tree.first_bytes.size() <= few) {
    std::array<__m128i, few> wanted{};
    for (size_t i = 0; i < few; ++i)
      wanted[i] = _mm_set1_epi8(tree.first_bytes[std::min(i, tree.first_bytes.size() - 1)]);
    for (; from + 16 <= text.size(); from += 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + from));
      __m128i any = _mm_cmpeq_epi8(bytes, wanted[0]);
      for (size_t i = 1; i < few; ++i) any = _mm_or_si128(any, _mm_cmpeq_epi8(bytes, wanted[i]));
      if (const auto bits = static_cast<unsigned>(_mm_movemask_epi8(any)); bits != 0)
        return from + static_cast<size_t>(std::countr_zero(bits));
    }
  }
  while (from < text.size() && !tree.begins[static_cast<unsigned char>(text[from])]) ++from;
  return from;
}

std::vector<AddedTokens::Found> AddedTokens::find_all(std::string_view text, SpecialsInText specials) const {
  std::vector<Found> raw = find(raw_tree_, text, specials);
  if (!has_normalized()) return raw;
  std::vector<Found> out;
  size_t from = 0;
  const auto between = [&](size_t end) {
    if (from >= end) return;
    for (const Found& found : find(normalized_tree_, text.substr(from, end - from), specials))
      out.push_back({found.id, found.begin + from, found.end + from});
  };
  for (const Found& found : raw) {
    between(found.begin);
    out.push_back(found);
    from = found.end;
  }
  between(text.size());
  return out;
}

std::vector<AddedTokens::Found> AddedTokens::find(const Tree& tree, std::string_view text,
                                                  SpecialsInText specials) const {
  std::vector<Found> out;
  size_t taken = 0;  // End of the last token, its spaces included.
  const bool has_nothing = tree.nodes[0].id.has_value();
  size_t nothing_from = 0;  // Right after a token there is no nothing.
  for (size_t at = next_begin(tree, text, 0); at < text.size() + (has_nothing ? 1 : 0);
       at = next_begin(tree, text, at)) {
    const std::optional<Found> match = longest_at(tree, text, at);
    if (!match || (match->end == at && at < nothing_from)) {
      ++at;
      continue;
    }
    const bool is_nothing = match->end == at;
    at = is_nothing ? at + 1 : match->end;  // A refused match is not searched for a shorter one.
    if (!is_nothing) nothing_from = at + 1;
    Found found = *match;
    const AddedToken& token = tokens_.at(found.id);
    if (specials == SpecialsInText::are_text && is_special(token.content)) continue;
    if (found.begin < text.size() && !starts_code_point(text[found.begin])) {
      out.push_back({found.id, found.begin, found.begin - 1});
      return out;
    }
    if (token.single_word &&
        (ends_with_word(text.substr(0, found.begin)) || starts_with_word(text.substr(found.end))))
      continue;
    if (token.lstrip) found.begin = std::max(without_spaces_at_end(text.substr(0, found.begin)), taken);
    if (token.rstrip) found.end += spaces_at_start(text.substr(found.end));
    taken = found.end;
    // Where the token before took all of it there is none; what is nothing still cuts.
    if (found.begin != found.end || is_nothing) out.push_back(found);
  }
  return out;
}

Status AddedTokens::cut(const Tree& tree, NormalizedText text, SpecialsInText specials, Pieces& out) const {
  if (tree.nodes.size() == 1) {
    if (!text.empty()) out.push_back({std::move(text), std::nullopt});
    return Done{};
  }
  size_t at = 0;
  for (const Found& found : find(tree, text.text(), specials)) {
    if (found.begin > found.end)
      return fail(Reason::tokenization_failed,
                  "an added token stands within the spaces of the one before, or within a character");
    if (at < found.begin) out.push_back({text.slice(at, found.begin), std::nullopt});
    at = found.end;
    if (found.begin == found.end) continue;
    Piece piece{text.slice(found.begin, found.end), std::nullopt};
    const Span whole{0, static_cast<uint32_t>(found.end - found.begin)};
    piece.tokens = std::vector<Token>{{found.id, piece.text.text(), whole}};
    out.push_back(std::move(piece));
  }
  if (at < text.text().size()) out.push_back({text.slice(at, text.text().size()), std::nullopt});
  return Done{};
}

Result<Pieces> AddedTokens::split(std::string_view input, const Normalizer* normalizer,
                                  SpecialsInText specials) const {
  Pieces raw, out;
  TRY_DONE(cut(raw_tree_, NormalizedText(input), specials, raw));
  for (Piece& piece : raw) {
    if (piece.tokens) {
      out.push_back(std::move(piece));
      continue;
    }
    if (normalizer != nullptr) {
      TRY_DONE(normalizer->normalize(piece.text));
      // What stripping took from the begin is no part of the piece: it does not begin where the input does.
      piece.text = piece.text.slice(0, piece.text.text().size());
    }
    TRY_DONE(cut(normalized_tree_, std::move(piece.text), specials, out));
  }
  return out;
}

std::optional<std::string_view> AddedTokens::token_of(uint32_t id) const {
  if (const auto changed = normalized_.find(id); changed != normalized_.end()) return changed->second;
  if (const auto token = tokens_.find(id); token != tokens_.end()) return token->second.content;
  return std::nullopt;
}

std::optional<uint32_t> AddedTokens::id_of(std::string_view content) const {
  const auto found = ids_.find(content);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

size_t AddedTokens::count_unknown_to(const Model& model) const {
  return static_cast<size_t>(
      std::count_if(ids_.begin(), ids_.end(), [&](const auto& entry) { return !model.id_of(entry.first); }));
}

}  // namespace holdfast::token
