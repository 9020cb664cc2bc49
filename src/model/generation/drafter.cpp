#include "model/generation/drafter.h"

#include <algorithm>

namespace holdfast::model {
namespace {

constexpr size_t searched_max = 8'192;  // Tokens back from the end.

class PromptLookup final : public Drafter {
 public:
  explicit PromptLookup(size_t longest) : longest_(longest) {}

  Result<std::vector<TokenId>> propose(std::span<const TokenId> text, size_t most) override {
    const auto searched = text.last(std::min(text.size(), searched_max));
    for (size_t length = std::min(longest_, searched.size() - 1); length > 0; --length) {
      const auto end = searched.last(length);
      // The latest place wins: it is nearest to what is written now.
      const auto where = searched.first(searched.size() - 1);
      const auto found = std::find_end(where.begin(), where.end(), end.begin(), end.end());
      if (found == where.end()) continue;
      const auto after = searched.subspan(static_cast<size_t>(found - where.begin()) + length);
      const auto proposed = after.first(std::min(most, after.size()));
      return std::vector<TokenId>(proposed.begin(), proposed.end());
    }
    return std::vector<TokenId>{};
  }

 private:
  const size_t longest_;
};

}  // namespace

std::unique_ptr<Drafter> make_prompt_lookup(size_t longest) {
  return std::make_unique<PromptLookup>(longest);
}

}  // namespace holdfast::model
