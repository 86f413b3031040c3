// SPDX-License-Identifier: Apache-2.0
// As Foundation/Foundation.h, of libdispatch.
#ifndef KOE_TESTS_APPLE_STUBS_DISPATCH_H_
#define KOE_TESTS_APPLE_STUBS_DISPATCH_H_

#import <Foundation/Foundation.h>
#include <stdint.h>

@interface KoeStubDispatchSemaphore : NSObject
@end
typedef KoeStubDispatchSemaphore* dispatch_semaphore_t;
typedef uint64_t dispatch_time_t;
#define DISPATCH_TIME_FOREVER (~0ull)
extern "C" {
dispatch_semaphore_t dispatch_semaphore_create(intptr_t value);
intptr_t dispatch_semaphore_wait(dispatch_semaphore_t semaphore, dispatch_time_t timeout);
intptr_t dispatch_semaphore_signal(dispatch_semaphore_t semaphore);
}

#endif  // KOE_TESTS_APPLE_STUBS_DISPATCH_H_
