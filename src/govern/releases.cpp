#include "govern/releases.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "govern/records.h"
#include "govern/roles.h"
#include "sql/database.h"

namespace holdfast::govern {
namespace {

namespace json = boost::json;

std::string hex_digest(std::string_view text) { return codec::to_hex(codec::sha256(as_bytes(text))); }

Decisions::Made made(std::string_view actor, std::string_view action, const Release& release,
                     std::string_view reason) {
  return {.actor = std::string(actor),
          .action = std::string(action),
          .record = release.record,
          .release = release.number,
          .details = {
              {"reason", std::string(reason)}, {"revision", release.revision}, {"digest", release.digest}}};
}

// Which evidence a decision rests on: numbers and digests, so that none can be put in another's place.
std::string cited(const Facts& facts) {
  std::string out;
  for (const Evidence& evidence : facts.evidence)
    out += fmt::format("{}{} {} {}", out.empty() ? "" : ", ", evidence.kind, evidence.id, evidence.digest);
  return out;
}

Status insert_release(sql::Transaction& tx, const Release& release) {
  const std::string parts = codec::to_text(release.parts);
  const std::string authors = codec::to_text(json::array(release.authors.begin(), release.authors.end()));
  TRY_DONE(tx.run(
      "INSERT INTO govern_releases (record, number, state, repo, model, revision, digest, parts, note, "
      "author, authors, at, since) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {release.record, release.number, state_name(release.state), release.repository, release.model,
       release.revision, release.digest, parts, release.note, release.author, authors,
       milliseconds(release.at), milliseconds(release.since)}));
  return Done{};
}

}  // namespace

std::optional<Step> next_step(const Facts& facts, bool something_deployed) {
  switch (facts.release.state) {
    case ReleaseState::candidate:
      return Step::validate;
    case ReleaseState::validated:
    case ReleaseState::approved:
      return something_deployed && facts.record.canary_percent > 0 ? Step::canary : Step::deploy;
    case ReleaseState::canary:
      return Step::deploy;
    case ReleaseState::deployed:
    case ReleaseState::deprecated:
    case ReleaseState::rejected:
    case ReleaseState::rolled_back:
    case ReleaseState::retired:
      return std::nullopt;
  }
  return std::nullopt;
}

Result<Release> Releases::create(const identity::Caller& caller, const std::string& record,
                                 std::string_view revision, std::string_view note) {
  TRY(const StoredRecord stored, parts_.access.changeable(parts_.database, caller, record));
  TRY(const ReleaseParts::Revision found, parts_.parts.find(stored.record, revision));
  Release release{.record = record,
                  .repository = found.model.id.raw,
                  .model = found.model.full_name(),
                  .revision = found.commit.hex(),
                  .note = std::string(note.substr(0, 2000)),
                  .author = caller.name};
  TRY(release.authors, parts_.parts.pushers(found));
  if (std::find(release.authors.begin(), release.authors.end(), caller.name) == release.authors.end())
    release.authors.push_back(caller.name);
  TRY(release.parts, parts_.parts.parts(found, stored.record));
  release.digest = hex_digest(codec::to_text(release.parts));
  TRY(const std::vector<CheckedFact> checked, parts_.checker.check(found.model, found.commit, stored.record));
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY(const std::vector<Release> before, releases_of(tx, record));
    for (const Release& other : before)
      if (other.revision == release.revision)
        return fail(Reason::already_exists, fmt::format("this revision is release {}, which is {}",
                                                        other.number, state_name(other.state)));
    release.number = before.empty() ? 1 : before.front().number + 1;
    TRY(release.at, parts_.decisions.now(tx));
    release.since = release.at;
    TRY_DONE(insert_release(tx, release));
    TRY_DONE(parts_.decisions.append(tx, made(caller.name, "release.registered", release, note)));
    for (const CheckedFact& fact : checked) {
      Evidence evidence{.release = release.number, .kind = fact.kind, .by = "(server)", .body = fact.body};
      TRY_DONE(insert_evidence(tx, record, evidence, "[]"));
    }
    return Done{};
  }));
  return release;
}

Result<std::vector<Release>> Releases::list(const identity::Caller& caller, const std::string& record) const {
  TRY_DONE(parts_.access.seen(parts_.database, caller, record));
  return parts_.database.read<std::vector<Release>>(
      [&](sql::Transaction& tx) { return releases_of(tx, record); });
}

