#include "cli/license.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/arguments.h"
#include "cli/run_on_one.h"
#include "cli/user_files.h"
#include "codec/json.h"
#include "io/disk.h"
#include "scan/license.h"
#include "scan/license_answers.h"
#include "scan/license_cases.h"
#include "scan/license_view.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr uint64_t cases_bytes_max = 16 << 20;

std::string_view yes_no(scan::Commercial value) {
  return value == scan::Commercial::yes ? "yes" : value == scan::Commercial::no ? "no" : "conditional";
}
std::string_view share_alike_name(scan::ShareAlike value) {
  switch (value) {
    case scan::ShareAlike::none:
      return "none";
    case scan::ShareAlike::weak:
      return "weak";
    case scan::ShareAlike::strong:
      return "strong";
    case scan::ShareAlike::network:
      return "network";
  }
  return "";
}

Result<int> explain(World& world, std::string_view expression, Output output, const Arguments&) {
  TRY(const auto sets, scan::parse_license_expression(expression));
  json::array ids;
  bool known = true;
  for (const auto& set : sets)
    for (const std::string& id : set) {
      const scan::LicenseTerms* terms = scan::find_license(id);
      known = known && terms != nullptr;
      json::object row{{"id", id}, {"known", terms != nullptr}};
      if (terms != nullptr) {
        row["family"] = terms->family;
        row["commercial"] = yes_no(terms->commercial);
        row["attribution"] = terms->attribution;
        row["derivativesShared"] = terms->derivatives == scan::Derivatives::yes;
        row["shareAlike"] = share_alike_name(terms->share_alike);
        row["useRestrictions"] = terms->use_restrictions;
        row["researchOnly"] = terms->research_only;
        row["condition"] = terms->condition;
        row["clause"] = terms->clause;
      }
      if (output == Output::people) {
        world.print(fmt::format("{}\n", id));
        if (terms == nullptr) world.print("  nothing is known of this licence: a person must decide\n");
        for (const auto& [key, value] : row)
          if (key != "id" && key != "known" && !(value.is_string() && value.get_string().empty()))
            world.print(
                fmt::format("  {:18} {}\n", std::string_view(key),
                            value.is_string() ? std::string(value.get_string()) : codec::to_text(value)));
      }
      ids.push_back(std::move(row));
    }
  if (output == Output::json)
    world.print(codec::to_text(json::object{{"expression", expression},
                                            {"known", known},
                                            {"licenses", std::move(ids)},
                                            {"notice", scan::not_legal_advice}}) +
                "\n");
  else
    world.print(fmt::format("{}\n", scan::not_legal_advice));
  return known ? exit_done : exit_failed;
}

Result<scan::IntendedUse> use_of(const Arguments& arguments) {
  using Purpose = scan::IntendedUse::Purpose;
  scan::IntendedUse use{.purpose = Purpose::commercial, .shared = arguments.has("--shared")};
  const std::string_view purpose = arguments.value("--purpose").value_or("commercial");
  if (purpose == "non-commercial")
    use.purpose = Purpose::non_commercial;
  else if (purpose == "research")
    use.purpose = Purpose::research;
  else if (purpose != "commercial")
    return fail(Reason::bad_request, "--purpose is commercial, non-commercial or research");
  return use;
}

Result<int> judge(World& world, std::string_view chain, Output output, const Arguments& arguments) {
  TRY(const scan::IntendedUse use, use_of(arguments));
  TRY(const auto parts, scan::parse_license_chain(chain));
  if (arguments.has("--notice")) {
    world.print(scan::notice_text(parts));
    return exit_done;
  }
  const scan::LicenseReport report = scan::judge_licenses(parts, use);
  const scan::LicenseAnswers answers = scan::answer_questions(parts, use);
  if (output == Output::json) {
    json::array duties;
    for (const std::string& duty : report.duties) duties.emplace_back(duty);
    world.print(codec::to_text(json::object{{"verdict", scan::verdict_name(report.verdict)},
                                            {"answers", scan::answers_view(answers)},
                                            {"reasons", scan::reasons_view(report)},
                                            {"duties", std::move(duties)},
                                            {"notice", scan::not_legal_advice}}) +
                "\n");
  } else {
    world.print(fmt::format("{}\n", scan::verdict_name(report.verdict)));
    world.print(fmt::format("  commercial use    {}\n  attribution       {}\n",
                            verdict_name(answers.commercial),
                            answers.attribution ? "asked for" : "not asked for"));
    world.print(fmt::format("  distribution      {}\n  terms of the data {}\n",
                            verdict_name(answers.distribution), verdict_name(answers.datasets)));
    for (const scan::LicenseReason& reason : report.reasons)
      world.print(fmt::format("{}: {} [{}]\n  {}\n", scan::verdict_name(reason.verdict), reason.reason,
                              reason.rule, reason.clause));
    for (const std::string& duty : report.duties) world.print(fmt::format("duty: {}\n", duty));
    world.print(fmt::format("{}\n", scan::not_legal_advice));
  }
  return report.verdict == scan::Verdict::allowed ? exit_done : exit_failed;
}

