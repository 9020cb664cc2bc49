#include "token/metaspace.h"

#include <boost/json/object.hpp>

#include "token/pre_tokenizers/pre_tokenizer.h"
#include "token/regex/regex.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

// Spaces become the replacement, one is put in front, and words begin at each.
class MetaspacePreTokenizer final : public PreTokenizer {
 public:
  MetaspacePreTokenizer(Metaspace settings, std::shared_ptr<const Regex> space)
      : settings_(settings), space_(std::move(space)) {
    append_utf8(replacement_, settings_.replacement);
  }

  Status split(Pieces& pieces) const override {
    for (Piece& piece : pieces) {
      if (piece.tokens) continue;
      TRY(const std::vector<Match> spaces, space_->find(piece.text.text()));
      piece.text.replace(spaces, replacement_);
      const bool wanted = settings_.prepend == Metaspace::Prepend::always ||
                          (settings_.prepend == Metaspace::Prepend::first && piece.text.input_begin() == 0);
      if (wanted && !piece.text.text().starts_with(replacement_)) piece.text.prepend(replacement_);
    }
    if (!settings_.split) return Done{};
    return split_pieces(pieces, SplitBehavior::merged_with_next, [&](std::string_view text) {
      return match_code_points(text, [&](char32_t code) { return code == settings_.replacement; });
    });
  }

 private:
  Metaspace settings_;
  std::shared_ptr<const Regex> space_;
  std::string replacement_;
};

}  // namespace

Result<std::unique_ptr<PreTokenizer>> load_metaspace(const boost::json::object& json) {
  TRY(const Metaspace settings, Metaspace::load(json));
  TRY(auto space, compile_literal(" "));
  return std::unique_ptr<PreTokenizer>(std::make_unique<MetaspacePreTokenizer>(settings, std::move(space)));
}

}  // namespace holdfast::token
