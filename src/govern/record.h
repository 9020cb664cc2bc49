#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::govern {

// How much is at stake; each tier asks for more than the one before it.
enum class Tier : uint8_t { prototype, internal, production, regulated };
// How sensitive data is; each class more than the one before it.
enum class DataClass : uint8_t { public_, internal, confidential, restricted };

std::string_view tier_name(Tier tier);
std::optional<Tier> tier_of(std::string_view name);
std::string_view data_class_name(DataClass data_class);
std::optional<DataClass> data_class_of(std::string_view name);

// What a model is used for and under which conditions: `registry.yaml` beside an application. A field that
// the tier needs may still be missing; the gate `record` says so. A value.
struct Record {
  std::string id;  // "ns/name"
  std::string use, owner;
  std::vector<std::string> oncall;  // Whom to call, in order.
  Tier tier = Tier::prototype;
  std::string environment;  // Never empty: the tier's name where the file says nothing.
  std::string model;        // "ns/name"
  std::string task;
  std::vector<std::string> features;
  std::optional<DataClass> data_class;
  std::string purpose;                // "commercial", "research", "internal"
  std::string prompt, preprocessing;  // "none", or a file in the model's repository; empty: not stated.
  std::string dataset, split;         // Of the evaluation.
  std::string text, label;            // Its columns; empty: as they are called usually.
  double accuracy_drop_max = 0.05;    // Monitoring: what a canary may lose before it is called worse.
  double false_alarms_max = 0.01;
  std::optional<double> p95_ms_max;
  bool monitored = false;  // The file has a section `monitoring`.
  std::string rollback;    // "previous", or a release's number.
  std::string deployment;  // "hosted", "attached"
  double canary_percent = 5;

  std::string_view ns() const { return std::string_view(id).substr(0, id.find('/')); }
};

struct FieldProblem {
  std::string field, why;
};

// Either a record or what is wrong with the file, field by field: unknown names, wrong types, values out of
// range. `object` is what the file parsed to.
struct ReadRecord {
  Record record;
  std::vector<FieldProblem> problems;
};
ReadRecord read_record(const boost::json::object& object);
// As YAML or JSON text. bad_request where it is neither.
Result<ReadRecord> read_record_text(std::string_view text);

// The fields that the record's tier needs and that are missing, and what each is for.
std::vector<FieldProblem> missing_fields(const Record& record);

// With its defaults filled in; the same record gives the same text.
boost::json::object record_json(const Record& record);

}  // namespace holdfast::govern
