#include <boost/json/object.hpp>

#include "codec/json.h"
#include "token/normalizers/normalizer.h"
#include "token/regex/load_pattern.h"

namespace holdfast::token {
namespace {

class Replace final : public Normalizer {
 public:
  Replace(std::shared_ptr<const Regex> pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}

  Status normalize(NormalizedText& text) const override {
    if (text.empty()) return Done{};
    TRY(const std::vector<Match> matches, pattern_->find(text.text()));
    text.replace(matches, content_);
    return Done{};
  }

 private:
  std::shared_ptr<const Regex> pattern_;
  std::string content_;
};

}  // namespace

Result<std::unique_ptr<Normalizer>> load_replace(const boost::json::object& json) {
  TRY(auto pattern, load_pattern(json));
  TRY(const std::string_view content, codec::json_text(json, "content"));
  return std::unique_ptr<Normalizer>(std::make_unique<Replace>(std::move(pattern), std::string(content)));
}

}  // namespace holdfast::token
