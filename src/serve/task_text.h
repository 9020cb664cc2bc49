#pragma once

#include <string>
#include <string_view>

namespace holdfast::serve {

// The one text of an item that is a task: {"task", "inputs", "parameters"} as JSON, and behind a zero byte,
// which no JSON text holds, the bytes of the file that the task is on, if it is on one.
inline constexpr size_t task_file_bytes_max = 25 << 20;

std::string task_text(std::string json, std::string_view file);

struct TaskText {
  std::string_view json, file;  // Views into the text.
};
TaskText split_task_text(std::string_view text);

}  // namespace holdfast::serve
