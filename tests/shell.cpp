// SPDX-License-Identifier: Apache-2.0
#include "tests/shell.h"

#include <stdlib.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace steelyard {

namespace fs = std::filesystem;

Sandbox::Sandbox() {
  std::string name = (fs::temp_directory_path() / "steelyard-XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder: " + name);
  folder_ = name;
}

Sandbox::~Sandbox() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

// The script and its streams lie outside the folder, whose content tests look at.
Outcome Sandbox::shell(const std::string& commands) const {
  const Sandbox aside;
  aside.write("commands", commands);
  const std::string line = "cd '" + folder_.string() + "' && sh '" + (aside / "commands").string() +
                           "' >'" + (aside / "output").string() + "' 2>'" +
                           (aside / "errors").string() + "'";
  const int status = std::system(line.c_str());
  return {WEXITSTATUS(status), contents(aside / "output"), contents(aside / "errors")};
}

void Sandbox::write(const std::string& name, const std::string& text) const {
  std::ofstream(folder_ / name) << text;
}

void Sandbox::write_script(const std::string& name, const std::string& commands) const {
  write(name, "#!/bin/sh\n" + commands);
  fs::permissions(folder_ / name, fs::perms::owner_all);
}

std::string contents(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

}  // namespace steelyard
