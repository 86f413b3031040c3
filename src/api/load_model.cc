// SPDX-License-Identifier: Apache-2.0
#include "api/load_model.h"

#include <optional>

#include "bundle/files.h"

namespace koe::api {
namespace {

Result<pipeline::Model> Make(const bundle::Bundle& weights_of, const bundle::Bundle& bundle, const pipeline::Plan& plan,
                             const kernels::KernelSet& kernels, ThreadPool& pool, const std::atomic<bool>* cancelled) {
  KOE_TRY(const auto weights, weights_of.OpenWeights());
  pipeline::DeviceResources resources{weights.get(), &kernels,
                                      [vocab = &bundle.vocab()](char32_t symbol) { return vocab->Find(symbol); }};
  resources.cancelled = cancelled;
  return pipeline::LoadModel(plan, resources, pool);
}

}  // namespace

Result<pipeline::Model> LoadModel(const bundle::Bundle& bundle, bool check_digest, const pipeline::Plan& plan,
                                  const kernels::KernelSet& kernels, ThreadPool& pool,
                                  const std::atomic<bool>* cancelled) {
  if (!check_digest || bundle.is_provided()) return Make(bundle, bundle, plan, kernels, pool, cancelled);
  KOE_TRY(const auto unchecked, bundle::Bundle::Open(bundle.dir(), bundle::Digests::kNotChecked));
  Result<void> checked;
  std::optional<Result<pipeline::Model>> model;
  pool.RunAll({[&] { model.emplace(Make(*unchecked, bundle, plan, kernels, pool, cancelled)); },
               [&] {
                 const auto file = bundle.OpenFile(bundle::kWeightsName);
                 if (!file) checked = file.error();
               }});
  if (!checked) return checked.error();
  return std::move(*model);
}

}  // namespace koe::api
