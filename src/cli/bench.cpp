#include "cli/bench.h"

#include <fmt/format.h>

#include "base/arguments.h"
#include "base/random.h"
#include "cli/call_rate.h"
#include "cli/compute_flags.h"
#include "cli/count_flag.h"
#include "cli/user_files.h"
#include "model/embedder.h"

namespace holdfast::cli {
namespace {

constexpr FlagRow embed_flags[] = {
    {"--model", "DIR", "The model's folder."},
    {"--batch", "B", "Sequences a call (32)."},
    {"--length", "L", "Tokens a sequence; FROM-TO for rows of mixed lengths (128)."},
    {"--threads", "N", "Threads (1)."},
    {"--dtype", "f32|bf16|int8", "What products are computed in (f32)."},
    {"--seconds", "S", "How long to measure (5)."},
    {"--instructions", "SET", "Instead of the best the machine has: plain, avx2, avx2_vnni, avx512, ..."},
    {"--json", "", "One JSON line."},
};

struct EmbedWish {
  std::string_view model;
  size_t batch = 32, length_from = 128, length_to = 128, threads = 1;
  std::chrono::milliseconds seconds{};
  tensor::Compute compute;
  Output output = Output::people;
};

Result<EmbedWish> read_wish(std::span<const std::string_view> words) {
  TRY(const Arguments arguments, Arguments::parse({embed_flags, 0, 0}, words));
  EmbedWish out;
  if (!arguments.has("--model")) return fail(Reason::bad_request, "bench embed needs --model DIR");
  out.model = arguments.value_or("--model", "");
  TRY(out.batch, count_flag(arguments, "--batch", 32, 4096));
  const std::string_view length = arguments.value_or("--length", "128");
  const size_t dash = length.find('-');
  TRY(out.length_from, read_count(length.substr(0, dash), "--length", 8192));
  TRY(out.length_to, read_count(dash == length.npos ? length : length.substr(dash + 1), "--length", 8192));
  if (out.length_to < out.length_from) return fail(Reason::bad_request, "--length is L or FROM-TO");
  TRY(out.threads, count_flag(arguments, "--threads", 1, 64));
  TRY(out.seconds, seconds_flag(arguments, "--seconds", std::chrono::seconds(5), std::chrono::hours(1)));
  TRY(out.compute, read_compute(arguments, "f32"));
  if (arguments.has("--json")) out.output = Output::json;
  return out;
}

// Random ids in rows as long as asked for, special tokens left out of account.
Result<std::vector<model::TokenizedText>> random_rows(const model::Embedder& embedder,
                                                      const EmbedWish& wish) {
  if (wish.length_to > embedder.positions())
    return fail(Reason::bad_request, fmt::format("the model takes {} tokens at most", embedder.positions()));
  SeededRandom random(1);
  std::vector<model::TokenizedText> out(wish.batch);
  for (model::TokenizedText& row : out) {
    const size_t length = wish.length_from + random.below(wish.length_to - wish.length_from + 1);
    for (size_t i = 0; i < length; ++i)
      row.ids.push_back(static_cast<uint32_t>(random.below(embedder.vocabulary())));
    row.types.assign(length, 0);
  }
  return out;
}

struct EmbedFigures {
  CallRate calls;
  size_t tokens = 0;  // Of a batch.
  int64_t ready_ms = 0;
};

Result<EmbedFigures> measure(const EmbedWish& wish, const Clock& clock) {
  EmbedFigures out;
  const auto opened = clock.now();
  TRY(UserFiles files, UserFiles::open());
  TRY(const model::Embedder embedder,
      model::Embedder::open(files.disk(), files.path(wish.model), wish.compute));
  out.ready_ms = (clock.now() - opened).count();
  TRY(const auto rows, random_rows(embedder, wish));
  for (const model::TokenizedText& row : rows) out.tokens += row.ids.size();
  const auto threads = tensor::make_threads(wish.threads);
  TRY(out.calls, measure_calls(clock, wish.seconds, [&]() -> Status {
        TRY_DONE(embedder.embed(rows, *threads));
        return Done{};
      }));
  return out;
}

int bench_embed(World& world, std::span<const std::string_view> words) {
  const auto wish = read_wish(words);
  if (!wish.ok()) return report(world, wish.error());
  const auto figures = measure(wish.value(), world.clock());
  if (!figures.ok()) return report(world, figures.error(), wish.value().output);
  const EmbedFigures& found = figures.value();
  const auto rows = static_cast<double>(wish.value().batch);
  const std::string_view dtype = tensor::precision_name(wish.value().compute.precision),
                         isa = tensor::isa_name(wish.value().compute.isa);
  if (wish.value().output == Output::json)
    world.print(
        fmt::format("{{\"sequences_per_second\":{:.2f},\"best\":{:.2f},\"sequences_per_cpu_second\":{:.2f},"
                    "\"tokens_per_second\":{:.0f},"
                    "\"ready_ms\":{},\"dtype\":\"{}\",\"instructions\":\"{}\"}}\n",
                    found.calls.median * rows, found.calls.best * rows, found.calls.by_processor * rows,
                    found.calls.median * static_cast<double>(found.tokens), found.ready_ms, dtype, isa));
  else
    world.print(fmt::format("{:.1f} sequences/s (best {:.1f}), {} on {}, ready in {} ms\n",
                            found.calls.median * rows, found.calls.best * rows, dtype, isa, found.ready_ms));
  return exit_done;
}

}  // namespace

std::vector<Command> bench_commands() {
  return {{"bench embed",
           "--model DIR [--batch B] [--length L] [--threads N] [--dtype f32|bf16|int8] [--seconds S] "
           "[--instructions SET] [--json]",
           "Measures sentence embedding on random ids in full rows.",
           "holdfast bench embed --model ./all-MiniLM-L6-v2 --batch 32 --length 128 --dtype bf16",
           bench_embed}};
}

}  // namespace holdfast::cli
