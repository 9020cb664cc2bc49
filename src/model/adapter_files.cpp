#include "model/adapter_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>

#include "codec/gguf.h"
#include "codec/json.h"
#include "model/gguf_names.h"
#include "tensor/blocks.h"
#include "tensor/weights.h"
#include "token/regex/regex.h"

namespace holdfast::model {
namespace {

constexpr size_t rank_max = 4'096, patterns_max = 1'024;
constexpr uint64_t config_bytes_max = 1 << 20;

// Numbers of modules by patterns of their names; the first that fits counts.
class Patterns {
 public:
  // PEFT takes a pattern as a regular expression of the end of a module's path, whole parts of it.
  static Result<Patterns> read(const boost::json::object& config, std::string_view key) {
    TRY(const boost::json::object* list, codec::json_object_if(config, key));
    Patterns out;
    if (list == nullptr) return out;
    if (list->size() > patterns_max)
      return fail(Reason::bad_request, fmt::format("'{}' has more than {} patterns", key, patterns_max));
    for (const auto& [name, value] : *list) {
      if (!value.is_number()) return fail(Reason::bad_request, fmt::format("'{}' holds numbers", key));
      Row row{std::string(name), nullptr, value.to_number<double>()};
      constexpr std::string_view special = "*+?()[]{}|^$\\";
      if (row.name.find_first_of(special) != std::string::npos) {
        auto compiled = token::compile_regex(fmt::format("\\A(?:.*\\.)?(?:{})\\z", row.name));
        if (!compiled.ok())
          return fail(Reason::bad_request,
                      fmt::format("'{}' of '{}' is no regular expression", row.name.substr(0, 80), key));
        row.regex = std::move(compiled).value();
      }
      out.rows_.push_back(std::move(row));
    }
    return out;
  }

  Result<double> of(const std::string& module, double fallback) const {
    for (const Row& row : rows_) {
      if (row.regex == nullptr) {
        if (module == row.name || module.ends_with("." + row.name)) return row.value;
        continue;
      }
      TRY(const std::vector<token::Match> found, row.regex->find(module));
      if (std::ranges::any_of(found, &token::Match::delimiter)) return row.value;
    }
    return fallback;
  }

