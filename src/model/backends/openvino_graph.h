#pragma once

#include <memory>

#include "model/backend.h"
#include "model/backends/openvino_library.h"

namespace holdfast::model::openvino {

// Frees what the library made.
template <typename Thing>
using Owned = std::unique_ptr<Thing, void (*)(Thing*)>;

// A compiled model as a Graph. One call at a time; a second one waits. model_unsupported where an input or
// output has a type that is no number.
Result<std::unique_ptr<Graph>> make_graph(std::shared_ptr<const Library> library, Owned<Compiled> compiled);

}  // namespace holdfast::model::openvino
