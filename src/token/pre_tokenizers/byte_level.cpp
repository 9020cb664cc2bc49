#include <boost/json/object.hpp>

#include "codec/json.h"
#include "token/pre_tokenizers/pre_tokenizer.h"
#include "token/regex/known_patterns.h"
#include "token/regex/regex.h"

namespace holdfast::token {
namespace {

class ByteLevel final : public PreTokenizer {
 public:
  enum class PrefixSpace : uint8_t { no, yes };
  ByteLevel(PrefixSpace prefix, std::shared_ptr<const Regex> words)
      : prefix_(prefix), words_(std::move(words)) {}

  Status split(Pieces& pieces) const override {
    for (Piece& piece : pieces)
      if (prefix_ == PrefixSpace::yes && !piece.tokens && !piece.text.text().starts_with(' '))
        piece.text.prepend(" ");
    if (words_)
      TRY_DONE(split_pieces(pieces, SplitBehavior::isolated,
                            [&](std::string_view text) { return words_->find(text); }));
    for (Piece& piece : pieces) {
      if (piece.tokens) continue;
      piece.text.to_byte_level();
      if (piece.text.is_lost())
        return fail(Reason::tokenization_failed, "a normalizer of the tokenizer does not fit its ByteLevel");
    }
    return Done{};
  }

 private:
  PrefixSpace prefix_;
  std::shared_ptr<const Regex> words_;  // Null: no splitting.
};

}  // namespace

Result<std::unique_ptr<PreTokenizer>> load_byte_level(const boost::json::object& json) {
  TRY(const bool prefix, codec::json_flag(json, "add_prefix_space"));
  TRY(const auto use_regex, codec::json_flag_if(json, "use_regex"));
  std::shared_ptr<const Regex> words;
  if (use_regex.value_or(true)) {
    TRY(words, compile_regex(known_patterns::gpt2));
  }
  return std::unique_ptr<PreTokenizer>(std::make_unique<ByteLevel>(
      prefix ? ByteLevel::PrefixSpace::yes : ByteLevel::PrefixSpace::no, std::move(words)));
}

}  // namespace holdfast::token