Result<Facts> Releases::facts(const identity::Caller& caller, const std::string& record,
                              int64_t number) const {
  TRY_DONE(parts_.access.seen(parts_.database, caller, record));
  return parts_.database.read<Facts>([&](sql::Transaction& tx) -> Result<Facts> {
    TRY(const WallTime now, parts_.decisions.now(tx));
    return facts_of(tx, record, number, now);
  });
}

Status Releases::check_approver(sql::Transaction& tx, const identity::Caller& caller, const Facts& facts,
                                std::string_view role) const {
  if (!caller.environment.empty() || caller.role == identity::TokenRole::read)
    return fail(Reason::forbidden, "this token may not decide anything");
  TRY(const auto held, Roles::held(tx, facts.record.ns(), caller.name, role, facts.now));
  if (!held) return fail(Reason::forbidden, fmt::format("{} does not have the role {}", caller.name, role));
  const auto& authors = facts.release.authors;
  if (std::find(authors.begin(), authors.end(), caller.name) != authors.end())
    return fail(Reason::forbidden, "an author does not judge their own release");
  return Done{};
}

Result<Release> Releases::approve(const identity::Caller& caller, const std::string& record, int64_t number,
                                  std::string_view role, std::string_view reason) {
  TRY_DONE(parts_.access.seen(parts_.database, caller, record));
  TRY_DONE(check_reason(reason));
  return parts_.database.write<Release>([&](sql::Transaction& tx) -> Result<Release> {
    TRY(const WallTime now, parts_.decisions.now(tx));
    TRY(Facts facts, facts_of(tx, record, number, now));
    TRY(const ReleaseState approved, next_state(facts.release.state, ReleaseEvent::approve));
    TRY_DONE(check_approver(tx, caller, facts, role));
    const auto needed = roles_needed(facts.record.tier);
    if (std::find(needed.begin(), needed.end(), role) == needed.end())
      return fail(Reason::bad_request,
                  fmt::format("'role': {} asks for no {}", tier_name(facts.record.tier), role));
    for (const Approval& approval : facts.approvals)
      if (approval.user == caller.name || approval.role == role)
        return fail(Code::conflict, fmt::format("{} approved it as {} already: each role is another person",
                                                approval.user, approval.role));
    if (!all_passed(ask_gates(facts, Step::validate)))
      return fail(Reason::precondition_failed, "its evidence does not pass any more: look at its gates");
    TRY(const auto held, Roles::held(tx, facts.record.ns(), caller.name, role, now));
    TRY_DONE(tx.run(
        "INSERT INTO govern_approvals (record, release, role, user_name, reason, newcomer, at) VALUES "
        "(?, ?, ?, ?, ?, ?, ?)",
        {record, number, role, caller.name, reason, int64_t{held->newcomer ? 1 : 0}, milliseconds(now)}));
    Decisions::Made decision = made(caller.name, "release.approved", facts.release, reason);
    decision.details.emplace_back("role", role);
    decision.details.emplace_back("evidence", cited(facts));
    if (held->newcomer) decision.details.emplace_back("new_approver", "true");
    TRY_DONE(parts_.decisions.append(tx, decision));
    TRY(facts.approvals, approvals_of(tx, record, number));
    if (approvals_gate(facts).state == GateState::passed)
      TRY_DONE(set_state(tx, facts.release, approved, now, 0, 0));
    return release_numbered(tx, record, number);
  });
}

Result<Release> Releases::reject(const identity::Caller& caller, const std::string& record, int64_t number,
                                 std::string_view role, std::string_view reason) {
  TRY_DONE(parts_.access.seen(parts_.database, caller, record));
  TRY_DONE(check_reason(reason));
  return parts_.database.write<Release>([&](sql::Transaction& tx) -> Result<Release> {
    TRY(const WallTime now, parts_.decisions.now(tx));
    TRY(const Facts facts, facts_of(tx, record, number, now));
    TRY(const ReleaseState rejected, next_state(facts.release.state, ReleaseEvent::reject));
    TRY_DONE(check_approver(tx, caller, facts, role));
    TRY_DONE(set_state(tx, facts.release, rejected, now, 0, 0));
    TRY_DONE(parts_.decisions.append(tx, made(caller.name, "release.rejected", facts.release, reason)));
    return release_numbered(tx, record, number);
  });
}

