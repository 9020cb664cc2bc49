#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace holdfast::api {

// Requests and answers of the open inference protocol, version 2, as JSON or with the binary extension
// (docs/formats/kserve.md).

inline constexpr std::string_view kserve_length_header = "Inference-Header-Content-Length";
inline constexpr size_t kserve_tensors_max = 64, kserve_elements_max = 4096;
inline constexpr int64_t kserve_classes_max = 1000;

// One tensor of texts; others are told by their datatype and have none.
struct KserveInput {
  std::string name, datatype;
  std::vector<uint64_t> shape;
  std::vector<std::string> texts;
};

struct KserveWish {
  std::string name;
  bool binary = false;
  int64_t classes = 0;  // The likeliest so many, as texts "score:index:label"; 0: the tensor itself.
};

struct KserveCall {
  std::string id;
  boost::json::object parameters;
  std::vector<KserveInput> inputs;
  std::vector<KserveWish> outputs;  // Empty: all there are.
  bool binary_outputs = false;      // Where `outputs` does not say.
};

// `json_length`: of the header that says how much of the body is JSON; none: all of it. bad_request says what
// is wrong with which tensor.
Result<KserveCall> read_kserve_call(std::string_view body, std::optional<std::string_view> json_length);

struct KserveOutput {
  std::string name;
  std::vector<uint64_t> shape;
  std::variant<std::vector<std::string>, std::vector<float>> data;  // BYTES or FP32, row by row.
};

struct KserveAnswer {
  std::string body;
  std::optional<size_t> json_length;  // Of one with binary tensors behind its JSON.
};

// bad_request where the call wishes for an output that there is not.
Result<KserveAnswer> write_kserve_answer(const KserveCall& call, std::string_view model,
                                         std::string_view version, const std::vector<KserveOutput>& outputs);

}  // namespace holdfast::api
