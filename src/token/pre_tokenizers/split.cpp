#include <boost/json/object.hpp>

#include "codec/json.h"
#include "token/pre_tokenizers/pre_tokenizer.h"
#include "token/regex/load_pattern.h"

namespace holdfast::token {
namespace {

enum class Delimiter : uint8_t { matches, rest };

class Split final : public PreTokenizer {
 public:
  Split(std::shared_ptr<const Regex> pattern, SplitBehavior behavior, Delimiter delimiter)
      : pattern_(std::move(pattern)), behavior_(behavior), delimiter_(delimiter) {}

  Status split(Pieces& pieces) const override {
    return split_pieces(pieces, behavior_, [&](std::string_view text) -> Result<std::vector<Match>> {
      TRY(std::vector<Match> matches, pattern_->find(text));
      if (delimiter_ == Delimiter::rest)
        for (Match& match : matches) match.delimiter = !match.delimiter;
      return matches;
    });
  }

 private:
  std::shared_ptr<const Regex> pattern_;
  SplitBehavior behavior_;
  Delimiter delimiter_;
};

}  // namespace

Result<std::unique_ptr<PreTokenizer>> load_split(const boost::json::object& json) {
  TRY(auto pattern, load_pattern(json));
  TRY(const SplitBehavior behavior, load_behavior(json));
  TRY(const bool invert, codec::json_flag(json, "invert"));
  return std::unique_ptr<PreTokenizer>(
      std::make_unique<Split>(std::move(pattern), behavior, invert ? Delimiter::rest : Delimiter::matches));
}

}  // namespace holdfast::token