Result<Stepped> Releases::step(const identity::Caller& caller, const std::string& record, int64_t number,
                               Verb verb, std::string_view reason) {
  TRY(const StoredRecord stored, parts_.access.changeable(parts_.database, caller, record));
  TRY_DONE(check_reason(reason));
  return parts_.database.write<Stepped>([&](sql::Transaction& tx) -> Result<Stepped> {
    TRY(const WallTime now, parts_.decisions.now(tx));
    TRY(const Facts facts, facts_of(tx, record, number, now));
    return step(tx, caller, facts, verb, reason);
  });
}

namespace {

struct Wanted {
  Step step;
  ReleaseEvent event;
};

// What the verb means for a release in this state. An error for what the state machine does not know.
Result<Wanted> wanted_by(const Facts& facts, Releases::Verb verb, bool something_deployed) {
  Step step = Step::validate;
  switch (verb) {
    case Releases::Verb::validate:
      return Wanted{Step::validate, ReleaseEvent::validate};
    case Releases::Verb::canary:
      step = Step::canary;
      break;
    case Releases::Verb::deploy:
      step = Step::deploy;
      break;
    case Releases::Verb::promote: {
      const auto next = next_step(facts, something_deployed);
      if (!next)
        return fail(Code::conflict,
                    fmt::format("a release that is {} goes no further", state_name(facts.release.state)));
      if (*next == Step::validate) return Wanted{Step::validate, ReleaseEvent::validate};
      step = *next;
      break;
    }
  }
  if (step == Step::deploy) return Wanted{step, ReleaseEvent::deploy};
  const bool before_approval =
      facts.release.state == ReleaseState::candidate || facts.release.state == ReleaseState::validated;
  const bool excepted = verb == Releases::Verb::canary && before_approval && facts.exception.has_value();
  return Wanted{step, excepted ? ReleaseEvent::start_canary_by_exception : ReleaseEvent::start_canary};
}

Refusal refusal(const Release& release, std::vector<Missing> missing) {
  std::string message = fmt::format("release {} of {} cannot go on: ", release.number, release.record);
  for (size_t i = 0; i < missing.size(); ++i)
    message += (i == 0 ? "" : "; ") + missing[i].fact + ": " + missing[i].needs;
  return {std::move(message), std::move(missing)};
}

}  // namespace

Result<Stepped> Releases::step(sql::Transaction& tx, const identity::Caller& caller, const Facts& facts,
                               Verb verb, std::string_view reason) const {
  const Release& release = facts.release;
  TRY(const auto stable, release_in(tx, release.record, ReleaseState::deployed));
  TRY(const auto canary, release_in(tx, release.record, ReleaseState::canary));
  TRY(const Wanted wanted, wanted_by(facts, verb, stable.has_value()));
  const bool excepted = wanted.event == ReleaseEvent::start_canary_by_exception;
  // Waiting for approvals is no illegal step of a validated release, but one whose gates miss something.
  const bool waits = release.state == ReleaseState::validated && wanted.step != Step::validate && !excepted;
  std::optional<ReleaseState> to;
  if (!waits) {
    TRY(to, next_state(release.state, wanted.event));
  }
  if (facts.freeze && wanted.step != Step::validate) return fail(Code::conflict, freeze_gate(facts).reason);
  if (release.exception != 0 && wanted.step == Step::deploy)
    return fail(Code::conflict,
                "what is live under an exception is not deployed: register it again and bring evidence");
  if (!excepted) {
    const auto outcomes = ask_gates(facts, wanted.step);
    if (!all_passed(outcomes)) return Stepped(refusal(release, all_missing(outcomes)));
    if (waits) {  // A tier that asks for no approvals.
      TRY_DONE(next_state(release.state, ReleaseEvent::approve));
      TRY(to, next_state(ReleaseState::approved, wanted.event));
    }
  }
  if (wanted.step == Step::canary && !stable)
    return fail(Code::conflict, "there is no deployed release that a canary could be compared with");
  if (wanted.step == Step::canary && canary)
    return fail(Code::conflict, fmt::format("release {} is in canary already", canary->number));
  Decisions::Made decision = made(caller.name, "release." + std::string(state_name(*to)), release, reason);
  decision.details.emplace_back("evidence", cited(facts));
  if (excepted) decision.details.emplace_back("exception", std::to_string(facts.exception->id));
  TRY_DONE(parts_.decisions.append(tx, decision));
  if (wanted.step == Step::deploy && stable) {
    TRY(const ReleaseState superseded, next_state(stable->state, ReleaseEvent::supersede));
    TRY_DONE(set_state(tx, *stable, superseded, facts.now, 0, 0));
    TRY_DONE(parts_.decisions.append(tx, made(caller.name, "release.deprecated", *stable,
                                              fmt::format("release {} took over", release.number))));
  }
  const double percent = wanted.step == Step::canary ? facts.record.canary_percent : 0;
  TRY_DONE(set_state(tx, release, *to, facts.now, percent, excepted ? facts.exception->id : 0));
  TRY(Release now_is, release_numbered(tx, release.record, release.number));
  return Stepped(std::move(now_is));
}

