//! Images: where they come from, how they are checked, and how their layers become a directory tree.
//!
//! An image is only files, named by the digests of what they hold (OCI image specification). Nothing of an image is used
//! before its digest and size have been compared with what the file that names it says: the index names manifests, a
//! manifest names a configuration and layers, and the configuration names the layers once more, uncompressed (`diff_ids`).

mod archive;
pub(crate) mod builtin;
pub(crate) mod copy;
mod destination;
pub(crate) mod digest;
mod dir;
mod error;
pub(crate) mod journal;
pub(crate) mod kept;
mod layout;
mod lock;
pub(crate) mod manifest;
pub(crate) mod partial;
mod platform;
pub(crate) mod reference;
pub(crate) mod registry;
mod room;
pub(crate) mod size;
pub(crate) mod source;
pub(crate) mod staging;
pub mod unpack;

pub(crate) use digest::Digest;
pub(crate) use error::{Error, Result};
pub use platform::Platform;
pub(crate) use reference::Reference;
pub(crate) use registry::Access;
pub(crate) use source::{Image, Source, tags_of};
