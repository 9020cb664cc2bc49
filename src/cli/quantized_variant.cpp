#include "cli/quantized_variant.h"

#include <boost/json/array.hpp>
#include <memory>

#include "model/int8_weights.h"
#include "model/text_generator.h"
#include "model/text_model.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

json::object compressed_tensors(std::string_view format, json::object weights, json::value rows,
                                const std::vector<std::string>& kept) {
  return {{"quant_method", "compressed-tensors"},
          {"format", format},
          {"quantization_status", "compressed"},
          {"config_groups", json::object{{"group_0", json::object{{"targets", json::array{"Linear"}},
                                                                  {"weights", std::move(weights)},
                                                                  {"input_activations", std::move(rows)}}}}},
          {"ignore", json::array(kept.begin(), kept.end())}};
}

}  // namespace

Result<QuantizedVariant> make_encoder_variant(io::Disk& base, model::PackedBits bits,
                                              std::span<const std::string> texts) {
  if (bits != model::PackedBits::eight)
    return fail(Reason::bad_request, "int4 is for models that write: an encoder's --dtype is int8");
  TRY(model::TextModel opened, model::TextModel::open(base, "."));
  const auto model = std::make_shared<const model::TextModel>(std::move(opened));
  TRY(const tensor::Weights weights, tensor::Weights::open(base, "."));
  TRY(model::Int8Weights made, model::make_int8_weights(weights, model->plan()));
  QuantizedVariant out;
  out.file = std::move(made.file);
  out.matrices = made.matrices.size();
  out.bytes_before = made.bytes_before;
  out.config = compressed_tensors(
      "int-quantized",
      {{"num_bits", 8}, {"type", "int"}, {"symmetric", true}, {"strategy", "channel"}, {"dynamic", false}},
      json::object{
          {"num_bits", 8}, {"type", "int"}, {"symmetric", true}, {"strategy", "token"}, {"dynamic", true}},
      made.kept);
  out.tag = "int8";
  out.title = "Eight-bit variant";
  out.what =
      "The matrices of the layers are bytes with one scale an output; tables of embeddings are bfloat16, "
      "everything else is as it was.";
  out.note = "Computing in int8 rounds each row of activations to bytes too; the figures above include that.";
  out.compare = [model, texts](io::Disk& disk, tensor::Threads& threads) -> Result<QualityChange> {
    tensor::Compute compute;
    compute.precision = tensor::Precision::int8;
    TRY(const model::TextModel variant, model::TextModel::open(disk, ".", compute));
    return compare_models(*model, variant, texts, threads);
  };
  return out;
}

Result<QuantizedVariant> make_writer_variant(io::Disk& base, model::PackedBits bits,
                                             std::span<const std::string> texts) {
  TRY(model::TextGenerator opened, model::TextGenerator::open(base, "."));
  const auto model = std::make_shared<const model::TextGenerator>(std::move(opened));
  TRY(const tensor::Weights weights, tensor::Weights::open(base, "."));
  TRY(model::PackedWeights made, model::make_packed_weights(weights, model->model().plan(), bits));
  const bool four = bits == model::PackedBits::four;
  QuantizedVariant out;
  out.file = std::move(made.file);
  out.matrices = made.matrices.size();
  out.bytes_before = made.bytes_before;
  out.config = compressed_tensors("pack-quantized",
                                  {{"num_bits", four ? 4 : 8},
                                   {"type", "int"},
                                   {"symmetric", true},
                                   {"strategy", "group"},
                                   {"group_size", model::packed_group},
                                   {"dynamic", false}},
                                  nullptr, made.kept);
  out.tag = four ? "int4" : "int8";
  out.title = four ? "Four-bit variant" : "Eight-bit variant";
  out.what =
      "The matrices of the layers are whole numbers with a scale for each 32 inputs, everything else is as "
      "it was.";
  out.note = "Only weights are rounded: the figures above are of activations in f32.";
  out.compare = [model, texts](io::Disk& disk, tensor::Threads& threads) -> Result<QualityChange> {
    TRY(const model::TextGenerator variant, model::TextGenerator::open(disk, "."));
    return compare_writers(*model, variant, texts, threads);
  };
  return out;
}

}  // namespace holdfast::cli
