// SPDX-License-Identifier: Apache-2.0
#include "devices/onnxruntime.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "devices/onnxruntime_api.h"

namespace koe::devices {
namespace {

template <typename Function>
Function At(ort::Table table, ort::Slot slot) {
  return reinterpret_cast<Function>(table[slot]);
}

// A handle and what releases it.
template <typename T>
class Handle {
 public:
  Handle(ort::Table table, ort::Slot release) : release_(At<ort::Release<T>>(table, release)) {}
  Handle(Handle&& other) noexcept : release_(other.release_), handle_(std::exchange(other.handle_, nullptr)) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (handle_ != nullptr) release_(handle_);
  }
  T** out() { return &handle_; }
  T* get() const { return handle_; }

 private:
  ort::Release<T> release_;
  T* handle_ = nullptr;
};

Result<void> Check(ort::Table table, ort::Status* status, const std::string& what) {
  if (status == nullptr) return {};
  std::string message = At<ort::GetErrorMessage>(table, ort::kGetErrorMessage)(status);
  At<ort::Release<ort::Status>>(table, ort::kReleaseStatus)(status);
  std::replace(message.begin(), message.end(), '\n', ' ');
  return Error(ErrorCode::kInternal, "onnxruntime: " + what + ": " + message);
}

class SessionOfLibrary final : public OnnxRuntime::Session {
 public:
  SessionOfLibrary(ort::Table table, Handle<ort::Session> session, Handle<ort::MemoryInfo> memory)
      : table_(table), session_(std::move(session)), memory_(std::move(memory)) {}

  Result<void> Run(const std::vector<InputTensor>& inputs, const std::vector<OutputTensor>& outputs) const override {
    std::vector<Handle<ort::Value>> values;
    std::vector<const char*> input_names, output_names;
    std::vector<const ort::Value*> input_values;
    std::vector<ort::Value*> output_values;
    values.reserve(inputs.size() + outputs.size());
    for (const InputTensor& input : inputs) {
      // The interface asks for mutable data and leaves inputs as they are.
      KOE_CHECK_OK(Wrap(input.name, input.shape, {const_cast<float*>(input.floats.data()), input.floats.size()},
                        {const_cast<int32_t*>(input.integers.data()), input.integers.size()}, &values));
      input_names.push_back(input.name);
      input_values.push_back(values.back().get());
    }
    for (const OutputTensor& output : outputs) {
      KOE_CHECK_OK(Wrap(output.name, output.shape, output.floats, output.integers, &values));
      output_names.push_back(output.name);
      output_values.push_back(values.back().get());
    }
    return Check(table_,
                 At<ort::Run>(table_, ort::kRun)(session_.get(), nullptr, input_names.data(), input_values.data(),
                                                 input_values.size(), output_names.data(), output_names.size(),
                                                 output_values.data()),
                 "run");
  }

 private:
  Result<void> Wrap(const char* name, const std::vector<int64_t>& shape, std::span<float> floats,
                    std::span<int32_t> integers, std::vector<Handle<ort::Value>>* values) const {
    size_t size = 1;
    for (const int64_t d : shape) size *= static_cast<size_t>(d);
    if (size != floats.size() + integers.size()) {
      return Error(ErrorCode::kInternal, std::string("onnxruntime: ") + name + ": another number of elements");
    }
    const bool is_float = !floats.empty();
    void* data = is_float ? static_cast<void*>(floats.data()) : integers.data();
    values->emplace_back(table_, ort::kReleaseValue);
    return Check(table_,
                 At<ort::CreateTensorWithData>(table_, ort::kCreateTensorWithData)(
                     memory_.get(), data, size * 4, shape.data(), shape.size(), is_float ? ort::kFloat : ort::kInt32,
                     values->back().out()),
                 name);
  }

  ort::Table table_;
  Handle<ort::Session> session_;
  Handle<ort::MemoryInfo> memory_;
};

class Library final : public OnnxRuntime {
 public:
  Library(ort::Table table, std::string version, Handle<ort::Env> environment)
      : table_(table), version_(std::move(version)), environment_(std::move(environment)) {}

