#include "govern/evaluation_rows.h"

#include <fmt/format.h>

#include <boost/json/value.hpp>
#include <cmath>
#include <map>
#include <optional>

#include "codec/json.h"

namespace holdfast::govern {
namespace {

namespace json = boost::json;

constexpr double accuracy_slack = 1e-6;

struct Count {
  int64_t rows = 0, right = 0;
  double share() const { return rows == 0 ? 0 : static_cast<double>(right) / static_cast<double>(rows); }
};

std::optional<double> figure(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value != nullptr && value->is_object()) value = value->get_object().if_contains("value");
  if (value == nullptr) return std::nullopt;
  if (value->is_double()) return value->get_double();
  if (value->is_int64()) return static_cast<double>(value->get_int64());
  return std::nullopt;
}

Status check_share(const std::optional<double>& claimed, const Count& counted, std::string_view of) {
  if (!claimed || std::abs(*claimed - counted.share()) <= accuracy_slack) return Done{};
  return fail(Reason::bad_request,
              fmt::format("'rows': {} is {:.6f} by the rows, not {:.6f}", of, counted.share(), *claimed));
}

}  // namespace

Status check_evaluation_rows(const json::object& body, const std::vector<json::object>& rows) {
  TRY(const int64_t claimed_rows, codec::json_integer(body, "rows"));
  if (claimed_rows != static_cast<int64_t>(rows.size()))
    return fail(Reason::bad_request,
                fmt::format("'rows': the evaluation says {} and brings {}", claimed_rows, rows.size()));
  Count all;
  std::map<std::string, Count> slices;
  for (const json::object& row : rows) {
    TRY(const std::string_view label, codec::json_text(row, "label"));
    TRY(const std::string_view predicted, codec::json_text(row, "predicted"));
    const int right = label == predicted ? 1 : 0;
    ++all.rows;
    all.right += right;
    for (const auto& [key, value] : row) {
      if (!value.is_string() || key == "label" || key == "predicted") continue;
      Count& slice =
          slices[fmt::format("{}:{}", std::string_view(key), std::string_view(value.get_string()))];
      ++slice.rows;
      slice.right += right;
    }
  }
  TRY(const json::object* metrics, codec::json_object_if(body, "metrics"));
  if (metrics != nullptr) TRY_DONE(check_share(figure(*metrics, "accuracy"), all, "accuracy"));
  TRY(const json::object* claimed, codec::json_object_if(body, "slices"));
  if (claimed == nullptr) return Done{};
  for (const auto& [name, value] : *claimed) {
    if (!value.is_object()) return fail(Reason::bad_request, "'slices' holds objects");
    const auto slice = slices.find(std::string(name));
    const Count counted = slice == slices.end() ? Count{} : slice->second;
    const auto rows_of = figure(value.get_object(), "rows");
    if (rows_of && *rows_of != static_cast<double>(counted.rows))
      return fail(Reason::bad_request, fmt::format("'slices': {} has {} rows, not {}", std::string_view(name),
                                                   counted.rows, *rows_of));
    TRY_DONE(check_share(figure(value.get_object(), "accuracy"), counted, std::string(name) + " accuracy"));
  }
  return Done{};
}

}  // namespace holdfast::govern
