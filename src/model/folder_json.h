#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string_view>

#include "io/disk.h"

namespace holdfast::model {

// A JSON object as Python writes it: where JSON has no words for a number, {"__float__": "Infinity"},
// -Infinity or NaN, which transformers writes since version 5, and the bare word before.
Result<boost::json::object> parse_python_json(std::string_view text);

// The same of a file of a model's folder, of at most 16 MiB; nullopt where the file is missing.
Result<std::optional<boost::json::object>> read_json_file(io::Disk& disk, const io::Path& path);

// A token as tokenizer_config.json names it: "[MASK]", or {"content": "[MASK]", ...}. Borrows the object.
std::optional<std::string_view> token_text(const boost::json::object& json, std::string_view key);

// `over` into `into`, nulls left out, as they say nothing.
void lay_over(boost::json::object& into, const boost::json::object& over);

}  // namespace holdfast::model
