#pragma once

#include <initializer_list>
#include <string>

#include "model/config_reader.h"
#include "model/vision/image_tower.h"

namespace holdfast::model {

// What the family files of images have in common.

// One number for both sides, or [height, width].
Extent read_extent(ConfigReader& config, std::string_view name, size_t fallback, size_t most = 16'384);
// The class that config.json names without the family's own name: "Model", "ForImageClassification"; "Model"
// where it names none. model_unsupported for a class that is not among them.
std::string read_class(ConfigReader& config, std::string_view family,
                       std::initializer_list<std::string_view> known);
// model_unsupported where a switch that changes the answer is not as it is by default.
void refuse_switch(ConfigReader& config, std::string_view name, bool usual);

// Sizes and names of the layers that ViT and its likes have.
void plan_vit_layers(ConfigReader& config, ImageTowerPlan& plan);
// Their names alone, which transformers that read spectra as pictures have too.
void name_vit_layers(EncoderPlan& encoder);
ImageTowerPlan plan_vit(ConfigReader& config);     // Also "deit", by model_type.
ImageTowerPlan plan_dinov2(ConfigReader& config);  // Also "dinov2_with_registers".
ImageTowerPlan plan_dinov3(ConfigReader& config);

// A layer on rows that lie `stride` floats apart, [rows, layer's width].
tensor::Floats apply(const tensor::Linear& layer, const float* rows, size_t count, size_t stride,
                     tensor::Activation activation, tensor::Threads& threads);

}  // namespace holdfast::model
