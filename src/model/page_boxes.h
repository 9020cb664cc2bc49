#pragma once

#include "model/encoder_plan.h"
#include "model/token_batch.h"

namespace holdfast::model {

// bad_request for boxes that the plan's tables have no rows for, or that end before they begin.
Status check_boxes(const EncoderPlan& plan, const TokenBatch& batch);

}  // namespace holdfast::model
