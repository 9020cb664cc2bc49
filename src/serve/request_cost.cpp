#include "serve/request_cost.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"

namespace holdfast::serve {
namespace {

constexpr double bytes_a_token = 4;
constexpr double new_tokens_default = 256, new_tokens_most = 65'536;

}  // namespace

double cost_of(const EmbedItem& item, size_t input) {
  if (!item.ids.empty()) return static_cast<double>(std::max<size_t>(item.ids[input].size(), 1));
  return 1 + static_cast<double>(item.texts[input].size()) / bytes_a_token;
}

double cost_of(const EmbedItem& item) {
  double cost = 0;
  for (size_t i = 0; i < item.size(); ++i) cost += cost_of(item, i);
  return std::max(cost, 1.0);
}

double cost_of_generation(std::string_view request) {
  const double prompt = 1 + static_cast<double>(request.size()) / bytes_a_token;
  double most = new_tokens_default;
  if (const auto object = codec::parse_json_object(request); object.ok())
    for (const char* key : {"max_completion_tokens", "max_tokens", "n_predict"})
      if (const boost::json::value* said = object.value().if_contains(key);
          said != nullptr && said->is_number()) {
        const double number = said->to_number<double>();
        if (number >= 0) most = number;
        break;
      }
  return prompt + std::min(most, new_tokens_most);
}

}  // namespace holdfast::serve
