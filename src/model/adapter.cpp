#include "model/adapter.h"

#include <fmt/format.h>

#include <atomic>
#include <cmath>
#include <numeric>

#include "model/decoder_weights.h"
#include "model/row_work.h"
#include "tensor/buffer.h"

namespace holdfast::model {
namespace {

constexpr size_t loading_threads = 2;

// Rows of a weight, each `width` numbers, in another order.
std::vector<float> with_order(const std::vector<float>& rows, const std::vector<size_t>& order) {
  if (rows.empty() || order.empty()) return rows;
  const size_t width = rows.size() / order.size();
  std::vector<float> out;
  out.reserve(rows.size());
  for (const size_t row : order) {
    const auto from = rows.begin() + static_cast<ptrdiff_t>(row * width);
    out.insert(out.end(), from, from + static_cast<ptrdiff_t>(width));
  }
  return out;
}

// The first `heads` heads of rows: what was half a head apart comes beside each other.
void bring_together(std::vector<size_t>& order, size_t first, size_t heads, size_t width) {
  const std::vector<size_t> before = order;
  for (size_t i = 0; i < heads * width; ++i)
    order[first + i] = before[first + i / width * width + i % 2 * (width / 2) + i % width / 2];
}

}  // namespace

// Brings what an adapter's files say into a plan's places and notes what was taken.
class AdapterBuilder {
 public:
  AdapterBuilder(const AdapterBase& base, const WeightReader& weights, AdapterChanges changes)
      : plan_(base.plan),
        converted_(base.converted),
        weights_(base.plan, weights),
        compute_{weights.compute().isa, tensor::Precision::f32},
        changes_(std::move(changes)),
        threads_(tensor::make_threads(loading_threads)) {}

  Result<Adapter> build() {
    static std::atomic<uint64_t> made = 0;
    Adapter out;
    out.number_ = ++made;
    out.base_ = changes_.base;
    out.layers_.resize(plan_.layers.size());
    for (size_t i = 0; i < plan_.layers.size(); ++i) TRY_DONE(add_layer(i, out.layers_[i]));
    if (!changes_.modules.empty())
      return fail(Reason::model_unsupported, fmt::format("the adapter changes '{}', which is not supported",
                                                         changes_.modules.begin()->first.substr(0, 120)));
    out.bytes_ = bytes_;
    return out;
  }

 private:
  // A module of the checkpoint, and where its outputs come in the decoder's product.
  struct Module {
    std::string name;
    size_t outputs = 0, inputs = 0, column = 0;
    Bias bias = Bias::without;
    enum class Rows : uint8_t { plain, queries, keys, joined } rows = Rows::plain;
  };

  Status add_layer(size_t index, Adapter::Layer& layer) {
    const std::string at = fmt::format("{}{}.", plan_.layer_prefix, index);
    const size_t width = plan_.width, inner = plan_.inner;
    const size_t queries = plan_.heads * plan_.head_width, keys = plan_.key_heads * plan_.head_width;
    const auto put = [&](Adapter::Place place, Module module) -> Status {
      if (module.name.empty()) return Done{};
      module.name = at + module.name;
      return take(module, layer.at[static_cast<size_t>(place)]);
    };
    using enum Adapter::Place;
    using Rows = Module::Rows;
    const DecoderPlan::Layer& kind = plan_.layers[index];
    if (kind.attends && !plan_.latent) {
      const Bias bias = plan_.query_bias;
      TRY_DONE(put(query_key_value, {plan_.query, queries, width, 0, bias, Rows::queries}));
      TRY_DONE(put(query_key_value, {plan_.key, keys, width, queries, bias, Rows::keys}));
      TRY_DONE(put(query_key_value, {plan_.value, keys, width, queries + keys, bias}));
      TRY_DONE(
          put(query_key_value, {plan_.query_key_value, queries + 2 * keys, width, 0, bias, Rows::joined}));
    }
    if (kind.attends)
      TRY_DONE(put(attention_out,
                   {plan_.attention_out, width, plan_.heads * plan_.value_width, 0, plan_.out_bias}));
    if (!kind.feeds || (plan_.experts && kind.experts)) return Done{};
    const Bias bias = plan_.inner_bias;
    if (plan_.gated) TRY_DONE(put(gate_up, {plan_.gate, inner, width, 0, bias}));
    TRY_DONE(put(gate_up, {plan_.up, inner, width, plan_.gated ? inner : 0, bias}));
    TRY_DONE(put(gate_up, {plan_.gate_up, 2 * inner, width, 0, bias}));
    return put(down, {plan_.down, width, inner, 0, bias});
  }

