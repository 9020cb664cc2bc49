#pragma once

#include <memory>
#include <mutex>
#include <vector>

namespace holdfast::model {

// Work space that is kept between calls, as fresh memory costs a page fault every 4 KiB. Each thread takes
// one for as long as it works; there are as many as were ever taken at once. Safe from any thread.
template <class Space>
class ScratchPool {
 public:
  class Loan {
   public:
    Loan(ScratchPool& pool, std::unique_ptr<Space> space) : pool_(pool), space_(std::move(space)) {}
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ~Loan() { pool_.give_back(std::move(space_)); }
    Space& operator*() const { return *space_; }
    Space* operator->() const { return space_.get(); }

   private:
    ScratchPool& pool_;
    std::unique_ptr<Space> space_;
  };

  Loan take() {
    std::lock_guard lock(mutex_);
    if (idle_.empty()) return Loan(*this, std::make_unique<Space>());
    std::unique_ptr<Space> space = std::move(idle_.back());
    idle_.pop_back();
    return Loan(*this, std::move(space));
  }

 private:
  void give_back(std::unique_ptr<Space> space) {
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(space));
  }

  std::mutex mutex_;  // Guards idle_.
  std::vector<std::unique_ptr<Space>> idle_;
};

}  // namespace holdfast::model
