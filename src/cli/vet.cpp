#include "cli/vet.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "cli/connection.h"
#include "cli/hub_transfer.h"
#include "cli/labelled_rows.h"
#include "cli/trained_folder.h"
#include "cli/vet_model.h"
#include "codec/json.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;
using measure::VetFinding;

constexpr FlagRow split_flag{"--split", "NAME", "The rows that are looked at [train]."};
constexpr FlagRow label_flag{"--label", "COLUMN", "What is to be told [label]."};
constexpr FlagRow text_flag{"--text", "COLUMN", "What it is told from [text]."};
constexpr FlagRow source_flag{"--source", "COLUMN", "Where a row comes from [not looked at]."};
constexpr FlagRow trusted_flag{"--trusted", "NAMES", "Sources that are trusted: \"lab, *.example.org\"."};

std::vector<std::string> names_in(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const size_t comma = list.find(',');
    std::string_view one = list.substr(0, comma);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (!one.empty()) names.emplace_back(one);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return names;
}

json::object as_json(const VetFinding& finding) {
  return {{"kind", measure::vet_kind_name(finding.kind)},
          {"severity", measure::vet_severity_name(finding.severity)},
          {"what", finding.what},
          {"label", finding.label},
          {"rows", finding.rows},
          {"ids", json::array(finding.ids.begin(), finding.ids.end())},
          {"why", finding.why}};
}

Result<int> vet_data(World& world, const Arguments& arguments) {
  TRY(const Source data, open_source(world, arguments, arguments.positionals()[0], RemoteType::dataset));
  TRY(const auto disk, io::open_posix_disk(data.folder));
  const RowColumns columns{std::string(arguments.value_or("--text", "text")),
                           std::string(arguments.value_or("--label", "label"))};
  TRY(const auto rows, read_rows(*disk, arguments.value_or("--split", "train"), columns));
  const auto findings = measure::vet(rows, {.source_column = std::string(arguments.value_or("--source", "")),
                                            .trusted = names_in(arguments.value_or("--trusted", ""))});
  if (arguments.has("--json")) {
    json::array list;
    for (const VetFinding& finding : findings) list.emplace_back(as_json(finding));
    world.print(codec::to_text(json::object{
                    {"rows", rows.size()}, {"passes", !has_high(findings)}, {"findings", std::move(list)}}) +
                "\n");
  } else {
    world.print(vet_lines(findings));
    world.print(fmt::format("{} rows looked at: {}\n", rows.size(),
                            has_high(findings) ? "do not train on them as they are"
                            : findings.empty() ? "nothing found"
                                               : "nothing that blocks"));
  }
  return has_high(findings) ? exit_failed : exit_done;
}

}  // namespace

bool has_high(const std::vector<VetFinding>& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const VetFinding& one) { return one.severity == measure::VetSeverity::high; });
}

std::string vet_lines(const std::vector<VetFinding>& findings) {
  std::string out;
  for (const VetFinding& one : findings)
    out += fmt::format("{:<8} {}{}: {:?}: {}\n", measure::vet_severity_name(one.severity),
                       measure::vet_kind_name(one.kind),
                       one.ids.size() == 1 ? fmt::format(" (row {})", one.ids[0]) : "", one.what, one.why);
  return out;
}

std::vector<Command> vet_commands() {
  return {
      client_command("vet", "DATA",
                     "Looks for poison in labelled rows before anything is trained on them: copies, flipped "
                     "labels, triggers, untrusted sources; exits 1 when something blocks.",
                     "holdfast vet demo/support@main --label intent",
                     {{split_flag, label_flag, text_flag, source_flag, trusted_flag, endpoint_flag,
                       token_flag, client_json_flag},
                      1,
                      1},
                     vet_data),
      vet_model_command()};
}

}  // namespace holdfast::cli
