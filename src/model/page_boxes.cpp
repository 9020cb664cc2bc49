// Where tokens stand on their page (BoxTables).
#include "model/page_boxes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/encoder.h"

namespace holdfast::model {

Status check_boxes(const EncoderPlan& plan, const TokenBatch& batch) {
  if (!plan.boxes || batch.boxes.empty()) return Done{};
  for (int64_t edge : batch.boxes)
    if (edge < 0 || static_cast<uint64_t>(edge) >= plan.boxes->rows)
      return fail(Reason::bad_request,
                  fmt::format("a box has an edge at {}, outside 0 to {}", edge, plan.boxes->rows - 1));
  for (size_t i = 0; i < batch.boxes.size(); i += 4)
    if (batch.boxes[i + 2] < batch.boxes[i] || batch.boxes[i + 3] < batch.boxes[i + 1])
      return fail(Reason::bad_request,
                  "a box ends before it begins; its numbers are left, top, right, bottom");
  return Done{};
}

void Encoder::add_box(const TokenBatch& batch, size_t token, float* embedding) const {
  std::array<int64_t, 4> box = {};
  if (!batch.boxes.empty()) std::copy_n(batch.boxes.data() + 4 * token, 4, box.data());
  const auto [left, top, right, bottom] = box;
  across_.add_row(static_cast<size_t>(left), embedding);
  down_.add_row(static_cast<size_t>(top), embedding);
  across_.add_row(static_cast<size_t>(right), embedding);
  down_.add_row(static_cast<size_t>(bottom), embedding);
  box_height_.add_row(static_cast<size_t>(bottom - top), embedding);
  box_width_.add_row(static_cast<size_t>(right - left), embedding);
}

}  // namespace holdfast::model