 private:
  struct Row {
    std::string name;  // A dot in a plain one is a dot: no module has another character there.
    std::shared_ptr<const token::Regex> regex;
    double value = 0;
  };
  std::vector<Row> rows_;
};

// What adapter_config.json says of every module, and of single ones.
struct LoraConfig {
  std::string base;
  double rank = 8, alpha = 8;
  bool by_root = false;  // rslora: alpha / sqrt(rank)
  bool by_magnitude = false;
  Patterns ranks, alphas;
};

bool says_nothing(const boost::json::value* value) {
  return value == nullptr || value->is_null() || (value->is_bool() && !value->get_bool()) ||
         (value->is_array() && value->get_array().empty()) ||
         (value->is_object() && value->get_object().empty());
}

// What changes more than the tensors of linear layers say, or says how else they are used.
Status check_config(const boost::json::object& config) {
  TRY(const auto type, codec::json_text_if(config, "peft_type"));
  if (type.value_or("LORA") != "LORA")
    return fail(Reason::model_unsupported,
                fmt::format("adapters of type '{}' are not supported", type->substr(0, 40)));
  for (const char* key : {"use_qalora", "use_bdlora", "modules_to_save", "trainable_token_indices",
                          "target_parameters", "layer_replication", "alora_invocation_tokens", "arrow_config",
                          "velora_config", "monteclora_config", "kasa_config"})
    if (!says_nothing(config.if_contains(key)))
      return fail(Reason::model_unsupported, fmt::format("'{}' is not supported", key));
  // These take a part out of the base's weights when they begin; an adapter without them keeps the name where
  // it was not brought back to the whole base.
  const boost::json::value* begun = config.if_contains("init_lora_weights");
  if (begun != nullptr && begun->is_string())
    for (const std::string_view kind : {"pissa", "olora", "corda", "loftq", "lora_ga"})
      if (std::string_view(begun->get_string()).starts_with(kind))
        return fail(Reason::model_unsupported,
                    fmt::format("'init_lora_weights': '{}' changes the base, which is not supported", kind));
  return Done{};
}

Result<LoraConfig> read_config(io::Disk& disk, const io::Path& folder) {
  TRY(const std::string text, io::read_text(disk, folder / "adapter_config.json", config_bytes_max));
  TRY(const boost::json::object config, codec::parse_json_object(text));
  TRY_DONE(check_config(config));
  LoraConfig out;
  TRY(const auto base, codec::json_text_if(config, "base_model_name_or_path"));
  out.base = base.value_or("");
  TRY(const auto rank, codec::json_number_if(config, "r"));
  TRY(const auto alpha, codec::json_number_if(config, "lora_alpha"));
  out.rank = rank.value_or(8);
  out.alpha = alpha.value_or(8);
  TRY(const auto by_root, codec::json_flag_if(config, "use_rslora"));
  out.by_root = by_root.value_or(false);
  TRY(const auto by_magnitude, codec::json_flag_if(config, "use_dora"));
  out.by_magnitude = by_magnitude.value_or(false);
  TRY(out.ranks, Patterns::read(config, "rank_pattern"));
  TRY(out.alphas, Patterns::read(config, "alpha_pattern"));
  return out;
}

Error does_not_fit(std::string_view module) {
  return fail(Reason::bad_request,
              fmt::format("the adapter's tensors of '{}' do not fit the model", module.substr(0, 120)));
}

// Both halves of a change, each two numbers wide and of one rank.
Status put_halves(std::string_view module, const std::vector<uint64_t>& down, const std::vector<uint64_t>& up,
                  ModuleChange& into) {
  if (down.empty() != up.empty())
    return fail(Reason::bad_request,
                fmt::format("'{}' has one of lora_A and lora_B only", module.substr(0, 120)));
  if (down.size() != 2 || up.size() != 2 || down[0] == 0 || down[0] > rank_max || up[1] != down[0])
    return does_not_fit(module);
  into.rank = down[0];
  into.inputs = down[1];
  into.outputs = up[0];
  return Done{};
}

// The tensors of PEFT's file. It wraps the model: "base_model.model." and then the checkpoint's own path.
class PeftReader {
 public:
  PeftReader(const AdapterBase& base, const LoraConfig& config, const tensor::Weights& weights)
      : config_(config), weights_(weights) {
    prefixes_ = base.converted != nullptr ? base.converted->prefixes : base.plan.prefixes;
    std::ranges::stable_sort(prefixes_, std::ranges::greater{}, &std::string::size);
  }

  Result<AdapterChanges> read() {
    AdapterChanges out;
    out.base = config_.base;
    for (const std::string& name : weights_.names()) {
      const Part* part = part_of(name);
      if (part == nullptr || !name.starts_with(wrap))
        return fail(Reason::model_unsupported,
                    fmt::format("the adapter changes '{}', which is not supported", name.substr(0, 120)));
      const std::string module = name.substr(wrap.size(), name.size() - wrap.size() - part->ending.size());
      tensors_[module].*(part->place) = weights_.find(name);
    }
    for (const auto& [module, tensors] : tensors_) {
      TRY(ModuleChange change, read_one(module, tensors));
      if (!out.modules.emplace(bare(module), std::move(change)).second)
        return fail(Reason::bad_request, fmt::format("'{}' is there twice", module.substr(0, 120)));
    }
    return out;
  }

 private:
  using View = const tensor::TensorView*;
  struct Tensors {
    View down = nullptr, up = nullptr, up_bias = nullptr, magnitude = nullptr, bias = nullptr;
  };
  struct Part {
    std::string_view ending;
    View Tensors::* place;
  };
  static constexpr std::string_view wrap = "base_model.model.";
  static constexpr Part parts[] = {
      {".lora_A.weight", &Tensors::down},
      {".lora_B.weight", &Tensors::up},
      {".lora_B.bias", &Tensors::up_bias},
      {".lora_magnitude_vector", &Tensors::magnitude},
      {".lora_magnitude_vector.weight", &Tensors::magnitude},
      {".base_layer.bias", &Tensors::bias},
      {".bias", &Tensors::bias},
  };

