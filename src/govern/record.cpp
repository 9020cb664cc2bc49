#include "govern/record.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/yaml.h"

namespace holdfast::govern {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 4> tiers = {"prototype", "internal", "production", "regulated"};
constexpr std::array<std::string_view, 4> classes = {"public", "internal", "confidential", "restricted"};
constexpr size_t text_bytes_max = 4000, list_items_max = 100;

// Reads the fields of one object and notes what is wrong; what it read is taken out of the set of known
// names.
class Fields {
 public:
  Fields(const json::object& object, std::string prefix, std::vector<FieldProblem>& problems)
      : object_(object), prefix_(std::move(prefix)), problems_(problems) {}

  std::string text(std::string_view name) {
    const json::value* value = take(name);
    if (value == nullptr) return {};
    if (value->is_int64()) return std::to_string(value->get_int64());  // rollback: 3
    if (!value->is_string()) return complain(name, "is a text"), std::string();
    if (value->get_string().size() > text_bytes_max) return complain(name, "is too long"), std::string();
    return std::string(value->get_string());
  }
  std::vector<std::string> list(std::string_view name) {
    const json::value* value = take(name);
    std::vector<std::string> out;
    if (value == nullptr) return out;
    if (value->is_string()) return {std::string(value->get_string())};
    if (!value->is_array() || value->get_array().size() > list_items_max)
      return complain(name, "is a list of texts"), out;
    for (const json::value& item : value->get_array()) {
      if (!item.is_string()) return complain(name, "is a list of texts"), out;
      out.emplace_back(item.get_string());
    }
    return out;
  }
  std::optional<double> number(std::string_view name, double least, double most) {
    const json::value* value = take(name);
    if (value == nullptr) return std::nullopt;
    double number = 0;
    if (value->is_int64())
      number = static_cast<double>(value->get_int64());
    else if (value->is_double())
      number = value->get_double();
    else
      return complain(name, "is a number"), std::nullopt;
    if (!(number >= least && number <= most))
      return complain(name, fmt::format("is between {} and {}", least, most)), std::nullopt;
    return number;
  }
  const json::object* section(std::string_view name) {
    const json::value* value = take(name);
    if (value == nullptr) return nullptr;
    if (value->is_object()) return &value->get_object();
    complain(name, "is a section with fields of its own");
    return nullptr;
  }
  void end() {
    for (const auto& [key, value] : object_)
      if (std::find(known_.begin(), known_.end(), std::string_view(key)) == known_.end())
        complain(key, "is no field of a record");
  }
  void complain(std::string_view name, std::string why) {
    problems_.push_back({prefix_ + std::string(name), std::move(why)});
  }

