#include "cli/run.h"

#include <fmt/format.h>

#include "cli/user_files.h"
#include "model/embedder.h"

namespace holdfast::cli {
namespace {

constexpr size_t input_bytes_max = 64 << 20;

void append_numbers(std::string& out, std::span<const float> numbers) {
  out += '[';
  for (size_t i = 0; i < numbers.size(); ++i)
    fmt::format_to(std::back_inserter(out), "{}{}", i > 0 ? "," : "", numbers[i]);
  out += ']';
}

// What the feature-extraction task of the inference API returns for one text: a sentence model's vector, else
// one list of token vectors in a list of its own.
Result<std::string> extract(std::string_view folder, std::string_view text) {
  TRY(UserFiles files, UserFiles::open());
  TRY(const model::Embedder embedder, model::Embedder::open(files.disk(), files.path(folder)));
  TRY(const model::TokenizedText tokens, embedder.tokenize(text));
  const auto threads = tensor::make_threads(2);
  std::string out;
  if (embedder.is_sentence_model()) {
    TRY(const auto vectors, embedder.embed(std::span(&tokens, 1), *threads));
    append_numbers(out, vectors[0]);
    return out + "\n";
  }
  TRY(const auto features, embedder.features(std::span(&tokens, 1), *threads));
  const size_t width = embedder.dimensions();
  out += "[[";
  for (size_t at = 0; at < features[0].size(); at += width) {
    if (at > 0) out += ',';
    append_numbers(out, std::span(features[0]).subspan(at, width));
  }
  return out + "]]\n";
}

int run_task(World& world, std::span<const std::string_view> arguments) {
  if (arguments.size() < 2 || arguments.size() > 3) {
    world.complain("holdfast: run takes TASK MODEL [INPUT]\n");
    return exit_misused;
  }
  if (arguments[0] != "feature-extraction") {
    world.complain("holdfast: the task feature-extraction is the one offered so far\n");
    return exit_misused;
  }
  std::string input;
  if (arguments.size() == 3) {
    input = arguments[2];
  } else {
    auto read = world.read_all(input_bytes_max);
    if (!read.ok()) return report(world, read.error());
    input = std::move(read).value();
    if (input.ends_with('\n')) input.pop_back();
  }
  const auto answer = extract(arguments[1], input);
  if (!answer.ok()) return report(world, answer.error());
  world.print(answer.value());
  return exit_done;
}

}  // namespace

std::vector<Command> run_commands() {
  return {{"run", "TASK MODEL_DIR [INPUT]", "Runs a task of a model on one input, without a server.",
           "holdfast run feature-extraction ./all-MiniLM-L6-v2 \"A sentence.\"", run_task}};
}

}  // namespace holdfast::cli
