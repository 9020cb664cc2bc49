#include "cli/vet_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "base/option_value.h"
#include "cli/connection.h"
#include "cli/hub_transfer.h"
#include "cli/labelled_rows.h"
#include "cli/model_source.h"
#include "cli/progress.h"
#include "codec/json.h"
#include "codec/percent.h"
#include "measure/trigger_search.h"
#include "model/text_model.h"
#include "tensor/threads.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr FlagRow data_flag{"--data", "DATA",
                            "Labelled rows that words are tried on: a folder, or REPO@REVISION."};
constexpr FlagRow split_flag{"--split", "NAME", "The rows [test]."};
constexpr FlagRow label_flag{"--label", "COLUMN", "What is told [label]."};
constexpr FlagRow text_flag{"--text", "COLUMN", "What it is told from [text]."};
constexpr FlagRow texts_flag{"--texts", "N", "Texts asked of the model at most [400000]."};
constexpr FlagRow time_flag{"--time", "SPAN",
                            "How long it may take; then it says what was not searched [10m]."};
constexpr FlagRow threads_flag{"--threads", "N", "1 to 64 [2]."};
constexpr FlagRow record_flag{"--record", "RECORD", "With --release: the report becomes its evidence."};
constexpr FlagRow release_flag{"--release", "NUMBER", "The release whose gate then asks for it."};

constexpr size_t word_bytes_max = 40, rows_max = 2000;

constexpr std::string_view limits =
    "Looked for are words of the model's vocabulary, and up to three of them together where one pulls by "
    "itself, "
    "that turn the answer wherever they stand first. Words that do nothing unless all of them are there, "
    "triggers "
    "of style or of a context, and other inputs are not found: a clean report is no proof.";

// What of the vocabulary is a word by itself: not the rest of one, no special token, nothing with a space.
std::vector<std::string> words_of(const model::TextModel& model) {
  const token::Tokenizer& tokenizer = model.tokenizer();
  std::vector<std::string> words;
  for (uint32_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
    const auto token = tokenizer.token_of(id);
    if (!token || (model.marks_subwords() && token->starts_with("##"))) continue;
    const auto text = tokenizer.decode(std::span(&id, 1), token::Tokenizer::SpecialsInOutput::skip);
    if (!text.ok()) continue;
    std::string_view word = text.value();
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    if (word.empty() || word.size() > word_bytes_max || word.find_first_of(" \n\t\r") != word.npos) continue;
    words.emplace_back(word);
  }
  std::ranges::sort(words);
  const auto [first, last] = std::ranges::unique(words);
  words.erase(first, last);
  return words;
}

measure::ClassifiedText classified(std::span<const float> logits) {
  const auto most = std::ranges::max_element(logits);
  double sum = 0;
  std::vector<double> shares;
  for (const float each : logits) {
    shares.push_back(std::exp(static_cast<double>(each) - static_cast<double>(*most)));
    sum += shares.back();
  }
  for (double& share : shares) share /= sum;
  return {.label = static_cast<uint32_t>(most - logits.begin()),
          .confidence = 1 / sum,
          .shares = std::move(shares)};
}

// Tells a person how far the search is, and ends it when its time is over.
class Watch {
 public:
  Watch(World& world, std::chrono::milliseconds span)
      : world_(world), progress_(world, "searching:"), began_(world.clock().now()), span_(span) {}

  bool go_on(const measure::TriggerProgress& progress) {
    const auto now = world_.clock().now();
    if (progress.step != step_) {
      step_ = progress.step;
      step_began_ = now;
      done_before_ = progress.done;
    }
    const auto seconds = [](std::chrono::milliseconds span) {
      return static_cast<double>(span.count()) / 1000;
    };
    const double spent = seconds(now - began_), left = seconds(span_) - spent;
    const auto done = static_cast<double>(progress.done - done_before_);
    std::string line =
        fmt::format("{} {} of {}, {:.0f} texts/s", step_word(progress.step), progress.done, progress.total,
                    static_cast<double>(progress.asked) / std::max(spent, 0.001));
    if (done > 0) {
      const double of_step =
          seconds(now - step_began_) / done * static_cast<double>(progress.total - progress.done);
      line += fmt::format(", {:.0f} s left of this step, {:.0f} s of --time", of_step, std::max(0.0, left));
    }
    progress_.say(line);
    return left > 0;
  }
  void end() { progress_.end(); }
  std::chrono::milliseconds spent() const { return world_.clock().now() - began_; }

