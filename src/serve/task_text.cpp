#include "serve/task_text.h"

namespace holdfast::serve {

std::string task_text(std::string json, std::string_view file) {
  if (file.empty()) return json;
  json.reserve(json.size() + 1 + file.size());
  json += '\0';
  json += file;
  return json;
}

TaskText split_task_text(std::string_view text) {
  const size_t end = text.find('\0');
  if (end == std::string_view::npos) return {text, {}};
  return {text.substr(0, end), text.substr(end + 1)};
}

}  // namespace holdfast::serve
