#include "model/adapter.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <set>

#include "codec/json.h"
#include "model/decoder_weights.h"
#include "tensor/buffer.h"
#include "tensor/weights.h"

namespace holdfast::model {

// What adapter_config.json says of every module, and of single ones.
struct LoraConfig {
  std::string base;
  double rank = 8, alpha = 8;
  bool by_root = false;  // rslora: alpha / sqrt(rank)
  std::vector<std::pair<std::string, double>> ranks, alphas;

  // A pattern names a module by the end of its path, as PEFT takes plain names.
  static double of(const std::vector<std::pair<std::string, double>>& patterns, const std::string& module,
                   double fallback) {
    for (const auto& [name, value] : patterns)
      if (module == name || module.ends_with("." + name)) return value;
    return fallback;
  }
  double scale(const std::string& module, size_t rank_found) const {
    const double own_alpha = of(alphas, module, alpha);
    return own_alpha /
           (by_root ? std::sqrt(static_cast<double>(rank_found)) : static_cast<double>(rank_found));
  }
};

namespace {

constexpr size_t rank_max = 4'096;

Result<std::vector<std::pair<std::string, double>>> patterns_in(const boost::json::object& config,
                                                                std::string_view key) {
  TRY(const boost::json::object* list, codec::json_object_if(config, key));
  std::vector<std::pair<std::string, double>> out;
  if (list == nullptr) return out;
  for (const auto& [name, value] : *list) {
    constexpr std::string_view special = "*+?()[]{}|^$\\";
    if (name.find_first_of(special) != boost::json::string_view::npos)
      return fail(Reason::model_unsupported,
                  fmt::format("'{}' with regular expressions is not supported", key));
    if (!value.is_number()) return fail(Reason::bad_request, fmt::format("'{}' holds numbers", key));
    out.emplace_back(std::string(name), value.to_number<double>());
  }
  return out;
}

Result<LoraConfig> read_config(io::Disk& disk, const io::Path& folder) {
  TRY(const std::string text, io::read_text(disk, folder / "adapter_config.json", 1 << 20));
  TRY(const boost::json::object config, codec::parse_json_object(text));
  TRY(const auto type, codec::json_text_if(config, "peft_type"));
  if (type.value_or("LORA") != "LORA")
    return fail(Reason::model_unsupported,
                fmt::format("adapters of type '{}' are not supported", type->substr(0, 40)));
  for (const char* key : {"use_dora", "use_qalora", "lora_bias"}) {
    TRY(const auto flag, codec::json_flag_if(config, key));
    if (flag.value_or(false))
      return fail(Reason::model_unsupported, fmt::format("'{}' is not supported", key));
  }
  TRY(const auto bias, codec::json_text_if(config, "bias"));
  if (bias.value_or("none") != "none")
    return fail(Reason::model_unsupported, "adapters that change biases are not supported");
  for (const char* key :
       {"modules_to_save", "trainable_token_indices", "target_parameters", "layer_replication"}) {
    const boost::json::value* found = config.if_contains(key);
    if (found == nullptr || found->is_null()) continue;
    if (found->is_array() && found->get_array().empty()) continue;
    return fail(Reason::model_unsupported, fmt::format("'{}' is not supported", key));
  }
  LoraConfig out;
  TRY(const auto base, codec::json_text_if(config, "base_model_name_or_path"));
  out.base = base.value_or("");
  TRY(const auto rank, codec::json_number_if(config, "r"));
  TRY(const auto alpha, codec::json_number_if(config, "lora_alpha"));
  out.rank = rank.value_or(8);
  out.alpha = alpha.value_or(8);
  TRY(const auto by_root, codec::json_flag_if(config, "use_rslora"));
  out.by_root = by_root.value_or(false);
  TRY(out.ranks, patterns_in(config, "rank_pattern"));
  TRY(out.alphas, patterns_in(config, "alpha_pattern"));
  return out;
}

}  // namespace

// Reads an adapter's tensors into a plan's places and remembers which it used.
class AdapterReader {
 public:
  AdapterReader(const DecoderPlan& plan, const LoraConfig& config, const tensor::Weights& weights,
                tensor::Compute compute)
      : plan_(plan), config_(config), weights_(weights), compute_{compute.isa, tensor::Precision::f32} {}

  Result<Adapter> read() {
    static std::atomic<uint64_t> made = 0;
    Adapter out;
    out.number_ = ++made;
    out.base_ = config_.base;
    out.layers_.resize(plan_.layers.size());
    const size_t width = plan_.width, inner = plan_.inner;
    const size_t queries = plan_.heads * plan_.head_width, keys = plan_.key_heads * plan_.head_width;
    for (size_t i = 0; i < plan_.layers.size(); ++i) {
      const std::string at = fmt::format("{}{}.", plan_.layer_prefix, i);
      const auto put = [&](Adapter::Place place, const std::string& name, size_t outputs, size_t inputs,
                           size_t column) {
        return read_one(at + name, outputs, inputs, column, out.layers_[i].at[static_cast<size_t>(place)]);
      };
      using enum Adapter::Place;
      TRY_DONE(put(query_key_value, plan_.query, queries, width, 0));
      TRY_DONE(put(query_key_value, plan_.key, keys, width, queries));
      TRY_DONE(put(query_key_value, plan_.value, keys, width, queries + keys));
      if (!plan_.query_key_value.empty())
        TRY_DONE(put(query_key_value, plan_.query_key_value, queries + 2 * keys, width, 0));
      TRY_DONE(put(attention_out, plan_.attention_out, width, plan_.heads * plan_.value_width, 0));
      if (plan_.gated) TRY_DONE(put(gate_up, plan_.gate, inner, width, 0));
      TRY_DONE(put(gate_up, plan_.up, inner, width, plan_.gated ? inner : 0));
      if (!plan_.gate_up.empty()) TRY_DONE(put(gate_up, plan_.gate_up, 2 * inner, width, 0));
      TRY_DONE(put(down, plan_.down, width, inner, 0));
    }
    for (const std::string& name : weights_.names())
      if (!used_.contains(name))
        return fail(Reason::model_unsupported,
                    fmt::format("the adapter changes '{}', which is not supported", name.substr(0, 120)));
    out.bytes_ = bytes_;
    return out;
  }

