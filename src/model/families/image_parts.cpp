#include "model/families/image_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace holdfast::model {

Extent read_extent(ConfigReader& config, std::string_view name, size_t fallback, size_t most) {
  const boost::json::value* value = config.json().if_contains(name);
  if (value == nullptr || !value->is_array()) {
    const size_t side = config.size({name}, fallback, most);
    return {side, side};
  }
  const boost::json::array& sides = value->get_array();
  const auto good = [&](const boost::json::value& side) {
    return side.is_int64() && side.get_int64() > 0 && static_cast<uint64_t>(side.get_int64()) <= most;
  };
  if (sides.size() != 2 || !good(sides[0]) || !good(sides[1])) {
    config.refuse(
        fail(Reason::bad_request,
             fmt::format("config.json: {} must be one number or height and width, 1 to {}", name, most)));
    return {1, 1};
  }
  return {static_cast<size_t>(sides[0].get_int64()), static_cast<size_t>(sides[1].get_int64())};
}

std::string read_class(ConfigReader& config, std::string_view family,
                       std::initializer_list<std::string_view> known) {
  const boost::json::array* names = config.array("architectures");
  if (names == nullptr || names->empty() || !(*names)[0].is_string()) return "Model";
  const std::string_view whole = (*names)[0].get_string();
  const std::string_view rest = whole.starts_with(family) ? whole.substr(family.size()) : std::string_view();
  if (std::find(known.begin(), known.end(), rest) != known.end()) return std::string(rest);
  config.refuse(fail(Reason::model_unsupported,
                     fmt::format("models of class '{}' are not supported", whole.substr(0, 80))));
  return "Model";
}

void refuse_switch(ConfigReader& config, std::string_view name, bool usual) {
  if (config.flag({name}, usual) != usual)
    config.refuse(fail(Reason::model_unsupported,
                       fmt::format("config.json: {} {} is not supported", name, usual ? "off" : "on")));
}

tensor::Floats apply(const tensor::Linear& layer, const float* rows, size_t count, size_t stride,
                     tensor::Activation activation, tensor::Threads& threads) {
  tensor::Floats out(count * layer.width());
  tensor::LinearRun run;
  run.in = rows;
  run.in_stride = stride;
  run.out = out.data();
  run.rows = count;
  run.activation = activation;
  layer.run(run, threads);
  return out;
}

}  // namespace holdfast::model
