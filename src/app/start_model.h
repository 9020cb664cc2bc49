#pragma once

#include <string>

#include "app/exchanging.h"
#include "govern/registry.h"

namespace holdfast::app {

// `serve --model`: what one model needs to be served on a bare machine.
struct StartModel {
  std::string model;       // "ns/name" or "ns/name@revision"; main where none is said. Empty: none.
  std::string from;        // The hub it is taken from where it is not here: http or https; or a folder.
  bool signed_in = false;  // HF_TOKEN is in the environment and goes to that hub.
};

struct StartModelParts {
  repo::Hub& hub;
  Exchanging& exchanging;
  govern::Registry& registry;
  Log& log;
};

// Takes the revision over unless it is here already (then no other server is asked), and gives it a managed
// endpoint of the model's own name, or points the one that there is to this revision. What was just taken
// over is `main` here. Returns the endpoint's id. Waits until the files are here, however long that takes,
// and says in the log how far they are.
Result<std::string> start_model(const StartModelParts& parts, const StartModel& wanted);

}  // namespace holdfast::app