Result<int> measure(World& world, std::string_view named, Output output, const Arguments&) {
  TRY(UserFiles files, UserFiles::open());
  TRY(const std::string text, io::read_text(files.disk(), files.path(named), cases_bytes_max));
  TRY(const auto cases, scan::parse_license_cases(text));
  const scan::LicenseConfusion confusion = scan::compare_license_cases(cases);
  if (output == Output::json) {
    json::object said;
    for (size_t truth = 0; truth < scan::verdict_count; ++truth) {
      json::object row;
      for (size_t i = 0; i < scan::verdict_count; ++i)
        row[scan::verdict_name(static_cast<scan::Verdict>(i))] = confusion.said[truth][i];
      said[scan::verdict_name(static_cast<scan::Verdict>(truth))] = std::move(row);
    }
    json::array differences;
    for (const std::string& each : confusion.differences) differences.emplace_back(each);
    world.print(codec::to_text(json::object{{"decisions", confusion.all()},
                                            {"agreed", confusion.agreed()},
                                            {"allowedByGuess", confusion.guessed()},
                                            {"said", std::move(said)},
                                            {"differences", std::move(differences)},
                                            {"notice", scan::not_legal_advice}}) +
                "\n");
  } else {
    world.print(scan::confusion_table(confusion));
    for (const std::string& each : confusion.differences) world.print(each + "\n");
    world.print(fmt::format("{} of {} decisions agree; {} are said to be allowed and are not\n{}\n",
                            confusion.agreed(), confusion.all(), confusion.guessed(),
                            scan::not_legal_advice));
  }
  return confusion.guessed() == 0 ? exit_done : exit_failed;
}

constexpr std::array json_flags = {FlagRow{"--json", "", "One JSON object."}};
constexpr std::array judge_flags = {
    FlagRow{"--purpose", "PURPOSE", "commercial (default), non-commercial or research."},
    FlagRow{"--shared", "", "It, or what is made of it, is handed to others."},
    FlagRow{"--notice", "", "Prints the text of a NOTICE file instead."},
    FlagRow{"--json", "", "One JSON object."}};

}  // namespace

std::vector<Command> license_commands() {
  return {
      {.words = "license explain",
       .arguments = "EXPRESSION [--json]",
       .summary = "Says what is known of the licences of an SPDX expression or a card's id, and on which "
                  "clause it rests.",
       .example = "holdfast license explain \"apache-2.0 OR cc-by-nc-4.0\"",
       .run =
           [](World& world, std::span<const std::string_view> words) {
             return run_on_one(world, words, json_flags, explain);
           }},
      {.words = "license judge",
       .arguments = "CHAIN [--purpose commercial|non-commercial|research] [--shared] [--notice] [--json]",
       .summary = "Answers for a model, what it is made of and an intended use: commercial use, attribution, "
                  "distribution, data; exits 1 unless it is allowed.",
       .example = "holdfast license judge \"model mit; base apache-2.0; dataset cc-by-nc-4.0\" --shared",
       .run =
           [](World& world, std::span<const std::string_view> words) {
             return run_on_one(world, words, judge_flags, judge);
           }},
      {.words = "license measure",
       .arguments = "CASES [--json]",
       .summary = "Compares what is said with decisions that people made (docs/licences.md) and prints the "
                  "confusion table; exits 1 when something is said to be allowed that is not.",
       .example = "holdfast license measure tests/golden/licences/decisions.tsv",
       .run = [](World& world, std::span<const std::string_view> words) {
         return run_on_one(world, words, json_flags, measure);
       }}};
}

}  // namespace holdfast::cli
