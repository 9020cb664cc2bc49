#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "api/call.h"
#include "api/endpoint_call.h"

namespace holdfast::api {

struct Services;

// Whether an engine answers this the same every time: vectors, classes, tokens and tensors, and what is
// written at temperature 0 or, by text-generation-inference, without sampling. `rest` is below its address.
bool is_deterministic(std::string_view engine, std::string_view rest, std::string_view body);

// Why an engine gave no answer, as its endpoint's callers are told: not where it is.
Error without_address(Error error);

// What an engine said, as far as it is told on.
struct EngineAnswer {
  std::string content_type, kserve_length, body;
};

// Where an engine's answer to one request lies among the kept ones, by the endpoint, its revision, the engine
// and its address, the whole request, and on whose behalf. Does nothing where it is not kept: it is not
// deterministic, or its caller does not want it.
class KeptEngineAnswer {
 public:
  KeptEngineAnswer(const Services& services, const Call& call, const govern::Endpoint& endpoint,
                   const govern::Attachment& attachment, const InnerRequest& request, std::string_view rest);

  bool wanted() const { return key_.has_value(); }
  std::optional<EngineAnswer> find() const;
  void keep(const EngineAnswer& answer) const;

 private:
  const Services& services_;
  std::optional<std::array<std::byte, 32>> key_;
};

}  // namespace holdfast::api
