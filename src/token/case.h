#pragma once

#include <boost/json/fwd.hpp>

#include "token/tokenizer.h"

namespace holdfast::token {

// One line of the tokenizer reference data: `op` names a call, the other fields are its arguments, the answer
// has the fields of the golden (docs/formats/tokenize-cases.md). What the call refuses is {"error": message};
// a case that is not one is bad_request.
Result<boost::json::object> run_case(const Tokenizer& tokenizer, const boost::json::object& wanted);

}  // namespace holdfast::token
