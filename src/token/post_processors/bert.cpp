#include <boost/json/object.hpp>

#include "codec/json.h"
#include "token/post_processors/post_processor.h"

namespace holdfast::token {
namespace {

struct Around {
  const SpecialToken* before = nullptr;  // None if null.
  const SpecialToken* after = nullptr;
  uint32_t type_id = 0;
  int sequence = 0;
};

Encoding one(const SpecialToken& special, uint32_t type_id) {
  Encoding out;
  out.push(special.id, special.token, {}, Encoding::no_word, type_id, 1);
  return out;
}

// Special tokens around one encoding and each part of its overflow; it becomes one text to what comes after.
Encoding surround(Encoding encoding, const Around& around) {
  std::vector<Encoding> overflow = std::move(encoding.overflow);
  encoding.overflow.clear();
  encoding.ranges.clear();
  encoding.special.assign(encoding.size(), 0);
  encoding.mask.assign(encoding.size(), 1);
  Encoding out;
  if (around.before != nullptr) out = one(*around.before, around.type_id);
  const size_t begin = out.size();
  out.append(encoding);
  out.ranges = {{around.sequence, {begin, out.size()}}};
  out.append(one(*around.after, around.type_id));
  for (Encoding& part : overflow) out.overflow.push_back(surround(std::move(part), around));
  return out;
}

// [CLS] first [SEP], and second [SEP] with type 1.
class BertProcessing final : public PostProcessor {
 public:
  BertProcessing(SpecialToken cls, SpecialToken sep) : cls_(std::move(cls)), sep_(std::move(sep)) {}

  size_t added_tokens(size_t texts) const override { return texts == 2 ? 3 : 2; }

  Result<std::vector<Encoding>> process(std::vector<Encoding> texts, SpecialTokens special) const override {
    if (special == SpecialTokens::leave_out) return texts;
    for (size_t i = 0; i < texts.size(); ++i)
      texts[i] =
          surround(std::move(texts[i]), i == 0 ? Around{&cls_, &sep_, 0, 0} : Around{nullptr, &sep_, 1, 1});
    return texts;
  }

 private:
  SpecialToken cls_, sep_;
};

struct RobertaSettings {
  SpecialToken cls, sep;
  bool trim = true;
  PrefixSpace prefix = PrefixSpace::yes;
};

// <s> first </s>, and </s> second </s>; all of type 0.
class RobertaProcessing final : public PostProcessor {
 public:
  explicit RobertaProcessing(RobertaSettings settings) : settings_(std::move(settings)) {}

  size_t added_tokens(size_t texts) const override { return texts == 2 ? 4 : 2; }

  Result<std::vector<Encoding>> process(std::vector<Encoding> texts, SpecialTokens special) const override {
    for (Encoding& text : texts) {
      if (settings_.trim) {
        trim_offsets(text, settings_.prefix);
        for (Encoding& part : text.overflow) trim_offsets(part, settings_.prefix);
      }
      text.type_ids.assign(text.size(), 0);
    }
    if (special == SpecialTokens::leave_out) return texts;
    for (size_t i = 0; i < texts.size(); ++i) {
      for (Encoding& part : texts[i].overflow) part.type_ids.assign(part.size(), 0);
      const SpecialToken& before = i == 0 ? settings_.cls : settings_.sep;
      texts[i] = surround(std::move(texts[i]), {&before, &settings_.sep, 0, i == 0 ? 0 : 1});
    }
    return texts;
  }

 private:
  RobertaSettings settings_;
};

}  // namespace

Result<std::unique_ptr<PostProcessor>> load_bert_processing(const boost::json::object& json) {
  TRY(SpecialToken cls, load_special_token(json, "cls"));
  TRY(SpecialToken sep, load_special_token(json, "sep"));
  return std::unique_ptr<PostProcessor>(std::make_unique<BertProcessing>(std::move(cls), std::move(sep)));
}

Result<std::unique_ptr<PostProcessor>> load_roberta_processing(const boost::json::object& json) {
  RobertaSettings settings;
  TRY(settings.cls, load_special_token(json, "cls"));
  TRY(settings.sep, load_special_token(json, "sep"));
  TRY(settings.trim, codec::json_flag(json, "trim_offsets"));
  TRY(const bool prefix, codec::json_flag(json, "add_prefix_space"));
  settings.prefix = prefix ? PrefixSpace::yes : PrefixSpace::no;
  return std::unique_ptr<PostProcessor>(std::make_unique<RobertaProcessing>(std::move(settings)));
}

}  // namespace holdfast::token
