// swift-tools-version:5.9
// SPDX-License-Identifier: Apache-2.0
// KokoroTTS for Swift: a wrapper of libkoe's C API. libkoe is found with pkg-config ("koe"); docs/swift.md.
import PackageDescription

let package = Package(
    name: "Koe",
    platforms: [.macOS(.v13), .iOS(.v16)],
    products: [
        .library(name: "KokoroTTS", targets: ["KokoroTTS"])
    ],
    targets: [
        .systemLibrary(name: "CKoe", path: "Sources/CKoe", pkgConfig: "koe"),
        .target(name: "KokoroTTS", dependencies: ["CKoe"], path: "Sources/KokoroTTS"),
        .testTarget(name: "KokoroTTSTests", dependencies: ["KokoroTTS", "CKoe"], path: "Tests/KokoroTTSTests")
    ]
)
