#include "cli/train.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/option_value.h"
#include "cli/connection.h"
#include "cli/hub_transfer.h"
#include "cli/labelled_rows.h"
#include "cli/trained_folder.h"
#include "cli/vet.h"
#include "model/pooled_features.h"

namespace holdfast::cli {
namespace {

constexpr FlagRow flags[] = {
    {"--base", "MODEL", "The encoder: a folder, or REPO@REVISION."},
    {"--data", "DATA",
     "Splits train and validation, as Parquet, JSON lines or CSV: a folder, or REPO@REVISION."},
    {"--label", "COLUMN", "What is to be told [label]."},
    {"--text", "COLUMN", "What it is told from [text]."},
    {"--out", "FOLDER", "Where the model is written."},
    {"--push", "REPO", "Publish the folder as this repository too."},
    {"--seed", "N", "The same seed gives the same bytes [0]."},
    {"--despite", "WHY", "Train on rows that `holdfast vet` would stop, and say why on the card."},
    endpoint_flag,
    token_flag};

Result<model::LabelledFeatures> features_of(const model::TextModel& model,
                                            const std::vector<LabelledRow>& rows,
                                            const std::vector<std::string>& classes,
                                            tensor::Threads& threads) {
  model::LabelledFeatures out;
  std::vector<std::string> texts;
  for (const LabelledRow& row : rows) {
    const auto found = std::lower_bound(classes.begin(), classes.end(), row.label);
    if (found == classes.end() || *found != row.label)
      return fail(Reason::bad_request,
                  fmt::format("the label '{}' of row {} is not in the training rows", row.label, row.id));
    out.labels.push_back(static_cast<int>(found - classes.begin()));
    texts.push_back(row.text);
  }
  TRY(out.features, model::pooled_features(model, texts, threads));
  out.width = rows.empty() ? 0 : out.features.size() / rows.size();
  return out;
}

// Rows that look poisoned are trained on only where a person says why.
Status check_rows(World& world, const Arguments& arguments, const std::vector<LabelledRow>& rows,
                  TrainingRecord& record) {
  const auto findings = measure::vet(rows, {});
  for (const measure::VetFinding& one : findings)
    record.high_findings += one.severity == measure::VetSeverity::high;
  if (record.high_findings == 0) return Done{};
  world.complain(vet_lines(findings));
  record.despite = arguments.value_or("--despite", "");
  std::replace(record.despite.begin(), record.despite.end(), '\n', ' ');
  if (record.despite.empty())
    return fail(
        Reason::bad_request,
        "training is refused: the rows look poisoned or mislabelled; mend them (`holdfast vet`), or say "
        "with --despite why they are to be used");
  return Done{};
}

Result<TrainingRecord> train(World& world, const Arguments& arguments, const Source& base,
                             const Source& data) {
  TrainingRecord record;
  record.base = base;
  record.data = data;
  record.label = arguments.value_or("--label", "label");
  record.text = arguments.value_or("--text", "text");
  TRY(const int64_t seed, parse_count(arguments.value_or("--seed", "0")));
  record.options.seed = static_cast<uint64_t>(seed);
  TRY(const auto data_disk, io::open_posix_disk(data.folder));
  const RowColumns columns{record.text, record.label};
  TRY(const auto train_rows, read_rows(*data_disk, "train", columns));
  auto validation_rows = read_rows(*data_disk, "validation", columns);
  if (!validation_rows.ok() && validation_rows.error().code == Code::not_found)
    return fail(Reason::bad_request,
                "training is refused without a validation split: nothing would show overfitting");
  if (!validation_rows.ok()) return std::move(validation_rows).error();
  record.classes = measure::labels_of(train_rows);
  record.train_rows = train_rows.size();
  TRY_DONE(check_rows(world, arguments, train_rows, record));
  record.validation_rows = validation_rows.value().size();

  TRY(const auto base_disk, io::open_posix_disk(base.folder));
  TRY(const model::TextModel encoder, model::TextModel::open(*base_disk, "."));
  const auto threads = tensor::make_threads(2);
  world.complain(
      fmt::format("reading {} rows with the encoder\n", train_rows.size() + validation_rows.value().size()));
  TRY(const auto train_features, features_of(encoder, train_rows, record.classes, *threads));
  TRY(const auto validation_features,
      features_of(encoder, validation_rows.value(), record.classes, *threads));
  TRY(record.trained,
      model::train_head(train_features, validation_features, record.classes.size(), record.options));
  record.overfits = record.trained.train_accuracy - record.trained.validation_accuracy > overfit_gap;
  return record;
}

Result<std::string> push(World& world, const Arguments& arguments, io::Disk& folder,
                         std::string_view repository) {
  const RemoteRepo repo{RemoteType::model, std::string(repository)};
  TRY(const Connection connection, connect(world, arguments));
  TRY([[maybe_unused]] const std::string url,
      connection.hub->create_repo(repo, "public", HubClient::IfExists::accept, Context{}));
  TRY(const auto files, files_below(folder, ".", ""));
  const Upload wish{repo, "main", "Train a head with holdfast", {}};
  TRY(const Uploaded done,
      upload_files(*connection.hub, folder, files, wish, Context{}, [](const TransferProgress&) {}));
  return done.commit;
}

Result<int> train_command(World& world, const Arguments& arguments) {
  for (const char* needed : {"--base", "--data", "--out"})
    if (!arguments.value(needed))
      return fail(Reason::bad_request, fmt::format("train head needs {}", needed));
  TRY(const Source base, open_source(world, arguments, *arguments.value("--base"), RemoteType::model));
  TRY(const Source data, open_source(world, arguments, *arguments.value("--data"), RemoteType::dataset));
  TRY(const TrainingRecord record, train(world, arguments, base, data));
  TRY(const auto base_disk, io::open_posix_disk(base.folder));
  TRY(const auto out, io::open_posix_disk(std::string(*arguments.value("--out"))));
  TRY_DONE(write_trained_folder(*base_disk, *out, record));
  world.print(fmt::format(
      "{} classes, accuracy {:.4f} in training and {:.4f} in validation, stopped after round {}\n",
      record.classes.size(), record.trained.train_accuracy, record.trained.validation_accuracy,
      record.trained.rounds));
  if (record.overfits)
    world.complain("holdfast: the model overfits: training is more than 10 points better than validation\n");
  if (const auto repository = arguments.value("--push")) {
    TRY(const std::string commit, push(world, arguments, *out, *repository));
    world.print(fmt::format("{} is at {}\n", *repository, commit));
  }
  return exit_done;
}

int run_train(World& world, std::span<const std::string_view> words) {
  const auto arguments = Arguments::parse({flags, 0, 0}, words);
  if (!arguments.ok()) return report(world, arguments.error());
  const auto outcome = train_command(world, arguments.value());
  return outcome.ok() ? outcome.value() : report(world, outcome.error());
}

}  // namespace

std::vector<Command> train_commands() {
  return {{"train head", "--base MODEL --data DATA --out FOLDER\n\n" + flags_help(flags),
           "Trains a linear classifier on a frozen encoder and writes it as a model that transformers loads.",
           "holdfast train head --base demo/all-MiniLM-L6-v2@main --data demo/support@main --label intent "
           "--out ./intents --push demo/intents",
           run_train}};
}

}  // namespace holdfast::cli
