#include "observe/request_probe.h"

#include <vector>

namespace holdfast::observe {
namespace {

// Edges at the times that objectives name: 0.2, 0.3, 0.5.
const std::vector<double> seconds_bounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25,
                                            0.3,   0.4,    0.5,   0.75, 1,     2.5,  5,   10,   30,  60};
const std::vector<double> stage_bounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                          0.05,   0.1,     0.25,   0.5,   1,      2.5,   10,   60};

double seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

std::string_view stage_name(Stage stage) {
  switch (stage) {
    case Stage::queue:
      return "queue";
    case Stage::load:
      return "load";
    case Stage::tokenize:
      return "tokenize";
    case Stage::model:
      return "model";
    case Stage::post:
      return "post";
    case Stage::guard:
      return "guard";
  }
  return "post";
}

RequestProbe::Row& RequestProbe::row(const Series& series) {
  const auto known = rows_.find(series);
  if (known != rows_.end()) return known->second;
  Row& made = rows_[series];
  const MetricLabels labels{{"endpoint", series.endpoint}, {"version", series.version}};
  const auto with = [&](const char* name, std::string_view value) {
    MetricLabels more = labels;
    more.emplace_back(name, value);
    return more;
  };
  const auto counter = [&](const char* name, const char* help) {
    return &metrics_.counter(name, help, labels);
  };
  for (int i = 0; i < outcome_count; ++i)
    made.requests[static_cast<size_t>(i)] =
        &metrics_.counter("holdfast_serve_requests_total", "Requests to models by how they ended.",
                          with("outcome", outcome_name(static_cast<Outcome>(i))));
  for (int i = 0; i < stage_count; ++i)
    made.stages[static_cast<size_t>(i)] = &metrics_.histogram(
        "holdfast_serve_stage_duration_seconds", "What each stage of an answered request took.", stage_bounds,
        with("stage", stage_name(static_cast<Stage>(i))));
  made.seconds =
      &metrics_.histogram("holdfast_serve_request_duration_seconds",
                          "From admission to answer, loading of the model included.", seconds_bounds, labels);
  made.cold_seconds =
      &metrics_.histogram("holdfast_serve_cold_request_duration_seconds",
                          "The same, of requests that met a model not loaded yet.", seconds_bounds, labels);
  made.cached_seconds = &metrics_.histogram(
      "holdfast_serve_cached_request_duration_seconds",
      "The same, of requests that were answered from kept answers alone.", seconds_bounds, labels);
  made.first_token = &metrics_.histogram(
      "holdfast_serve_time_to_first_token_seconds",
      "Of written answers, from admission until the first of it was there.", seconds_bounds, labels);
  made.between_tokens =
      &metrics_.histogram("holdfast_serve_time_between_tokens_seconds",
                          "Of written answers, from one token to the next on average.", stage_bounds, labels);
  made.written = counter("holdfast_serve_written_tokens_total", "Tokens that models wrote.");
  made.items = counter("holdfast_serve_items_total", "Inputs that were answered.");
  made.tokens = counter("holdfast_serve_tokens_total", "Tokens of inputs that were answered.");
  made.unknown =
      counter("holdfast_serve_unknown_tokens_total", "Tokens for what the vocabulary does not know.");
  made.cold = counter("holdfast_serve_cold_requests_total", "Requests that met a model not loaded yet.");
  made.busy =
      counter("holdfast_serve_worker_seconds_total", "Time of a worker that requests took, each its share.");
  made.cost =
      counter("holdfast_serve_cost_total", "What that time cost, in the currency of cost.worker-hour.");
  made.cost_each = &metrics_.gauge("holdfast_serve_cost_per_prediction",
                                   "Cost of an answered input since the start, in that currency.", labels);
  return made;
}

void RequestProbe::count_cost(Row& row, const Answered& answered) {
  const double busy = seconds(answered.work.busy), cost = busy * price_per_second_;
  row.busy->add(busy);
  row.cost->add(cost);
  row.spent += cost;
  row.predictions += static_cast<double>(answered.work.inputs);
  if (row.predictions > 0) row.cost_each->set(row.spent / row.predictions);
}

void RequestProbe::count_error(const Series& series, ErrorClass error_class) {
  metrics_
      .counter("holdfast_serve_errors_total", "Requests that were not answered well, by class.",
               {{"endpoint", series.endpoint},
                {"version", series.version},
                {"class", std::string(error_class_name(error_class))}})
      .add();
}

void RequestProbe::turned_away(ErrorClass error_class) { count_error({"none", "none"}, error_class); }

void RequestProbe::ended(const Series& series, const Answered& answered, const Judgement& judgement) {
  const serve::Work& work = answered.work;
  std::lock_guard lock(mutex_);
  Row& counted = row(series);
  counted.requests[static_cast<size_t>(judgement.outcome)]->add();
  if (judgement.error_class) count_error(series, *judgement.error_class);
  if (work.cold()) counted.cold->add();
  count_cost(counted, answered);
  if (judgement.outcome != Outcome::answered) return;
  counted.seconds->observe(seconds(answered.took));
  if (work.cold()) counted.cold_seconds->observe(seconds(answered.took));
  if (work.cached_inputs > 0 && work.missed_inputs == 0)
    counted.cached_seconds->observe(seconds(answered.took));
  counted.items->add(static_cast<double>(work.inputs));
  counted.tokens->add(static_cast<double>(work.tokens));
  counted.written->add(static_cast<double>(work.written_tokens));
  if (work.first_token.count() > 0) counted.first_token->observe(seconds(work.first_token));
  if (work.between_tokens.count() > 0) counted.between_tokens->observe(seconds(work.between_tokens));
  counted.unknown->add(static_cast<double>(work.unknown_tokens));
  const auto stage = [&](Stage which, std::chrono::nanoseconds time) {
    counted.stages[static_cast<size_t>(which)]->observe(seconds(time));
  };
  stage(Stage::queue, work.queue);
  stage(Stage::load, work.load);
  stage(Stage::tokenize, work.tokenize);
  stage(Stage::model, work.model);
  stage(Stage::post, judgement.post);
  stage(Stage::guard, work.guard);
}

}  // namespace holdfast::observe
