// SPDX-License-Identifier: Apache-2.0
#include "reports/claims.h"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "reports/claim_rows.h"
#include "reports/mean_ratio.h"

namespace steelyard {
namespace {

void judge_mean(Finding& finding, const Pair& pair, const Interval& band) {
  std::vector<Ratio> ratios;
  for (const PairedRow& row : pair.rows) ratios.push_back(row.ratio);
  const MeanRatio mean = mean_ratio(ratios);
  finding.value = mean.value;
  finding.interval = mean.wider();
  finding.judgement = judge(finding.interval, band);
}

// One row within the band is enough to support; all must lie outside to contradict.
void judge_some(Finding& finding, const Pair& pair, const Interval& band) {
  int within = 0, outside = 0;
  for (const PairedRow& row : pair.rows) {
    const Judgement judgement = judge(row.ratio.ci95, band);
    within += judgement == Judgement::supported;
    outside += judgement == Judgement::contradicted;
  }
  const PairedRow& largest = *std::ranges::max_element(
      pair.rows, {}, [](const PairedRow& row) { return row.ratio.value; });
  finding.value = largest.ratio.value;
  finding.interval = largest.ratio.ci95;
  finding.judgement = within > 0                ? Judgement::supported
                      : outside == finding.rows ? Judgement::contradicted
                                                : Judgement::mixed;
  finding.note = fmt::format("{} of {} rows lie in the band; the largest: {}{}{}", within,
                             finding.rows, largest.id, pair.note.empty() ? "" : "; ", pair.note);
}

Finding finding_of(const Claim& claim, const Pair& pair, bool is_published) {
  Finding finding{.a = pair.a,
                  .b = pair.b,
                  .is_published = is_published,
                  .rows = static_cast<int>(pair.rows.size()),
                  .by_own_source = pair.by_own_source,
                  .chain = pair.chain,
                  .note = pair.note};
  const bool some = claim.aggregate == Claim::Aggregate::some;
  (some ? judge_some : judge_mean)(finding, pair, claim.band);
  if (claim.aggregate == Claim::Aggregate::mean && !is_published && finding.rows == 1)
    finding.note = claim.quantity == Claim::Quantity::utilisation
                       ? "one model: says nothing of others"
                       : "one row: says nothing of others like it";
  return finding;
}

Judgement of_chain(const std::vector<Judgement>& links, std::size_t all) {
  const auto any = [&](Judgement judgement) { return std::ranges::count(links, judgement) > 0; };
  if (any(Judgement::contradicted)) return Judgement::contradicted;
  if (links.size() < all) return Judgement::not_measured;
  return any(Judgement::mixed) ? Judgement::mixed : Judgement::supported;
}

Judged judge(const Claim& claim, const Evidence& evidence) {
  Judged judged{.claim = claim};
  for (const bool is_published : {false, true}) {
    if (is_published ? evidence.published.empty() : evidence.sides.empty()) continue;
    const Pairs found = (is_published ? published_pairs : measured_pairs)(claim, evidence);
    for (const Pair& pair : found.pairs)
      judged.findings.push_back(finding_of(claim, pair, is_published));
    judged.missing.insert(judged.missing.end(), found.missing.begin(), found.missing.end());
  }
  return judged;
}

}  // namespace

std::string_view name(Judgement judgement) {
  static constexpr std::array names = {"supported", "contradicted", "mixed", "not measured"};
  return names.at(static_cast<std::size_t>(judgement));
}

Judgement judge(const Interval& interval, const Interval& band) {
  if (interval.lower >= band.lower && interval.upper <= band.upper) return Judgement::supported;
  if (interval.upper < band.lower || interval.lower > band.upper) return Judgement::contradicted;
  return Judgement::mixed;
}

Judgement overall(const Judged& judged, bool is_published) {
  std::vector<Judgement> judgements;
  std::map<std::string, std::vector<Judgement>> chains;
  for (const Finding& finding : judged.findings)
    if (finding.is_published == is_published)
      (finding.chain.empty() ? judgements : chains[finding.chain]).push_back(finding.judgement);
  const std::size_t links = judged.claim.sides.size() - 1;
  for (const auto& [chain, of_links] : chains) judgements.push_back(of_chain(of_links, links));
  std::erase(judgements, Judgement::not_measured);
  if (judgements.empty()) return Judgement::not_measured;
  const bool agree = std::ranges::count(judgements, judgements[0]) == std::ssize(judgements);
  return agree ? judgements[0] : Judgement::mixed;
}

std::vector<Judged> judge(std::span<const Claim> claims, const Evidence& evidence) {
  std::vector<Judged> judged;
  for (const Claim& claim : claims) judged.push_back(judge(claim, evidence));
  return judged;
}

}  // namespace steelyard
