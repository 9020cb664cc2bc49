#include "model/families/labels.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "codec/json.h"

namespace holdfast::model {
namespace {

constexpr size_t labels_max = 100'000;

}  // namespace

std::vector<std::string> read_labels(ConfigReader& config) {
  // {"0": "NEGATIVE", "1": "POSITIVE"}: the indices are texts.
  const boost::json::object* map = config.object("id2label");
  std::vector<std::string> labels;
  if (map == nullptr || map->empty()) {
    const size_t count = config.size({"num_labels", "_num_labels"}, 2, labels_max);
    for (size_t i = 0; i < count; ++i) labels.push_back(fmt::format("LABEL_{}", i));
    return labels;
  }
  if (map->size() > labels_max) {
    config.refuse(fail(Reason::bad_request, "config.json: id2label is too long"));
    return labels;
  }
  for (size_t i = 0; i < map->size(); ++i) {
    const auto label = codec::json_text(*map, std::to_string(i));
    if (!label.ok()) config.refuse(label.error());
    labels.emplace_back(label.ok() ? label.value() : "");
  }
  return labels;
}

}  // namespace holdfast::model
