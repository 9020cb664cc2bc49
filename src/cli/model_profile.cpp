#include "cli/model_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/random.h"
#include "tensor/peak.h"

namespace holdfast::cli {
namespace {

// Ends with all steps of one call told to the clock.
using Call = std::function<Status()>;

Result<std::vector<StepTime>> time_calls(const Call& call, size_t calls) {
  TRY_DONE(call());  // Warms up.
  StepClock clock;
  for (size_t i = 0; i < calls; ++i) {
    const tensor::WatchScope watched(clock);
    clock.begin();
    TRY_DONE(call());
    clock.end();
  }
  return clock.medians();
}

std::string title_of(std::string_view family, const ProfileWish& wish, std::string_view what) {
  return fmt::format("{}, {} on {}, {}, one thread", family, tensor::precision_name(wish.compute.precision),
                     tensor::isa_name(wish.compute.isa), what);
}

struct Shape {
  size_t batch = 0, length = 0;
};

// `more`: tokens that are written behind.
Result<Shape> shape_of(const ProfileWish& wish, size_t batch, size_t positions, size_t more = 0) {
  const size_t most = positions == 0 ? size_t{1} << 20 : positions - std::min(positions, more);
  const Shape out{wish.batch.value_or(batch), wish.length.value_or(std::min<size_t>(128, most))};
  if (out.length > most || out.length == 0)
    return fail(Reason::bad_request,
                more == 0 ? fmt::format("the model takes {} tokens at most", most)
                          : fmt::format("the model takes {} tokens at most, {} of which are written here",
                                        positions, more));
  return out;
}

std::vector<int64_t> random_ids(Random& random, size_t count, size_t vocabulary) {
  std::vector<int64_t> out;
  for (size_t i = 0; i < count; ++i) out.push_back(static_cast<int64_t>(random.below(vocabulary)));
  return out;
}

model::TokenBatch encoder_batch(const model::EncoderPlan& plan, Shape shape) {
  SeededRandom random(1);
  model::TokenBatch out;
  for (size_t row = 0; row < shape.batch; ++row) {
    const std::vector<int64_t> ids = random_ids(random, shape.length, plan.vocabulary);
    const std::vector<int64_t> positions = model::positions_of(plan, ids);
    for (size_t i = 0; i < shape.length; ++i) out.add(ids[i], 0, positions[i], static_cast<int64_t>(i));
    out.end_sequence();
  }
  return out;
}

double peak_of(const ProfileWish& wish) {
  return tensor::register_peak(wish.compute.isa, wish.compute.precision);
}

Result<std::vector<CallProfile>> profile_encoder(const model::EncoderModel& model, const ProfileWish& wish) {
  const model::EncoderPlan& plan = model.plan();
  TRY(const Shape shape, shape_of(wish, 8, plan.positions));
  const model::TokenBatch batch = encoder_batch(plan, shape);
  const auto threads = tensor::make_threads(1);
  CallProfile out;
  TRY(out.steps, time_calls(
                     [&]() -> Status {
                       TRY_DONE(model.encoder()->forward(batch, *threads));
                       return Done{};
                     },
                     wish.calls));
  out.title = title_of(plan.family, wish, fmt::format("{} x {} tokens", shape.batch, shape.length));
  out.unit = "sequences";
  out.items = static_cast<double>(shape.batch);
  out.peak = peak_of(wish);
  return std::vector<CallProfile>{std::move(out)};
}

// What a decoder reads at position `from` of each text: prompts, or one token more.
model::TokenBatch decoder_batch(Random& random, Shape shape, size_t from, size_t vocabulary) {
  model::TokenBatch out;
  for (size_t row = 0; row < shape.batch; ++row) {
    const std::vector<int64_t> ids = random_ids(random, shape.length, vocabulary);
    for (size_t i = 0; i < shape.length; ++i) out.add(ids[i], 0, static_cast<int64_t>(from + i));
    out.end_sequence();
  }
  return out;
}

class DecoderCalls {
 public:
  DecoderCalls(const model::DecoderModel& model, Shape shape)
      : model_(model), shape_(shape), threads_(tensor::make_threads(1)) {}

  Status read_prompts() {
    caches_.assign(shape_.batch, {});
    return go_on(decoder_batch(random_, shape_, 0, model_.plan().vocabulary));
  }
  Status write_tokens() {
    return go_on(decoder_batch(random_, {shape_.batch, 1}, caches_[0].tokens, model_.plan().vocabulary));
  }

 private:
  Status go_on(const model::TokenBatch& batch) {
    std::vector<model::KvCache*> caches;
    for (model::KvCache& cache : caches_) caches.push_back(&cache);
    TRY(const model::Decoder::States states, model_.decoder().forward(batch, caches, *threads_));
    if (!model_.has_head()) return Done{};
    const size_t width = model_.decoder().head_inputs();
    tensor::Floats last(shape_.batch * width), scores(shape_.batch * model_.head_width());
    for (size_t i = 0; i < shape_.batch; ++i)
      std::copy_n(states.last.data() + (batch.starts[i + 1] - 1) * width, width, last.data() + i * width);
    model_.run_head(last.data(), shape_.batch, scores.data(), *threads_);
    return Done{};
  }

