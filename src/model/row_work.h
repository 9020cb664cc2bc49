#pragma once

#include <cstddef>
#include <functional>

#include "tensor/threads.h"

namespace holdfast::model {

// Rows in pieces, shared among the threads where there are many; nothing depends on the pieces.
void by_rows(tensor::Threads& threads, size_t rows,
             const std::function<void(size_t first, size_t count)>& work);

void scale_all(float* x, size_t count, float factor);

}  // namespace holdfast::model
