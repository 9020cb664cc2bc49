#pragma once

#include <memory>

#include "content/store.h"
#include "repo/hub.h"
#include "serve/serving_copy.h"

namespace holdfast::app {

// Files of repositories for serve/: how models reach their workers. Borrows both. Safe from any thread.
std::unique_ptr<serve::FileSource> make_model_files(repo::Hub& hub, content::Store& content);

}  // namespace holdfast::app