  const model::DecoderModel& model_;
  const Shape shape_;
  const std::unique_ptr<tensor::Threads> threads_;
  SeededRandom random_{1};
  std::vector<model::KvCache> caches_;
};

// Of memory: weights that are read once a token are what a token waits for.
void add_reading(CallProfile& out) { out.reading = tensor::read_peak(out.weight_bytes()); }

std::string texts_of(Shape shape) { return shape.batch == 1 ? "" : fmt::format("{} x ", shape.batch); }

Result<std::vector<CallProfile>> profile_decoder(const model::DecoderModel& model, const ProfileWish& wish) {
  const model::DecoderPlan& plan = model.plan();
  // The call that warms up writes one too.
  TRY(const Shape shape, shape_of(wish, 1, plan.positions, wish.calls + 1));
  DecoderCalls calls(model, shape);
  CallProfile reads, writes;
  TRY(reads.steps, time_calls([&] { return calls.read_prompts(); }, wish.calls));
  TRY(writes.steps, time_calls([&] { return calls.write_tokens(); }, wish.calls));
  const tensor::PageShape& page = model.decoder().pages().shape();
  reads.title = title_of(plan.family, wish,
                         fmt::format("reads a prompt of {}{} tokens", texts_of(shape), shape.length));
  writes.title =
      title_of(plan.family, wish,
               fmt::format("writes a token{} behind {}",
                           shape.batch == 1 ? "" : fmt::format(" of {} texts", shape.batch), shape.length));
  reads.unit = writes.unit = "tokens";
  reads.items = static_cast<double>(shape.batch * shape.length);
  writes.items = static_cast<double>(shape.batch);
  reads.peak = writes.peak = peak_of(wish);
  reads.cache_bytes = writes.cache_bytes = page.floats() * sizeof(float) / tensor::page_tokens;
  add_reading(writes);
  return std::vector<CallProfile>{std::move(reads), std::move(writes)};
}

Result<std::vector<CallProfile>> profile_seq2seq(const model::Seq2SeqModel& model, const ProfileWish& wish) {
  const model::Seq2SeqPlan& plan = model.plan();
  const size_t written = wish.calls + 2, room = plan.decoder.positions;
  if (room > 0 && written > room)
    return fail(Reason::bad_request, fmt::format("the model writes {} tokens at most: fewer --calls", room));
  TRY(const Shape shape, shape_of(wish, 1, plan.encoder.positions));
  const model::TokenBatch batch = encoder_batch(plan.encoder, shape);
  const auto threads = tensor::make_threads(1);
  CallProfile reads, writes;
  std::vector<model::Memory> memories;
  TRY(reads.steps, time_calls(
                       [&]() -> Status {
                         TRY(const tensor::Floats hidden, model.encode(batch, *threads));
                         memories = model.remember(batch, hidden, *threads);
                         return Done{};
                       },
                       wish.calls));
  reads.title = title_of(plan.family, wish, fmt::format("reads {}{} tokens", texts_of(shape), shape.length));
  reads.unit = writes.unit = "tokens";
  reads.items = static_cast<double>(shape.batch * shape.length);
  reads.peak = writes.peak = peak_of(wish);
  std::vector<CallProfile> out = {std::move(reads)};
  if (plan.head != model::Seq2SeqPlan::Head::language) return out;
  model::Seq2SeqRows rows(model, std::move(memories), *threads);
  std::vector<float> scores(shape.batch * model.vocabulary());
  std::vector<size_t> parents;
  for (size_t i = 0; i < shape.batch; ++i) parents.push_back(i);
  const std::vector<model::TokenId> tokens(shape.batch);
  TRY_DONE(rows.begin(std::vector<std::vector<model::TokenId>>(shape.batch, {0}), scores));
  TRY(writes.steps, time_calls([&] { return rows.extend(parents, tokens, scores); }, wish.calls));
  writes.title = title_of(plan.family, wish, "writes a token of what it read");
  writes.items = static_cast<double>(shape.batch);
  add_reading(writes);
  out.push_back(std::move(writes));
  return out;
}

std::string_view family_of(const model::AnyModel& model, std::string_view otherwise) {
  if (const auto* encoder = model.encoder()) return encoder->plan().family;
  if (const auto* decoder = model.decoder()) return decoder->plan().family;
  if (const auto* seq2seq = model.seq2seq()) return seq2seq->plan().family;
  return otherwise;
}

}  // namespace

double CallProfile::seconds() const {
  double out = 0;
  for (const StepTime& step : steps) out += step.seconds;
  return out;
}

size_t CallProfile::weight_bytes() const {
  size_t out = 0;
  for (const StepTime& step : steps) out += step.weight_bytes;
  return out;
}

Result<std::vector<CallProfile>> profile_model(const model::AnyModel& model, const ProfileWish& wish) {
  if (const auto* encoder = model.encoder()) return profile_encoder(*encoder, wish);
  if (const auto* decoder = model.decoder()) return profile_decoder(*decoder, wish);
  const auto* seq2seq = model.seq2seq();
  if (seq2seq != nullptr && seq2seq->signals() == nullptr) return profile_seq2seq(*seq2seq, wish);
  return fail(Reason::bad_request,
              "a model of images or sounds is profiled on tensors of yours: --input FILE.safetensors, as "
              "holdfast forward takes them");
}

Result<CallProfile> profile_inputs(const model::AnyModel& model, const tensor::Weights& inputs,
                                   const ProfileWish& wish, std::string_view name) {
  const auto threads = tensor::make_threads(1);
  CallProfile out;
  TRY(out.steps, time_calls(
                     [&]() -> Status {
                       TRY_DONE(model.forward(inputs, *threads));
                       return Done{};
                     },
                     wish.calls));
  out.title = title_of(family_of(model, name), wish, "tensors of yours");
  out.unit = "calls";
  out.items = 1;
  out.peak = peak_of(wish);
  return out;
}

}  // namespace holdfast::cli
