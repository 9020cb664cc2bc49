#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "govern/facts.h"

namespace holdfast::govern {

// A fact that a gate misses, and what would supply it: a page makes a button of it, a person a command.
struct Missing {
  std::string gate{}, fact{}, needs{};
  std::string action{};        // "edit_record", "run_evaluation", "add_evidence", "set_criteria", "approve" …
  std::string kind_or_role{};  // Of the evidence or the approval.
};

enum class GateState : uint8_t { passed, waiting, refused };
std::string_view gate_state_name(GateState state);

struct GateOutcome {
  std::string gate{};
  GateState state = GateState::passed;
  std::string reason{};  // Of refused; or in one sentence what is waited for.
  std::vector<Missing> missing{};
};

// What a step asks for. Pure functions of the facts: the same facts, the same outcome.
enum class Step : uint8_t { validate, canary, deploy };
std::vector<GateOutcome> ask_gates(const Facts& facts, Step step);
bool all_passed(const std::vector<GateOutcome>& outcomes);
std::vector<Missing> all_missing(const std::vector<GateOutcome>& outcomes);

// The roles whose approval a tier asks for.
std::vector<std::string> roles_needed(Tier tier);

// Single gates, for tests and pages.
GateOutcome record_gate(const Facts& facts);
GateOutcome verdict_gate(const Facts& facts, std::string_view kind);  // "licence", "scan", "card"
GateOutcome evaluation_gate(const Facts& facts);
GateOutcome golden_gate(const Facts& facts);
// Against the release that answers now, on the same rows (comparison.h).
GateOutcome non_inferiority_gate(const Facts& facts);
GateOutcome approvals_gate(const Facts& facts);
GateOutcome freeze_gate(const Facts& facts);

}  // namespace holdfast::govern
