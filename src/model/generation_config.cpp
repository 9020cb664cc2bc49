#include "model/generation_config.h"

#include <boost/json/object.hpp>

#include "codec/json.h"

namespace holdfast::model {
namespace {

constexpr size_t file_bytes_max = 1 << 20;

}  // namespace

Result<GenerationSettings> read_generation_config(io::Disk& disk, const io::Path& folder,
                                                  const boost::json::object& config) {
  auto text = io::read_text(disk, folder / "generation_config.json", file_bytes_max);
  if (text.ok()) {
    TRY(const boost::json::object json, codec::parse_json_object(text.value()));
    return parse_generation_settings(json);
  }
  if (text.error().code != Code::not_found) return std::move(text).error();
  boost::json::object ids;
  for (std::string_view key : {"eos_token_id", "pad_token_id", "forced_bos_token_id", "forced_eos_token_id"})
    if (const boost::json::value* value = config.if_contains(key); value != nullptr && !value->is_null())
      ids[key] = *value;
  return parse_generation_settings(ids);
}

}  // namespace holdfast::model
