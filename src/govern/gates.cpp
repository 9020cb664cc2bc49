#include "govern/gates.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "codec/json.h"
#include "measure/margin.h"

namespace holdfast::govern {
namespace {

namespace json = boost::json;

constexpr double normal_quantile = 1.959963984540054;  // Of 97.5 %: both sides of a 95 % interval.

GateOutcome waiting(std::string gate, std::string reason, std::vector<Missing> missing) {
  return {std::move(gate), GateState::waiting, std::move(reason), std::move(missing)};
}
GateOutcome refused(std::string gate, std::string reason, std::vector<Missing> missing) {
  return {std::move(gate), GateState::refused, std::move(reason), std::move(missing)};
}

const Evidence* newest(const Facts& facts, std::string_view kind) {
  for (auto evidence = facts.evidence.rbegin(); evidence != facts.evidence.rend(); ++evidence)
    if (evidence->kind == kind) return &*evidence;
  return nullptr;
}

std::string_view text_of(const json::object& object, std::string_view key) {
  const auto text = codec::json_text_if(object, key);
  return text.ok() ? text.value().value_or("") : std::string_view();
}
std::optional<double> number_of(const json::object& object, std::string_view key) {
  const auto number = codec::json_number_if(object, key);
  return number.ok() ? number.value() : std::nullopt;
}
const json::object* object_of(const json::object& object, std::string_view key) {
  const auto inner = codec::json_object_if(object, key);
  return inner.ok() ? inner.value() : nullptr;
}

// A measured value with its interval; a bare number has none.
struct Measured {
  double value = 0;
  std::optional<double> low, high;
  int64_t rows = 0;
};

std::optional<Measured> measured(const Evidence& evidence, const Criterion& criterion) {
  Measured out;
  out.rows = evidence.rows;
  const json::object* where = nullptr;
  if (criterion.slice.empty()) {
    where = object_of(evidence.body, "metrics");
    if (where == nullptr || !where->contains(criterion.metric)) where = &evidence.body;  // "ece"
  } else if (const json::object* slices = object_of(evidence.body, "slices")) {
    where = object_of(*slices, criterion.slice);
    if (where != nullptr) out.rows = static_cast<int64_t>(number_of(*where, "rows").value_or(0));
  }
  if (where == nullptr) return std::nullopt;
  if (const json::object* inner = object_of(*where, criterion.metric)) {
    const auto value = number_of(*inner, "value");
    if (!value) return std::nullopt;
    out.value = *value;
    out.low = number_of(*inner, "low");
    out.high = number_of(*inner, "high");
    return out;
  }
  const auto value = number_of(*where, criterion.metric);
  if (!value) return std::nullopt;
  out.value = *value;
  return out;
}

// How many rows more make the 95 % interval as narrow as asked: its width falls with the root of the rows.
// Without an interval, by the normal approximation of a share.
int64_t rows_short(const Measured& measured, double margin) {
  double needed = 0;
  const auto rows = static_cast<double>(measured.rows);
  if (measured.low && measured.high) {
    const double half = (*measured.high - *measured.low) / 2;
    needed = rows * (half / margin) * (half / margin);
  } else {
    const double share = std::clamp(measured.value, 0.0, 1.0);
    needed = share * (1 - share) * normal_quantile * normal_quantile / (margin * margin);
  }
  return std::max<int64_t>(0, static_cast<int64_t>(std::ceil(needed - 1e-9)) - measured.rows);
}

std::string place(const Criterion& criterion) {
  return criterion.slice.empty() ? criterion.metric : criterion.metric + " of " + criterion.slice;
}

// One criterion against the evaluation: adds to what is missing, or gives why it failed.
std::string judge(const Criterion& criterion, const Evidence& evaluation, std::vector<Missing>& missing) {
  const std::string fact = place(criterion);
  const auto found = measured(evaluation, criterion);
  if (!found) {
    missing.push_back(
        {"evaluation", fact, fmt::format("the evaluation does not measure {}", fact), "run_evaluation"});
    return {};
  }
  if (criterion.margin) {
    if (const int64_t rows = rows_short(*found, *criterion.margin); rows > 0) {
      missing.push_back({"evaluation", fact,
                         fmt::format("{} more rows for {} within ±{}", rows, fact, *criterion.margin),
                         "run_evaluation"});
      return {};
    }
  }
  if (criterion.at_least && !(found->value >= *criterion.at_least))
    return fmt::format("{} is {:.4g}, below {}", fact, found->value, *criterion.at_least);
  if (criterion.at_most && !(found->value <= *criterion.at_most))
    return fmt::format("{} is {:.4g}, above {}", fact, found->value, *criterion.at_most);
  return {};
}

void check_rows(const Criteria& criteria, const Evidence& evaluation, std::vector<Missing>& missing) {
  if (evaluation.rows < criteria.rows_min)
    missing.push_back(
        {"evaluation", "rows",
         fmt::format("{} more rows: at least {}", criteria.rows_min - evaluation.rows, criteria.rows_min),
         "run_evaluation"});
  const json::object* slices = object_of(evaluation.body, "slices");
  for (const auto& [category, least] : criteria.categories_min) {
    const std::string name = category.find(':') == std::string::npos ? "kind:" + category : category;
    const json::object* slice = slices == nullptr ? nullptr : object_of(*slices, name);
    const auto rows = slice == nullptr ? 0 : static_cast<int64_t>(number_of(*slice, "rows").value_or(0));
    if (rows < least)
      missing.push_back(
          {"evaluation", name, fmt::format("{} more rows of {}", least - rows, category), "run_evaluation"});
  }
}

// What makes an evaluation one of this release on data of one's own, judged by criteria that stood before it.
std::string wrong_evaluation(const Facts& facts, const Evidence& evaluation) {
  const json::object& body = evaluation.body;
  if (text_of(body, "revision") != facts.release.revision) return "the evaluation is of another revision";
  if (!facts.record.dataset.empty() && text_of(body, "dataset") != facts.record.dataset)
    return fmt::format("the evaluation is not on {}: a benchmark of others approves nothing",
                       facts.record.dataset);
  if (!facts.record.split.empty() && text_of(body, "split") != facts.record.split)
    return fmt::format("the evaluation is not on the split {}", facts.record.split);
  const auto began = parse_time(text_of(body, "began"));
  if (!began.ok()) return "the evaluation does not say when it began";
  if (facts.criteria.back().at > began.value()) return "criteria changed after the run";
  return {};
}

std::string names(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& name : list) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

std::string_view gate_state_name(GateState state) {
  switch (state) {
    case GateState::passed:
      return "passed";
    case GateState::waiting:
      return "waiting";
    case GateState::refused:
      return "refused";
  }
  return "";
}

GateOutcome record_gate(const Facts& facts) {
  std::vector<Missing> missing;
  std::vector<std::string> fields;
  for (const FieldProblem& field : missing_fields(facts.record)) {
    missing.push_back({"record", field.field, field.why, "edit_record"});
    fields.push_back(field.field);
  }
  if (missing.empty()) return {"record", GateState::passed, "", {}};
  return waiting("record", "the record lacks " + names(fields), std::move(missing));
}

GateOutcome verdict_gate(const Facts& facts, std::string_view kind) {
  const std::string gate(kind);
  const Evidence* evidence = newest(facts, kind);
  if (evidence == nullptr)
    return waiting(gate, fmt::format("there is no {} verdict", kind),
                   {{gate, gate, fmt::format("a {} verdict on this revision", kind), "add_evidence", gate}});
  const std::string_view verdict = text_of(evidence->body, "verdict");
  const std::string why(text_of(evidence->body, "why"));
  if (verdict == "pass") return {gate, GateState::passed, "", {}};
  if (verdict != "review") return refused(gate, why.empty() ? gate + " failed" : why, {});
  // What no rule can decide goes to a person, who signs for it after having seen it.
  const std::string_view signer = kind == "licence" ? "legal" : "security";
  const Evidence* person = newest(facts, signer);
  if (person != nullptr && person->at >= evidence->at && text_of(person->body, "verdict") == "pass")
    return {gate, GateState::passed, "", {}};
  return waiting(gate, why.empty() ? "a person must look at it" : why,
                 {{gate, gate, "a person's verdict on it", "add_evidence", std::string(signer)}});
}

GateOutcome evaluation_gate(const Facts& facts) {
  if (facts.criteria.empty())
    return waiting("evaluation", "there are no criteria yet",
                   {{"evaluation", "criteria", "what it must reach, before the run", "set_criteria"}});
  const Evidence* evaluation = newest(facts, "evaluation");
  if (evaluation == nullptr)
    return waiting(
        "evaluation", "there is no evaluation of this revision",
        {{"evaluation", "evaluation",
          facts.record.dataset.empty() ? "a run on your own data" : "a run on " + facts.record.dataset,
          "run_evaluation"}});
  if (const std::string wrong = wrong_evaluation(facts, *evaluation); !wrong.empty())
    return refused("evaluation", wrong, {{"evaluation", "evaluation", "another run", "run_evaluation"}});
  const Criteria& criteria = facts.criteria.back();
  std::vector<Missing> missing;
  check_rows(criteria, *evaluation, missing);
  std::vector<std::string> failed;
  for (const Criterion& criterion : criteria.metrics)
    if (std::string why = judge(criterion, *evaluation, missing); !why.empty())
      failed.push_back(std::move(why));
  if (!failed.empty()) return refused("evaluation", names(failed), {});
  if (missing.empty()) return {"evaluation", GateState::passed, "", {}};
  std::string reason = "needs " + missing.front().needs;
  return waiting("evaluation", std::move(reason), std::move(missing));
}

GateOutcome non_inferiority_gate(const Facts& facts) {
  const std::string gate = "non_inferiority";
  const Evidence* newest_run = newest(facts, "evaluation");
  const Evidence* compared = newest(facts, "comparison");
  const auto wants = [&](std::string needs) {
    return waiting(gate, "needs " + needs, {{gate, "comparison", needs, "run_evaluation"}});
  };
  if (compared == nullptr ||
      number_of(compared->body, "baseline").value_or(0) != static_cast<double>(facts.stable))
    return wants(
        fmt::format("a run on rows that release {}, which answers now, was run on too", facts.stable));
  if (newest_run != nullptr && number_of(compared->body, "evaluation") != static_cast<double>(newest_run->id))
    return wants(fmt::format("the newest run on rows that release {} was run on too", facts.stable));
  const auto count = [&](std::string_view key) {
    return static_cast<size_t>(std::max(0.0, number_of(compared->body, key).value_or(0)));
  };
  const measure::PairedCounts counts{.rows = count("rows"),
                                     .only_candidate = count("only_candidate"),
                                     .only_baseline = count("only_baseline")};
  const double margin = facts.record.accuracy_drop_max;
  const measure::NonInferiority found = measure::non_inferior(counts, margin);
  if (found.holds) return {gate, GateState::passed, "", {}};
  if (found.difference <= -margin)
    return refused(gate,
                   fmt::format("accuracy is {:.1f} points below release {}'s on the same {} rows",
                               -100 * found.difference, facts.stable, counts.rows),
                   {});
  const double discordant =
      static_cast<double>(counts.only_candidate + counts.only_baseline) / static_cast<double>(counts.rows);
  const size_t wanted = measure::rows_for_margin(margin, std::max(discordant, 0.01));
  return wants(fmt::format("{} more rows to be sure that it is less than {:.1f} points below release {}",
                           wanted > counts.rows ? wanted - counts.rows : counts.rows, 100 * margin,
                           facts.stable));
}

GateOutcome golden_gate(const Facts& facts) {
  if (facts.golden.empty()) return {"golden", GateState::passed, "", {}};
  const Evidence* run = newest(facts, "golden");
  const auto wants = [&](std::string reason) {
    return waiting("golden", std::move(reason),
                   {{"golden", "golden", fmt::format("a run of all {} golden examples", facts.golden.size()),
                     "run_golden"}});
  };
  if (run == nullptr) return wants("the golden examples were not run");
  const auto failed = codec::json_array_if(run->body, "failed");
  if (failed.ok() && failed.value() != nullptr && !failed.value()->empty())
    return refused("golden", fmt::format("{} golden examples fail", failed.value()->size()), {});
  if (number_of(run->body, "examples").value_or(0) < static_cast<double>(facts.golden.size()))
    return wants("there are golden examples that were not run");
  return {"golden", GateState::passed, "", {}};
}

std::vector<std::string> roles_needed(Tier tier) {
  switch (tier) {
    case Tier::prototype:
      return {};
    case Tier::internal:
      return {"owner"};
    case Tier::production:
      return {"owner", "reviewer"};
    case Tier::regulated:
      return {"owner", "reviewer", "security", "legal", "compliance", "privacy"};
  }
  return {};
}

GateOutcome approvals_gate(const Facts& facts) {
  std::vector<Missing> missing;
  std::vector<std::string> roles;
  for (const std::string& role : roles_needed(facts.record.tier)) {
    const bool given = std::any_of(facts.approvals.begin(), facts.approvals.end(),
                                   [&](const Approval& approval) { return approval.role == role; });
    if (given) continue;
    const bool held =
        std::find(facts.roles_held.begin(), facts.roles_held.end(), role) != facts.roles_held.end();
    missing.push_back({"approvals", role,
                       held ? fmt::format("the approval of the {}, who is not an author", role)
                            : fmt::format("somebody in the role {}, and their approval", role),
                       held ? "approve" : "grant_role", role});
    roles.push_back(role);
  }
  if (missing.empty()) return {"approvals", GateState::passed, "", {}};
  return waiting("approvals", "waits for " + names(roles), std::move(missing));
}

GateOutcome freeze_gate(const Facts& facts) {
  if (!facts.freeze) return {"frozen", GateState::passed, "", {}};
  return refused("frozen",
                 fmt::format("releases are frozen by {}: {}", facts.freeze->by, facts.freeze->reason),
                 {{"frozen", "frozen", "a decision to go on", "unfreeze"}});
}

std::vector<GateOutcome> ask_gates(const Facts& facts, Step step) {
  std::vector<GateOutcome> outcomes;
  if (facts.record.tier != Tier::prototype) {
    outcomes.push_back(record_gate(facts));
    for (const char* kind : {"licence", "scan", "card"}) outcomes.push_back(verdict_gate(facts, kind));
    outcomes.push_back(evaluation_gate(facts));
    if (facts.stable != 0) outcomes.push_back(non_inferiority_gate(facts));
    if (facts.record.tier == Tier::regulated) outcomes.push_back(verdict_gate(facts, "bias"));
    // Asked for by nobody; where one was made and found something, it counts.
    if (newest(facts, "triggers") != nullptr) outcomes.push_back(verdict_gate(facts, "triggers"));
  }
  outcomes.push_back(golden_gate(facts));
  if (step == Step::validate) return outcomes;
  outcomes.push_back(approvals_gate(facts));
  outcomes.push_back(freeze_gate(facts));
  return outcomes;
}

bool all_passed(const std::vector<GateOutcome>& outcomes) {
  return std::all_of(outcomes.begin(), outcomes.end(),
                     [](const GateOutcome& outcome) { return outcome.state == GateState::passed; });
}

std::vector<Missing> all_missing(const std::vector<GateOutcome>& outcomes) {
  std::vector<Missing> missing;
  for (const GateOutcome& outcome : outcomes) {
    missing.insert(missing.end(), outcome.missing.begin(), outcome.missing.end());
    if (outcome.state == GateState::refused && outcome.missing.empty())
      missing.push_back({outcome.gate, outcome.gate, outcome.reason, "wait"});
  }
  return missing;
}

}  // namespace holdfast::govern
