#include "api/embedding_answer.h"

#include <memory>
#include <utility>

#include "net/late_answer.h"

namespace holdfast::api {
namespace {

class LateVectors final : public net::LateAnswer {
 public:
  LateVectors(std::shared_ptr<serve::PendingAnswer> pending, WriteVectors write)
      : pending_(std::move(pending)), write_(std::move(write)) {}
  void when_ready(std::function<void()> ready) override { pending_->when_ready(std::move(ready)); }
  Result<net::Response> finish() override {
    TRY(serve::EmbedAnswer answer, pending_->take());
    return write_(std::move(answer));
  }
  void look() override { pending_->look(); }

 private:
  const std::shared_ptr<serve::PendingAnswer> pending_;  // As models.h says.
  const WriteVectors write_;
};

}  // namespace

Result<net::Response> answer_embedding(serve::Models& models, const Call& call,
                                       const serve::ServedModel& model, serve::EmbedItem item,
                                       const serve::Asker& asker, WriteVectors write) {
  if (!call.may_be_late) {
    TRY(serve::EmbedAnswer answer, models.embed(call.context, model, std::move(item), asker));
    return write(std::move(answer));
  }
  TRY(auto pending, models.begin(call.context, model, std::move(item), asker));
  net::Response response;
  response.body =
      std::shared_ptr<net::LateAnswer>(std::make_shared<LateVectors>(std::move(pending), std::move(write)));
  return response;
}

}  // namespace holdfast::api