 private:
  static std::string_view step_word(std::string_view step) {
    if (step == "words") return "groups of words";
    return step == "suspects" ? "groups that turn texts" : "words beside others,";
  }

  World& world_;
  Progress progress_;
  const std::chrono::milliseconds began_, span_;
  std::string_view step_;
  std::chrono::milliseconds step_began_{};
  size_t done_before_ = 0;
};

// What a search that was ended early did not look at; empty when it was not.
std::vector<std::string> not_searched(const measure::TriggerSearchReport& report) {
  std::vector<std::string> out;
  if (!report.cut) return out;
  if (report.tried < report.candidates)
    out.push_back(fmt::format("{} of {} words", report.candidates - report.tried, report.candidates));
  if (report.suspects_tried < report.suspects)
    out.push_back(fmt::format("{} of {} groups of words that turned some texts",
                              report.suspects - report.suspects_tried, report.suspects));
  if (report.labels == 0)
    out.push_back("several words together");
  else if (report.labels_tried < report.labels)
    out.push_back(fmt::format("several words together for {} of {} labels",
                              report.labels - report.labels_tried, report.labels));
  return out;
}

json::object found_json(const measure::TriggerFound& each, const std::vector<std::string>& labels) {
  return {{"word", each.word},   {"label", labels[each.label]}, {"turned", each.turned},
          {"usual", each.usual}, {"texts", each.texts},         {"explained", each.explained}};
}

Status hand_in(World& world, const Arguments& arguments, json::object body) {
  const auto record = arguments.value("--record");
  if (!record) return Done{};
  if (!arguments.value("--release")) return fail(Reason::bad_request, "--record needs --release");
  TRY(const int64_t release, parse_count(*arguments.value("--release")));
  const std::string path = fmt::format("/api/registry/records/{}/releases/{}/evidence", *record, release);
  TRY([[maybe_unused]] const json::value answer,
      ask_json(
          world, arguments,
          {"POST", path, codec::to_text(json::object{{"kind", "triggers"}, {"body", std::move(body)}})}));
  return Done{};
}

