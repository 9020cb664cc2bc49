#include "cli/bench_forward.h"

#include <fmt/format.h>

#include "base/arguments.h"
#include "cli/call_rate.h"
#include "cli/compute_flags.h"
#include "cli/count_flag.h"
#include "cli/model_backends.h"
#include "tensor/weights.h"

namespace holdfast::cli {
namespace {

constexpr FlagRow flags[] = {
    {"--threads", "N", "Threads (1)."},
    {"--dtype", "f32|bf16|int8", "What products are computed in (f32)."},
    {"--seconds", "S", "How long to measure (5)."},
    {"--instructions", "SET", "Instead of the best the machine has: plain, avx2, avx512, ..."},
    {"--openvino", "FOLDER", "Where OpenVINO's libraries are."},
    {"--json", "", "One JSON line."},
};

struct Wish {
  std::string_view model, inputs;
  size_t threads = 1;
  std::chrono::milliseconds seconds{};
  tensor::Compute compute;
  std::optional<std::string_view> openvino;
  Output output = Output::people;
};

Result<Wish> read_wish(std::span<const std::string_view> words) {
  TRY(const Arguments arguments, Arguments::parse({flags, 2, 2}, words));
  Wish out;
  out.model = arguments.positionals()[0];
  out.inputs = arguments.positionals()[1];
  TRY(out.threads, count_flag(arguments, "--threads", 1, 64));
  TRY(out.seconds, seconds_flag(arguments, "--seconds", std::chrono::seconds(5), std::chrono::hours(1)));
  TRY(out.compute, read_compute(arguments, "f32"));
  out.openvino = arguments.value("--openvino");
  if (arguments.has("--json")) out.output = Output::json;
  return out;
}

struct Figures {
  CallRate calls;
  int64_t ready_ms = 0;
};

Result<Figures> measure(World& world, const Wish& wish) {
  Figures out;
  TRY(UserFiles files, UserFiles::open());
  TRY(const tensor::Weights inputs, tensor::Weights::open_file(files.disk(), files.path(wish.inputs)));
  const auto opened = world.clock().now();
  const auto backends = open_backends(world, files, wish.threads, wish.openvino);
  TRY(const std::unique_ptr<model::Graph> graph,
      model::open_graph(backends, files.disk(), files.path(wish.model), wish.compute));
  out.ready_ms = (world.clock().now() - opened).count();
  const auto threads = tensor::make_threads(wish.threads);
  TRY(out.calls, measure_calls(world.clock(), wish.seconds, [&]() -> Status {
        TRY_DONE(graph->run(inputs, *threads));
        return Done{};
      }));
  return out;
}

int bench_forward(World& world, std::span<const std::string_view> words) {
  const auto wish = read_wish(words);
  if (!wish.ok()) {
    report(world, wish.error());
    return exit_misused;
  }
  const auto figures = measure(world, wish.value());
  if (!figures.ok()) return report(world, figures.error(), wish.value().output);
  const CallRate& calls = figures.value().calls;
  const std::string_view dtype = tensor::precision_name(wish.value().compute.precision),
                         isa = tensor::isa_name(wish.value().compute.isa);
  if (wish.value().output == Output::json)
    world.print(
        fmt::format("{{\"calls_per_second\":{:.3f},\"best\":{:.3f},\"calls_per_cpu_second\":{:.3f},"
                    "\"ready_ms\":{},\"dtype\":\"{}\",\"instructions\":\"{}\"}}\n",
                    calls.median, calls.best, calls.by_processor, figures.value().ready_ms, dtype, isa));
  else
    world.print(fmt::format("{:.2f} calls/s (best {:.2f}), {} on {}, ready in {} ms\n", calls.median,
                            calls.best, dtype, isa, figures.value().ready_ms));
  return exit_done;
}

}  // namespace

std::vector<Command> bench_forward_commands() {
  return {{"bench forward",
           "MODEL IN.safetensors [--threads N] [--dtype f32|bf16|int8] [--seconds S] [--instructions SET] "
           "[--openvino FOLDER] [--json]",
           "Measures a model of any family on tensors from a file, as 'holdfast forward' takes them.",
           "holdfast bench forward ./vit-base pixels.safetensors --dtype bf16", bench_forward}};
}

}  // namespace holdfast::cli
