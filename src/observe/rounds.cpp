#include "observe/rounds.h"

#include "govern/registry.h"
#include "sql/database.h"

namespace holdfast::observe {
namespace {

constexpr std::string_view keeper = "(objectives)";

Promise promise_of(const govern::Record& record, Promise usual) {
  if (record.p95_ms_max) {
    usual.latency = std::chrono::milliseconds(static_cast<int64_t>(*record.p95_ms_max));
    usual.said = Promise::Latency::own;
  }
  return usual;
}

}  // namespace

Rounds::Rounds(const Parts& parts)
    : parts_(parts),
      standing_({.database = parts.database,
                 .live = parts.registry.live,
                 .decisions = parts.registry.decisions,
                 .auditor = parts.auditor,
                 .names = parts.desk.names(),
                 .clock = parts.clock,
                 .log = parts.log,
                 .metrics = parts.metrics}) {}

// A person's unfreezing stands: only a budget that begins to burn again freezes again.
Status Rounds::freeze(const govern::LiveSnapshot& live, const std::string& record) {
  const govern::Governed* governed = live.named(record);
  if (governed == nullptr || governed->stored.freeze) return Done{};
  parts_.log.warn("error_budget_burns", {{"record", record}});
  return parts_.database.write([&](sql::Transaction& tx) {
    return parts_.registry.records.freeze(
        tx, record, keeper, "the error budget burns more than four times too fast (1 h and 5 min)");
  });
}

Status Rounds::tick() {
  TRY(const auto live, parts_.registry.live.look());
  const auto now = parts_.clock.now();
  Objectives& objectives = parts_.desk.objectives();
  if (live->generation != generation_)
    for (const govern::Governed& governed : live->records) {
      const govern::Record& record = governed.stored.record;
      objectives.promise(record.id, promise_of(record, objectives.usual()));
      parts_.desk.expect(record.id,
                         record.task == "text-classification" ? Expected::labels : Expected::anything);
    }
  if (!loaded_) {
    TRY_DONE(objectives.load(parts_.database));
    loaded_ = true;
  }
  for (const std::string& record : objectives.refresh()) TRY_DONE(freeze(*live, record));
  if (live->generation != generation_ || now >= standing_at_) {
    standing_at_ = now + standing_step;
    generation_ = live->generation;
    TRY_DONE(standing_.refresh());
  }
  if (++ticks_ % saving_ticks == 0) TRY_DONE(objectives.save(parts_.database));
  TRY_DONE(parts_.desk.drift().tick(parts_.database));
  if (parts_.shadow == nullptr || parts_.asker == nullptr) return Done{};
  return parts_.shadow->tick(*parts_.asker);
}

Status Rounds::finish() { return loaded_ ? parts_.desk.objectives().save(parts_.database) : Status(Done{}); }

}  // namespace holdfast::observe
