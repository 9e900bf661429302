// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "reports/json_writer.h"
#include "reports/record.h"

namespace steelyard {

// Members of a row that only steps of a model have.
void write_step(JsonWriter& json, const Record& record);

}  // namespace steelyard
