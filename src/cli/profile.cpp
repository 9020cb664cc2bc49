#include "cli/profile.h"

#include "cli/compute_flags.h"
#include "cli/connection.h"
#include "cli/count_flag.h"
#include "cli/hub_transfer.h"
#include "cli/model_source.h"
#include "cli/profile_chart.h"
#include "cli/profile_report.h"
#include "cli/user_files.h"

namespace holdfast::cli {
namespace {

constexpr FlagRow flags[] = {
    {"--dtype", "f32|bf16|int8", "What products are computed in [f32; int8 of a GGUF file]."},
    {"--instructions", "SET", "Instead of the best the machine has: plain, avx2, avx512, ..."},
    {"--batch", "B", "Texts a call [8; 1 of a model that writes]."},
    {"--length", "L", "Tokens a text [128]."},
    {"--input", "FILE", "Instead: tensors as `holdfast forward` takes them, of any model."},
    {"--calls", "N", "Calls to take the median of [20]."},
    {"--svg", "FILE", "A chart too."},
    {"--json", "", "One JSON line."},
    endpoint_flag,
    token_flag,
};

struct Wish {
  ProfileWish model;
  std::string_view input, svg;
  Output output = Output::people;
};

Result<Wish> read_wish(const Arguments& arguments) {
  Wish out;
  if (arguments.has("--batch")) {
    TRY(out.model.batch, count_flag(arguments, "--batch", 1, 1024));
  }
  if (arguments.has("--length")) {
    TRY(out.model.length, count_flag(arguments, "--length", 1, 8192));
  }
  TRY(out.model.calls, count_flag(arguments, "--calls", 20, 10'000));
  TRY(out.model.compute,
      read_compute(arguments, arguments.positionals()[0].ends_with(".gguf") ? "int8" : "f32"));
  out.input = arguments.value_or("--input", "");
  out.svg = arguments.value_or("--svg", "");
  if (arguments.has("--json")) out.output = Output::json;
  return out;
}

Result<std::string> profile(World& world, const Arguments& arguments, const Wish& wish) {
  TRY(const Source source, open_source(world, arguments, arguments.positionals()[0], RemoteType::model));
  TRY(UserFiles files, UserFiles::open());
  TRY(const model::AnyModel model,
      model::AnyModel::open(files.disk(), files.path(source.folder), wish.model.compute));
  std::vector<CallProfile> calls;
  if (wish.input.empty()) {
    TRY(calls, profile_model(model, wish.model));
  } else {
    TRY(const tensor::Weights inputs, tensor::Weights::open_file(files.disk(), files.path(wish.input)));
    TRY(CallProfile call, profile_inputs(model, inputs, wish.model, source.folder));
    calls.push_back(std::move(call));
  }
  if (!wish.svg.empty()) TRY_DONE(files.write(wish.svg, profile_svg(calls)));
  return wish.output == Output::json ? profile_json(calls) : profile_text(calls);
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
       "MODEL [--dtype f32|bf16|int8] [--instructions SET] [--batch B] [--length L] [--input "
       "FILE.safetensors] [--calls N] [--svg FILE] [--json]",
       "Where a model's time goes, by layer and operation, beside what registers and memory reach; and the "
       "weights of each.",
       "holdfast profile demo/minilm --dtype bf16 --svg minilm.svg", run_profile}};
}

}  // namespace holdfast::cli
