#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace holdfast::measure {

// Classes are numbered 0 … classes - 1; both rows are equally long. Formulas and names follow scikit-learn; a
// score whose denominator is 0 is 0 (zero_division=0).

struct ClassScore {
  double precision = 0, recall = 0, f1 = 0;
  size_t support = 0;  // Rows that truly are of the class.
};

enum class Average : uint8_t { micro, macro, weighted };

struct Scores {
  double precision = 0, recall = 0, f1 = 0;
};

// counts[truth * classes + predicted].
std::vector<size_t> confusion(std::span<const int> truth, std::span<const int> predicted, size_t classes);

double accuracy(std::span<const int> truth, std::span<const int> predicted);
std::vector<ClassScore> class_scores(std::span<const int> truth, std::span<const int> predicted,
                                     size_t classes);
// Over the classes that occur in either row, as scikit-learn takes its labels.
Scores average_scores(std::span<const int> truth, std::span<const int> predicted, size_t classes,
                      Average average);
// Matthews correlation, any number of classes.
double matthews(std::span<const int> truth, std::span<const int> predicted, size_t classes);

// Mean squared distance of a probability from what happened (0 or 1).
double brier(std::span<const int> happened, std::span<const double> probability);
// Of several classes: the mean over rows of the squared distances, summed over classes. probabilities[row *
// classes + class].
double brier(std::span<const int> truth, std::span<const double> probabilities, size_t classes);

// How far confidence is from being right, over `bins` bins of equal width, (low, high]; as torchmetrics
// computes it.
struct Calibration {
  double expected = 0;  // ECE: mean gap weighted by rows.
  double greatest = 0;  // MCE.
  double root_mean_square = 0;
};
Calibration calibration(std::span<const double> confidence, std::span<const int> correct, size_t bins = 15);

}  // namespace holdfast::measure
