#include "observe/metric_aliases.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <optional>
#include <vector>

#include "observe/endpoint_figures.h"

namespace holdfast::observe {
namespace {

enum class Kind : uint8_t { counter, histogram, summary };

// Where a figure goes: all samples of `ours` whose label has the value, or has not where it begins with '!'.
struct Rule {
  AliasOf of;
  const char* alias;
  Kind kind;
  const char *ours, *label, *value;
  double sign = 1;           // Of a counter's samples, which are added up.
  const char* part = "";     // Of a summary: "_sum", "_count".
  const char* kept_as = "";  // The label under another name; else it goes.
};

constexpr const char *requests = "holdfast_serve_requests_total",
                     *stages = "holdfast_serve_stage_duration_seconds",
                     *all = "holdfast_serve_request_duration_seconds",
                     *tokens = "holdfast_serve_tokens_total",
                     *written = "holdfast_serve_written_tokens_total",
                     *first = "holdfast_serve_time_to_first_token_seconds",
                     *between = "holdfast_serve_time_between_tokens_seconds";
constexpr Rule rules[] = {
    {AliasOf::tgi, "tgi_request_count", Kind::counter, requests, "outcome", "!"},
    {AliasOf::tgi, "tgi_request_success", Kind::counter, requests, "outcome", "answered"},
    {AliasOf::tgi, "tgi_request_failure", Kind::counter, requests, "outcome", "!answered", 1, "", "err"},
    {AliasOf::tgi, "tgi_request_duration", Kind::histogram, all, "", ""},
    {AliasOf::tgi, "tgi_request_queue_duration", Kind::histogram, stages, "stage", "queue"},
    {AliasOf::tgi, "tgi_request_inference_duration", Kind::histogram, stages, "stage", "model"},
    {AliasOf::tgi, "tgi_request_mean_time_per_token_duration", Kind::histogram, between, "", ""},
    {AliasOf::tgi, "tgi_request_generated_tokens", Kind::summary, written, "", "", 1, "_sum"},
    {AliasOf::tgi, "tgi_request_generated_tokens", Kind::summary, requests, "outcome", "answered", 1,
     "_count"},
    {AliasOf::tei, "te_request_count", Kind::counter, requests, "outcome", "!"},
    {AliasOf::tei, "te_request_success", Kind::counter, requests, "outcome", "answered"},
    {AliasOf::tei, "te_request_failure", Kind::counter, requests, "outcome", "!answered", 1, "", "err"},
    {AliasOf::tei, "te_request_duration", Kind::histogram, all, "", ""},
    {AliasOf::tei, "te_request_tokenization_duration", Kind::histogram, stages, "stage", "tokenize"},
    {AliasOf::tei, "te_request_queue_duration", Kind::histogram, stages, "stage", "queue"},
    {AliasOf::tei, "te_request_inference_duration", Kind::histogram, stages, "stage", "model"},
    {AliasOf::vllm, "vllm:request_success_total", Kind::counter, requests, "outcome", "answered"},
    {AliasOf::vllm, "vllm:prompt_tokens_total", Kind::counter, tokens, "", ""},
    {AliasOf::vllm, "vllm:prompt_tokens_total", Kind::counter, written, "", "", -1},
    {AliasOf::vllm, "vllm:generation_tokens_total", Kind::counter, written, "", ""},
    {AliasOf::vllm, "vllm:e2e_request_latency_seconds", Kind::histogram, all, "", ""},
    {AliasOf::vllm, "vllm:request_queue_time_seconds", Kind::histogram, stages, "stage", "queue"},
    {AliasOf::vllm, "vllm:request_inference_time_seconds", Kind::histogram, stages, "stage", "model"},
    {AliasOf::vllm, "vllm:time_to_first_token_seconds", Kind::histogram, first, "", ""},
    {AliasOf::vllm, "vllm:inter_token_latency_seconds", Kind::histogram, between, "", ""},
};

// What follows the family's name: "", "_bucket", "_sum", "_count"; nothing where it is another family.
std::optional<std::string_view> suffix_of(const Rule& rule, std::string_view name) {
  if (!name.starts_with(rule.ours)) return std::nullopt;
  name.remove_prefix(std::string_view(rule.ours).size());
  if (rule.kind != Kind::histogram) return name.empty() ? std::optional(name) : std::nullopt;
  for (const std::string_view suffix : {"_bucket", "_sum", "_count"})
    if (name == suffix) return suffix;
  return std::nullopt;
}

// Its labels as the alias has them; nothing where the rule is not of this sample.
std::optional<std::string> labels_of(const Rule& rule, const FigureSample& sample) {
  const std::string_view wanted = rule.value;
  std::string out;
  for (const auto& [name, value] : sample.labels) {
    std::string_view shown = name == "endpoint" ? "model_name" : name;
    if (!std::string_view(rule.label).empty() && name == rule.label) {
      const bool other = wanted.starts_with('!');
      if (other ? value == wanted.substr(1) : value != wanted) return std::nullopt;
      shown = rule.kept_as;
      if (shown.empty()) continue;
    }
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", shown, value);
  }
  return out;
}

const char* type_name(Kind kind) {
  switch (kind) {
    case Kind::counter:
      return "counter";
    case Kind::histogram:
      return "histogram";
    case Kind::summary:
      return "summary";
  }
  return "untyped";
}

struct Family {
  Kind kind = Kind::counter;
  std::string lines;                     // Of a histogram, as they came.
  std::map<std::string, double> totals;  // Else: by part and labels.
};

void add(const Rule& rule, const FigureSample& sample, Family& family) {
  const auto suffix = suffix_of(rule, sample.name);
  if (!suffix) return;
  const auto labels = labels_of(rule, sample);
  if (!labels) return;
  if (rule.kind == Kind::histogram) {
    family.lines += fmt::format("{}{}{{{}}} {}\n", rule.alias, *suffix, *labels, sample.value);
    return;
  }
  double value = 0;
  std::from_chars(sample.value.data(), sample.value.data() + sample.value.size(), value);
  family.totals[fmt::format("{}{}{{{}}}", rule.alias, rule.part, *labels)] += rule.sign * value;
}

}  // namespace

Result<AliasSet> parse_aliases(std::string_view names) {
  AliasSet out;
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find(','));
    names.remove_prefix(std::min(name.size() + 1, names.size()));
    if (name == "tgi")
      out.insert(AliasOf::tgi);
    else if (name == "tei")
      out.insert(AliasOf::tei);
    else if (name == "vllm")
      out.insert(AliasOf::vllm);
    else
      return fail(Reason::bad_request, "metrics.aliases is some of tgi, tei and vllm, with commas between");
  }
  return out;
}

std::string metric_aliases(std::string_view exposition, const AliasSet& wanted) {
  std::map<std::string_view, Family> families;
  while (!exposition.empty()) {
    const std::string_view line = exposition.substr(0, exposition.find('\n'));
    exposition.remove_prefix(std::min(line.size() + 1, exposition.size()));
    if (!line.starts_with("holdfast_serve_")) continue;
    const auto sample = read_figure(line);
    if (!sample) continue;
    for (const Rule& rule : rules) {
      if (!wanted.contains(rule.of)) continue;
      Family& family = families[rule.alias];
      family.kind = rule.kind;
      add(rule, *sample, family);
    }
  }
  std::string out;
  for (const auto& [name, family] : families) {
    if (family.lines.empty() && family.totals.empty()) continue;
    out += fmt::format("# HELP {} Another name of a figure of ours.\n# TYPE {} {}\n{}", name, name,
                       type_name(family.kind), family.lines);
    for (const auto& [series, value] : family.totals) out += fmt::format("{} {}\n", series, value);
  }
  return out;
}

}  // namespace holdfast::observe
