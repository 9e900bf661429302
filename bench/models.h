// SPDX-License-Identifier: Apache-2.0
// Language models as data: models.toml, and files of users in its form.
#pragma once

#include <string>
#include <vector>

#include "backends/problem.h"

namespace steelyard {

struct Model {
  Transformer shape;   // with all blocks of the model
  std::string source;  // where the shape is from
};

const std::vector<Model>& shipped_models();  // of models.toml
std::vector<std::string> model_names();      // of these

// By its name in models.toml, or the only model of a TOML file. Throws UsageError naming file, line
// and key for what is unknown, missing or not what it must be.
Model find_model(const std::string& name_or_file);

// A step asked of another model: phase, sizes of the batch, types and the like stay, and so does the number
// of blocks measured.
Transformer asked_of(const Model& model, Transformer step);

}  // namespace steelyard
