#include "api/held_answer.h"

#include <algorithm>
#include <utility>

namespace holdfast::api {

void HeldAnswer::look_for(size_t stage, const serve::GuardStage& by) {
  if (by.secrets)
    forms_.push_back({stage, scan::SecretWatch{}});
  else
    forms_.push_back({stage, serve::WordWatch(by.words)});
}

size_t HeldAnswer::Text::cleared() const {
  size_t out = all.size();
  for (const Form& form : forms)
    out = std::min(out, std::visit([](const auto& watch) { return watch.cleared(); }, form.watch));
  return out;
}

size_t HeldAnswer::text_at(const std::string& place) {
  const auto found =
      std::find_if(texts_.begin(), texts_.end(), [&](const Text& text) { return text.place == place; });
  if (found != texts_.end()) return static_cast<size_t>(found - texts_.begin());
  texts_.push_back({place, {}, forms_});
  for (Wait& wait : waits_) wait.seen.push_back(0);
  return texts_.size() - 1;
}

HeldAnswer::Found HeldAnswer::grow(size_t at, std::string_view more) {
  Text& text = texts_[at];
  text.all += more;
  bytes_ += more.size();
  for (Form& form : text.forms)
    if (std::visit([&](auto& watch) { return watch.take(more); }, form.watch)) return {true, form.stage};
  return {};
}

HeldAnswer::Found HeldAnswer::take(std::string bytes) {
  const EventTexts said = texts_of_event(event_data(bytes));
  Event event{.bytes = std::move(bytes), .needs = {}, .runs_ahead = said.runs_ahead};
  if (!said.grown.empty()) ++said_;
  Found found;
  for (const EventTexts::Part& part : said.grown) {
    if (is_too_much() || found.anything) break;
    const size_t text = text_at(part.place);
    found = grow(text, part.text);
    event.needs.push_back({text, texts_[text].all.size()});
  }
  for (const EventTexts::Part& part : said.wholes) {
    if (is_too_much() || found.anything) break;
    const auto same = std::find_if(texts_.begin(), texts_.end(), [&](const Text& text) {
      return text.all.find(part.text) != std::string::npos;
    });
    // What is told again was looked at when it grew; another text is one of its own.
    const size_t text =
        same != texts_.end() ? static_cast<size_t>(same - texts_.begin()) : text_at("whole:" + part.place);
    if (same == texts_.end()) found = grow(text, part.text);
    event.needs.push_back({text, texts_[text].all.size()});
  }
  events_.push_back(std::move(event));
  return found;
}

HeldAnswer::Found HeldAnswer::end() {
  for (Text& text : texts_)
    for (Form& form : text.forms)
      if (std::visit([](auto& watch) { return watch.end(); }, form.watch)) return {true, form.stage};
  ended_ = true;
  return {};
}

void HeldAnswer::saw(size_t stage) {
  for (Wait& wait : waits_)
    if (wait.stage == stage)
      for (size_t i = 0; i < texts_.size(); ++i) wait.seen[i] = texts_[i].all.size();
}

void HeldAnswer::never_mind(size_t stage) {
  for (Wait& wait : waits_) wait.over = wait.over || wait.stage == stage;
}

bool HeldAnswer::may_go(const Event& event) const {
  return std::all_of(event.needs.begin(), event.needs.end(), [&](const Event::Need& need) {
    return texts_[need.text].cleared() >= need.end &&
           std::all_of(waits_.begin(), waits_.end(),
                       [&](const Wait& wait) { return wait.over || wait.seen[need.text] >= need.end; });
  });
}

std::vector<std::string> HeldAnswer::let_through() {
  size_t count = 0, sure = 0;
  for (const Event& event : events_) {
    if (!may_go(event)) break;
    ++count;
    if (!event.runs_ahead || ended_) sure = count;
  }
  std::vector<std::string> out;
  for (; sure > 0; --sure) {
    out.push_back(std::move(events_.front().bytes));
    events_.pop_front();
  }
  return out;
}

std::vector<std::string_view> HeldAnswer::texts() const {
  std::vector<std::string_view> out;
  for (const Text& text : texts_)
    if (!text.all.empty()) out.emplace_back(text.all);
  return out;
}

}  // namespace holdfast::api
