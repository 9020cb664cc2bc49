#pragma once

#include "model/weight_reader.h"

namespace holdfast::model {

// Several linear layers of one input as one, their outputs beside each other: for weights that cannot be
// joined because they are stored in different types.
LinearLayer stack_linears(std::vector<LinearLayer> parts);

// Two of equal width as a gated one: activation(first) * second.
LinearLayer gate_linears(LinearLayer gate, LinearLayer up);

}  // namespace holdfast::model
