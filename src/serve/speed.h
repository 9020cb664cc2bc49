#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

namespace holdfast::serve {

// How long a model takes for batches of some cost: what any batch takes, and so much more for each unit of
// cost; a line through the last few dozen measures, of which those far off count for nothing, until a
// few in a row are. Not safe from several threads.
class Speed {
 public:
  void measured(double cost, std::chrono::nanoseconds took);

  // What `batches` of `cost` together take, as far as it is known. None before a few were measured.
  std::optional<std::chrono::nanoseconds> expected(double batches, double cost) const;
  // As expected, but no more than the measures prove: what is larger than all of them takes as long as they
  // did, and longer only where they tell what size costs. What refuses goes by this one.
  std::optional<std::chrono::nanoseconds> at_least(double batches, double cost) const;

 private:
  struct Measure {
    double cost = 0, seconds = 0;
    bool outlier = false;
  };
  struct Line {
    double cost = 0, seconds = 0;  // Means of the measures.
    double slope = 0;              // Seconds a unit of cost.
    double spread = 0;             // Sum of squares of the costs about their mean.
    double error = 0;              // Of one measure, seconds.
    double count = 0;
  };

  void mark_outliers();
  bool is_usual(const Measure& measure) const;
  const Measure& newest(size_t back) const;  // 0: the last one.
  bool has_changed() const;
  Line fit() const;
  static constexpr size_t kept = 32, needed = 3;
  static constexpr size_t lasting = 4;  // So many far off in a row are a change.

  std::array<Measure, kept> measures_{};
  size_t next_ = 0, count_ = 0;
  size_t unmarked_ = 0;  // Usual ones since outliers were looked for.
  Line line_;
};

}  // namespace holdfast::serve
