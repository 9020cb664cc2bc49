#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace holdfast::media {

// Slaney's and Kaldi's ideas of how high a tone sounds, with what each has besides: slaney weighs each filter
// by its width, kaldi's triangles are straight in mel.
enum class MelScale : uint8_t { slaney, kaldi };

struct MelOptions {
  size_t bins = 0;  // Of the spectrum.
  size_t mels = 0;
  double lowest = 0;   // Hertz.
  double highest = 0;  // Hertz.
  uint32_t rate = 0;
  MelScale scale = MelScale::slaney;
};

// transformers' mel_filter_bank, without the zeros: each filter is a few neighbouring bins.
class MelFilters {
 public:
  explicit MelFilters(const MelOptions& options);

  size_t mels() const { return filters_.size(); }
  double apply(size_t mel, std::span<const double> power) const;
  // As a table would hold it: for tests.
  double weight(size_t mel, size_t bin) const;

 private:
  struct Filter {
    size_t first = 0;
    std::vector<double> weights;
  };

  std::vector<Filter> filters_;
};

}  // namespace holdfast::media