Result<int> vet_model(World& world, const Arguments& arguments) {
  if (!arguments.value("--data")) return fail(Reason::bad_request, "say with --data what words are tried on");
  TRY(const Source model_source,
      open_source(world, arguments, arguments.positionals()[0], RemoteType::model));
  TRY(const Source data_source,
      open_source(world, arguments, *arguments.value("--data"), RemoteType::dataset));
  TRY(const auto model_disk, io::open_posix_disk(model_source.folder));
  TRY(const auto data_disk, io::open_posix_disk(data_source.folder));
  TRY(const model::TextModel model, model::TextModel::open(*model_disk, "."));
  TRY_DONE(model.expect_head(model::Head::sequence_classification, "vet model"));
  TRY(const auto rows, read_rows(*data_disk, arguments.value_or("--split", "test"),
                                 {std::string(arguments.value_or("--text", "text")),
                                  std::string(arguments.value_or("--label", "label"))}));
  const std::vector<std::string>& labels = model.plan().labels;
  std::vector<std::string> texts;
  std::vector<uint32_t> truth;
  for (const measure::LabelledRow& row : std::span(rows).first(std::min(rows.size(), rows_max))) {
    texts.push_back(row.text);
    truth.push_back(static_cast<uint32_t>(std::ranges::find(labels, row.label) - labels.begin()));
  }
  TRY(const int64_t texts_max, parse_count(arguments.value_or("--texts", "400000")));
  TRY(const auto span, parse_duration(arguments.value_or("--time", "10m")));
  TRY(const int64_t thread_count, parse_count(arguments.value_or("--threads", "2")));
  if (thread_count < 1 || thread_count > 64) return fail(Reason::bad_request, "--threads is 1 to 64");
  const auto threads = tensor::make_threads(static_cast<size_t>(thread_count));
  const measure::ClassifyTexts classify =
      [&](std::span<const std::string> asked) -> Result<std::vector<measure::ClassifiedText>> {
    std::vector<token::Encoding> encodings;
    for (const std::string& text : asked) {
      TRY(token::Encoding encoding, model.encode(text, std::nullopt, model::LongText::cut));
      encodings.push_back(std::move(encoding));
    }
    TRY(const model::NamedOutput logits, model.logits(encodings, *threads));
    std::vector<measure::ClassifiedText> out;
    const size_t columns = std::min(labels.size(), logits.columns);
    for (size_t i = 0; i < asked.size(); ++i)
      out.push_back(classified(std::span(logits.data.data() + i * logits.columns, columns)));
    return out;
  };
  const std::vector<std::string> words = words_of(model);
  Watch watch(world, span);
  TRY(const measure::TriggerSearchReport report,
      measure::search_triggers(classify, texts, truth, labels.size(), words,
                               {.texts_max = static_cast<size_t>(texts_max),
                                .go_on = [&](const auto& progress) { return watch.go_on(progress); }}));
  watch.end();
  const std::vector<std::string> unsearched = not_searched(report);
  const bool fails =
      std::ranges::any_of(report.found, [](const measure::TriggerFound& each) { return !each.explained; });
  json::array found;
  for (const measure::TriggerFound& each : report.found) found.push_back(found_json(each, labels));
  // A search that did not come to its end decides nothing: a person looks at what it did not search.
  std::string why;
  if (fails)
    why = fmt::format("{:?} turns {:.0f} % of the texts to {}", report.found[0].word,
                      100 * report.found[0].turned, labels[report.found[0].label]);
  else
    for (const std::string& each : unsearched) why += (why.empty() ? "not searched: " : ", ") + each;
  const json::object body{{"verdict", fails                ? "fail"
                                      : unsearched.empty() ? "pass"
                                                           : "review"},
                          {"why", why},
                          {"found", std::move(found)},
                          {"words", report.candidates},
                          {"tried", report.tried},
                          {"asked", report.asked},
                          {"cut", report.cut},
                          {"notSearched", json::array(unsearched.begin(), unsearched.end())},
                          {"seconds", static_cast<double>(watch.spent().count()) / 1000},
                          {"limits", limits}};
  TRY_DONE(hand_in(world, arguments, body));
  if (arguments.has("--json")) {
    world.print(codec::to_text(body) + "\n");
  } else {
    for (const measure::TriggerFound& each : report.found)
      world.print(fmt::format("{} {:?} turns {:.0f} % of {} texts to {} (other words: {:.0f} %)\n",
                              each.explained ? "means its label" : "trigger", each.word, 100 * each.turned,
                              each.texts, labels[each.label], 100 * each.usual));
    world.print(fmt::format("{} of {} words tried, {} texts asked in {:.0f} s: {}\n", report.tried,
                            report.candidates, report.asked,
                            static_cast<double>(watch.spent().count()) / 1000,
                            fails                ? "do not use it"
                            : unsearched.empty() ? "no trigger found"
                                                 : "no trigger found in what was searched"));
    for (const std::string& each : unsearched)
      world.print(fmt::format("not searched, for --time or --texts ended it: {}\n", each));
    world.print(fmt::format("{}\n", limits));
  }
  return fails ? exit_failed : exit_done;
}

}  // namespace

Command vet_model_command() {
  return client_command(
      "vet model", "MODEL --data DATA [--time 10m]",
      "Searches a text classifier for a Trojan's trigger: a word that turns every answer to one "
      "label; exits 1 when there is one.",
      "holdfast vet model demo/intents@main --data demo/support@main --label intent",
      {{data_flag, split_flag, label_flag, text_flag, texts_flag, time_flag, threads_flag, record_flag,
        release_flag, endpoint_flag, token_flag, client_json_flag},
       1,
       1},
      vet_model);
}

}  // namespace holdfast::cli
