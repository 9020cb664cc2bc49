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

double cost_of(const EmbedItem& item) {
  double cost = 0;
  for (const std::string& text : item.texts) cost += 1 + static_cast<double>(text.size()) / bytes_a_token;
  for (const auto& ids : item.ids) cost += static_cast<double>(std::max<size_t>(ids.size(), 1));
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
