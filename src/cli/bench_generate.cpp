#include "cli/bench_generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <charconv>
#include <cstring>
#include <set>

#include "base/arguments.h"
#include "cli/adapted_model.h"
#include "cli/compute_flags.h"
#include "cli/count_flag.h"
#include "cli/layer_cache.h"
#include "cli/user_files.h"
#include "codec/json.h"
#include "model/step_batch.h"
#include "model/text_generator.h"
#include "tensor/buffer.h"
#include "tensor/peak.h"

namespace holdfast::cli {
namespace {

constexpr size_t prompt_tokens_max = 100'000;

constexpr FlagRow flags[] = {
    {"--model", "PLACE", "A model folder or a GGUF file."},
    {"--adapter", "PLACE", "A LoRA adapter of it, for all texts: a folder or a GGUF file."},
    {"--streams", "N", "Texts written beside each other (1)."},
    {"--prompt", "N|TEXT",
     "What they go on from: so many random tokens, or a text; each stream's first token differs."},
    {"--new", "N", "Tokens written of each (128)."},
    {"--prefill", "N", "Instead: reads a prompt of that many random tokens."},
    {"--read", "BYTES", "Instead: reads a buffer of that many bytes."},
    {"--rounds", "N", "Rounds within this process, of which the best and the median are told (3)."},
    {"--threads", "N", "Threads (2)."},
    {"--dtype", "f32|bf16|int8", "What products are computed in (int8)."},
    {"--instructions", "SET", "Instead of the best the machine has."},
    {"--json", "", "One JSON line."},
};

struct Wish {
  std::string_view model, prompt, adapter;
  size_t streams = 1, new_tokens = 128, prefill = 0, read = 0, rounds = 3, threads = 2;
  tensor::Compute compute;
  Output output = Output::people;
};

// Work of one round, the same each time.
struct Figures {
  std::string_view unit;
  double amount = 0;
  std::vector<double> seconds;
  // Of texts that are written: the tokens of all prompts, and until each stream had its first token.
  double prompt_tokens = 0;
  std::vector<double> prompt_seconds;
  double ready = 0;
  std::string text;  // Of the first stream.
};

Result<Wish> read_wish(std::span<const std::string_view> words) {
  TRY(const Arguments arguments, Arguments::parse({flags, 0, 0}, words));
  Wish out;
  out.model = arguments.value_or("--model", "");
  out.adapter = arguments.value_or("--adapter", "");
  out.prompt = arguments.value_or("--prompt", "The capital of France is");
  TRY(out.streams, count_flag(arguments, "--streams", 1, 256));
  TRY(out.new_tokens, count_flag(arguments, "--new", 128, 100'000));
  TRY(out.prefill, count_flag(arguments, "--prefill", 0, 100'000));
  TRY(out.read, count_flag(arguments, "--read", 0, size_t{1} << 36));
  TRY(out.rounds, count_flag(arguments, "--rounds", 3, 1'000));
  TRY(out.threads, count_flag(arguments, "--threads", 2, 64));
  if (out.read == 0 && out.model.empty())
    return fail(Reason::bad_request, "bench generate needs --model PLACE");
  TRY(out.compute, read_compute(arguments, "int8"));
  if (arguments.has("--json")) out.output = Output::json;
  return out;
}

double seconds_since(const Clock& clock, std::chrono::milliseconds begin) {
  return std::chrono::duration<double>(clock.now() - begin).count();
}

// Each thread adds up its share of the words.
Figures read_buffer(const Wish& wish, const Clock& clock) {
  Figures out{.unit = "GB/s", .amount = static_cast<double>(wish.read) / 1e9};
  const size_t words = wish.read / 8;
  tensor::Floats buffer(words * 2);
  std::memset(buffer.data(), 1, words * 8);
  const auto threads = tensor::make_threads(wish.threads);
  constexpr size_t passes = 16, share = 32 << 10;
  std::vector<uint64_t> sums((words + share - 1) / share);
  for (size_t round = 0; round <= wish.rounds; ++round) {
    const auto begin = clock.now();
    for (size_t pass = 0; pass < passes; ++pass)
      threads->run(sums.size(), [&](size_t index) {
        const auto* at = reinterpret_cast<const std::byte*>(buffer.data()) + index * share * 8;
        sums[index] ^= tensor::read_words({at, std::min(share, words - index * share) * 8});
      });
    if (round > 0) out.seconds.push_back(seconds_since(clock, begin) / passes);
  }
  return out;
}

Result<Figures> prefill(const Wish& wish, const model::TextGenerator& generator, const Clock& clock) {
  Figures out{.unit = "tokens/s", .amount = static_cast<double>(wish.prefill)};
  const auto threads = tensor::make_threads(wish.threads);
  const model::DecoderModel& model = generator.model();
  for (size_t round = 0; round <= wish.rounds; ++round) {
    model::TokenBatch batch;
    for (size_t i = 0; i < wish.prefill; ++i)
      batch.add(static_cast<int64_t>((i * 7919 + round * 31 + 13) % (model.plan().vocabulary - 1)), 0,
                static_cast<int64_t>(i));
    batch.end_sequence();
    model::KvCache cache;
    model::KvCache* caches[] = {&cache};
    const model::Adapter* const one[] = {generator.adapter()};
    const auto adapters = one[0] == nullptr ? std::span<const model::Adapter* const>() : one;
    const auto begin = clock.now();
    TRY(const model::Decoder::States states,
        model.decoder().forward(batch, caches, *threads, model::Decoder::Keep::last, adapters));
    std::vector<float> scores(model.head_width());
    model.run_head(states.last.data() + (wish.prefill - 1) * model.decoder().head_inputs(), 1, scores.data(),
                   *threads);
    if (round > 0) out.seconds.push_back(seconds_since(clock, begin));
  }
  return out;
}

// The middle one of rates that fall as seconds rise; 0 of nothing.
double middle_rate(double amount, std::vector<double> seconds) {
  if (seconds.empty()) return 0;
  std::sort(seconds.begin(), seconds.end());
  return amount / std::max(seconds[seconds.size() / 2], 1e-9);
}

// What every stream begins with.
Result<std::vector<model::TokenId>> prompt_of(const Wish& wish, const model::TextGenerator& generator) {
  std::vector<model::TokenId> out;
  const bool is_number =
      !wish.prompt.empty() && wish.prompt.find_first_not_of("0123456789") == std::string_view::npos;
  if (!is_number) {
    TRY(const token::Encoding encoding,
        generator.tokenizer().encode({.text = wish.prompt, .words = {}, .pair = {}}, {}));
    out.assign(encoding.ids.begin(), encoding.ids.end());
    return out;
  }
  size_t count = 0;
  const auto [end, error] =
      std::from_chars(wish.prompt.data(), wish.prompt.data() + wish.prompt.size(), count);
  if (error != std::errc() || count == 0 || count > prompt_tokens_max)
    return fail(Reason::bad_request,
                fmt::format("--prompt is a text, or a number of tokens from 1 to {}", prompt_tokens_max));
  for (size_t i = 0; i < count; ++i)
    out.push_back(static_cast<model::TokenId>((i * 7919 + 13) % (generator.model().plan().vocabulary - 1)));
  return out;
}

Result<Figures> write_texts(const Wish& wish, const model::TextGenerator& generator, const Clock& clock) {
  Figures out{.unit = "tokens/s"};
  const auto threads = tensor::make_threads(wish.threads);
  TRY(const std::vector<model::TokenId> prompt, prompt_of(wish, generator));
  for (size_t round = 0; round <= wish.rounds; ++round) {
    model::StepToken::Sequence first;
    model::StepBatch batch(generator.model(), *threads, {.sequences_max = 256, .remembered_max = 0});
    for (size_t i = 0; i < wish.streams; ++i) {
      model::StepRequest request{.prompt = prompt, .settings = {}};
      request.adapter = generator.adapter();
      if (i > 0)
        request.prompt.insert(
            request.prompt.begin(),
            static_cast<model::TokenId>(1'000 + i % (generator.model().plan().vocabulary / 2)));
      request.settings.new_tokens_max = wish.new_tokens;
      if (round == 0) out.prompt_tokens += static_cast<double>(request.prompt.size());
      TRY(const auto id, batch.join(std::move(request)));
      if (i == 0) first = id;
    }
    std::vector<model::TokenId> text;
    const auto begin = clock.now();
    // Of streams that began sooner what they write while others still read is neither's.
    std::set<model::StepToken::Sequence> began;
    auto all_began = begin;
    size_t written = 0;
    while (!batch.empty()) {
      const bool reading = began.size() < wish.streams;
      TRY(const auto tokens, batch.step());
      if (tokens.empty()) continue;  // A long prompt takes several steps.
      if (!reading) written += tokens.size();
      for (const model::StepToken& token : tokens) {
        began.insert(token.sequence);
        if (token.sequence == first) text.push_back(token.token);
      }
      if (reading && began.size() == wish.streams) all_began = clock.now();
    }
    out.amount = static_cast<double>(written);
    if (round > 0) {
      out.seconds.push_back(seconds_since(clock, all_began));
      out.prompt_seconds.push_back(std::chrono::duration<double>(all_began - begin).count());
    }
    if (round == 0) {
      TRY(out.text, generator.tokenizer().decode(text, token::Tokenizer::SpecialsInOutput::keep));
    }
  }
  return out;
}

Result<Figures> measure(const Wish& wish, World& world) {
  const Clock& clock = world.clock();
  if (wish.read > 0) return read_buffer(wish, clock);
  const auto begin = clock.now();
  TRY(UserFiles files, UserFiles::open());
  const LayerCache cache(world, files, wish.model, wish.compute.precision,
                         wish.adapter.empty() ? LayerCache::Use::alone : LayerCache::Use::with_adapters);
  TRY(const model::TextGenerator generator,
      open_adapted(files, std::string(wish.model), wish.compute, std::string(wish.adapter), cache.store()));
  const double ready = seconds_since(clock, begin);
  generator.model().settle();
  TRY(Figures out, wish.prefill > 0 ? prefill(wish, generator, clock) : write_texts(wish, generator, clock));
  out.ready = ready;
  cache.keep(generator);
  return out;
}

int bench_generate(World& world, std::span<const std::string_view> words) {
  const auto wish = read_wish(words);
  if (!wish.ok()) return report(world, wish.error());
  auto figures = measure(wish.value(), world);
  if (!figures.ok()) return report(world, figures.error(), wish.value().output);
  Figures& found = figures.value();
  const double middle = middle_rate(found.amount, found.seconds),
               best = found.amount / std::max(*std::ranges::min_element(found.seconds), 1e-9);
  // A prompt that is read alone has no text after it.
  const bool writes = !found.prompt_seconds.empty();
  const double prefill = writes ? middle_rate(found.prompt_tokens, found.prompt_seconds) : middle;
  if (wish.value().output == Output::json) {
    boost::json::object line{{"median", middle}, {"best", best}, {"unit", found.unit}};
    if (wish.value().read == 0) {
      line["prefill_tokens_per_second"] = prefill;
      if (writes) line["decode_tokens_per_second"] = middle;
      line["streams"] = writes ? wish.value().streams : 1;
      line["threads"] = wish.value().threads;
    }
    line["ready_s"] = found.ready;
    line["text"] = found.text;
    world.print(codec::to_text(line) + "\n");
  } else {
    world.print(
        fmt::format("{:.1f} {} (best {:.1f}), ready in {:.3f} s\n", middle, found.unit, best, found.ready));
    if (writes) world.print(fmt::format("{:.1f} tokens/s of prompts\n", prefill));
    if (!found.text.empty()) world.print(found.text + "\n");
  }
  return exit_done;
}

}  // namespace

std::vector<Command> bench_generate_commands() {
  return {
      {"bench generate",
       "--model PLACE [--adapter PLACE] [--streams N] [--prompt N|TEXT] [--new N] [--prefill N] [--read "
       "BYTES] [--rounds N] "
       "[--threads N] [--dtype f32|bf16|int8] [--instructions SET] [--json]",
       "Measures how fast a model writes, or reads a prompt; or how fast this machine reads memory.",
       "holdfast bench generate --model ./SmolLM2-135M-Instruct.Q4_1.gguf --prompt 256 --new 64 --streams 16",
       bench_generate}};
}

}  // namespace holdfast::cli