 private:
  const json::value* take(std::string_view name) {
    known_.push_back(name);
    const json::value* value = object_.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  const json::object& object_;
  std::string prefix_;
  std::vector<FieldProblem>& problems_;
  std::vector<std::string_view> known_;
};

bool is_full_name(std::string_view text) {
  const size_t slash = text.find('/');
  return slash != std::string_view::npos && slash > 0 && slash + 1 < text.size() &&
         text.find('/', slash + 1) == std::string_view::npos;
}

void read_words(Fields& fields, Record& record) {
  record.id = fields.text("record");
  if (!is_full_name(record.id)) fields.complain("record", "is namespace/name");
  const std::string tier = fields.text("tier");
  if (const auto known = tier_of(tier.empty() ? "prototype" : tier))
    record.tier = *known;
  else
    fields.complain("tier", "is prototype, internal, production or regulated");
  record.environment = fields.text("environment");
  if (record.environment.empty()) record.environment = tier_name(record.tier);
  record.model = fields.text("model");
  if (!record.model.empty() && !is_full_name(record.model)) fields.complain("model", "is namespace/name");
  if (record.model.empty()) fields.complain("model", "is needed in every tier");
  const std::string data_class = fields.text("data_class");
  record.data_class = data_class_of(data_class);
  if (!data_class.empty() && !record.data_class)
    fields.complain("data_class", "is public, internal, confidential or restricted");
  record.purpose = fields.text("purpose");
  if (!record.purpose.empty() && record.purpose != "commercial" && record.purpose != "research" &&
      record.purpose != "internal")
    fields.complain("purpose", "is commercial, research or internal");
  record.rollback = fields.text("rollback");
  if (!record.rollback.empty() && record.rollback != "previous" &&
      record.rollback.find_first_not_of("0123456789") != std::string::npos)
    fields.complain("rollback", "is previous or a release's number");
}

void read_sections(Fields& fields, Record& record, std::vector<FieldProblem>& problems) {
  if (const json::object* section = fields.section("evaluation")) {
    Fields inner(*section, "evaluation.", problems);
    record.dataset = inner.text("dataset");
    record.split = inner.text("split");
    record.text = inner.text("text");
    record.label = inner.text("label");
    inner.end();
  }
  if (const json::object* section = fields.section("monitoring")) {
    record.monitored = true;
    Fields inner(*section, "monitoring.", problems);
    record.accuracy_drop_max = inner.number("accuracy_drop_max", 0, 1).value_or(record.accuracy_drop_max);
    record.false_alarms_max = inner.number("false_alarms_max", 0.0001, 0.5).value_or(record.false_alarms_max);
    record.p95_ms_max = inner.number("p95_ms_max", 0, 1e7);
    inner.end();
  }
  if (const json::object* section = fields.section("deployment")) {
    Fields inner(*section, "deployment.", problems);
    record.deployment = inner.text("kind");
    record.canary_percent = inner.number("canary_percent", 0, 50).value_or(record.canary_percent);
    inner.end();
  }
}

}  // namespace

std::string_view tier_name(Tier tier) { return tiers[static_cast<size_t>(tier)]; }
std::optional<Tier> tier_of(std::string_view name) {
  for (size_t i = 0; i < tiers.size(); ++i)
    if (tiers[i] == name) return static_cast<Tier>(i);
  return std::nullopt;
}
std::string_view data_class_name(DataClass data_class) { return classes[static_cast<size_t>(data_class)]; }
std::optional<DataClass> data_class_of(std::string_view name) {
  for (size_t i = 0; i < classes.size(); ++i)
    if (classes[i] == name) return static_cast<DataClass>(i);
  return std::nullopt;
}

ReadRecord read_record(const json::object& object) {
  ReadRecord read;
  Record& record = read.record;
  Fields fields(object, "", read.problems);
  read_words(fields, record);
  record.use = fields.text("use");
  record.owner = fields.text("owner");
  record.oncall = fields.list("oncall");
  record.task = fields.text("task");
  record.features = fields.list("features");
  record.prompt = fields.text("prompt");
  record.preprocessing = fields.text("preprocessing");
  read_sections(fields, record, read.problems);
  fields.end();
  return read;
}

Result<ReadRecord> read_record_text(std::string_view text) {
  TRY(const json::value value, codec::parse_yaml(text));  // JSON is YAML.
  if (!value.is_object()) return fail(Reason::bad_request, "a record is a list of fields: 'use: …'");
  return read_record(value.get_object());
}

std::vector<FieldProblem> missing_fields(const Record& record) {
  std::vector<FieldProblem> missing;
  const auto need = [&](Tier from, bool there, const char* field, const char* what_for) {
    if (record.tier >= from && !there) missing.push_back({field, what_for});
  };
  need(Tier::internal, !record.use.empty(), "use", "what the model is used for");
  need(Tier::internal, !record.owner.empty(), "owner", "who answers for it");
  need(Tier::production, !record.oncall.empty(), "oncall", "who is called when it breaks");
  need(Tier::internal, !record.task.empty(), "task", "what the model does");
  need(Tier::internal, !record.features.empty(), "features", "which features call it");
  need(Tier::internal, record.data_class.has_value(), "data_class", "how sensitive its inputs are");
  need(Tier::internal, !record.purpose.empty(), "purpose", "what the licences are checked for");
  need(Tier::production, !record.prompt.empty(), "prompt", "its prompt's file, or none");
  need(Tier::production, !record.preprocessing.empty(), "preprocessing", "its preprocessing, or none");
  need(Tier::internal, !record.dataset.empty(), "evaluation.dataset",
       "which data of your own it is judged on");
  need(Tier::production, record.monitored, "monitoring", "what is watched and when it is too bad");
  need(Tier::production, !record.rollback.empty(), "rollback", "where traffic goes when it fails");
  need(Tier::production, !record.deployment.empty(), "deployment.kind", "hosted or attached");
  return missing;
}

json::object record_json(const Record& record) {
  json::object monitoring{{"accuracy_drop_max", record.accuracy_drop_max},
                          {"false_alarms_max", record.false_alarms_max}};
  if (record.p95_ms_max) monitoring["p95_ms_max"] = *record.p95_ms_max;
  json::object evaluation{{"dataset", record.dataset}, {"split", record.split}};
  if (!record.text.empty()) evaluation["text"] = record.text;
  if (!record.label.empty()) evaluation["label"] = record.label;
  return {
      {"record", record.id},
      {"use", record.use},
      {"owner", record.owner},
      {"oncall", json::array(record.oncall.begin(), record.oncall.end())},
      {"tier", tier_name(record.tier)},
      {"environment", record.environment},
      {"model", record.model},
      {"task", record.task},
      {"features", json::array(record.features.begin(), record.features.end())},
      {"data_class",
       record.data_class ? json::value(data_class_name(*record.data_class)) : json::value(nullptr)},
      {"purpose", record.purpose},
      {"prompt", record.prompt},
      {"preprocessing", record.preprocessing},
      {"evaluation", std::move(evaluation)},
      {"monitoring", record.monitored ? json::value(std::move(monitoring)) : json::value(nullptr)},
      {"rollback", record.rollback},
      {"deployment", json::object{{"kind", record.deployment}, {"canary_percent", record.canary_percent}}}};
}

}  // namespace holdfast::govern