  static const Part* part_of(std::string_view name) {
    const auto* found =
        std::ranges::find_if(parts, [&](const Part& part) { return name.ends_with(part.ending); });
    return found == std::end(parts) ? nullptr : found;
  }

  std::string bare(const std::string& module) const {
    for (const std::string& prefix : prefixes_)
      if (module.starts_with(prefix)) return module.substr(prefix.size());
    return module;
  }

  static Status put_column(View view, const std::string& module, size_t count, std::vector<float>& into) {
    if (view == nullptr) return Done{};
    if (view->elements() != count) return does_not_fit(module);
    TRY(into, tensor::to_floats(*view));
    return Done{};
  }

  Result<ModuleChange> read_one(const std::string& module, const Tensors& tensors) const {
    ModuleChange out;
    if (tensors.down == nullptr && tensors.up == nullptr) {
      if (tensors.bias == nullptr || tensors.up_bias != nullptr || tensors.magnitude != nullptr)
        return does_not_fit(module);
      out.outputs = tensors.bias->elements();
      TRY_DONE(put_column(tensors.bias, module, out.outputs, out.bias));
      return out;
    }
    const std::vector<uint64_t> none;
    TRY_DONE(put_halves(module, tensors.down != nullptr ? tensors.down->shape : none,
                        tensors.up != nullptr ? tensors.up->shape : none, out));
    TRY(const double said, config_.ranks.of(module, config_.rank));
    if (said != static_cast<double>(out.rank))
      return fail(Reason::bad_request,
                  fmt::format("'{}' has another rank than the adapter's config says", module.substr(0, 120)));
    if (config_.by_magnitude != (tensors.magnitude != nullptr))
      return fail(Reason::bad_request,
                  fmt::format("'{}' has {} that 'use_dora' asks for", module.substr(0, 120),
                              config_.by_magnitude ? "no lengths" : "lengths, but not"));
    TRY(const double alpha, config_.alphas.of(module, config_.alpha));
    const auto rank = static_cast<double>(out.rank);
    out.scale = static_cast<float>(alpha / (config_.by_root ? std::sqrt(rank) : rank));
    TRY(out.down, tensor::to_floats(*tensors.down));
    TRY(out.up, tensor::to_floats(*tensors.up));
    TRY_DONE(put_column(tensors.up_bias, module, out.outputs, out.up_bias));
    TRY_DONE(put_column(tensors.magnitude, module, out.outputs, out.magnitude));
    TRY_DONE(put_column(tensors.bias, module, out.outputs, out.bias));
    return out;
  }

  const LoraConfig& config_;
  const tensor::Weights& weights_;
  std::vector<std::string> prefixes_;  // The longest first.
  std::map<std::string, Tensors> tensors_;
};

// llama.cpp's file: NAME.lora_a and NAME.lora_b beside the names that the base's file has.
class GgufReader {
 public:
  GgufReader(const AdapterBase& base, const codec::GgufFile& file) : base_(base), file_(file) {}

  Result<AdapterChanges> read() {
    TRY_DONE(check());
    TRY(const auto alpha, file_.number_if("adapter.lora.alpha"));
    AdapterChanges out;
    out.converted = true;
    TRY(const auto base, file_.text_if("general.base_model.0.name"));
    out.base = base.value_or("");
    for (const codec::GgufTensor& tensor : file_.tensors()) {
      const bool is_down = tensor.name.ends_with(".lora_a"), is_up = tensor.name.ends_with(".lora_b");
      std::string module = is_down || is_up
                               ? name_from_gguf(base_.plan, tensor.name.substr(0, tensor.name.size() - 7))
                               : std::string();
      if (!module.ends_with(".weight"))
        return fail(Reason::model_unsupported, fmt::format("the adapter changes '{}', which is not supported",
                                                           tensor.name.substr(0, 120)));
      module.resize(module.size() - std::string_view(".weight").size());
      (is_down ? tensors_[module].down : tensors_[module].up) = &tensor;
    }
    for (const auto& [module, tensors] : tensors_) {
      ModuleChange change;
      TRY_DONE(put_halves(module, shape(tensors.down), shape(tensors.up), change));
      if (alpha.value_or(0) != 0)
        change.scale = static_cast<float>(*alpha / static_cast<double>(change.rank));
      TRY(change.down, floats(*tensors.down));
      TRY(change.up, floats(*tensors.up));
      out.modules.emplace(module, std::move(change));
    }
    return out;
  }

