#include "model/row_work.h"

#include <algorithm>

namespace holdfast::model {

// Of a long prompt as many pieces as threads, as products take them: a thread's rows stay in its cache.
void by_rows(tensor::Threads& threads, size_t rows,
             const std::function<void(size_t first, size_t count)>& work) {
  constexpr size_t piece_rows = 8, long_rows = 128;
  if (rows < 2 * piece_rows) return work(0, rows);
  const size_t even = (rows + threads.count() - 1) / threads.count();
  const size_t each = rows < long_rows ? piece_rows : (even + 15) / 16 * 16;
  threads.run((rows + each - 1) / each,
              [&](size_t index) { work(index * each, std::min(each, rows - index * each)); });
}

void scale_all(float* x, size_t count, float factor) {
  if (factor != 1.0F)
    for (size_t i = 0; i < count; ++i) x[i] *= factor;
}

}  // namespace holdfast::model
