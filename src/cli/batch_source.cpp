#include "cli/batch_source.h"

#include <fmt/format.h>

#include "cli/connection.h"
#include "cli/user_files.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"

namespace holdfast::cli {
namespace {

using Rows = std::vector<measure::LabelledRow>;

constexpr uint64_t file_bytes_max = 512 << 20;

Result<Rows> rows_of_file(std::string_view text, const std::string& column) {
  const std::vector<std::string> paths = {"train.jsonl"};
  auto rows =
      measure::read_split(paths, "train", {column, column},
                          [&](const std::string&) -> Result<std::string> { return std::string(text); });
  if (!rows.ok()) return rows.error();
  return rows;
}

// A file of JSON lines that is there, else a data set's split at one commit.
Result<PredictionSource> read_source(World& world, const Arguments& arguments) {
  PredictionSource out;
  const std::string_view given = arguments.positionals()[0];
  out.plan.split = arguments.value_or("--split", "test");
  out.plan.column = arguments.value_or("--column", "text");
  TRY(UserFiles files, UserFiles::open());
  if (given.ends_with(".jsonl")) {
    TRY(const std::string text, files.read(given, file_bytes_max));
    codec::Sha256 hash;
    hash.update(as_bytes(text));
    out.plan.source = codec::to_hex(hash.finish());
    out.plan.split = arguments.value_or("--split", "train");
    TRY(out.rows, rows_of_file(text, out.plan.column));
  } else {
    const size_t at = given.find('@');
    const RemoteRepo repo{RemoteType::dataset, std::string(given.substr(0, at))};
    TRY(Connection connection, connect(world, arguments));
    TRY(const RemoteRevision found,
        connection.hub->revision(repo, at == std::string_view::npos ? "main" : given.substr(at + 1),
                                 Context{}));
    out.plan.source = fmt::format("{}@{}", repo.name, found.commit);
    std::vector<std::string> paths;
    for (const RemoteFile& file : found.files) paths.push_back(file.path);
    TRY(out.rows, measure::read_split(paths, out.plan.split, {out.plan.column, out.plan.column},
                                      [&](const std::string& path) -> Result<std::string> {
                                        std::string text;
                                        TRY_DONE(connection.hub->download(
                                            repo, found.commit, path, 0,
                                            [&](ByteView piece) -> Status {
                                              text += as_text(piece);
                                              return text.size() > file_bytes_max
                                                         ? Status(fail(Reason::body_too_large,
                                                                       "the split is too large"))
                                                         : Status(Done{});
                                            },
                                            Context{}));
                                        return text;
                                      }));
  }
  if (out.rows.empty()) return fail(Reason::bad_request, "there are no rows");
  return out;
}

}  // namespace

Result<PredictionSource> read_prediction_source(World& world, const Arguments& arguments) {
  const auto model = arguments.value("--model");
  if (!model) return fail(Reason::bad_request, "--model NS/NAME[@REV] says who is asked");
  TRY(PredictionSource out, read_source(world, arguments));
  out.plan.model = *model;
  if (arguments.has("--chat")) out.plan.ask = PredictionPlan::Ask::chat;
  if (const auto parameters = arguments.value("--parameters")) {
    TRY(out.plan.parameters, codec::parse_json_object(*parameters));
  }
  return out;
}

}  // namespace holdfast::cli
