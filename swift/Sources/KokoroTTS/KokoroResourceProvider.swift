// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Where a model bundle lies: a folder that `koe bundle build` has made, or a store of `koe bundle fetch`.
public struct KokoroResourceProvider: Sendable {
    /// The folder, as it was found; whether a sound bundle is in it is looked at when it is loaded.
    public let directoryURL: URL

    /// A folder anywhere.
    public static func directory(_ url: URL) -> KokoroResourceProvider {
        KokoroResourceProvider(directoryURL: url)
    }

    /// A folder reference ("kokoro-82m") among the resources of an app.
    public static func appBundle(_ bundle: Bundle = .main, subdirectory: String = "kokoro-82m") throws
        -> KokoroResourceProvider
    {
        try resource(of: bundle, subdirectory: subdirectory)
    }

    /// A folder that a Swift package copies as a resource: pass its Bundle.module.
    public static func packageBundle(_ bundle: Bundle, subdirectory: String = "kokoro-82m") throws
        -> KokoroResourceProvider
    {
        try resource(of: bundle, subdirectory: subdirectory)
    }

    /// The store into which `koe bundle fetch` has downloaded: the version that counts is used.
    public static func downloadedDirectory(_ store: URL) -> KokoroResourceProvider {
        KokoroResourceProvider(directoryURL: store)
    }

    private static func resource(of bundle: Bundle, subdirectory: String) throws -> KokoroResourceProvider {
        let parts = subdirectory.split(separator: "/", omittingEmptySubsequences: false)
        if subdirectory.contains("\\") || parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) {
            throw KokoroError.invalidArgument("resources: '\(subdirectory)': not a path within a bundle")
        }
        let root = bundle.resourceURL ?? bundle.bundleURL
        let url = root.appendingPathComponent(subdirectory, isDirectory: true)
        var isDirectory: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory)
        if !exists || !isDirectory.boolValue {
            throw KokoroError.notFound("resources: '\(subdirectory)': not in the bundle")
        }
        return KokoroResourceProvider(directoryURL: url)
    }
}
