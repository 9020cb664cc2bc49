#include "cli/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <ctime>
#include <map>

#include "base/random.h"
#include "cli/compute_flags.h"
#include "cli/connection.h"
#include "cli/count_flag.h"
#include "cli/hub_transfer.h"
#include "cli/model_source.h"
#include "cli/profile_chart.h"
#include "cli/text_table.h"
#include "cli/user_files.h"
#include "codec/json.h"
#include "model/encoder_model.h"
#include "tensor/peak.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr FlagRow flags[] = {
    {"--dtype", "f32|bf16|int8", "What products are computed in [f32]."},
    {"--instructions", "SET", "Instead of the best the machine has: plain, avx2, avx512, ..."},
    {"--batch", "B", "Sequences a call [8]."},
    {"--length", "L", "Tokens a sequence [128]."},
    {"--calls", "N", "Calls to take the median of [20]."},
    {"--svg", "FILE", "A chart too."},
    {"--json", "", "One JSON line."},
    endpoint_flag,
    token_flag,
};

struct Wish {
  size_t batch = 8, length = 128, calls = 20;
  tensor::Compute compute;
  std::string_view svg;
  Output output = Output::people;
};

Result<Wish> read_wish(const Arguments& arguments) {
  Wish out;
  TRY(out.batch, count_flag(arguments, "--batch", 8, 1024));
  TRY(out.length, count_flag(arguments, "--length", 128, 8192));
  TRY(out.calls, count_flag(arguments, "--calls", 20, 10'000));
  TRY(out.compute, read_compute(arguments, "f32"));
  out.svg = arguments.value_or("--svg", "");
  if (arguments.has("--json")) out.output = Output::json;
  return out;
}

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// Adds up the processor time between the ends of steps: what a machine shared with others disturbs least.
class StepClock final : public model::StepWatch {
 public:
  void begin() { last_ = processor_seconds(); }
  void ended(size_t layer, model::EncoderStep step) override {
    const double now = processor_seconds();
    now_[{layer, step}] += now - last_;
    last_ = now;
  }
  // The call is over.
  void end() {
    for (const auto& [key, seconds] : now_) all_[key].push_back(seconds);
    now_.clear();
  }
  std::vector<StepTime> medians() {
    std::vector<StepTime> out;
    for (auto& [key, seconds] : all_) {
      std::sort(seconds.begin(), seconds.end());
      out.push_back({key.first, key.second, seconds[seconds.size() / 2], 0});
    }
    return out;
  }

 private:
  using Key = std::pair<size_t, model::EncoderStep>;
  double last_ = 0;
  std::map<Key, double> now_;
  std::map<Key, std::vector<double>> all_;
};

Result<ModelProfile> measure(const model::EncoderModel& model, const Wish& wish) {
  const model::EncoderPlan& plan = model.plan();
  if (plan.positions > 0 && wish.length > plan.positions)
    return fail(Reason::bad_request, fmt::format("the model takes {} tokens at most", plan.positions));
  SeededRandom random(1);
  model::TokenBatch batch;
  for (size_t row = 0; row < wish.batch; ++row) {
    std::vector<int64_t> ids;
    for (size_t i = 0; i < wish.length; ++i)
      ids.push_back(static_cast<int64_t>(random.below(plan.vocabulary)));
    const std::vector<int64_t> positions = model::positions_of(plan, ids);
    for (size_t i = 0; i < wish.length; ++i) batch.add(ids[i], 0, positions[i], static_cast<int64_t>(i));
    batch.end_sequence();
  }
  const auto threads = tensor::make_threads(1);
  StepClock clock;
  TRY_DONE(model.encoder()->forward(batch, *threads));  // Warms up.
  for (size_t call = 0; call < wish.calls; ++call) {
    clock.begin();
    TRY_DONE(model.encoder()->forward(batch, *threads, &clock));
    clock.end();
  }
  ModelProfile out;
  out.steps = clock.medians();
  for (StepTime& step : out.steps) step.operations = model::step_operations(plan, batch, step.step);
  out.peak = tensor::register_peak(wish.compute.isa, wish.compute.precision);
  out.title = fmt::format("{}, {} on {}, {} x {} tokens, one thread", plan.family,
                          tensor::precision_name(wish.compute.precision), tensor::isa_name(wish.compute.isa),
                          wish.batch, wish.length);
  return out;
}

struct Total {
  double seconds = 0, operations = 0;
};

std::string share_of_peak(Total total, double peak) {
  return total.operations > 0 && total.seconds > 0
             ? fmt::format("{:.1f} %", 100 * total.operations / total.seconds / peak)
             : "";
}

// Steps over all layers, then layers over all steps.
std::string as_text(const ModelProfile& profile, const Wish& wish) {
  const double all = profile.seconds();
  std::map<model::EncoderStep, Total> by_step;
  std::map<size_t, Total> by_layer;
  Total whole;
  for (const StepTime& step : profile.steps)
    for (Total* total : {&by_step[step.step], &by_layer[step.layer], &whole}) {
      total->seconds += step.seconds;
      total->operations += step.operations;
    }
  std::vector<std::vector<std::string>> rows = {{"operation", "ms", "share", "of peak"}};
  const auto add = [&](std::string name, Total total) {
    rows.push_back({std::move(name), fmt::format("{:.3f}", total.seconds * 1e3),
                    fmt::format("{:.1f} %", 100 * total.seconds / all), share_of_peak(total, profile.peak)});
  };
  for (const auto& [step, total] : by_step) add(std::string(model::step_name(step)), total);
  add("all", whole);
  std::string out = fmt::format("{}; peak of registers {:.0f} G operations/s; {:.1f} sequences/s\n\n",
                                profile.title, profile.peak / 1e9, static_cast<double>(wish.batch) / all);
  out += text_table(rows) + "\n";
  rows = {{"layer", "ms", "share", "of peak"}};
  for (const auto& [layer, total] : by_layer) add(std::to_string(layer), total);
  return out + text_table(rows);
}

std::string as_json(const ModelProfile& profile, const Wish& wish) {
  json::array steps;
  for (const StepTime& step : profile.steps)
    steps.push_back(
        json::object{{"layer", step.layer},
                     {"operation", std::string(model::step_name(step.step))},
                     {"seconds", step.seconds},
                     {"operations", step.operations},
                     {"share_of_peak", step.operations / std::max(step.seconds, 1e-12) / profile.peak}});
  return codec::to_text(
             json::object{{"title", profile.title},
                          {"peak_operations_per_second", profile.peak},
                          {"seconds", profile.seconds()},
                          {"sequences_per_second", static_cast<double>(wish.batch) / profile.seconds()},
                          {"steps", std::move(steps)}}) +
         "\n";
}

Result<std::string> profile(World& world, const Arguments& arguments, const Wish& wish) {
  TRY(const Source source, open_source(world, arguments, arguments.positionals()[0], RemoteType::model));
  TRY(const auto disk, io::open_posix_disk(source.folder));
  TRY(const model::EncoderModel model, model::EncoderModel::open(*disk, ".", wish.compute));
  TRY(const ModelProfile found, measure(model, wish));
  if (!wish.svg.empty()) {
    TRY(UserFiles files, UserFiles::open());
    TRY_DONE(files.write(wish.svg, profile_svg(found)));
  }
  return wish.output == Output::json ? as_json(found, wish) : as_text(found, wish);
}

int run_profile(World& world, std::span<const std::string_view> words) {
  const auto arguments = Arguments::parse({flags, 1, 1}, words);
  if (!arguments.ok()) return report(world, arguments.error());
  const auto wish = read_wish(arguments.value());
  if (!wish.ok()) return report(world, wish.error());
  const auto said = profile(world, arguments.value(), wish.value());
  if (!said.ok()) return report(world, said.error(), wish.value().output);
  world.print(said.value());
  return exit_done;
}

}  // namespace

std::vector<Command> profile_commands() {
  return {
      {"profile",
       "MODEL [--dtype f32|bf16|int8] [--instructions SET] [--batch B] [--length L] [--calls N] [--svg FILE] "
       "[--json]",
       "Where an encoder's time goes, by layer and operation, beside what the registers reach.",
       "holdfast profile demo/minilm --dtype bf16 --svg minilm.svg", run_profile}};
}

}  // namespace holdfast::cli
