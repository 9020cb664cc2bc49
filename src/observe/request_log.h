#pragma once

#include "base/log.h"
#include "observe/answered.h"
#include "observe/series.h"

namespace holdfast::observe {

// One line a request to a model: ids, lengths, times and keyed digests, never what was asked or answered, nor
// a word that the caller chose.
void log_request(Log& log, const SeriesNames& names, const Series& series, const Answered& answered,
                 const Judgement& judgement);

}  // namespace holdfast::observe
