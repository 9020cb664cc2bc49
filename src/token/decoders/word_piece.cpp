#include <boost/json/object.hpp>
#include <utility>

#include "codec/json.h"
#include "token/decoders/decoder.h"

namespace holdfast::token {
namespace {

class WordPieceDecoder final : public Decoder {
 public:
  enum class CleanUp : uint8_t { no, yes };
  WordPieceDecoder(std::string prefix, CleanUp clean) : prefix_(std::move(prefix)), clean_(clean) {}

  Result<std::vector<std::string>> decode(std::vector<std::string> tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      std::string& token = tokens[i];
      if (i > 0) {
        if (token.starts_with(prefix_))
          token.erase(0, prefix_.size());
        else
          token.insert(0, 1, ' ');
      }
      if (clean_ == CleanUp::yes) clean_up(token);
    }
    return tokens;
  }

 private:
  std::string prefix_;
  CleanUp clean_;
};

}  // namespace

Result<std::unique_ptr<Decoder>> load_word_piece_decoder(const boost::json::object& json) {
  TRY(const auto prefix, codec::json_text_if(json, "prefix"));
  TRY(const auto clean, codec::json_flag_if(json, "cleanup"));
  using CleanUp = WordPieceDecoder::CleanUp;
  return std::unique_ptr<Decoder>(std::make_unique<WordPieceDecoder>(
      std::string(prefix.value_or("##")), clean.value_or(true) ? CleanUp::yes : CleanUp::no));
}

void clean_up(std::string& text) {
  constexpr std::pair<std::string_view, std::string_view> rules[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},    {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
  };
  for (const auto& [from, to] : rules) replace_all(text, from, to);
}

}  // namespace holdfast::token
