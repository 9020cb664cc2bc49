#include "model/families/signals.h"

namespace holdfast::model {

std::span<const SignalFamily> signal_families() { return {}; }

const SignalFamily* find_signal_family(std::string_view model_type) {
  for (const SignalFamily& family : signal_families())
    if (family.model_type == model_type) return &family;
  return nullptr;
}

}  // namespace holdfast::model
