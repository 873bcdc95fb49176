//! The registry for tests as one that an image is sent to (OCI distribution specification, "Push").

use super::layer::sha256;
use std::{fs, path::Path};

/// Keeps what is sent below `/v2/REPOSITORY/` in a layout; gives the status of the answer and its headers. `None` where it is
/// no request to keep something.
pub fn store(layout: &Path, method: &str, path: &str, repository: &str, body: &[u8]) -> Option<(u16, Vec<String>)> {
    let blobs = layout.join("blobs/sha256");
    let keep = |digits: &str| {
        if sha256(body) != digits {
            return 400;
        }
        fs::create_dir_all(&blobs).unwrap();
        fs::write(blobs.join(digits), body).unwrap();
        201
    };
    let rest = path.strip_prefix(repository)?;
    match (method, rest.split_once('/')?) {
        ("HEAD", ("blobs", digest)) => {
            let there = blobs.join(digest.trim_start_matches("sha256:")).exists();
            Some((if there { 200 } else { 404 }, Vec::new()))
        }
        ("POST", ("blobs", "uploads/")) => Some((202, vec![format!("Location: {repository}blobs/uploads/1?state=x")])),
        ("PUT", ("blobs", upload)) => {
            let digits = upload.split_once("digest=sha256:")?.1;
            Some((keep(digits), Vec::new()))
        }
        ("PUT", ("manifests", tag)) => {
            let digits = sha256(body);
            let descriptor = format!(
                r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:{digits}","size":{}}}"#,
                body.len()
            );
            let status = keep(&digits);
            super::layer::tagged(layout, &descriptor, tag);
            Some((status, vec![format!("Docker-Content-Digest: sha256:{digits}")]))
        }
        _ => None,
    }
}