 private:
  // PEFT wraps the model: "base_model.model." and then the checkpoint's own path.
  const tensor::TensorView* find(const std::string& module, const char* which) {
    std::vector<std::string> prefixes = plan_.prefixes;
    prefixes.emplace_back();
    for (const std::string& prefix : prefixes) {
      const std::string name = "base_model.model." + prefix + module + which;
      const tensor::TensorView* view = weights_.find(name);
      if (view == nullptr) continue;
      used_.insert(name);
      return view;
    }
    return nullptr;
  }

  Status read_one(const std::string& module, size_t outputs, size_t inputs, size_t column,
                  std::vector<LowRank>& into) {
    const tensor::TensorView* down = find(module, ".lora_A.weight");
    const tensor::TensorView* up = find(module, ".lora_B.weight");
    if (down == nullptr && up == nullptr) return Done{};
    if (down == nullptr || up == nullptr)
      return fail(Reason::bad_request, fmt::format("'{}' has one of lora_A and lora_B only", module));
    const size_t rank = down->shape.empty() ? 0 : down->shape[0];
    if (rank == 0 || rank > rank_max || down->shape != std::vector<uint64_t>{rank, inputs} ||
        up->shape != std::vector<uint64_t>{outputs, rank})
      return fail(Reason::bad_request,
                  fmt::format("the adapter's tensors of '{}' do not fit the model", module));
    if (LoraConfig::of(config_.ranks, module, config_.rank) != static_cast<double>(rank))
      return fail(Reason::bad_request,
                  fmt::format("'{}' has another rank than the adapter's config says", module));
    TRY(const std::vector<float> down_weight, tensor::to_floats(*down));
    TRY(std::vector<float> up_weight, tensor::to_floats(*up));
    const auto scale = static_cast<float>(config_.scale(module, rank));
    for (float& x : up_weight) x *= scale;
    if (outputs == joined_outputs() && module.ends_with(plan_.query_key_value) &&
        !plan_.query_key_value.empty())
      up_weight = reordered(up_weight, rank);
    bytes_ += (down_weight.size() + up_weight.size()) * sizeof(float);
    into.push_back({tensor::make_linear({down_weight, {}, rank, inputs}, compute_),
                    tensor::make_linear({up_weight, {}, outputs, rank}, compute_), column});
    return Done{};
  }

  size_t joined_outputs() const { return (plan_.heads + 2 * plan_.key_heads) * plan_.head_width; }

  // Rows of a joined layer in the order in which the decoder has them.
  std::vector<float> reordered(const std::vector<float>& weight, size_t rank) const {
    if (plan_.joined_order == DecoderPlan::JoinedOrder::blocks) return weight;
    std::vector<float> out;
    for (const size_t row : joined_rows(plan_)) {
      const auto from = weight.begin() + static_cast<ptrdiff_t>(row * rank);
      out.insert(out.end(), from, from + static_cast<ptrdiff_t>(rank));
    }
    return out;
  }

  const DecoderPlan& plan_;
  const LoraConfig& config_;
  const tensor::Weights& weights_;
  const tensor::Compute compute_;
  std::set<std::string, std::less<>> used_;
  size_t bytes_ = 0;
};

Result<Adapter> Adapter::open(io::Disk& disk, const io::Path& folder, const DecoderPlan& plan,
                              tensor::Compute compute) {
  if (plan.prefixes.empty())
    return fail(Reason::model_unsupported, "adapters beside a GGUF file are not supported");
  if (plan.recurrent || plan.query_gates)
    return fail(Reason::model_unsupported,
                fmt::format("adapters beside a model of type '{}' are not supported", plan.family));
  if (!plan.gates_apart) return fail(Reason::model_unsupported, "the base was not opened for adapters");
  TRY(const LoraConfig config, read_config(disk, folder));
  const io::Path named = folder / "adapter_model.safetensors", older = folder / "adapter_model.bin";
  TRY(const tensor::Weights weights,
      tensor::Weights::open_file(disk, disk.stat(named).ok() || !disk.stat(older).ok() ? named : older));
  return AdapterReader(plan, config, weights, compute).read();
}

void Adapter::add(size_t layer, Place place, const Job& job, tensor::Threads& threads) const {
  for (const LowRank& one : layers_[layer].at[static_cast<size_t>(place)]) {
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