  Status take(const Module& module, std::vector<LowRank>& into) {
    auto node = changes_.modules.extract(module.name);
    if (node.empty()) return Done{};
    ModuleChange& change = node.mapped();
    if (change.outputs != module.outputs || (change.rank > 0 && change.inputs != module.inputs))
      return fail(Reason::bad_request,
                  fmt::format("the adapter's tensors of '{}' do not fit the model", module.name));
    const std::vector<size_t> order = order_of(module);
    for (std::vector<float>* rows : {&change.up, &change.up_bias, &change.magnitude, &change.bias})
      *rows = with_order(*rows, order);
    for (std::vector<float>* rows : {&change.up, &change.up_bias})
      for (float& x : *rows) x *= change.scale;
    LowRank out;
    out.column = module.column;
    if (change.rank > 0)
      out.down = tensor::make_linear({change.down, {}, change.rank, change.inputs}, compute_);
    if (!change.magnitude.empty() || !change.bias.empty()) TRY_DONE(measure(module, change, out));
    if (change.rank > 0)
      out.up = tensor::make_linear({change.up, change.up_bias, change.outputs, change.rank}, compute_);
    bytes_ += (change.down.size() + change.up.size() + change.up_bias.size() + out.factor.size() +
               out.shift.size()) *
              sizeof(float);
    into.push_back(std::move(out));
    return Done{};
  }

  // The adapter's row for each row of the decoder's.
  std::vector<size_t> order_of(const Module& module) const {
    std::vector<size_t> order(module.outputs);
    std::iota(order.begin(), order.end(), size_t{0});
    if (changes_.converted) return order;
    const bool joined = module.rows == Module::Rows::joined;
    if (joined)
      order = joined_rows(plan_, converted_ != nullptr ? converted_->joined_order : plan_.joined_order);
    if (converted_ == nullptr || !converted_->turned) return order;
    const size_t width = plan_.head_width;
    if (joined || module.rows == Module::Rows::queries) bring_together(order, 0, plan_.heads, width);
    if (joined || module.rows == Module::Rows::keys)
      bring_together(order, joined ? plan_.heads * width : 0, plan_.key_heads, width);
    return order;
  }

  // What the base's own numbers are needed for: DoRA gives each of an output's rows a length of its own, and
  // a bias comes in the place of the base's.
  Status measure(const Module& module, ModuleChange& change, LowRank& out) const {
    TRY(Matrix base, weights_.matrix(module.name, module.outputs, module.inputs, module.bias));
    if (module.rows == Module::Rows::joined && plan_.joined_order != DecoderPlan::JoinedOrder::blocks) {
      const std::vector<size_t> order = joined_rows(plan_, plan_.joined_order);
      base.weight = with_order(base.weight, order);
      base.bias = with_order(base.bias, order);
    }
    if (!change.bias.empty() && base.bias.empty())
      return fail(Reason::bad_request,
                  fmt::format("'{}' has no bias that an adapter could change", module.name));
    const size_t rows = module.outputs, rank = change.rank;
    std::vector<float> factor(rows, 1.0F);
    if (!change.magnitude.empty()) {
      const std::vector<double> lengths = lengths_of(base.weight, change, *out.down);
      for (size_t row = 0; row < rows; ++row) {
        if (!(lengths[row] > 0))
          return fail(Reason::bad_request,
                      fmt::format("'{}' has an output whose weights are 0", module.name));
        factor[row] = static_cast<float>(change.magnitude[row] / lengths[row]);
        for (float& x : std::span(change.up).subspan(row * rank, rank)) x *= factor[row];
      }
      out.factor = factor;
    }
    if (base.bias.empty()) return Done{};
    out.shift.resize(rows);
    for (size_t row = 0; row < rows; ++row)
      out.shift[row] =
          (change.bias.empty() ? base.bias[row] : change.bias[row]) - factor[row] * base.bias[row];
    return Done{};
  }

