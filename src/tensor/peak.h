#pragma once

#include "base/bytes.h"
#include "tensor/precision.h"

namespace holdfast::tensor {

// Operations a second (a multiply-add is two) of a loop on one thread that does nothing but the precision's
// instruction on registers: what no product of this instruction set can pass on this machine. Takes some 30
// ms of processor time.
double register_peak(Isa isa, Precision precision);

// Bytes a second of a loop on one thread that does nothing but read a buffer of that size (1 MiB to 1 GiB)
// again and again: what no product with weights of that size can pass when few rows meet them. Takes some 50
// ms of processor time, more for a large buffer.
double read_peak(size_t bytes);
// What such a loop does: all words of the bytes, a multiple of 64, as one.
uint64_t read_words(ByteView bytes);

}  // namespace holdfast::tensor
