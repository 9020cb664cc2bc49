#pragma once

#include "model/config_reader.h"

namespace holdfast::model {

// Of the classification heads, by index: id2label, or LABEL_0 ... for num_labels, 2 where neither is there.
std::vector<std::string> read_labels(ConfigReader& config);

}  // namespace holdfast::model
