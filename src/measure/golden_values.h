#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "measure/drift.h"

namespace holdfast::measure {

// The committed answers, for tests.
inline const boost::json::value& golden(std::string_view part) {
  static const boost::json::value all = [] {
    std::ifstream in("tests/golden/measure/golden.json");
    return boost::json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
  }();
  return all.as_object().at(part);
}

inline double number(const boost::json::value& value) { return value.to_number<double>(); }
inline std::vector<double> numbers(const boost::json::value& value) {
  std::vector<double> out;
  for (const auto& one : value.as_array()) out.push_back(number(one));
  return out;
}
inline std::vector<int> whole_numbers(const boost::json::value& value) {
  std::vector<int> out;
  for (const auto& one : value.as_array()) out.push_back(static_cast<int>(one.as_int64()));
  return out;
}
inline std::vector<std::string> texts(const boost::json::value& value) {
  std::vector<std::string> out;
  for (const auto& one : value.as_array()) out.emplace_back(one.as_string());
  return out;
}
inline Categories categories(const boost::json::value& value) {
  Categories out;
  for (const auto& [name, count] : value.as_object())
    out[std::string(name)] = static_cast<size_t>(count.as_int64());
  return out;
}

}  // namespace holdfast::measure
