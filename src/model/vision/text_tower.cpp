#include "model/vision/text_tower.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "model/steps.h"

namespace holdfast::model {
namespace {

size_t column_of(const TextTowerPlan& plan, std::span<const int64_t> ids) {
  using Pooled = TextTowerPlan::Pooled;
  switch (plan.pooled) {
    case Pooled::first_end: {
      const auto found = std::find(ids.begin(), ids.end(), plan.end_id);
      return found == ids.end() ? 0 : static_cast<size_t>(found - ids.begin());
    }
    case Pooled::highest_id:
      return static_cast<size_t>(std::max_element(ids.begin(), ids.end()) - ids.begin());
    case Pooled::last:
      return ids.size() - 1;
  }
  std::abort();
}

}  // namespace

Result<TextTower> TextTower::load(TextTowerPlan plan, const WeightReader& reader) {
  TextTower out;
  out.plan_ = std::move(plan);
  if (const auto* plan_both_ways = std::get_if<EncoderPlan>(&out.plan_.block)) {
    TRY(Encoder encoder, Encoder::load(*plan_both_ways, reader));
    out.encoder_ = std::make_unique<Encoder>(std::move(encoder));
  } else {
    TRY(Decoder decoder, Decoder::load(std::get<DecoderPlan>(out.plan_.block), reader));
    out.decoder_ = std::make_unique<Decoder>(std::move(decoder));
  }
  return out;
}

Result<tensor::Floats> TextTower::hidden(const TokenBatch& batch, tensor::Threads& threads) const {
  const tensor::PartScope part(step::text);
  if (encoder_ != nullptr) return encoder_->forward(batch, threads);
  TRY(Decoder::States states, decoder_->forward(batch, {}, threads));
  return std::move(states.last);
}

// Of each row, in the padded batch.
Result<std::vector<size_t>> TextTower::pooled_places(const tensor::Weights& inputs) const {
  const tensor::TensorView* view = inputs.find("input_ids");
  if (view == nullptr || view->shape.size() != 2 || view->elements() == 0)
    return fail(Reason::bad_request, "input_ids must be [texts, tokens] and not empty");
  const size_t width = view->shape[1];
  if (width > plan_.positions)
    return fail(Reason::bad_request,
                fmt::format("a text of {} tokens is too long: the model reads {}", width, plan_.positions));
  TRY(const std::vector<int64_t> ids, tensor::to_integers(*view));
  std::vector<size_t> out;
  for (size_t row = 0; row < view->shape[0]; ++row)
    out.push_back(row * width + column_of(plan_, std::span(ids).subspan(row * width, width)));
  return out;
}

Result<TextTower::Rows> TextTower::forward(const tensor::Weights& inputs, tensor::Threads& threads) const {
  TRY(const std::vector<size_t> pooled, pooled_places(inputs));
  const auto count = [](auto ids, auto) {
    std::vector<int64_t> columns(ids.size());
    std::iota(columns.begin(), columns.end(), 0);
    return columns;
  };
  TRY(Packed packed, pack(inputs, 2, count));
  const auto all_there = [&] {
    return std::all_of(pooled.begin(), pooled.end(), [&](size_t place) {
      return std::binary_search(packed.places.begin(), packed.places.end(), place);
    });
  };
  if (encoder_ != nullptr &&
      !all_there()) {  // What speaks for a text may be padding, which then has a row that nobody sees.
    TRY(packed, pack(inputs, 2, count, "", KeepPadding::everywhere));
  }
  if (!all_there()) return fail(Reason::bad_request, "the token that speaks for a text is masked");
  const size_t width = plan_.width;
  TRY(tensor::Floats rows, hidden(packed.batch, threads));
  Rows out;
  out.texts = packed.height;
  out.pooled = tensor::Floats(packed.height * width);
  for (size_t row = 0; row < pooled.size(); ++row) {
    const auto at = std::lower_bound(packed.places.begin(), packed.places.end(), pooled[row]);
    std::copy_n(rows.data() + static_cast<size_t>(at - packed.places.begin()) * width, width,
                out.pooled.data() + row * width);
  }
  out.hidden =
      unpack(packed, {"last_hidden_state", NamedOutput::Rows::tokens, width, false, std::move(rows)});
  return out;
}

}  // namespace holdfast::model
