#pragma once

#include "model/config_reader.h"
#include "model/vision/residual_net.h"

namespace holdfast::model {

// Also the backbone of DETR, under backbone_config.
ResidualNetPlan plan_resnet(ConfigReader& config);

}  // namespace holdfast::model
