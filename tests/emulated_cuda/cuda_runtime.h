// SPDX-License-Identifier: Apache-2.0
// Stands in for the CUDA toolkit's header of the same name: the language and the runtime.
#pragma once

#include "tests/emulated_cuda/arithmetic.h"
#include "tests/emulated_cuda/language.h"
#include "tests/emulated_cuda/memory_access.h"
#include "tests/emulated_cuda/runtime_api.h"
#include "tests/emulated_cuda/vectors.h"
#include "tests/emulated_cuda/warp.h"
