#include "net/late_answer.h"

#include <utility>

namespace holdfast::net {
namespace {

class ThenAnswer final : public LateAnswer {
 public:
  ThenAnswer(std::shared_ptr<LateAnswer> first, AnswerStep next)
      : first_(std::move(first)), next_(std::move(next)) {}
  void when_ready(std::function<void()> ready) override { first_->when_ready(std::move(ready)); }
  Result<Response> finish() override {
    const AnswerStep next = std::exchange(next_, nullptr);  // What it holds is given up here, on the pool.
    return next(first_->finish());
  }
  void look() override { first_->look(); }

 private:
  const std::shared_ptr<LateAnswer> first_;  // Shared with who looks at it.
  AnswerStep next_;
};

}  // namespace

std::shared_ptr<LateAnswer> then(std::shared_ptr<LateAnswer> first, AnswerStep next) {
  return std::make_shared<ThenAnswer>(std::move(first), std::move(next));
}

std::shared_ptr<LateAnswer> late_part(const Result<Response>& answer) {
  if (!answer.ok()) return nullptr;
  const auto* late = std::get_if<std::shared_ptr<LateAnswer>>(&answer.value().body);
  return late == nullptr ? nullptr : *late;
}

}  // namespace holdfast::net
