#pragma once

#include <cstdint>

namespace holdfast::govern {

// What labels say about two sides of a traffic split: how many answers of each were labelled, how many wrong.
struct SplitFigures {
  int64_t stable = 0, stable_wrong = 0;
  int64_t canary = 0, canary_wrong = 0;

  double stable_share() const;  // Of the stable side that was right; 0 without labels.
  double canary_share() const;
};

// Evidence that the canary is worse than the stable release, to be looked at as often as one likes.
//
// The split is by a hash of the request's key, so while both are equally good each wrong answer falls on the
// canary with probability p, its share of the traffic, whatever came before. Against that stands that the
// odds are m times as high. The likelihood ratio of e wrong answers of the canary among n in all is
//   m^e / (1 + (m - 1) p)^n,
// a martingale under equality for every m > 1; so is its mean over m of {1.25, 1.5, 2, 3, 4, 6, 8}. By
// Ville's inequality it ever reaches 1/alpha with probability at most alpha: looking again and again costs
// nothing. p is the larger of the traffic's share and the share of the labels, which only makes the ratio
// smaller.
double canary_evidence(const SplitFigures& figures, double traffic_share);

}  // namespace holdfast::govern
