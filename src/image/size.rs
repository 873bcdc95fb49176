//! How large an image will be, told without a network and without reading its layers.

use super::{Access, Image, Platform, Reference, builtin};
use std::{fs::File, io::Read, path::Path};

/// What an image of a registry is taken for: most distributions' are smaller.
const UNKNOWN: u64 = 160 << 20;

/// A compressed layer becomes two to three times as large.
fn decompressed(size: u64) -> u64 {
    size.saturating_mul(5) / 2
}

/// About how many bytes an image has when it is unpacked; `tools` are the names that the built-in one gives to this program.
/// Where that cannot be known at once, it is a guess: whatever is wrong with the image will be said when it is used.
pub(crate) fn unpacked(reference: &Reference, tools: &[&str]) -> u64 {
    match reference {
        Reference::Builtin => builtin::size(tools).unwrap_or(UNKNOWN),
        Reference::Docker(_) => UNKNOWN,
        Reference::Dir(_) | Reference::Oci { .. } => {
            Image::open(reference, &Platform::host(), &[], &Access::default()).map_or(UNKNOWN, |image| layers(&image))
        }
        // The layers in it are compressed one by one.
        Reference::OciArchive { file, .. } => stored(file).map_or(UNKNOWN, |(size, _)| decompressed(size)),
        Reference::DockerArchive { file, .. } => {
            stored(file).map_or(UNKNOWN, |(size, compressed)| if compressed { decompressed(size) } else { size })
        }
    }
}

fn layers(image: &Image) -> u64 {
    let size = |plain: bool, size| if plain { size } else { decompressed(size) };
    let sizes = image.manifest.layers.iter().map(|layer| size(layer.media_type.ends_with("tar"), layer.size));
    sizes.fold(0, u64::saturating_add)
}

/// The size of an archive, and whether it is compressed as a whole: its first bytes tell (gzip, zstd).
fn stored(path: &Path) -> Option<(u64, bool)> {
    let mut magic = [0; 4];
    let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    File::open(path).ok()?.read_exact(&mut magic).ok()?;
    Some((metadata.len(), magic.starts_with(&[0x1f, 0x8b]) || magic == [0x28, 0xb5, 0x2f, 0xfd]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(reference: &str) -> u64 {
        unpacked(&reference.parse().unwrap(), &[])
    }

    #[test]
    fn an_archive_is_as_large_as_its_file_says() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, first: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, [first, &[0; 1000]].concat()).unwrap();
            path.display().to_string()
        };
        assert_eq!(size(&format!("docker-archive:{}", file("plain", b"name"))), 1004);
        assert_eq!(size(&format!("docker-archive:{}", file("gz", &[0x1f, 0x8b]))), 2505);
        assert_eq!(size(&format!("oci-archive:{}", file("oci", b"name"))), 2510);
        assert_eq!(size("docker-archive:/not/there"), UNKNOWN);
    }

    #[test]
    fn a_layout_names_the_sizes_of_its_layers() {
        let dir = tempfile::tempdir().unwrap();
        let config = br#"{"architecture":"","os":"","rootfs":{"type":"layers","diff_ids":[]}}"#;
        let digest = crate::image::Digest::of(config);
        std::fs::write(dir.path().join(digest.hex()), config).unwrap();
        std::fs::write(dir.path().join("version"), "Directory Transport Version: 1.1\n").unwrap();
        let blob = format!("sha256:{}", "0".repeat(64));
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest.to_string(), "size": config.len() },
            "layers": [
                { "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": blob, "size": 1000 },
                { "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": blob, "size": 70 },
            ],
        });
        std::fs::write(dir.path().join("manifest.json"), manifest.to_string()).unwrap();
        assert_eq!(size(&format!("dir:{}", dir.path().display())), 2570, "no layer is there, and none is read");
        assert_eq!(size("dir:/not/there"), UNKNOWN);
        assert_eq!(size("docker://alpine"), UNKNOWN);
        // This very program is in it.
        let own = std::fs::metadata("/proc/self/exe").unwrap().len();
        assert!((own..own + (100 << 20)).contains(&size("builtin:")), "{}", size("builtin:"));
    }
}
