// SPDX-License-Identifier: Apache-2.0
#include "reports/maturity.h"

#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/efficiency.h"
#include "reports/mean_ratio.h"

namespace steelyard {
namespace {

constexpr double near_best = 0.8;
constexpr std::string_view default_suffix = "-default";

std::string vendor_of(const Side& side) {
  const Spec* spec = find_spec(side.device_name);
  return spec == nullptr ? "" : spec->vendor;
}

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

// "12 of 14": problems with several kernels where the tier's fastest is near the fastest of all.
std::string near_the_best(const Side& side, const std::string& tier) {
  std::map<Contest, double> best;
  for (const Measurement& m : side.measurements)
    if (m.share_of_best && m.row().tier == tier) {
      double& share = best[contest_of(m.row())];
      share = std::max(share, *m.share_of_best);
    }
  const auto near =
      std::ranges::count_if(best, [](const auto& contest) { return contest.second >= near_best; });
  return best.empty() ? "" : fmt::format("{} of {}", near, best.size());
}

// The fastest row of each problem, by family and tier.
using Shares = std::map<std::tuple<std::string, int, std::string>,
                        std::map<Contest, std::pair<double, const Measurement*>>>;

Shares shares_of_peak(const Side& side) {
  Shares shares;
  for (const Measurement& m : side.measurements) {
    const Record& row = m.row();
    const auto share = row.cache == "hot" ? std::nullopt : share_of_peak(m);
    if (!share) continue;
    auto& best = shares[{row.family, tier_rank(row.tier), row.tier}][contest_of(row)];
    best = std::max(best, {*share, &m});
  }
  return shares;
}

struct Counts {
  int asked = 0, unsupported = 0, correct = 0, defects = 0;
};

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

double geometric_mean(const std::vector<double>& values) {
  std::vector<Ratio> ratios;
  for (const double value : values) ratios.push_back({value, {value, value}});
  return mean_ratio(ratios).value;
}

std::string mean_text(const MeanRatio& mean) {
  return fmt::format("{:.3f} ({:.3f} to {:.3f})", mean.value, mean.wider().lower,
                     mean.wider().upper);
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

std::string date_of(std::span<const Results> results, const Side& side) {
  for (const Results& set : results)
    if (set.name == side.source && !set.files.empty())
      for (const auto& [name, value] : set.files.front().context.google)
        if (name == "date") return text_of(value);
  return "";
}

// Driver and libraries where they differ: "driver 1.0 -> 2.0".
std::string version_change(const Relative& relative) {
  std::vector<std::string> changes;
  for (const Difference& difference : relative.conditions)
    if (difference.field == "driver" || difference.field == "libraries")
      changes.push_back(
          fmt::format("{} {} -> {}", difference.field, difference.values[0], difference.values[1]));
  return fmt::format("{}", fmt::join(changes, "; "));
}

// Devices of one name, the oldest result first.
std::map<std::pair<std::string, std::string>, std::vector<const Side*>> by_device(
    std::span<const Results> results, std::span<const Side> sides) {
  std::map<std::pair<std::string, std::string>, std::vector<const Side*>> devices;
  for (const Side& side : sides) devices[{side.device_name, side.unit}].push_back(&side);
  for (auto& [name, of_device] : devices)
    std::ranges::stable_sort(of_device, {},
                             [&](const Side* side) { return date_of(results, *side); });
  return devices;
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
  for (const Side& side : sides) {
    const Counts counts = counts_of(outcomes(results, side));
    table.rows.push_back({side.label, vendor_of(side), fmt::format("{}", counts.asked),
                          fmt::format("{}", counts.asked - counts.unsupported),
                          fmt::format("{}", counts.correct), fmt::format("{}", counts.defects),
                          near_the_best(side, "library"), near_the_best(side, "portable")});
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
  for (const Side& side : sides)
    for (const auto& [group, problems] : shares_of_peak(side)) {
      std::vector<double> shares;
      std::pair<double, const Measurement*> worst = problems.begin()->second;
      for (const auto& [contest, share] : problems) {
        shares.push_back(share.first);
        if (share.first < worst.first) worst = share;
      }
      table.rows.push_back({side.label, std::get<0>(group), std::get<2>(group),
                            fmt::format("{}", shares.size()), percent(geometric_mean(shares)),
                            percent(std::ranges::max(shares)), percent(worst.first),
                            worst.second->row().id});
    }
  return table;
}

std::string ecosystem(std::span<const Results> results, const Side& side) {
  const Counts counts = counts_of(outcomes(results, side));
  std::vector<double> shares;
  for (const auto& [group, problems] : shares_of_peak(side))
    if (std::get<2>(group) == "library")
      for (const auto& [contest, share] : problems) shares.push_back(share.first);
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

Table version_trend(std::span<const Results> results, std::span<const Side> sides) {
  Table table{.title = "Maturity: speed over versions of the software",
              .columns = {{"device", Align::left},
                          {"from", Align::left},
                          {"to", Align::left},
                          {"change", Align::left},
                          {"n"},
                          {"speed ratio (interval)"}},
              .notes = {"The geometric mean over the n rows that both results have, the fastest "
                        "kernel of each. Its interval is the wider of that of these rows and that "
                        "of rows like these."}};
  for (const auto& [device, of_device] : by_device(results, sides))
    for (std::size_t i = 1; i < of_device.size(); ++i) {
      const std::vector<Side> both = {*of_device[i - 1], *of_device[i]};
      const Relative relative = relate(both, 0);
      const std::string change = version_change(relative);
      std::vector<Ratio> ratios;
      for (const Comparison* comparison : widest_comparisons(relative))
        for (const ComparedRow& row : comparison->rows)
          if (row.cells[1].ratio) ratios.push_back(*row.cells[1].ratio);
      if (change.empty() || ratios.empty()) continue;
      const auto when = [&](const Side& side) {
        return fmt::format("{}, {}", side.source, date_of(results, side));
      };
      table.rows.push_back({device.first, when(both[0]), when(both[1]), change,
                            fmt::format("{}", ratios.size()), mean_text(mean_ratio(ratios))});
    }
  return table;
}

std::vector<Table> maturity(std::span<const Results> results, std::span<const Side> sides) {
  return {support(results, sides), software_gap(sides), default_algorithms(sides),
          version_trend(results, sides)};
}

}  // namespace steelyard
