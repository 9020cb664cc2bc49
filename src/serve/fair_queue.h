#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "serve/asker.h"

namespace holdfast::serve {

// What waits for a model, taken out so that keys get equal shares by cost, however much each has waiting
// (self-clocked fair queueing: each key has a time of its own that moves on by what it was given). Within one
// key the higher priority goes first, then who came first. Bounded by whoever pushes. Not safe from several
// threads.
template <class T>
class FairQueue {
 public:
  void push(const std::string& key, Priority priority, double cost, T item) {
    Flow& flow = flows_[key];
    if (flow.size == 0) flow.time = std::max(flow.time, time_);
    flow.levels[static_cast<size_t>(priority)].push_back({std::move(item), cost, ++numbers_});
    flow.cost += cost;
    ++flow.size;
    ++size_;
  }

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  size_t size_of(const std::string& key) const {
    const auto found = flows_.find(key);
    return found == flows_.end() ? 0 : found->second.size;
  }

  // Of the one that comes next; the queue is not empty.
  const T& front() const { return flows_.at(*next_key()).front().item; }

  T pop() {
    const auto at = flows_.find(*next_key());
    Flow& flow = at->second;
    const size_t level = flow.top();
    Waiting taken = std::move(flow.levels[level].front());
    flow.levels[level].pop_front();
    time_ = flow.time;
    flow.time += taken.cost / priority_weight(static_cast<Priority>(level));
    leave(flow, taken.cost);
    forget_idle();
    return std::move(taken.item);
  }

  // Takes out all that `wanted` says yes to, in no order.
  template <class Wanted>
  std::vector<T> take_if(Wanted wanted) {
    std::vector<T> out;
    for (auto& [key, flow] : flows_)
      for (auto& level : flow.levels)
        for (auto at = level.begin(); at != level.end();) {
          if (!wanted(at->item)) {
            ++at;
            continue;
          }
          leave(flow, at->cost);
          out.push_back(std::move(at->item));
          at = level.erase(at);
        }
    forget_idle();
    return out;
  }

  double cost() const {
    double all = 0;
    for (const auto& [key, flow] : flows_) all += flow.cost;
    return all;
  }
  template <class Look>
  void for_each(Look look) const {
    for (const auto& [key, flow] : flows_)
      for (const auto& level : flow.levels)
        for (const Waiting& waiting : level) look(waiting.item);
  }

  // About how much is given out before what this key would push now: all of its own that goes first, and of
  // every other key no more than as much.
  double cost_before(const std::string& key, Priority priority, double cost) const {
    double own = 0;
    if (const auto found = flows_.find(key); found != flows_.end())
      for (size_t level = static_cast<size_t>(priority); level < priority_count; ++level)
        for (const Waiting& waiting : found->second.levels[level]) own += waiting.cost;
    double all = own;
    for (const auto& [other, flow] : flows_)
      if (other != key) all += std::min(flow.cost, own + cost);
    return all;
  }

 private:
  struct Waiting {
    T item;
    double cost;
    uint64_t number;
  };
  struct Flow {
    std::array<std::deque<Waiting>, priority_count> levels;
    double time = 0, cost = 0;  // Cost: of all that waits.
    size_t size = 0;

    size_t top() const {
      size_t level = priority_count - 1;
      while (levels[level].empty()) --level;
      return level;
    }
    const Waiting& front() const { return levels[top()].front(); }
  };

  const std::string* next_key() const {
    const std::string* best = nullptr;
    const Flow* chosen = nullptr;
    for (const auto& [key, flow] : flows_) {
      if (flow.size == 0) continue;
      if (chosen != nullptr &&
          std::pair(flow.time, flow.front().number) >= std::pair(chosen->time, chosen->front().number))
        continue;
      best = &key;
      chosen = &flow;
    }
    return best;
  }

  void leave(Flow& flow, double cost) {
    flow.cost -= cost;
    --flow.size;
    --size_;
    if (flow.size == 0) flow.cost = 0;
  }

  // Keys that have nothing waiting and had no more than their share are as good as new; so are all of them
  // when nothing waits.
  void forget_idle() {
    std::erase_if(flows_, [&](const auto& entry) {
      return entry.second.size == 0 && (size_ == 0 || entry.second.time <= time_);
    });
    if (size_ == 0) time_ = 0;
  }

  std::map<std::string, Flow> flows_;
  double time_ = 0;  // Of the key that was served last.
  uint64_t numbers_ = 0;
  size_t size_ = 0;
};

}  // namespace holdfast::serve
