#include "serve/asker.h"

namespace holdfast::serve {

std::optional<Priority> priority_of_name(std::string_view name) {
  if (name == "low") return Priority::low;
  if (name == "normal") return Priority::normal;
  if (name == "high") return Priority::high;
  return std::nullopt;
}

double priority_weight(Priority priority) {
  switch (priority) {
    case Priority::low:
      return 0.5;
    case Priority::normal:
      return 1;
    case Priority::high:
      return 2;
  }
  return 1;
}

}  // namespace holdfast::serve
