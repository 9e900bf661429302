// SPDX-License-Identifier: Apache-2.0
// Panels of A and B in the order in which the innermost loop of gemm_tile.cpp reads them:
// transposed where the layout asks for it, widened or decoded to what the units multiply, filled up
// with zeros.
#pragma once

#include "backends/cpu/gemm_decode.h"

namespace steelyard::cpu {
namespace {

// A matrix seen from the panel that it is packed into: `across` runs over the panel's width (rows
// of A, columns of B), `along` over k.
template <class Input>
struct Source {
  const Input* data;
  std::int64_t first;  // element where the panel starts
  std::int64_t across_stride, along_stride;

  Source at(std::int64_t across, std::int64_t along) const {
    return {data, first + across * across_stride + along * along_stride, across_stride,
            along_stride};
  }
};

template <class Product, int width, class Input>
void pack_whole_panel(Source<Input> from, std::int64_t units, typename Product::Element* to) {
  constexpr int depth = Product::depth;
  for (std::int64_t unit = 0; unit < units; ++unit, to += width * depth) {
    const Input* row = from.data + from.first + unit * depth * from.along_stride;
    if (from.across_stride == 1)
      for (int i = 0; i < width; ++i)
        for (int d = 0; d < depth; ++d)
          to[i * depth + d] = convert<typename Product::Element>(row[i + d * from.along_stride]);
    else
      for (int i = 0; i < width; ++i)
        for (int d = 0; d < depth; ++d)
          to[i * depth + d] = convert<typename Product::Element>(row[i * from.across_stride + d]);
  }
}

// A panel at the edge: `across` x `along` values exist, the others are zero.
template <class Product, int width, class Input>
void pack_edge_panel(Source<Input> from, std::int64_t across, std::int64_t along,
                     std::int64_t units, typename Product::Element* to) {
  constexpr int depth = Product::depth;
  for (std::int64_t p = 0; p < units * depth; ++p)
    for (std::int64_t i = 0; i < width; ++i) {
      const bool exists = i < across && p < along;
      const Input* value = from.data + from.first + i * from.across_stride + p * from.along_stride;
      to[(p / depth * width + i) * depth + p % depth] =
          exists ? convert<typename Product::Element>(*value) : typename Product::Element{};
    }
}

// The panel decoded in runs as they lie in memory.
template <class Code>
Source<Bf16> decode_panel(Source<Code> from, std::int64_t across, std::int64_t along, Bf16* to) {
  if (from.across_stride == 1) {
    for (std::int64_t p = 0; p < along; ++p)
      decode(from.data, from.at(0, p).first, across, to + p * across);
    return {to, 0, 1, across};
  }
  for (std::int64_t i = 0; i < across; ++i)
    decode(from.data, from.at(i, 0).first, along, to + i * along);
  return {to, 0, along, 1};
}

// `decoded` has room for a panel of a coded input.
template <class Product, int width, class Input>
void pack(Source<Input> from, std::int64_t across, std::int64_t along, Bf16* decoded,
          typename Product::Element* to) {
  constexpr int depth = Product::depth;
  const std::int64_t units = (along + depth - 1) / depth;
  const auto pack_panel = [&](auto panel, std::int64_t left) {
    if (left >= width && along % depth == 0)
      pack_whole_panel<Product, width>(panel, units, to);
    else
      pack_edge_panel<Product, width>(panel, left, along, units, to);
  };
  for (std::int64_t i = 0; i < across; i += width, to += units * width * depth) {
    const Source<Input> panel = from.at(i, 0);
    const std::int64_t left = across - i < width ? across - i : width;
    if constexpr (is_coded<Input>)
      pack_panel(decode_panel(panel, left, along, decoded), left);
    else
      pack_panel(panel, left);
  }
}

}  // namespace
}  // namespace steelyard::cpu