 private:
  struct Tensors {
    const codec::GgufTensor *down = nullptr, *up = nullptr;
  };

  Status check() const {
    TRY(const auto type, file_.text_if("general.type"));
    TRY(const auto kind, file_.text_if("adapter.type"));
    if (type.value_or("") != "adapter" || kind.value_or("") != "lora")
      return fail(Reason::bad_request, "the GGUF file is no LoRA adapter");
    if (base_.converted == nullptr)
      return fail(Reason::model_unsupported,
                  "a GGUF adapter changes a GGUF base; of a folder use PEFT's adapter");
    TRY(const auto architecture, file_.text_if("general.architecture"));
    if (architecture.value_or("") != base_.converted->architecture)
      return fail(Reason::bad_request,
                  fmt::format("the adapter is one of architecture '{}', the base of '{}'",
                              architecture.value_or("").substr(0, 60), base_.converted->architecture));
    if (file_.find("adapter.alora.invocation_tokens") != nullptr)
      return fail(Reason::model_unsupported, "'adapter.alora.invocation_tokens' is not supported");
    return Done{};
  }

  static std::vector<uint64_t> shape(const codec::GgufTensor* tensor) {
    if (tensor == nullptr) return {};
    return {tensor->dimensions.rbegin(), tensor->dimensions.rend()};
  }
  static Result<std::vector<float>> floats(const codec::GgufTensor& tensor) {
    return tensor::widen_blocks(tensor.type, tensor.bytes, tensor.elements);
  }

  const AdapterBase base_;
  const codec::GgufFile& file_;
  std::map<std::string, Tensors> tensors_;
};

Result<AdapterChanges> read_gguf(io::Disk& disk, const io::Path& file, const AdapterBase& base) {
  TRY(const std::unique_ptr<io::MappedFile> bytes, disk.map(file));
  TRY(const codec::GgufFile parsed, codec::GgufFile::parse(bytes->bytes()));
  return GgufReader(base, parsed).read();
}

// The only GGUF file of a folder without PEFT's weights; empty: none.
Result<io::Path> gguf_in(io::Disk& disk, const io::Path& folder) {
  TRY(const std::vector<io::Entry> entries, disk.list(folder));
  io::Path found;
  for (const io::Entry& entry : entries) {
    if (!entry.name.ends_with(".gguf")) continue;
    if (!found.empty())
      return fail(Reason::bad_request, "the folder has several GGUF files: name one of them");
    found = folder / entry.name;
  }
  return found;
}

}  // namespace

Result<AdapterChanges> read_adapter(io::Disk& disk, const io::Path& place, const AdapterBase& base) {
  if (place.extension() == ".gguf") return read_gguf(disk, place, base);
  const io::Path named = place / "adapter_model.safetensors", older = place / "adapter_model.bin";
  const bool is_there = disk.stat(named).ok(), is_older = !is_there && disk.stat(older).ok();
  if (!is_there && !is_older) {
    TRY(const io::Path file, gguf_in(disk, place));
    if (!file.empty()) return read_gguf(disk, file, base);
  }
  TRY(const LoraConfig config, read_config(disk, place));
  TRY(const tensor::Weights weights, tensor::Weights::open_file(disk, is_older ? older : named));
  return PeftReader(base, config, weights).read();
}

}  // namespace holdfast::model
