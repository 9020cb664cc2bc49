#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/work_watch.h"

namespace holdfast::cli {

// What one step of one layer takes of a call.
struct StepTime {
  std::string_view part;  // "encoder"; empty where a model has one part.
  size_t layer = tensor::WorkWatch::no_layer;
  std::string_view step;
  double seconds = 0, operations = 0;
  size_t weight_bytes = 0;  // Of all weights that it read, each counted once.

  bool in_layer() const { return layer != tensor::WorkWatch::no_layer; }
};

// Adds up the processor time between the ends of steps: what a machine shared with others disturbs least.
// Of one thread, call by call.
class StepClock final : public tensor::WorkWatch {
 public:
  void begin();
  // The call is over; what no step ended with counts as "rest".
  void end();
  // In the order in which steps came; seconds are the middle ones of all calls.
  std::vector<StepTime> medians() const;

  void worked(double operations, const void* weights, size_t bytes) override;
  void ended(size_t layer, std::string_view step) override;
  std::string_view enter(std::string_view part) override;

 private:
  struct Seen {
    StepTime step;
    double now = 0;
    std::vector<double> calls;
    std::map<const void*, size_t> weights;
  };

  std::string_view part_;
  double last_ = 0, operations_ = 0;
  std::map<const void*, size_t> weights_;  // Since the last step ended.
  std::vector<Seen> seen_;
};

}  // namespace holdfast::cli
