#pragma once

#include <boost/json/fwd.hpp>

#include "model/structured/grammar.h"

namespace holdfast::model::structured {

// A grammar whose every text is a JSON value that the schema accepts (docs/formats/structured-output.md lists
// the keywords). A keyword that is not known is bad_request with its JSON pointer, never passed over.
// `true` or {}: any JSON value.
Result<Grammar> grammar_of_schema(const boost::json::value& schema);

}  // namespace holdfast::model::structured
