#include "serve/fallbacks.h"

#include <array>

#include "sql/database.h"

namespace holdfast::serve {
namespace {

constexpr std::array<std::string_view, 3> kind_names = {"model", "endpoint", "answer"};
constexpr size_t endpoints_max = 100'000;

}  // namespace

std::string_view fallback_kind_name(FallbackStep::Kind kind) { return kind_names[static_cast<size_t>(kind)]; }

std::optional<FallbackStep::Kind> fallback_kind_of_name(std::string_view name) {
  for (size_t i = 0; i < kind_names.size(); ++i)
    if (kind_names[i] == name) return static_cast<FallbackStep::Kind>(i);
  return std::nullopt;
}

Fallbacks::Fallbacks(const Parts& parts)
    : parts_(parts),
      breakers_({}, parts.clock, parts.metrics),
      failed_(parts.metrics.counter("holdfast_serve_fallbacks_total",
                                    "Requests that an endpoint could not answer, by what did.",
                                    {{"by", "nothing"}})) {
  for (size_t i = 0; i < kind_names.size(); ++i)
    used_[i] = &parts.metrics.counter("holdfast_serve_fallbacks_total",
                                      "Requests that an endpoint could not answer, by what did.",
                                      {{"by", std::string(kind_names[i])}});
}

Result<std::unique_ptr<Fallbacks>> Fallbacks::open(const Parts& parts) {
  std::unique_ptr<Fallbacks> out(new Fallbacks(parts));
  std::map<std::string, FallbackChain> chains;
  TRY_DONE(parts.database.read([&](sql::Transaction& tx) -> Status {
    chains.clear();
    return tx.query("SELECT endpoint, kind, target, timeout FROM serve_fallbacks ORDER BY endpoint, position",
                    {}, [&](const sql::Row& row) {
                      FallbackChain& chain = chains[row.text(0)];
                      if (const auto kind = fallback_kind_of_name(row.text(1)))
                        chain.steps.push_back({*kind, row.text(2)});
                      chain.timeout = std::chrono::milliseconds(row.integer(3));
                      return chains.size() <= endpoints_max;
                    });
  }));
  for (auto& [endpoint, chain] : chains)
    out->chains_[endpoint] = std::make_shared<const FallbackChain>(std::move(chain));
  return out;
}

std::shared_ptr<const FallbackChain> Fallbacks::chain_of(const std::string& endpoint) const {
  std::lock_guard lock(mutex_);
  const auto found = chains_.find(endpoint);
  return found == chains_.end() ? nullptr : found->second;
}

Status Fallbacks::set(const std::string& endpoint, FallbackChain chain) {
  if (chain.steps.size() > fallback_steps_max)
    return fail(Reason::bad_request, "a chain has at most 8 steps");
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(tx.run("DELETE FROM serve_fallbacks WHERE endpoint = ?", {endpoint}));
    for (size_t i = 0; i < chain.steps.size(); ++i)
      TRY_DONE(tx.run(
          "INSERT INTO serve_fallbacks (endpoint, position, kind, target, timeout) VALUES (?, ?, ?, ?, ?)",
          {endpoint, static_cast<int64_t>(i), fallback_kind_name(chain.steps[i].kind), chain.steps[i].target,
           static_cast<int64_t>(chain.timeout.count())}));
    return Done{};
  }));
  std::lock_guard lock(mutex_);
  if (chain.steps.empty())
    chains_.erase(endpoint);
  else
    chains_[endpoint] = std::make_shared<const FallbackChain>(std::move(chain));
  return Done{};
}

}  // namespace holdfast::serve
