#pragma once

#include "model/decoder_plan.h"

namespace holdfast::model {

// A linear layer's numbers before they are packed: weight [outputs, inputs], bias [outputs] or empty.
struct Matrix {
  std::vector<float> weight, bias;
  size_t outputs = 0, inputs = 0;

  LinearLayer pack(tensor::Compute compute, tensor::OutputLayout layout = tensor::OutputLayout::plain) const;
};

// Where each row of [queries, keys, values] lies in the joined layer of a checkpoint that has them in
// `order`.
std::vector<size_t> joined_rows(const DecoderPlan& plan, DecoderPlan::JoinedOrder order);

// Reads the linear layers of a decoder in the orders that checkpoints keep them in. Borrows both.
class DecoderWeights {
 public:
  DecoderWeights(const DecoderPlan& plan, const WeightReader& reader) : plan_(plan), reader_(reader) {}

  const WeightReader& reader() const { return reader_; }
  Result<Matrix> matrix(const std::string& name, size_t outputs, size_t inputs, Bias bias) const;
  Result<LinearLayer> linear(const std::string& name, size_t outputs, size_t inputs, Bias bias) const;
  // All queries, then all keys, then all values, whatever the checkpoint's order.
  Result<LinearLayer> query_key_value(const std::string& layer) const;
  // Of plan.query_gates: the second half of each head's queries, [heads * D, E].
  Result<LinearLayer> query_gates(const std::string& layer) const;
  // Gates and then what they multiply; `apart`: they come out of the product as they are (DecoderPlan).
  Result<LinearLayer> gate_up(const std::string& gate, const std::string& up, const std::string& joined,
                              size_t inner, Bias bias, bool apart) const;
  // Gamma with 1 added where the family leaves it out.
  Result<Norm> norm(const std::string& name, size_t width, DecoderPlan::NormKind kind, Bias bias) const;

 private:
  // As WeightReader has it: `make` gives the numbers of a layer that is not kept.
  template <class Make>
  Result<LinearLayer> kept(std::string name, const tensor::LinearShape& shape, Make make) const {
    return reader_.kept(std::move(name), shape, [&]() -> Result<LinearLayer> {
      TRY(const Matrix numbers, make());
      return numbers.pack(reader_.compute(), shape.layout);
    });
  }
  Result<Matrix> half_of_queries(const std::string& layer, size_t half) const;

  const DecoderPlan& plan_;
  const WeightReader& reader_;
};

}  // namespace holdfast::model
