#include "model/folder_json.h"

#include <boost/json/value.hpp>

#include "codec/json.h"

namespace holdfast::model {
namespace {

constexpr size_t file_bytes_max = 16 << 20;

}  // namespace

Result<std::optional<boost::json::object>> read_json_file(io::Disk& disk, const io::Path& path) {
  auto text = io::read_text(disk, path, file_bytes_max);
  if (!text.ok() && text.error().code == Code::not_found) return std::optional<boost::json::object>();
  if (!text.ok()) return std::move(text).error();
  TRY(boost::json::object out, codec::parse_json_object(text.value()));
  return std::optional(std::move(out));
}

std::optional<std::string_view> token_text(const boost::json::object& json, std::string_view key) {
  const boost::json::value* value = json.if_contains(key);
  if (value != nullptr && value->is_object()) value = value->get_object().if_contains("content");
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string_view(value->get_string());
}

void lay_over(boost::json::object& into, const boost::json::object& over) {
  for (const auto& [key, value] : over)
    if (!value.is_null()) into[key] = value;
}

}  // namespace holdfast::model