  const std::string& version() const override { return version_; }

  Result<std::unique_ptr<Session>> Open(const std::string& model_path, int num_threads) const override {
    std::error_code error;
    if (!std::filesystem::is_regular_file(model_path, error)) {
      return Error(ErrorCode::kNotFound, "model: '" + model_path + "': not found (see 'koe export --format onnx')");
    }
    Handle<ort::SessionOptions> options(table_, ort::kReleaseSessionOptions);
    KOE_CHECK_OK(Check(table_, At<ort::CreateSessionOptions>(table_, ort::kCreateSessionOptions)(options.out()),
                       "session options"));
    KOE_CHECK_OK(Check(table_,
                       At<ort::SetIntraOpNumThreads>(table_, ort::kSetIntraOpNumThreads)(options.get(), num_threads),
                       "threads"));
    // Its threads sleep between runs: native stages run beside it, on the same processors.
    KOE_CHECK_OK(Check(table_,
                       At<ort::AddSessionConfigEntry>(table_, ort::kAddSessionConfigEntry)(
                           options.get(), "session.intra_op.allow_spinning", "0"),
                       "spinning"));
    Handle<ort::Session> session(table_, ort::kReleaseSession);
    KOE_CHECK_OK(Check(table_,
                       At<ort::CreateSession>(table_, ort::kCreateSession)(environment_.get(), model_path.c_str(),
                                                                           options.get(), session.out()),
                       model_path));
    Handle<ort::MemoryInfo> memory(table_, ort::kReleaseMemoryInfo);
    KOE_CHECK_OK(Check(table_,
                       At<ort::CreateCpuMemoryInfo>(table_, ort::kCreateCpuMemoryInfo)(
                           ort::kArenaAllocator, ort::kDefaultMemory, memory.out()),
                       "memory"));
    return std::unique_ptr<Session>(std::make_unique<SessionOfLibrary>(table_, std::move(session), std::move(memory)));
  }

 private:
  ort::Table table_;
  std::string version_;
  Handle<ort::Env> environment_;
};

}  // namespace

Result<std::shared_ptr<const OnnxRuntime>> OnnxRuntime::Load(const std::string& path) {
  const char* from_environment = std::getenv("KOE_ONNXRUNTIME_LIBRARY");
  std::vector<std::string> names = {"libonnxruntime.so.1", "libonnxruntime.so"};  // as packages name it
  if (!path.empty()) {
    names = {path};
  } else if (from_environment != nullptr && from_environment[0] != '\0') {
    names = {from_environment};
  }
  void* library = nullptr;
  std::string name;
  for (size_t i = 0; i < names.size() && library == nullptr; ++i) {
    name = names[i];
    library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  }
  if (library == nullptr) {
    const char* why = dlerror();
    return Error(ErrorCode::kNotFound, "onnxruntime: '" + name + "': cannot be loaded (" +
                                           (why != nullptr ? why : "no reason given") +
                                           "); $KOE_ONNXRUNTIME_LIBRARY names one");
  }
  const auto entry = reinterpret_cast<const ort::ApiBase* (*)()>(dlsym(library, ort::kEntryPoint));
  if (entry == nullptr) return Error(ErrorCode::kUnsupported, "onnxruntime: '" + name + "': is no onnxruntime");
  const ort::ApiBase* base = entry();
  const ort::Table table = base->get_api(ort::kApiVersion);
  const std::string version = base->get_version();
  if (table == nullptr) {
    return Error(ErrorCode::kUnsupported, "onnxruntime: version " + version + ": must be 1.16 or newer");
  }
  Handle<ort::Env> environment(table, ort::kReleaseEnv);
  KOE_CHECK_OK(
      Check(table, At<ort::CreateEnv>(table, ort::kCreateEnv)(ort::kError, "koe", environment.out()), "start"));
  return std::shared_ptr<const OnnxRuntime>(std::make_shared<Library>(table, version, std::move(environment)));
}

}  // namespace koe::devices
