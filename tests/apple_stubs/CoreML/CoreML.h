// SPDX-License-Identifier: Apache-2.0
// As Foundation/Foundation.h, of Core ML.
#ifndef KOE_TESTS_APPLE_STUBS_COREML_H_
#define KOE_TESTS_APPLE_STUBS_COREML_H_

#import <Foundation/Foundation.h>

typedef NS_ENUM(NSInteger, MLComputeUnits) {
  MLComputeUnitsCPUOnly = 0,
  MLComputeUnitsCPUAndGPU = 1,
  MLComputeUnitsAll = 2,
  MLComputeUnitsCPUAndNeuralEngine = 3,
};

typedef NS_ENUM(NSInteger, MLMultiArrayDataType) {
  MLMultiArrayDataTypeDouble = 65600,
  MLMultiArrayDataTypeFloat32 = 65568,
  MLMultiArrayDataTypeFloat16 = 65552,
  MLMultiArrayDataTypeInt32 = 131104,
};

@interface MLMultiArray : NSObject
- (instancetype)initWithDataPointer:(void*)dataPointer
                              shape:(NSArray<NSNumber*>*)shape
                           dataType:(MLMultiArrayDataType)dataType
                            strides:(NSArray<NSNumber*>*)strides
                        deallocator:(void (^)(void* bytes))deallocator
                              error:(NSError**)error;
- (void)getBytesWithHandler:(void (^)(const void* bytes, NSInteger size))handler;
@property(readonly, nonatomic) MLMultiArrayDataType dataType;
@property(readonly, nonatomic) NSArray<NSNumber*>* shape;
@property(readonly, nonatomic) NSArray<NSNumber*>* strides;
@end

@interface MLFeatureValue : NSObject
+ (instancetype)featureValueWithMultiArray:(MLMultiArray*)value;
@property(readonly, nonatomic) MLMultiArray* multiArrayValue;
@end

@protocol MLFeatureProvider
- (MLFeatureValue*)featureValueForName:(NSString*)featureName;
@end

@interface MLDictionaryFeatureProvider : NSObject <MLFeatureProvider>
- (instancetype)initWithDictionary:(NSDictionary<NSString*, id>*)dictionary error:(NSError**)error;
@end

@interface MLModelConfiguration : NSObject
@property(readwrite) MLComputeUnits computeUnits;
@end

@interface MLModel : NSObject
+ (instancetype)modelWithContentsOfURL:(NSURL*)url
                         configuration:(MLModelConfiguration*)configuration
                                 error:(NSError**)error;
+ (void)compileModelAtURL:(NSURL*)modelURL completionHandler:(void (^)(NSURL* compiledModelURL, NSError* error))handler;
- (id<MLFeatureProvider>)predictionFromFeatures:(id<MLFeatureProvider>)input error:(NSError**)error;
@end

#endif  // KOE_TESTS_APPLE_STUBS_COREML_H_
