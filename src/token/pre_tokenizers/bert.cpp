#include "token/pre_tokenizers/pre_tokenizer.h"
#include "token/unicode/properties.h"

namespace holdfast::token {
namespace {

// Words between white space, punctuation marks each alone.
class BertPreTokenizer final : public PreTokenizer {
 public:
  Status split(Pieces& pieces) const override {
    TRY_DONE(split_pieces(pieces, SplitBehavior::removed,
                          [](std::string_view text) { return match_code_points(text, is_white_space); }));
    return split_pieces(pieces, SplitBehavior::isolated,
                        [](std::string_view text) { return match_code_points(text, is_bert_punctuation); });
  }
};

}  // namespace

std::unique_ptr<PreTokenizer> make_bert_pre_tokenizer() { return std::make_unique<BertPreTokenizer>(); }

}  // namespace holdfast::token
