// The fast way through a Tokenizer: ids, or ids with offsets and words, where a FastEncoder knows its kind.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "token/fast/fast_encoder.h"
#include "token/fast/workspace.h"
#include "token/tokenizer.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {

namespace {

// Nothing, or a Sequence of nothing.
bool is_empty(const boost::json::object& document, std::string_view key) {
  const boost::json::value* value = document.if_contains(key);
  if (value == nullptr || !value->is_object()) return true;
  const boost::json::value* parts = value->get_object().if_contains("normalizers");
  return parts != nullptr && parts->is_array() && parts->get_array().empty();
}

}  // namespace

Tokenizer::Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&& other) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&& other) noexcept = default;
Tokenizer::~Tokenizer() = default;

bool Tokenizer::has_fast_way() const { return fast_ != nullptr && fast_->is_there(); }

void Tokenizer::prepare_fast(const boost::json::object& document) {
  const FastParts plain{*model_, normalizer_.get(), pre_tokenizer_.get()};
  fast_ = make_fast_encoder(document, plain);
  // A token that is searched in normalized text is found in the text itself only where nothing is normalized.
  if (fast_ && added_.has_normalized() && !is_empty(document, "normalizer")) fast_.reset();
  workspaces_ = std::make_unique<WorkspacePool>();
  Around around;
  if (post_processor_) {
    // What it does to one token shows what it does to all.
    Encoding probe;
    probe.push(0, "\xC4\xA0\xC4\xA0", {1, 3}, 0, 0, 0);  // Two spaces of byte-level vocabularies.
    probe.ranges = {{0, {0, 1}}};
    std::vector<Encoding> one;
    one.push_back(std::move(probe));
    auto parts = post_processor_->process(std::move(one), SpecialTokens::add);
    if (!parts.ok()) return;
    size_t texts = 0;
    for (const Encoding& part : parts.value())
      for (size_t i = 0; i < part.size(); ++i) {
        if (part.special[i] == 0) {
          ++texts;
          around.changes_offsets = part.offsets[i] != Span{1, 3};
        } else {
          (texts == 0 ? around.before : around.after).push_back(part.ids[i]);
        }
      }
    if (texts != 1) return;
  }
  around_ = std::move(around);
}

bool Tokenizer::append_fast(std::string_view text, const EncodeOptions& options, Rows& out,
                            bool with_rows) const {
  auto workspace = workspaces_->take();
  uint32_t code = 0;
  int32_t word = 0;
  bool good = true;
  const auto between = [&](size_t begin, size_t end) {
    if (begin >= end || !good) return;
    const std::string_view part = text.substr(begin, end - begin);
    good = with_rows ? fast_->append_rows(part, *workspace, code, word, out)
                     : fast_->append_ids(part, *workspace, out.ids);
  };
  size_t from = 0;
  for (const AddedTokens::Found& found : added_.find_all(text, options.specials_in_text)) {
    if (found.begin < from || found.end < found.begin) {
      good = false;
      break;
    }
    between(from, found.begin);
    from = found.end;
    out.ids.push_back(found.id);
    if (!with_rows) continue;
    if (out.own_texts == OwnTexts::keep)
      out.texts.emplace_back(out.ids.size() - 1, text.substr(found.begin, found.end - found.begin));
    const auto end =
        code + static_cast<uint32_t>(count_code_points(text.substr(found.begin, found.end - found.begin)));
    out.offsets.push_back({code, end});
    out.words.push_back(word++);
    code = end;
  }
  between(from, text.size());
  workspaces_->give_back(std::move(workspace));
  return good;
}

Status Tokenizer::append_ids(std::string_view text, const EncodeOptions& options,
                             std::vector<uint32_t>& out) const {
  const bool plain =
      !fast_ || options.way == EncodeWay::plain || !around_ || options.truncation || options.padding;
  if (!plain && text.size() <= fast_text_bytes_max && is_valid_utf8(text)) {
    const size_t before = out.size();
    Rows rows;
    rows.ids = std::move(out);
    const bool special = options.special == SpecialTokens::add;
    if (special) rows.ids.insert(rows.ids.end(), around_->before.begin(), around_->before.end());
    const bool good = append_fast(text, options, rows, false);
    if (good && special) rows.ids.insert(rows.ids.end(), around_->after.begin(), around_->after.end());
    out = std::move(rows.ids);
    if (good) return Done{};
    out.resize(before);
  }
  TRY(const Encoding encoding, encode({.text = text, .words = {}, .pair = {}}, options));
  out.insert(out.end(), encoding.ids.begin(), encoding.ids.end());
  return Done{};
}

// Each row of the fast way as encode() has it; false where the text is for the plain way.
bool Tokenizer::encode_fast(std::string_view text, uint32_t type_id, std::optional<int32_t> word,
                            const EncodeOptions& options, Encoding& out) const {
  Rows rows;
  if (!fast_ || options.way == EncodeWay::plain || !append_fast(text, options, rows, true)) return false;
  const size_t count = rows.ids.size();
  out.tokens.reserve(count);
  auto own = rows.texts.begin();
  for (size_t i = 0; i < count; ++i) {
    if (own != rows.texts.end() && own->first == i) {
      out.tokens.push_back(std::move(own->second));
      ++own;
    } else {
      out.tokens.emplace_back(model_->token_of(rows.ids[i]).value_or(""));
    }
  }
  out.ids = std::move(rows.ids);
  out.offsets = std::move(rows.offsets);
  out.words = std::move(rows.words);
  if (word) out.words.assign(count, *word);
  out.type_ids.assign(count, type_id);
  out.mask.assign(count, 1);
  out.special.assign(count, 0);
  return true;
}

Status Tokenizer::append_rows(std::string_view text, const EncodeOptions& options, Rows& out) const {
  const bool special = options.special == SpecialTokens::add;
  const bool plain = !fast_ || options.way == EncodeWay::plain || !around_ || around_->changes_offsets ||
                     options.truncation || options.padding;
  if (!plain && text.size() <= fast_text_bytes_max && is_valid_utf8(text)) {
    const size_t before = out.ids.size();
    const auto put = [&out](const std::vector<uint32_t>& ids) {
      out.ids.insert(out.ids.end(), ids.begin(), ids.end());
      out.offsets.resize(out.ids.size());
      out.words.resize(out.ids.size(), Encoding::no_word);
    };
    if (special) put(around_->before);
    out.own_texts = OwnTexts::drop;
    const bool good = append_fast(text, options, out, true);
    if (good) {
      if (special) put(around_->after);
      return Done{};
    }
    out.ids.resize(before);
    out.offsets.resize(before);
    out.words.resize(before);
  }
  TRY(const Encoding encoding, encode({.text = text, .words = {}, .pair = {}}, options));
  out.ids.insert(out.ids.end(), encoding.ids.begin(), encoding.ids.end());
  out.offsets.insert(out.offsets.end(), encoding.offsets.begin(), encoding.offsets.end());
  out.words.insert(out.words.end(), encoding.words.begin(), encoding.words.end());
  return Done{};
}

}  // namespace holdfast::token
