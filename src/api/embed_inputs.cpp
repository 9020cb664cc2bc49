#include "api/embed_inputs.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <limits>
#include <optional>

namespace holdfast::api {
namespace {

namespace json = boost::json;

std::optional<std::vector<uint32_t>> read_ids(const json::array& list) {
  std::vector<uint32_t> ids;
  for (const json::value& id : list) {
    if (!id.is_int64() || id.get_int64() < 0 || id.get_int64() > std::numeric_limits<uint32_t>::max())
      return std::nullopt;
    ids.push_back(static_cast<uint32_t>(id.get_int64()));
  }
  if (ids.empty()) return std::nullopt;
  return ids;
}

}  // namespace

Result<serve::EmbedItem> read_embed_inputs(const json::value& input) {
  const Error bad = fail(Reason::bad_request, "the input is a text, a list of texts, or token ids");
  serve::EmbedItem item;
  if (input.is_string()) {
    item.texts.emplace_back(input.get_string());
    return item;
  }
  if (!input.is_array() || input.get_array().empty()) return bad;
  const json::array& list = input.get_array();
  if (list.front().is_string()) {
    for (const json::value& text : list) {
      if (!text.is_string()) return bad;
      item.texts.emplace_back(text.get_string());
    }
    return item;
  }
  if (list.front().is_int64()) {
    auto ids = read_ids(list);
    if (!ids) return bad;
    item.ids.push_back(std::move(*ids));
    return item;
  }
  for (const json::value& row : list) {
    auto ids = row.is_array() ? read_ids(row.get_array()) : std::nullopt;
    if (!ids) return bad;
    item.ids.push_back(std::move(*ids));
  }
  return item;
}

}  // namespace holdfast::api
