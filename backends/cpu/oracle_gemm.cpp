// SPDX-License-Identifier: Apache-2.0
// C[m,n] = alpha A[m,k] B[k,n] + beta C. In a grouped GEMM rows offsets[g] to offsets[g + 1] of A
// meet B[g].
#include <algorithm>

#include "backends/cpu/truth.h"

namespace steelyard::cpu {
namespace {

// A and B with their scales, whatever their layout.
class Factors {
 public:
  Factors(const Gemm& problem, const Question& question)
      : p(problem), a_(question.input("a")), b_(question.input("b")) {
    if (p.scaling == Scaling::w8a8) a_scale_ = &question.input("a_scale");
    if (p.scaling != Scaling::none) b_scale_ = &question.input("b_scale");
  }

  double a(std::int64_t i, std::int64_t l) const {
    const double value = a_.at(p.layout == Layout::tn ? l * p.m + i : i * p.k + l);
    return a_scale_ ? value * a_scale_->at(i) : value;
  }

  double b(std::int64_t group, std::int64_t l, std::int64_t j) const {
    const std::int64_t place = p.layout == Layout::nt ? j * p.k + l : l * p.n + j;
    const double value = b_.at(group * p.k * p.n + place);
    if (p.scaling == Scaling::w8a8) return value * b_scale_->at(j);
    if (p.scaling == Scaling::w4a16) return value * b_scale_->at(l / scale_group * p.n + j);
    return value;
  }

  // Row l of B[k,n], of one group.
  std::vector<double> b_row(std::int64_t l) const {
    std::vector<double> row = slice(b_, l * p.n, p.n);
    for (std::int64_t j = 0; j < p.n && b_scale_; ++j)
      row[j] *= b_scale_->at(p.scaling == Scaling::w4a16 ? l / scale_group * p.n + j : j);
    return row;
  }

 private:
  const Gemm& p;
  const HostTensor &a_, &b_;
  const HostTensor *a_scale_ = nullptr, *b_scale_ = nullptr;
};

std::vector<std::int64_t> offsets(const Gemm& p, const Question& question) {
  if (p.groups == 1) return {0, p.m};
  std::vector<std::int64_t> first_rows;
  for (const double row : slice(question.input("offsets"), 0, p.groups + 1))
    first_rows.push_back(static_cast<std::int64_t>(row));
  return first_rows;
}

std::int64_t group_of(const std::vector<std::int64_t>& first_rows, std::int64_t row) {
  return std::ranges::upper_bound(first_rows, row) - first_rows.begin() - 1;
}

// Elements of A B far apart, a piece of every sum at a time: all of them read the same rows of B[k,n]
// while these are in the cache, decoded beforehand where there are no more columns than elements.
void sampled_products(const Gemm& p, const Question& question, Expected& c) {
  constexpr std::int64_t piece = 256;
  const Factors factors(p, question);
  const std::vector<std::int64_t> first_rows = offsets(p, question);
  const bool decoded = p.groups == 1 && p.layout != Layout::nt && p.n <= wanted(c);
  std::vector<double> columns(decoded ? p.n * piece : 0);  // [n, piece]
  make_room<Sum>(c);
#pragma omp parallel
  {
    std::vector<double> a(piece);
    for (std::int64_t first = 0; first < p.k; first += piece) {
      const std::int64_t end = std::min(first + piece, p.k);
      std::int64_t current = -1;  // row of A that `a` holds
#pragma omp for schedule(static)
      for (std::int64_t l = first; l < (decoded ? end : first); ++l) {
        const std::vector<double> row = factors.b_row(l);
        for (std::int64_t j = 0; j < p.n; ++j) columns[j * piece + l - first] = row[j];
      }
#pragma omp for schedule(static)
      for (std::int64_t s = 0; s < wanted(c); ++s) {
        const std::int64_t i = element(c, s) / p.n, j = element(c, s) % p.n;
        const std::int64_t group = group_of(first_rows, i);
        if (i != current)
          for (std::int64_t l = first; l < end; ++l) a[l - first] = factors.a(i, l);
        current = i;
        Sum sum = {c.values[s], c.magnitudes[s]};
        const double* const column = columns.data() + j * piece;
        for (std::int64_t l = first; l < end; ++l)
          sum += a[l - first] * (decoded ? column[l - first] : factors.b(group, l, j));
        put(c, s, sum);
      }
    }
  }
}

// Some columns of B[k,n], decoded: an element is read once for all rows of A.
struct Panel {
  std::int64_t first = 0, width = 0;
  std::vector<double> values;  // [k, width]

  void decode(const Gemm& p, const Factors& factors, std::int64_t group) {
    values.resize(p.k * width);
    for (std::int64_t j = 0; j < width; ++j)
      for (std::int64_t l = 0; l < p.k; ++l) values[l * width + j] = factors.b(group, l, first + j);
  }
};

// Row i of A times the panel, added to its place in C.
void row_product(const Gemm& p, const Factors& factors, const Panel& panel, std::int64_t i,
                 Expected& c) {
  double* const value = c.values.data() + i * p.n + panel.first;
  double* const magnitude = c.magnitudes.data() + i * p.n + panel.first;
  for (std::int64_t l = 0; l < p.k; ++l) {
    const double a = factors.a(i, l);
    const double* const b_row = panel.values.data() + l * panel.width;
    for (std::int64_t j = 0; j < panel.width; ++j) {
      const double term = a * b_row[j];
      value[j] += term;
      magnitude[j] += std::abs(term);
    }
  }
}

void all_products(const Gemm& p, const Question& question, Expected& c) {
  constexpr std::int64_t panel_width = 64;
  const Factors factors(p, question);
  const std::vector<std::int64_t> first_rows = offsets(p, question);
  make_room<Sum>(c);
#pragma omp parallel
  {
    Panel panel;
    for (std::int64_t group = 0; group < p.groups; ++group) {
      if (first_rows[group] == first_rows[group + 1]) continue;
#pragma omp for schedule(dynamic)
      for (std::int64_t j = 0; j < p.n; j += panel_width) {
        panel.first = j;
        panel.width = std::min(panel_width, p.n - j);
        panel.decode(p, factors, group);
        for (std::int64_t i = first_rows[group]; i < first_rows[group + 1]; ++i)
          row_product(p, factors, panel, i, c);
      }
    }
  }
}

}  // namespace

void answer(const Gemm& p, Question& question) {
  Expected& c = question.output("c");
  c.terms = p.k;
  if (c.elements.empty())
    all_products(p, question, c);
  else
    sampled_products(p, question, c);
  const HostTensor* const old = p.beta != 0 ? &question.input("c") : nullptr;
  for (std::int64_t s = 0; s < wanted(c); ++s) {
    Sum sum = {p.alpha * c.values[s], std::abs(p.alpha) * c.magnitudes[s]};
    if (old) sum += p.beta * old->at(element(c, s));
    put(c, s, sum);
  }
}

}  // namespace steelyard::cpu
