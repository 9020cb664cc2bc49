#include "cli/chat.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <thread>

#include "cli/adapted_model.h"
#include "cli/compute_flags.h"
#include "cli/connection.h"
#include "cli/conversation.h"
#include "cli/layer_cache.h"
#include "cli/model_source.h"
#include "cli/user_files.h"
#include "model/text_generator.h"

namespace holdfast::cli {
namespace {

constexpr size_t line_bytes_max = 1 << 20;

constexpr FlagRow flags[] = {
    {"--prompt", "TEXT", "One message instead of a conversation."},
    {"--system", "TEXT", "What the model is told first."},
    {"--max-new", "N", "Tokens of an answer at most [512]."},
    {"--temperature", "T", "Draws at this temperature; 0 takes the best token [0]."},
    {"--seed", "N", "What draws begin from."},
    {"--dtype", "f32|bf16|int8", "What products are computed in [f32; int8 for a GGUF file]."},
    {"--instructions", "SET", "Instead of the best the machine has."},
    adapter_flag,
    endpoint_flag,
    token_flag,
};

struct ChatWords {
  std::string place;    // A folder, or a file.
  std::string adapter;  // A folder; empty: none.
  std::optional<std::string_view> prompt, system;
  model::GenerationSettings settings;
  size_t new_tokens_max = 512;
  tensor::Compute compute;
};

template <class Number>
Status read_number(const Arguments& arguments, std::string_view flag, Number& out) {
  const auto text = arguments.value(flag);
  if (!text) return Done{};
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), out);
  if (error != std::errc{} || end != text->data() + text->size())
    return fail(Reason::bad_request, fmt::format("{} takes a number", flag));
  return Done{};
}

Result<ChatWords> parse_chat(const Arguments& arguments) {
  ChatWords out;
  out.prompt = arguments.value("--prompt");
  out.system = arguments.value("--system");
  TRY_DONE(read_number(arguments, "--max-new", out.new_tokens_max));
  double temperature = 0;
  TRY_DONE(read_number(arguments, "--temperature", temperature));
  out.settings.sample = temperature > 0;
  if (out.settings.sample) out.settings.temperature = temperature;
  TRY_DONE(read_number(arguments, "--seed", out.settings.seed));
  // Quantised weights are met by quantised rows, as serving does it; f32 is the exact way.
  TRY(out.compute, read_compute(arguments, arguments.positionals()[0].ends_with(".gguf") ? "int8" : "f32"));
  return out;
}

// A terminal's conversation with one model.
class Chat {
 public:
  Chat(World& world, const ChatWords& words, const model::TextGenerator& generator, tensor::Threads& threads)
      : world_(world), words_(words), generator_(generator), conversation_(generator, threads) {
    if (words.system) add("system", *words.system);
  }

  Status say(std::string_view text) {
    add("user", text);
    TRY(const std::string prompt, render());
    model::GenerationSettings settings = words_.settings;
    settings.end_tokens = generator_.model().generation().end_tokens;
    settings.new_tokens_max = words_.new_tokens_max;
    const auto begin = world_.clock().now();
    auto first = begin;
    bool any = false;
    const bool templated = !generator_.chat_template().empty();
    TRY(const model::Answer answer,
        conversation_.go_on(prompt, templated ? token::SpecialTokens::leave_out : token::SpecialTokens::add,
                            settings, [&](std::string_view piece) {
                              if (!any) first = world_.clock().now();
                              any = true;
                              if (!settling_.joinable())
                                settling_ = std::jthread([this] { generator_.model().settle(); });
                              world_.print(piece);
                              return true;
                            }));
    world_.print("\n");
    add("assistant", answer.text);
    const double seconds = std::chrono::duration<double>(world_.clock().now() - first).count();
    const double wait = std::chrono::duration<double>(first - begin).count();
    const double rate = seconds > 0 && answer.new_tokens > 1 ? double(answer.new_tokens - 1) / seconds : 0;
    world_.complain(fmt::format("[{} tokens, {:.1f} tokens/s, first after {:.2f} s, context {} of {}]\n",
                                answer.new_tokens, rate, wait, answer.prompt_tokens + answer.new_tokens,
                                generator_.tokens_max()));
    return Done{};
  }

 private:
  void add(std::string_view role, std::string_view content) {
    messages_.push_back(boost::json::object{{"role", role}, {"content", content}});
  }

  // The conversation as the repository's template writes it; the last text alone where there is no template.
  Result<std::string> render() const {
    if (generator_.chat_template().empty())
      return std::string(messages_.back().as_object().at("content").as_string());
    return write_prompt({{"messages", messages_}, {"add_generation_prompt", true}}, generator_,
                        world_.clock().wall());
  }

  World& world_;
  const ChatWords& words_;
  const model::TextGenerator& generator_;
  model::Conversation conversation_;
  boost::json::array messages_;
  std::jthread settling_;  // From the first token on.
};

Status chat(World& world, const ChatWords& words) {
  TRY(UserFiles files, UserFiles::open());
  const LayerCache cache(world, files, words.place, words.compute.precision,
                         words.adapter.empty() ? LayerCache::Use::alone : LayerCache::Use::with_adapters);
  TRY(const model::TextGenerator generator,
      open_adapted(files, words.place, words.compute, words.adapter, cache.store()));
  const auto threads = tensor::make_threads(2);
  Chat talk(world, words, generator, *threads);
  std::jthread keeping;  // While the next message is thought of.
  const auto say = [&](std::string_view text) -> Status {
    TRY_DONE(talk.say(text));
    if (!keeping.joinable()) keeping = std::jthread([&] { cache.keep(generator); });
    return Done{};
  };
  if (words.prompt) return say(*words.prompt);
  while (true) {
    if (world.output_is_terminal()) world.print("> ");
    TRY(const auto line, world.read_line(line_bytes_max));
    if (!line) return Done{};
    if (!line->empty()) TRY_DONE(say(*line));
  }
}

int run_chat(World& world, std::span<const std::string_view> arguments) {
  const auto parsed = Arguments::parse({flags, 1, 1}, arguments);
  auto words = parsed.ok() ? parse_chat(parsed.value()) : Result<ChatWords>(parsed.error());
  if (!words.ok()) {
    report(world, words.error());
    return exit_misused;
  }
  auto source = open_source(world, parsed.value(), parsed.value().positionals()[0], RemoteType::model);
  if (!source.ok()) return report(world, source.error());
  words.value().place = std::move(source.value().folder);
  auto adapter = adapter_place(world, parsed.value());
  if (!adapter.ok()) return report(world, adapter.error());
  words.value().adapter = std::move(adapter).value();
  const Status done = chat(world, words.value());
  return done.ok() ? exit_done : report(world, done.error());
}

}  // namespace

std::vector<Command> chat_commands() {
  return {{"chat",
           "MODEL [--prompt TEXT] [--system TEXT] [--max-new N] [--temperature T] [--seed N] "
           "[--dtype f32|bf16|int8] [--instructions SET] [--adapter ADAPTER] [--endpoint URL] [--token T]",
           "Talks with a model folder, GGUF file or model of the hub in the terminal, without a server.",
           "holdfast chat ./SmolLM2-135M-Instruct.Q4_1.gguf", run_chat}};
}

}  // namespace holdfast::cli