  // Of each row w + u A, u a row of `up`: its square is w w + 2 u A w + u A A u.
  std::vector<double> lengths_of(const std::vector<float>& base, const ModuleChange& change,
                                 const tensor::Linear& down) const {
    const size_t rank = change.rank, inputs = change.inputs, rows = change.outputs;
    const auto times_down = [&](const std::vector<float>& in, size_t count) {
      tensor::Floats product(count * rank);
      tensor::LinearRun run;
      run.in = in.data();
      run.rows = count;
      run.out = product.data();
      down.run(run, *threads_);
      return product;
    };
    const tensor::Floats mixed = times_down(base, rows), square = times_down(change.down, rank);
    std::vector<double> out(rows);
    for (size_t row = 0; row < rows; ++row) {
      double sum = 0;
      for (const float x : std::span(base).subspan(row * inputs, inputs)) sum += static_cast<double>(x) * x;
      const float* up = change.up.data() + row * rank;
      for (size_t i = 0; i < rank; ++i) {
        double of_change = 0;
        for (size_t k = 0; k < rank; ++k)
          of_change += static_cast<double>(square.data()[i * rank + k]) * up[k];
        sum += up[i] * (2.0 * mixed.data()[row * rank + i] + of_change);
      }
      out[row] = std::sqrt(std::max(sum, 0.0));
    }
    return out;
  }

  const DecoderPlan& plan_;
  const ConvertedBase* const converted_;
  const DecoderWeights weights_;
  const tensor::Compute compute_;
  AdapterChanges changes_;
  const std::unique_ptr<tensor::Threads> threads_;
  size_t bytes_ = 0;
};

Result<Adapter> Adapter::open(io::Disk& disk, const io::Path& place, const AdapterBase& base,
                              const WeightReader& weights) {
  const DecoderPlan& plan = base.plan;
  if (plan.recurrent || plan.query_gates)
    return fail(Reason::model_unsupported,
                fmt::format("adapters beside a model of type '{}' are not supported", plan.family));
  if (!plan.gates_apart) return fail(Reason::model_unsupported, "the base was not opened for adapters");
  TRY(AdapterChanges changes, read_adapter(disk, place, base));
  return AdapterBuilder(base, weights, std::move(changes)).build();
}

void Adapter::add(size_t layer, Place place, const Job& job, tensor::Threads& threads) const {
  for (const LowRank& one : layers_[layer].at[static_cast<size_t>(place)]) {
    if (!one.factor.empty() || !one.shift.empty())
      by_rows(threads, job.rows, [&](size_t first, size_t count) {
        for (size_t row = first; row < first + count; ++row) {
          float* out = job.out + row * job.out_stride + one.column;
          for (size_t i = 0; i < one.factor.size(); ++i) out[i] *= one.factor[i];
          for (size_t i = 0; i < one.shift.size(); ++i) out[i] += one.shift[i];
        }
      });
    if (one.down == nullptr) continue;
    tensor::Floats narrow(job.rows * one.down->width());
    tensor::LinearRun run;
    run.in = job.in;
    run.in_stride = job.in_stride;
    run.rows = job.rows;
    run.out = narrow.data();
    one.down->run(run, threads);
    run.in = narrow.data();
    run.in_stride = 0;
    run.out = job.out + one.column;
    run.out_stride = job.out_stride;
    run.addend = run.out;
    one.up->run(run, threads);
  }
}

}  // namespace holdfast::model
