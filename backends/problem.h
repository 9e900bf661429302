// SPDX-License-Identifier: Apache-2.0
// What can be measured, independent of who computes it. Every tensor is dense and row-major: the
// last dimension of a shape is the one that is contiguous.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "backends/dtype.h"

namespace steelyard {

// Storage of A and B, first letter A: n as A[m,k] and B[k,n], t transposed, as A[k,m] and B[n,k].
// A linear layer's forward pass is nt, its data gradient nn, its weight gradient tn.
enum class Layout { nn, nt, tn };

// none: numbers as they are. w8a8: 8-bit A and B with an f32 scale per row of A and per column of
// B. w4a16: int4 B with an f32 scale per column and group of `scale_group` along k.
enum class Scaling { none, w8a8, w4a16 };

// How many rows of A each group of a grouped GEMM gets: the same, Zipf (1/rank), or all in the
// first.
enum class Routing { uniform, zipf, one_hot };

inline constexpr std::int64_t scale_group = 128;

// C = alpha A B + beta C. With groups > 1 (the experts of a mixture) A's m rows are split between
// the groups and each has a B of its own.
struct Gemm {
  std::int64_t m = 0, n = 0, k = 0;
  DType a = DType::bf16, b = DType::bf16, c = DType::bf16;
  Layout layout = Layout::nn;
  double alpha = 1, beta = 0;
  Scaling scaling = Scaling::none;
  std::int64_t groups = 1;
  Routing routing = Routing::uniform;
};

// First row of each group and the end of the last: groups + 1 numbers from 0 to m.
std::vector<std::int64_t> group_offsets(const Gemm& gemm);

enum class Pass { forward, backward, decode };

// softmax(Q K^T / sqrt(head_dim)) V. Grouped query: heads / kv_heads query heads share one K and V.
// A causal mask is aligned at the end: query i sees keys up to i + keys - queries. `decode` reads a
// cache, paged where page_size > 0, contiguous otherwise; of an fp8 cache K and V are fp8_e4m3 in place
// of dtype, with scale 1, as vLLM has it where a model brings no scales.
struct Attention {
  Pass pass = Pass::forward;
  DType dtype = DType::bf16;
  std::int64_t batch = 1, heads = 1, kv_heads = 1, queries = 1, keys = 1, head_dim = 128;
  bool causal = false;
  std::int64_t page_size = 0;
  bool fp8_cache = false;
};

// What the keys and values of a decode pass are stored in, and what cache_append writes.
template <class P>
DType cache_type(const P& problem) {
  return problem.fp8_cache ? DType::fp8_e4m3 : problem.dtype;
}

// The kernels of BabelStream under its names (mul is STREAM's scale), read and write alone, and a
// chain of dependent loads through a random cycle of one element per 128-byte line.
enum class MemoryOp { read, write, copy, mul, add, triad, dot, chase };

struct Memory {
  MemoryOp op = MemoryOp::triad;
  DType dtype = DType::f64;  // chase: int32, the type of its links
  std::int64_t bytes = 0;    // of one array; for chase the working set
};

inline constexpr std::int64_t chase_line_bytes = 128;

// Loads of one chase: whole rounds of the cycle until there are enough to hide a launch, less one,
// so that the walk from element 0 ends on the predecessor of element 0.
std::int64_t chase_steps(const Memory& chase);

enum class CopyPath { host_to_device, device_to_host, device_to_device };

struct Copy {
  CopyPath path = CopyPath::host_to_device;
  bool pinned = true;
  std::int64_t bytes = 0;
};

// `launches` empty kernels one after the other, enqueued one by one or replayed as one graph.
struct Launch {
  bool graph = false;
  std::int64_t launches = 1;
};

enum class LayerOp {
  rms_norm,
  layer_norm,
  rope,
  swiglu,
  gelu,
  cross_entropy,
  log_probabilities,
  bias_add,
  residual_add,
  embedding_gather,
  embedding_scatter,
  cache_append,
  route,
  permute,
  unpermute,
  amax,
  quantise,
  dequantise,
  adamw
};

// One memory-bound operation of a transformer on rows x columns (tokens x width).
struct Layer {
  LayerOp op = LayerOp::rms_norm;
  Pass pass = Pass::forward;
  DType dtype = DType::bf16;
  std::int64_t rows = 0, columns = 0;
  DType quantised = DType::fp8_e4m3;  // quantise and dequantise: the narrow side
  std::int64_t head_dim = 128;        // rope and cache_append: columns are heads of this width
  std::int64_t entries = 0;    // embedding: vocabulary; route, permute: experts; cache: context
  std::int64_t choices = 0;    // route, permute, unpermute: experts per token
  std::int64_t page_size = 0;  // cache_append: 0 is a contiguous cache
  bool f32_gradient = false;   // adamw: else the gradient is of dtype
  bool fp8_cache = false;  // cache_append: tokens of dtype are rounded to fp8_e4m3, with scale 1
};

// The constants that every kernel and the oracle share.
inline constexpr double norm_epsilon = 1e-5;
inline constexpr double rope_base = 10000;
inline constexpr double stream_scalar = 0.4;  // BabelStream's
inline constexpr struct {
  double rate = 1e-3, beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8, decay = 0.1;
  std::int64_t step = 10;
} adamw;

// train: forward, backward and optimiser. lora: the same of adapters of low rank beside frozen
// weights. quantise: the weights of the blocks made as narrow as `weights`, row by row. score:
// log-probabilities of given tokens. prefill: all tokens of a prompt at once. decode: one more token
// for each sequence.
enum class Phase { train, lora, quantise, score, prefill, decode };
constexpr bool trains(Phase phase) {
  return phase == Phase::train || phase == Phase::lora;
}

// `layers` blocks of a decoder and its head, on one device. What the model is made of:
struct Transformer {
  std::string model = "tiny";
  Phase phase = Phase::prefill;
  DType dtype = DType::bf16;  // of activations and, but for an fp8 cache, the cache
  // Of the blocks' weights: dtype, or fp8 and int8 with 8-bit activations (Scaling::w8a8), or int4
  // (Scaling::w4a16).
  DType weights = DType::bf16;
  std::int64_t batch = 1, tokens = 1, context = 1;  // new tokens and all tokens of each sequence
  std::int64_t page_size = 0;                       // of the cache; 0: contiguous
  bool fp8_cache = false;                           // decode: keys and values in fp8_e4m3
  std::int64_t width = 64, layers = 2, heads = 4, kv_heads = 2, head_dim = 16, ffn = 128,
               vocabulary = 256;
  std::int64_t rank = 16;                 // of the adapters of Phase::lora
  std::int64_t blocks = 2;                // of the whole model, of which the step has `layers`
  std::int64_t experts = 0, choices = 0;  // routed experts in place of one MLP
  std::int64_t positions = 0;             // entries of a learned position table; 0: rotary
  bool layer_norm = false;                // LayerNorm in place of RMSNorm
  bool gelu = false;                      // two matrices with GELU in place of three with SwiGLU
  bool biases = false;
  bool head_norms = false;  // RMSNorm of every head of q and k
  bool tied_head = false;   // the head's weights are the embedding's
  bool graph = false;       // launched as one graph, where the device has graphs
};

using Problem = std::variant<Gemm, Attention, Memory, Copy, Launch, Layer, Transformer>;

// The least any kernel must do, so that two kernels of one problem are judged alike: floating-point
// (or integer) operations, compulsory traffic, and the dependent steps of a latency problem.
struct Work {
  double flops = 0;
  double bytes = 0;
  double steps = 0;
};

Work work(const Problem& problem);

// The number format whose units do the work: a GEMM's A, attention's Q.
DType compute_type(const Problem& problem);

// Shows kind, types, layout and shape: "gemm/bf16/nt/4096x4096x4096". Unique per problem.
std::string id(const Problem& problem);

// The fields of a problem as names and values, for result files.
using Value = std::variant<bool, std::int64_t, double, std::string>;
std::vector<std::pair<std::string, Value>> fields(const Problem& problem);

// Why a problem cannot exist (a size below 1, an overflow, heads that do not divide); empty when it
// can.
std::string fault(const Problem& problem);

std::string_view name(Layout layout);
std::string_view name(Scaling scaling);
std::string_view name(Routing routing);
std::string_view name(Pass pass);
std::string_view name(MemoryOp op);
std::string_view name(CopyPath path);
std::string_view name(LayerOp op);
std::string_view name(Phase phase);

}  // namespace steelyard
