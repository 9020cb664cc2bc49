#include "cli/example.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/arguments.h"
#include "base/option_value.h"
#include "cli/support_messages.h"
#include "cli/user_files.h"
#include "codec/json.h"

namespace holdfast::cli {
namespace {

constexpr FlagRow seed_flag{"--seed", "N", "Another number, other messages [7]."};

constexpr std::string_view card =
    R"(---
license: cc0-1.0
language: en
pretty_name: Support messages
task_categories: [text-classification]
size_categories: [1K<n<10K]
configs:
- config_name: default
  data_files:
  - {split: train, path: train.jsonl}
  - {split: validation, path: validation.jsonl}
  - {split: test, path: test.jsonl}
  - {split: week2, path: week2.jsonl}
---
# Support messages

Short messages to the support desk of a shop, made by `holdfast example support` from a seed; nobody wrote them, and all names, cards and numbers are
invented. One of six intents each. Columns: `text`, `intent`, `kind` (normal, edge, messy, sensitive, unacceptable), `length` (short, long), `tone`
(formal, informal), `pattern` (which parts the text is made of, at most four messages share one). About 7 % of the labels are wrong on purpose.
`week2` asks for the same in other words: a model trained on the rest meets drift there.

Not for training a model that talks to people: some messages insult, as some people do.
)";

std::string lines_of(const std::vector<SupportMessage>& messages) {
  std::string out;
  for (const SupportMessage& one : messages)
    out += codec::to_text(boost::json::object{{"id", one.id},
                                              {"text", one.text},
                                              {"intent", one.intent},
                                              {"kind", one.kind},
                                              {"length", one.length},
                                              {"tone", one.tone},
                                              {"pattern", one.pattern}}) +
           "\n";
  return out;
}

Status write_support(std::string_view folder, uint64_t seed) {
  TRY(UserFiles files, UserFiles::open());
  const SupportData data = make_support_data(seed);
  const std::string base = std::string(folder) + "/";
  TRY_DONE(files.disk().make_directories(files.path(folder)));
  TRY_DONE(files.write(base + "README.md", card));
  TRY_DONE(files.write(base + "train.jsonl", lines_of(data.train)));
  TRY_DONE(files.write(base + "validation.jsonl", lines_of(data.validation)));
  TRY_DONE(files.write(base + "test.jsonl", lines_of(data.test)));
  return files.write(base + "week2.jsonl", lines_of(data.week2));
}

int run_support(World& world, std::span<const std::string_view> words) {
  static constexpr FlagRow flags[] = {seed_flag};
  const auto arguments = Arguments::parse({flags, 1, 1}, words);
  if (!arguments.ok()) return report(world, arguments.error());
  const auto seed = parse_count(arguments.value().value_or("--seed", "7"));
  if (!seed.ok()) return report(world, seed.error());
  const Status done = write_support(arguments.value().positionals()[0], static_cast<uint64_t>(seed.value()));
  return done.ok() ? exit_done : report(world, done.error());
}

}  // namespace

std::vector<Command> example_commands() {
  return {{"example support", "FOLDER [--seed N]",
           "Writes the data of the example application: support messages with intents, made from a seed.",
           "holdfast example support ./support && holdfast upload demo/support ./support --repo-type dataset "
           "--create",
           run_support}};
}

}  // namespace holdfast::cli
