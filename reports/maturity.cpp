// SPDX-License-Identifier: Apache-2.0
#include "reports/maturity.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/efficiency.h"
#include "reports/mean_ratio.h"
#include "reports/statistics.h"

namespace steelyard {
namespace {

constexpr double near_best = 0.8;
constexpr std::string_view default_suffix = "-default";

// What kernels compete in.
using Contest = std::tuple<std::string, std::string, std::string>;

Contest contest_of(const Record& row) {
  return {row.id, settings(row), row.identity ? row.identity->key : ""};
}

// A row is as good as its worst run.
using Outcomes = std::map<std::string, Status>;

Outcomes outcomes(std::span<const Results> results, const Side& side) {
  Outcomes worst;
  for (const Results& set : results)
    for (const ResultFile& file : set.files)
      for (const Record& row : file.records) {
        if (set.name != side.source || row.device != side.device ||
            row.device_name != side.device_name)
          continue;
        auto [place, is_first] = worst.try_emplace(key(row), row.status);
        if (!is_first) place->second = std::max(place->second, row.status);
      }
  return worst;
}

// The sides, and devices that were asked for rows and measured none.
std::vector<Side> with_unmeasured(std::span<const Results> results, std::span<const Side> sides) {
  std::vector<Side> all(sides.begin(), sides.end());
  for (const Results& set : results)
    for (const ResultFile& file : set.files)
      for (const Record& row : file.records) {
        const bool is_there = std::ranges::any_of(all, [&](const Side& side) {
          return side.source == set.name && side.device == row.device &&
                 side.device_name == row.device_name;
        });
        if (is_there || row.status == Status::skipped) continue;
        std::string label = row.device_name.empty() ? row.device : row.device_name;
        if (std::ranges::find(all, label, &Side::label) != all.end())
          label += fmt::format(" ({})", set.name);
        all.push_back({.label = std::move(label),
                       .device = row.device,
                       .device_name = row.device_name,
                       .unit = row.unit,
                       .source = set.name});
      }
  return all;
}

// Problems with several kernels, and those of them where the tier's fastest is near the fastest of all.
struct Near {
  std::ptrdiff_t near = 0, problems = 0;
};

Near near_the_best(const Side& side, const std::string& tier) {
  std::map<Contest, double> best;
  for (const Measurement& m : side.measurements)
    if (m.share_of_best && m.row().tier == tier) {
      double& share = best[contest_of(m.row())];
      share = std::max(share, *m.share_of_best);
    }
  const auto near =
      std::ranges::count_if(best, [](const auto& contest) { return contest.second >= near_best; });
  return {near, std::ssize(best)};
}

std::string near_text(const Near& near) {
  return near.problems == 0 ? "" : fmt::format("{} of {}", near.near, near.problems);
}

// The fastest row of each problem, by family and tier.
using Problems = std::map<Contest, std::pair<double, const Measurement*>>;
using Shares = std::map<std::tuple<std::string, int, std::string>, Problems>;

Shares shares_of_peak(const Side& side) {
  Shares shares;
  for (const Measurement& m : side.measurements) {
    const Record& row = m.row();
    const auto share = uses_device_memory(row) ? share_of_peak(m) : std::nullopt;
    if (!share) continue;
    auto& best = shares[{row.family, tier_rank(row.tier), row.tier}][contest_of(row)];
    best = std::max(best, {*share, &m});
  }
  return shares;
}

std::vector<double> values_of(const Problems& problems) {
  std::vector<double> shares;
  for (const auto& [contest, share] : problems) shares.push_back(share.first);
  return shares;
}

// Of all families.
std::vector<double> shares_of_tier(const Side& side, std::string_view tier) {
  std::vector<double> shares;
  for (const auto& [group, problems] : shares_of_peak(side))
    if (std::get<2>(group) == tier)
      std::ranges::copy(values_of(problems), std::back_inserter(shares));
  return shares;
}

struct Counts {
  int asked = 0, unsupported = 0, correct = 0, defects = 0;
};

void add(Counts& sum, const Counts& more) {
  sum.asked += more.asked;
  sum.unsupported += more.unsupported;
  sum.correct += more.correct;
  sum.defects += more.defects;
}

Counts counts_of(const Outcomes& rows) {
  Counts counts;
  for (const auto& [row, status] : rows) {
    counts.asked += status != Status::skipped;
    counts.unsupported += status == Status::unsupported;
    counts.correct += status == Status::ok;
    counts.defects += is_defect(status);
  }
  return counts;
}

// A library's kernel and the same library's first choice, on one problem.
struct Choice {
  const Measurement *fastest = nullptr, *first = nullptr;
};

std::map<std::string, std::map<Contest, Choice>> choices(const Side& side) {
  std::map<std::string, std::map<Contest, Choice>> by_library;
  for (const Measurement& m : side.measurements) {
    std::string kernel = m.row().kernel;
    const bool is_default = kernel.ends_with(default_suffix);
    if (is_default) kernel.resize(kernel.size() - default_suffix.size());
    Choice& choice = by_library[kernel][contest_of(m.row())];
    (is_default ? choice.first : choice.fastest) = &m;
  }
  for (auto& [library, contests] : by_library)
    std::erase_if(contests, [](const auto& contest) {
      return !contest.second.fastest || !contest.second.first;
    });
  return by_library;
}

}  // namespace

Table support(std::span<const Results> results, std::span<const Side> sides) {
  Table table{
      .title = "Maturity: what runs",
      .columns = {{"device", Align::left},
                  {"vendor", Align::left},
                  {"rows"},
                  {"supported"},
                  {"correct"},
                  {"defects"},
                  {"library near best"},
                  {"portable near best"}},
      .notes = {"Rows: without those that were skipped. Supported: not ruled out by the "
                "device or a library. Defects: failed, incorrect or implausible. Near "
                "best: of the problems with several kernels, those where the tier's fastest "
                "is within 20 % of the fastest of all."}};
  for (const Side& side : with_unmeasured(results, sides)) {
    const Counts counts = counts_of(outcomes(results, side));
    table.rows.push_back({side.label, vendor_of(side.device_name), fmt::format("{}", counts.asked),
                          fmt::format("{}", counts.asked - counts.unsupported),
                          fmt::format("{}", counts.correct), fmt::format("{}", counts.defects),
                          near_text(near_the_best(side, "library")),
                          near_text(near_the_best(side, "portable"))});
  }
  return table;
}

Table vendors(std::span<const Results> results, std::span<const Side> sides) {
  Table table{
      .title = "Maturity by vendor",
      .columns = {{"vendor", Align::left},
                  {"devices"},
                  {"rows"},
                  {"supported"},
                  {"correct"},
                  {"defects"},
                  {"library near best"},
                  {"portable near best"},
                  {"library of peak"},
                  {"portable of peak"}},
      .notes = {"All devices of a vendor together, as counted below: a die and its package, or one "
                "device in two results, each. Of peak: the geometric mean over all problems of all "
                "of them, which need not be those of another vendor."}};
  std::map<std::string, std::vector<const Side*>> by_vendor;
  const std::vector<Side> all = with_unmeasured(results, sides);
  for (const Side& side : all) by_vendor[vendor_of(side.device_name)].push_back(&side);
  by_vendor.erase("");
  if (by_vendor.size() < 2) return table;
  for (const auto& [vendor, of_vendor] : by_vendor) {
    Counts counts;
    for (const Side* side : of_vendor) add(counts, counts_of(outcomes(results, *side)));
    std::vector<std::string> near, of_peak;
    for (const char* tier : {"library", "portable"}) {
      Near sum;
      std::vector<double> shares;
      for (const Side* side : of_vendor) {
        const Near one = near_the_best(*side, tier);
        sum = {sum.near + one.near, sum.problems + one.problems};
        std::ranges::copy(shares_of_tier(*side, tier), std::back_inserter(shares));
      }
      near.push_back(near_text(sum));
      of_peak.push_back(shares.empty() ? "" : percent(geometric_mean(shares)));
    }
    table.rows.push_back(
        {vendor, fmt::format("{}", of_vendor.size()), fmt::format("{}", counts.asked),
         fmt::format("{}", counts.asked - counts.unsupported), fmt::format("{}", counts.correct),
         fmt::format("{}", counts.defects), near[0], near[1], of_peak[0], of_peak[1]});
  }
  return table;
}

Table software_gap(std::span<const Side> sides) {
  Table table{
      .title = "Maturity: share of the datasheet's peak",
      .columns = {{"device", Align::left},
                  {"family", Align::left},
                  {"tier", Align::left},
                  {"n"},
                  {"geometric mean"},
                  {"best"},
                  {"worst"},
                  {"worst problem", Align::left}},
      .notes = {"The tier's fastest kernel of each of n problems. What a tier misses of the "
                "peak that another reaches is the gap of its software."}};
  std::ranges::copy(doubts_of_products(sides), std::back_inserter(table.notes));
  for (const Side& side : sides)
    for (const auto& [group, problems] : shares_of_peak(side)) {
      const std::vector<double> shares = values_of(problems);
      std::pair<double, const Measurement*> worst = problems.begin()->second;
      for (const auto& [contest, share] : problems)
        if (share.first < worst.first) worst = share;
      table.rows.push_back({side.label, std::get<0>(group), std::get<2>(group),
                            fmt::format("{}", shares.size()), percent(geometric_mean(shares)),
                            percent(std::ranges::max(shares)), percent(worst.first),
                            worst.second->row().id});
    }
  return table;
}

std::vector<Bars> software_gap_charts(std::span<const Side> sides) {
  Bars chart{.title = "Share of the datasheet's peak by tier",
             .description =
                 "One bar for each device, family and tier: the geometric mean over the "
                 "problems, the tier's fastest kernel of each.",
             .axis = "% of the datasheet's peak"};
  for (const Side& side : sides)
    for (const auto& [group, problems] : shares_of_peak(side)) {
      const double mean = geometric_mean(values_of(problems));
      chart.rows.push_back({.label = fmt::format("{}, {}", side.label, std::get<0>(group)),
                            .series = std::get<2>(group),
                            .value = 100 * mean,
                            .text = percent(mean)});
    }
  if (chart.rows.empty()) return {};
  return {chart};
}

std::string ecosystem(std::span<const Results> results, const Side& side) {
  const Counts counts = counts_of(outcomes(results, side));
  const std::vector<double> shares = shares_of_tier(side, "library");
  return fmt::format("{} of {} rows correct{}", counts.correct, counts.asked,
                     shares.empty()
                         ? ""
                         : fmt::format("; library at {} of peak", percent(geometric_mean(shares))));
}

Table default_algorithms(std::span<const Side> sides) {
  Table table{.title = "Maturity: the fastest algorithm against the library's first choice",
              .columns = {{"device", Align::left},
                          {"library", Align::left},
                          {"n"},
                          {"geometric mean (interval)"},
                          {"largest gain"},
                          {"problem", Align::left}}};
  for (const Side& side : sides)
    for (const auto& [library, contests] : choices(side)) {
      if (contests.empty()) continue;
      std::vector<Ratio> ratios;
      std::pair<double, std::string> worst;
      for (const auto& [contest, choice] : contests) {
        ratios.push_back(speed_ratio(choice.first->time, choice.fastest->time));
        worst = std::max(worst, {ratios.back().value, std::get<0>(contest)});
      }
      table.rows.push_back({side.label, library, fmt::format("{}", ratios.size()),
                            mean_text(mean_ratio(ratios)), fmt::format("{:.3f}", worst.first),
                            worst.second});
    }
  if (table.rows.empty())
    table = {.title = table.title,
             .notes = {"Not measured: no row of a library's first choice, such as "
                       "`cublaslt-default`, beside the fastest of its algorithms."}};
  return table;
}

std::vector<Table> maturity(std::span<const Results> results, std::span<const Side> sides) {
  return {vendors(results, sides), support(results, sides), software_gap(sides),
          default_algorithms(sides), version_trend(results, sides)};
}

}  // namespace steelyard
