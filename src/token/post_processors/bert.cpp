#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "codec/json.h"
#include "token/post_processors/post_processor.h"

namespace holdfast::token {
namespace {

struct Special {
  std::string token;
  uint32_t id = 0;
};

// [CLS] first [SEP], and second [SEP] with type 1.
class BertProcessing final : public PostProcessor {
 public:
  BertProcessing(Special cls, Special sep) : cls_(std::move(cls)), sep_(std::move(sep)) {}

  size_t added_tokens(size_t texts) const override { return texts == 2 ? 3 : 2; }

  std::vector<Encoding> process(std::vector<Encoding> texts, SpecialTokens special) const override {
    if (special == SpecialTokens::leave_out) return texts;
    std::vector<Encoding> out;
    for (size_t i = 0; i < texts.size(); ++i) {
      if (i == 0) out.push_back(one(cls_, 0));
      out.push_back(std::move(texts[i]));
      out.push_back(one(sep_, static_cast<uint32_t>(i)));
    }
    return out;
  }

 private:
  static Encoding one(const Special& special, uint32_t type_id) {
    Encoding out;
    out.push(special.id, special.token, {}, Encoding::no_word, type_id, 1);
    return out;
  }

  Special cls_, sep_;
};

// ["[SEP]", 102]
Result<Special> load_special(const boost::json::object& json, std::string_view key) {
  TRY(const boost::json::array* pair, codec::json_array(json, key));
  if (pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_int64() || (*pair)[1].get_int64() < 0 ||
      (*pair)[1].get_int64() > UINT32_MAX)
    return fail(Reason::bad_request, "the tokenizer's '" + std::string(key) + "' is not a token and its id");
  return Special{std::string((*pair)[0].get_string()), static_cast<uint32_t>((*pair)[1].get_int64())};
}

}  // namespace

Result<std::unique_ptr<PostProcessor>> load_bert_processing(const boost::json::object& json) {
  TRY(Special cls, load_special(json, "cls"));
  TRY(Special sep, load_special(json, "sep"));
  return std::unique_ptr<PostProcessor>(std::make_unique<BertProcessing>(std::move(cls), std::move(sep)));
}

}  // namespace holdfast::token
