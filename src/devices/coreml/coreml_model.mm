// SPDX-License-Identifier: Apache-2.0
#include "devices/coreml/coreml_model.h"

#import <CoreML/CoreML.h>
#import <Foundation/Foundation.h>
#include <dispatch/dispatch.h>

#include <mutex>
#include <utility>
#include <vector>

#include "devices/coreml/strided_copy.h"

namespace koe::devices {
namespace {

Error Failed(const char* what, const std::string& which, NSError* error) {
  NSString* text = error == nil ? nil : error.localizedDescription;
  std::string why = text == nil ? "no reason given" : text.UTF8String;
  for (char& c : why) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';  // one line
  }
  return Error(ErrorCode::kInternal, std::string("coreml: ") + what + " '" + which + "': " + why);
}

NSURL* FileUrl(const std::string& path) {
  return [NSURL fileURLWithPath:[NSString stringWithUTF8String:path.c_str()]];
}

NSArray<NSNumber*>* Numbers(const std::vector<int64_t>& values) {
  NSMutableArray<NSNumber*>* numbers = [NSMutableArray arrayWithCapacity:values.size()];
  for (const int64_t value : values) [numbers addObject:[NSNumber numberWithLongLong:value]];
  return numbers;
}

std::vector<int64_t> Integers(NSArray<NSNumber*>* numbers) {
  std::vector<int64_t> values;
  for (NSNumber* number in numbers) values.push_back(number.longLongValue);
  return values;
}

MLComputeUnits UnitsOf(ComputeUnits units) {
  switch (units) {
    case ComputeUnits::kCpuOnly:
      return MLComputeUnitsCPUOnly;
    case ComputeUnits::kCpuAndGpu:
      return MLComputeUnitsCPUAndGPU;
    case ComputeUnits::kCpuAndNeuralEngine:
      return MLComputeUnitsCPUAndNeuralEngine;
    case ComputeUnits::kAll:
      return MLComputeUnitsAll;
  }
  return MLComputeUnitsCPUOnly;
}

// The input without a copy: Core ML reads it during the prediction only.
MLMultiArray* ArrayOf(const InputTensor& tensor, NSError** error) {
  const bool is_float = !tensor.floats.empty();
  const void* data = is_float ? static_cast<const void*>(tensor.floats.data()) : tensor.integers.data();
  std::vector<int64_t> strides(tensor.shape.size(), 1);
  for (size_t i = strides.size(); i-- > 1;) strides[i - 1] = strides[i] * tensor.shape[i];
  return [[MLMultiArray alloc] initWithDataPointer:const_cast<void*>(data)
                                             shape:Numbers(tensor.shape)
                                          dataType:is_float ? MLMultiArrayDataTypeFloat32 : MLMultiArrayDataTypeInt32
                                           strides:Numbers(strides)
                                       deallocator:nil
                                             error:error];
}

// Copies a result into the place that the caller has for it.
Result<void> CopyOutput(MLMultiArray* array, const OutputTensor& tensor) {
  StridedArray view;
  switch (array.dataType) {
    case MLMultiArrayDataTypeFloat16:
      view.type = ArrayType::kFloat16;
      break;
    case MLMultiArrayDataTypeFloat32:
      view.type = ArrayType::kFloat32;
      break;
    case MLMultiArrayDataTypeInt32:
      view.type = ArrayType::kInt32;
      break;
    default:
      return Error(ErrorCode::kInternal, std::string("coreml: output '") + tensor.name + "': of an unknown type");
  }
  view.shape = Integers(array.shape);
  view.strides = Integers(array.strides);
  __block Result<void> copied = Error(ErrorCode::kInternal, "coreml: output: cannot be read");
  [array getBytesWithHandler:^(const void* bytes, NSInteger size) {
    StridedArray readable = view;
    readable.data = bytes;
    readable.bytes = static_cast<size_t>(size);
    copied = tensor.integers.empty() ? CopyStrided(readable, tensor.floats) : CopyStrided(readable, tensor.integers);
  }];
  return copied;
}

class CoreMlSession final : public OnnxRuntime::Session {
 public:
  CoreMlSession(MLModel* model, std::string name) : model_(model), name_(std::move(name)) {}

  Result<void> Run(const std::vector<InputTensor>& inputs, const std::vector<OutputTensor>& outputs) const override {
    @autoreleasepool {
      NSError* error = nil;
      NSMutableDictionary<NSString*, MLFeatureValue*>* features = [NSMutableDictionary dictionary];
      for (const InputTensor& input : inputs) {
        MLMultiArray* array = ArrayOf(input, &error);
        if (array == nil) return Failed("input", input.name, error);
        features[[NSString stringWithUTF8String:input.name]] = [MLFeatureValue featureValueWithMultiArray:array];
      }
      MLDictionaryFeatureProvider* provider = [[MLDictionaryFeatureProvider alloc] initWithDictionary:features
                                                                                                error:&error];
      if (provider == nil) return Failed("inputs of", name_, error);
      // A model is for one thread at a time before macOS 14 and iOS 17.
      const std::lock_guard<std::mutex> lock(mutex_);
      id<MLFeatureProvider> result = [model_ predictionFromFeatures:provider error:&error];
      if (result == nil) return Failed("prediction of", name_, error);
      for (const OutputTensor& output : outputs) {
        MLMultiArray* array =
            [result featureValueForName:[NSString stringWithUTF8String:output.name]].multiArrayValue;
        if (array == nil) return Failed("output", output.name, nil);
        KOE_CHECK_OK(CopyOutput(array, output));
      }
    }
    return {};
  }

 private:
  MLModel* const model_;
  const std::string name_;
  mutable std::mutex mutex_;
};

}  // namespace

Result<std::string> CompileCoreMlModel(const std::string& package_path) {
  @autoreleasepool {
    __block NSURL* compiled = nil;
    __block NSError* failure = nil;
    const dispatch_semaphore_t done = dispatch_semaphore_create(0);
    [MLModel compileModelAtURL:FileUrl(package_path)
             completionHandler:^(NSURL* url, NSError* error) {
               compiled = url;
               failure = error;
               dispatch_semaphore_signal(done);
             }];
    dispatch_semaphore_wait(done, DISPATCH_TIME_FOREVER);
    if (compiled == nil) return Failed("compiling", package_path, failure);
    return std::string(compiled.path.UTF8String);
  }
}

Result<std::unique_ptr<OnnxRuntime::Session>> OpenCoreMlModel(const std::string& compiled_path, ComputeUnits units) {
  @autoreleasepool {
    NSError* error = nil;
    MLModelConfiguration* configuration = [[MLModelConfiguration alloc] init];
    configuration.computeUnits = UnitsOf(units);
    MLModel* model = [MLModel modelWithContentsOfURL:FileUrl(compiled_path) configuration:configuration error:&error];
    if (model == nil) return Failed("opening", compiled_path, error);
    return std::unique_ptr<OnnxRuntime::Session>(new CoreMlSession(model, compiled_path));
  }
}

std::string CachesDirectory() {
  @autoreleasepool {
    NSArray<NSString*>* paths = NSSearchPathForDirectoriesInDomains(NSCachesDirectory, NSUserDomainMask, YES);
    return paths.firstObject == nil ? std::string() : std::string(paths.firstObject.UTF8String);
  }
}

std::string OperatingSystemVersion() {
  @autoreleasepool {
    return std::string(NSProcessInfo.processInfo.operatingSystemVersionString.UTF8String);
  }
}

}  // namespace koe::devices
