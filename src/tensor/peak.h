#pragma once

#include "tensor/precision.h"

namespace holdfast::tensor {

// Operations a second (a multiply-add is two) of a loop on one thread that does nothing but the precision's
// instruction on registers: what no product of this instruction set can pass on this machine. Takes some 30
// ms of processor time.
double register_peak(Isa isa, Precision precision);

}  // namespace holdfast::tensor
