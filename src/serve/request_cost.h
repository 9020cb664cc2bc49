#pragma once

#include <string_view>

#include "serve/worker_protocol.h"

namespace holdfast::serve {

// About how many tokens a request is, before anybody counted: what turns and forecasts go by. A text has a
// token every four bytes and one more; an answer to be written is as long as it may become.
double cost_of(const EmbedItem& item);
double cost_of(const EmbedItem& item, size_t input);
double cost_of_generation(std::string_view request);

}  // namespace holdfast::serve