Result<Release> Releases::retire(const identity::Caller& caller, const std::string& record, int64_t number,
                                 std::string_view reason) {
  TRY_DONE(parts_.access.changeable(parts_.database, caller, record));
  TRY_DONE(check_reason(reason));
  return parts_.database.write<Release>([&](sql::Transaction& tx) -> Result<Release> {
    TRY(const WallTime now, parts_.decisions.now(tx));
    TRY(const Release release, release_numbered(tx, record, number));
    TRY(const ReleaseState retired, next_state(release.state, ReleaseEvent::retire));
    TRY_DONE(set_state(tx, release, retired, now, 0, 0));
    TRY_DONE(parts_.decisions.append(tx, made(caller.name, "release.retired", release, reason)));
    return release_numbered(tx, record, number);
  });
}

Result<Release> Releases::roll_back(const identity::Caller& caller, const std::string& record, int64_t number,
                                    int64_t to, std::string_view reason) {
  TRY(const StoredRecord stored, parts_.access.seen(parts_.database, caller, record));
  TRY_DONE(parts_.access.check_operate(parts_.database, caller, stored));
  TRY_DONE(check_reason(reason));
  return parts_.database.write<Release>([&](sql::Transaction& tx) -> Result<Release> {
    TRY(const Release release, release_numbered(tx, record, number));
    TRY_DONE(roll_back(tx, stored.record, release, to, caller.name, reason));
    return release_numbered(tx, record, number);
  });
}

Result<int64_t> Releases::roll_back(sql::Transaction& tx, const Record& record, const Release& release,
                                    int64_t to, std::string_view actor, std::string_view reason) const {
  TRY(const WallTime now, parts_.decisions.now(tx));
  TRY(const ReleaseState rolled_back, next_state(release.state, ReleaseEvent::roll_back));
  std::optional<Release> target;
  if (release.state == ReleaseState::canary) {
    TRY(target, release_in(tx, release.record, ReleaseState::deployed));
    if (to != 0 && (!target || target->number != to))
      return fail(Code::conflict, "a canary goes back to the deployed release");
  } else {
    const bool fixed = to == 0 && !record.rollback.empty() && record.rollback != "previous";
    const int64_t wanted = fixed ? std::strtoll(record.rollback.c_str(), nullptr, 10) : to;
    if (wanted != 0 && wanted != release.number) {
      TRY(target, release_numbered(tx, release.record, wanted));
    } else {
      TRY(target, release_in(tx, release.record, ReleaseState::deprecated));
    }
    if (target) {
      TRY(const ReleaseState deployed, next_state(target->state, ReleaseEvent::reinstate));
      TRY_DONE(set_state(tx, *target, deployed, now, 0, 0));
    }
  }
  TRY_DONE(set_state(tx, release, rolled_back, now, 0, 0));
  if (release.exception != 0)
    TRY_DONE(tx.run("UPDATE govern_exceptions SET state = 'ended' WHERE id = ? AND state = 'live'",
                    {release.exception}));
  Decisions::Made decision = made(actor, "release.rolled_back", release, reason);
  decision.details.emplace_back("to", target ? std::to_string(target->number) : "none");
  TRY_DONE(parts_.decisions.append(tx, decision));
  return target ? target->number : 0;
}

}  // namespace holdfast::govern
