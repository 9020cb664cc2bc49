#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/backend.h"
#include "model/encoder_head.h"

namespace holdfast::model {

// An encoder whose layers are a graph of somebody else's: packed sequences are padded for it and what comes
// back is packed again, so that the tasks need not know. Immutable; safe from any thread.
class GraphEncoder {
 public:
  // model_unsupported where the graph lacks an output that config.json's head has.
  static Result<GraphEncoder> create(EncoderPlan plan, std::unique_ptr<Graph> graph);

  const EncoderPlan& plan() const { return plan_; }
  // The head's outputs, or last_hidden_state without one; sequences are not empty. Some that a bare model has
  // beside it (pooler_output) are left out.
  Result<std::vector<NamedOutput>> forward(const TokenBatch& batch, tensor::Threads& threads) const;
  // Hidden states [tokens, E]; model_unsupported where the graph keeps them to itself.
  Result<tensor::Floats> hidden(const TokenBatch& batch, tensor::Threads& threads) const;

 private:
  struct Wanted {
    std::string name;    // Ours.
    std::string output;  // The graph's.
    NamedOutput::Rows rows = NamedOutput::Rows::tokens;
    bool flat = false;
    size_t columns = 1;
  };

  GraphEncoder(EncoderPlan plan, std::unique_ptr<Graph> graph)
      : plan_(std::move(plan)), graph_(std::move(graph)) {}
  Result<std::vector<NamedOutput>> collect(const std::vector<Wanted>& wanted, const TokenBatch& batch,
                                           tensor::Threads& threads) const;
  Status run_part(const std::vector<Wanted>& wanted, const TokenBatch& batch, size_t first, size_t last,
                  std::vector<NamedOutput>& out, tensor::Threads& threads) const;
  Result<Wanted> find(Wanted wanted, std::initializer_list<std::string_view> names) const;

  EncoderPlan plan_;
  std::unique_ptr<Graph> graph_;
  std::vector<Wanted> outputs_;
};

}  // namespace holdfast::model
