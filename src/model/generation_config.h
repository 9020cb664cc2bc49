#pragma once

#include <boost/json/fwd.hpp>

#include "io/disk.h"
#include "model/generation/settings.h"

namespace holdfast::model {

// A folder's generation_config.json; where it is missing the few keys that older folders keep in config.json.
Result<GenerationSettings> read_generation_config(io::Disk& disk, const io::Path& folder,
                                                  const boost::json::object& config);

}  // namespace holdfast::model
